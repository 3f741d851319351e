using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;

namespace PersistCa.Storage.Mapping;

internal sealed class AuthorizationMapping :
    IEntityTypeConfiguration<Authorization>,
    IEntityTypeConfiguration<Challenge>,
    IEntityTypeConfiguration<ValidationRecord>,
    IEntityTypeConfiguration<CaaCheckRow>
{
    public void Configure(EntityTypeBuilder<Authorization> builder)
    {
        builder.ToTable("authorizations");
        builder.HasKey(a => a.Id);
        builder.Property(a => a.PublicId).HasMaxLength(32);
        builder.Property(a => a.Name).HasMaxLength(253);
        builder.Property(a => a.TraceParent).HasMaxLength(64);
        builder.Property(a => a.Rules).HasMaxLength(32);
        builder.Property(a => a.Regime).HasMaxLength(32).HasDefaultValue(Authorization.PrivateRegime);
        builder.Property(a => a.Version).IsConcurrencyToken();
        builder.HasIndex(a => a.PublicId).IsUnique();
        builder.HasIndex(a => new { a.AccountId, a.Name, a.IsWildcard });
        builder.HasIndex(a => new { a.AccountId, a.Status, a.ExpiresAt });
        builder.HasIndex(a => new { a.Name, a.Id });
        builder.HasOne<Account>().WithMany().HasForeignKey(a => a.AccountId).OnDelete(DeleteBehavior.Restrict);
        builder.HasMany(a => a.Challenges).WithOne().HasForeignKey(c => c.AuthorizationId);
        builder.Navigation(a => a.Challenges).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.Ignore(a => a.CertificateName);
    }

    public void Configure(EntityTypeBuilder<Challenge> builder)
    {
        builder.ToTable("challenges");
        builder.HasKey(c => new { c.AuthorizationId, c.Ordinal });
        builder.Property(c => c.Ordinal).ValueGeneratedNever();
        builder.Property(c => c.Token).HasMaxLength(64);
        builder.Property(c => c.RecordAt).HasMaxLength(253);
        builder.Property(c => c.Error).HasConversion<ProblemConverter>();
    }

    public void Configure(EntityTypeBuilder<ValidationRecord> builder)
    {
        builder.ToTable("validation_records");
        builder.HasKey(v => v.Id);
        builder.Property(v => v.ChallengeType).HasMaxLength(32);
        builder.Property(v => v.Dialect).HasMaxLength(32);
        builder.HasIndex(v => v.AuthorizationId);
        builder.HasOne<Authorization>().WithMany().HasForeignKey(v => v.AuthorizationId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<CaaCheckRow> builder)
    {
        builder.ToTable("caa_checks");
        builder.HasKey(c => c.Id);
        builder.Property(c => c.Name).HasMaxLength(255);
        builder.Property(c => c.Outcome).HasMaxLength(32);
        builder.HasIndex(c => c.AuthorizationId);
        builder.HasOne<Authorization>().WithMany().HasForeignKey(c => c.AuthorizationId).OnDelete(DeleteBehavior.Restrict);
    }
}
