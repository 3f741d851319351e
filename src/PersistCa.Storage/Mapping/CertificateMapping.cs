using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;

namespace PersistCa.Storage.Mapping;

internal sealed class CertificateMapping :
    IEntityTypeConfiguration<IssuedCertificate>,
    IEntityTypeConfiguration<CertifiedName>,
    IEntityTypeConfiguration<PolicyDecisionRow>,
    IEntityTypeConfiguration<IssuerRow>,
    IEntityTypeConfiguration<CrlRow>
{
    public void Configure(EntityTypeBuilder<IssuedCertificate> builder)
    {
        builder.ToTable("certificates");
        builder.HasKey(c => c.Id);
        builder.Property(c => c.PublicId).HasMaxLength(32);
        builder.Property(c => c.Serial).HasMaxLength(40);
        builder.Property(c => c.IssuerId).HasMaxLength(32);
        builder.Property(c => c.KeyFingerprint).HasMaxLength(64);
        builder.Property(c => c.Profile).HasMaxLength(64);
        builder.Property(c => c.ReplacedBy).HasMaxLength(32);
        builder.Property(c => c.Version).IsConcurrencyToken();
        builder.HasIndex(c => c.PublicId).IsUnique();

        // A serial is unique per issuer by RFC 5280 and here across all of them, abandoned ones included.
        builder.HasIndex(c => c.Serial).IsUnique();

        // One order, one certificate: the constraint holds even if a work item were run twice.
        builder.HasIndex(c => c.OrderId).IsUnique();
        builder.HasIndex(c => new { c.AccountId, c.Id });
        builder.HasIndex(c => c.KeyFingerprint);
        builder.Property(c => c.Sha256).HasMaxLength(64);
        builder.HasIndex(c => c.Sha256);
        builder.HasIndex(c => c.NotAfter);
        builder.HasMany(c => c.Names).WithOne().HasForeignKey(n => n.CertificateId).OnDelete(DeleteBehavior.Cascade);

        // Only what was ever revoked has a time there: the lists are made from this index.
        builder.HasIndex(c => new { c.IssuerId, c.CrlShard, c.StatusChangedAt });
        builder.HasOne<Account>().WithMany().HasForeignKey(c => c.AccountId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Order>().WithMany().HasForeignKey(c => c.OrderId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<IssuerRow>().WithMany().HasForeignKey(c => c.IssuerId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<CertifiedName> builder)
    {
        builder.ToTable("certificate_names");
        builder.HasKey(n => new { n.CertificateId, n.Name });
        builder.Property(n => n.Name).HasMaxLength(255);
        builder.Property(n => n.Reversed).HasMaxLength(255);
        builder.HasIndex(n => n.Name);
        builder.HasIndex(n => n.Reversed);
    }

    public void Configure(EntityTypeBuilder<PolicyDecisionRow> builder)
    {
        builder.ToTable("policy_decisions");
        builder.HasKey(d => d.CertificateId);
        builder.Property(d => d.CertificateId).ValueGeneratedNever();
        builder.Property(d => d.Json).HasMaxLength(PolicyDecisionRow.MaxLength);
        builder.HasOne(d => d.Certificate).WithOne().HasForeignKey<PolicyDecisionRow>(d => d.CertificateId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<IssuerRow> builder)
    {
        builder.ToTable("issuers");
        builder.HasKey(i => i.Id);
        builder.Property(i => i.Id).HasMaxLength(32);
    }

    public void Configure(EntityTypeBuilder<CrlRow> builder)
    {
        builder.ToTable("crls");
        builder.HasKey(c => new { c.IssuerId, c.Shard, c.Number });
        builder.Property(c => c.Shard).ValueGeneratedNever();
        builder.Property(c => c.Number).ValueGeneratedNever();
        builder.HasOne<IssuerRow>().WithMany().HasForeignKey(c => c.IssuerId).OnDelete(DeleteBehavior.Restrict);
    }
}
