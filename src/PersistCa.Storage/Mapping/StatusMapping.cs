using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Storage.Status;

namespace PersistCa.Storage.Mapping;

internal sealed class StatusMapping :
    IEntityTypeConfiguration<CrlPoint>,
    IEntityTypeConfiguration<LostRevocation>,
    IEntityTypeConfiguration<OcspAnswerRow>,
    IEntityTypeConfiguration<OcspSignerRow>,
    IEntityTypeConfiguration<BlockedKey>
{
    public void Configure(EntityTypeBuilder<CrlPoint> builder)
    {
        builder.ToTable("crl_points");
        builder.HasKey(p => new { p.IssuerId, p.Shard, p.Url });
        builder.Property(p => p.Url).HasMaxLength(1024);
        builder.HasOne<IssuerRow>().WithMany().HasForeignKey(p => p.IssuerId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<LostRevocation> builder)
    {
        builder.ToTable("lost_revocations");
        builder.HasKey(l => new { l.IssuerId, l.Serial });
        builder.Property(l => l.Serial).HasMaxLength(40);
        builder.HasOne<IssuerRow>().WithMany().HasForeignKey(l => l.IssuerId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<OcspAnswerRow> builder)
    {
        builder.ToTable("ocsp_answers");
        builder.HasKey(a => new { a.Serial, a.Hash });
        builder.Property(a => a.Serial).HasMaxLength(40);
        builder.Property(a => a.IssuerId).HasMaxLength(32);
        builder.HasIndex(a => new { a.IssuerId, a.RefreshAt });
    }

    public void Configure(EntityTypeBuilder<OcspSignerRow> builder)
    {
        builder.ToTable("ocsp_signers");
        builder.HasKey(s => new { s.IssuerId, s.Generation });
        builder.Property(s => s.Generation).ValueGeneratedNever();
        builder.Property(s => s.KeyFingerprint).HasMaxLength(64);
        builder.HasIndex(s => s.KeyFingerprint).IsUnique();
        builder.HasOne<IssuerRow>().WithMany().HasForeignKey(s => s.IssuerId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<BlockedKey> builder)
    {
        builder.ToTable("blocked_keys");
        builder.HasKey(b => b.Fingerprint);
        builder.Property(b => b.Fingerprint).HasMaxLength(64);
        builder.Property(b => b.Serial).HasMaxLength(40);
    }
}
