using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Storage.Operators;

namespace PersistCa.Storage.Mapping;

internal sealed class OperatorMapping :
    IEntityTypeConfiguration<OperatorToken>,
    IEntityTypeConfiguration<RevocationProposal>,
    IEntityTypeConfiguration<RevocationItem>,
    IEntityTypeConfiguration<OperatorProposal>,
    IEntityTypeConfiguration<RuntimeSwitch>
{
    public void Configure(EntityTypeBuilder<OperatorToken> builder)
    {
        builder.ToTable("operator_tokens");
        builder.HasKey(t => t.Id);
        builder.Property(t => t.PublicId).HasMaxLength(32);
        builder.Property(t => t.Name).HasMaxLength(64);
        builder.Property(t => t.MadeBy).HasMaxLength(64);
        builder.Property(t => t.SecretHash).HasMaxLength(64);
        builder.HasIndex(t => t.PublicId).IsUnique();
        builder.HasIndex(t => t.SecretHash).IsUnique();
    }

    public void Configure(EntityTypeBuilder<RevocationProposal> builder)
    {
        builder.ToTable("revocation_proposals", table =>
        {
            // Four eyes, held by the database: no program and no hand at its prompt gets around it.
            table.HasCheckConstraint("ck_revocation_proposals_approver", "approver IS NULL OR lower(approver) <> lower(proposer)");
            table.HasCheckConstraint("ck_revocation_proposals_approved", "(approver IS NULL) = (approved_at IS NULL)");
            table.HasCheckConstraint("ck_revocation_proposals_in_time", "approved_at IS NULL OR approved_at < expires_at");
            table.HasCheckConstraint("ck_revocation_proposals_started", "started_at IS NULL OR approver IS NOT NULL OR matched <= alone_up_to");
            table.HasCheckConstraint("ck_revocation_proposals_finished", "finished_at IS NULL OR started_at IS NOT NULL");
            table.HasCheckConstraint("ck_revocation_proposals_planned", "started_at IS NULL OR planned_for IS NULL OR started_at >= planned_for");
        });
        builder.HasKey(p => p.Id);
        builder.Property(p => p.PublicId).HasMaxLength(32);
        builder.Property(p => p.Criterion).HasMaxLength(255);
        builder.Property(p => p.Comment).HasMaxLength(RevocationProposal.MaxCommentLength);
        builder.Property(p => p.Proposer).HasMaxLength(64);
        builder.Property(p => p.MatchedSha256).HasMaxLength(64);
        builder.Property(p => p.Approver).HasMaxLength(64);
        builder.Property(p => p.ExplanationUrl).HasMaxLength(RevocationProposal.MaxExplanationLength);
        builder.Property(p => p.Version).IsConcurrencyToken();
        builder.HasIndex(p => p.PublicId).IsUnique();
        builder.HasIndex(p => p.ProgressAt).HasFilter("started_at IS NOT NULL AND finished_at IS NULL");
        builder.HasIndex(p => p.PlannedFor).HasFilter("planned_for IS NOT NULL AND finished_at IS NULL");
        builder.HasMany(p => p.Items).WithOne().HasForeignKey(i => i.ProposalId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<OperatorProposal> builder)
    {
        builder.ToTable("operator_proposals", table =>
        {
            // Four eyes, held by the database as for revocations.
            table.HasCheckConstraint("ck_operator_proposals_approver", "approver IS NULL OR lower(approver) <> lower(proposer)");
            table.HasCheckConstraint("ck_operator_proposals_approved", "(approver IS NULL) = (approved_at IS NULL)");
            table.HasCheckConstraint("ck_operator_proposals_in_time", "approved_at IS NULL OR approved_at < expires_at");
            table.HasCheckConstraint("ck_operator_proposals_done", "done_at IS NULL OR approver IS NOT NULL OR alone");
            table.HasCheckConstraint("ck_operator_proposals_withdrawn", "withdrawn_at IS NULL OR (approver IS NULL AND done_at IS NULL)");
        });
        builder.HasKey(p => p.Id);
        builder.Property(p => p.PublicId).HasMaxLength(32);
        builder.Property(p => p.Kind).HasMaxLength(32);
        builder.Property(p => p.Subject).HasMaxLength(128);
        builder.Property(p => p.Sha256).HasMaxLength(64);
        builder.Property(p => p.Comment).HasMaxLength(OperatorProposal.MaxCommentLength);
        builder.Property(p => p.Proposer).HasMaxLength(64);
        builder.Property(p => p.Approver).HasMaxLength(64);
        builder.Property(p => p.Version).IsConcurrencyToken();
        builder.HasIndex(p => p.PublicId).IsUnique();
        builder.HasIndex(p => p.Subject);
    }

    public void Configure(EntityTypeBuilder<RuntimeSwitch> builder)
    {
        builder.ToTable("runtime_switches");
        builder.HasKey(s => new { s.Kind, s.Name });
        builder.Property(s => s.Name).HasMaxLength(64);
    }

    public void Configure(EntityTypeBuilder<RevocationItem> builder)
    {
        builder.ToTable("revocation_items");
        builder.HasKey(i => new { i.ProposalId, i.Serial });
        builder.Property(i => i.Serial).HasMaxLength(40);
        builder.HasIndex(i => i.Serial);

        // Only what waits for its turn: a batch is found in one step however many are done.
        builder.HasIndex(i => new { i.ProposalId, i.Serial }, "ix_revocation_items_waiting").HasFilter("done_at IS NULL");
    }
}
