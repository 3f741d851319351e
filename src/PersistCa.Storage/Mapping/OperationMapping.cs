using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Limits;
using PersistCa.Storage.Nodes;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage.Mapping;

internal sealed class OperationMapping :
    IEntityTypeConfiguration<WorkItem>,
    IEntityTypeConfiguration<Duty>,
    IEntityTypeConfiguration<AuditEntry>,
    IEntityTypeConfiguration<ConsumedNonce>,
    IEntityTypeConfiguration<LimitBucket>,
    IEntityTypeConfiguration<SealedSecret>
{
    public void Configure(EntityTypeBuilder<WorkItem> builder)
    {
        builder.ToTable("work_items");
        builder.HasKey(w => w.Id);
        builder.Property(w => w.Domain).HasMaxLength(255);
        builder.Property(w => w.LeasedBy).HasMaxLength(128);
        builder.Property(w => w.TraceParent).HasMaxLength(64);
        builder.Property(w => w.Reason).HasMaxLength(WorkItem.MaxReason);
        builder.HasIndex(w => new { w.Kind, w.SubjectId, w.Ordinal }).IsUnique();
        builder.HasIndex(w => new { w.Kind, w.DueAt });
    }

    public void Configure(EntityTypeBuilder<Duty> builder)
    {
        builder.ToTable("duties");
        builder.HasKey(d => d.Name);
        builder.Property(d => d.Name).HasMaxLength(32);
        builder.Property(d => d.Holder).HasMaxLength(128);
    }

    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToTable("audit_entries");
        builder.HasKey(e => e.Id);
        builder.Property(e => e.Kind).HasMaxLength(64);
        builder.Property(e => e.Actor).HasMaxLength(128);
        builder.Property(e => e.Subject).HasMaxLength(128);
        builder.Property(e => e.TraceId).HasMaxLength(32);
        builder.HasIndex(e => e.Subject);
        builder.HasIndex(e => e.At);
        builder.HasIndex(e => new { e.Kind, e.Id });
        builder.HasIndex(e => new { e.Actor, e.Id });
    }

    public void Configure(EntityTypeBuilder<ConsumedNonce> builder)
    {
        builder.ToTable("consumed_nonces");
        builder.HasKey(n => n.Nonce);
        builder.Property(n => n.Nonce).HasMaxLength(64);
        builder.HasIndex(n => n.ExpiresAt);
    }

    public void Configure(EntityTypeBuilder<LimitBucket> builder)
    {
        builder.ToTable("limit_buckets");
        builder.HasKey(b => b.Key);
        builder.Property(b => b.Key).HasMaxLength(LimitBuckets.MaxKeyLength);
        builder.HasIndex(b => b.FullAt);
    }

    public void Configure(EntityTypeBuilder<SealedSecret> builder)
    {
        builder.ToTable("sealed_secrets");
        builder.HasKey(s => s.Name);
        builder.Property(s => s.Name).HasMaxLength(64);
    }
}
