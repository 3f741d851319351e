using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.ExternalAccounts;

namespace PersistCa.Storage.Mapping;

internal sealed class AccountMapping : IEntityTypeConfiguration<Account>, IEntityTypeConfiguration<AccountKey>, IEntityTypeConfiguration<ExternalAccountKey>
{
    public void Configure(EntityTypeBuilder<Account> builder)
    {
        builder.ToTable("accounts");
        builder.HasKey(a => a.Id);
        builder.Property(a => a.PublicId).HasMaxLength(32);
        builder.Property(a => a.CurrentThumbprint).HasMaxLength(64);
        builder.Property(a => a.Version).IsConcurrencyToken();
        builder.HasIndex(a => a.PublicId).IsUnique();
        builder.HasIndex(a => a.CurrentThumbprint).IsUnique();
        builder.HasMany(a => a.Keys).WithOne().HasForeignKey(k => k.AccountId);
        builder.Navigation(a => a.Keys).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.Property(a => a.Restrictions).HasConversion<RestrictionsConverter>();
        builder.HasIndex(a => a.CreatedAt);
        builder.Ignore(a => a.IsValid);
        builder.HasIndex(a => new { a.ExternalKeyId, a.Status }).HasFilter("external_key_id IS NOT NULL");
        builder.HasOne<ExternalAccountKey>().WithMany().HasForeignKey(a => a.ExternalKeyId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<AccountKey> builder)
    {
        builder.ToTable("account_keys");
        builder.HasKey(k => k.Id);
        builder.Property(k => k.Thumbprint).HasMaxLength(64);
        builder.HasIndex(k => k.Thumbprint);
    }

    public void Configure(EntityTypeBuilder<ExternalAccountKey> builder)
    {
        builder.ToTable("external_account_keys", table =>
        {
            table.HasCheckConstraint("ck_external_account_keys_single_use", "NOT single_use OR bound <= 1");
            table.HasCheckConstraint("ck_external_account_keys_bound", "(bound = 0) = (last_bound_at IS NULL)");
        });
        builder.HasKey(k => k.Id);
        builder.Property(k => k.PublicId).HasMaxLength(32);
        builder.Property(k => k.Certificates).HasMaxLength(64);
        builder.Property(k => k.Owner).HasMaxLength(ExternalAccountKey.MaxTextLength);
        builder.Property(k => k.Team).HasMaxLength(ExternalAccountKey.MaxTextLength);
        builder.Property(k => k.System).HasMaxLength(ExternalAccountKey.MaxTextLength);
        builder.Property(k => k.Criticality).HasMaxLength(ExternalAccountKey.MaxTextLength);
        builder.Property(k => k.CreatedBy).HasMaxLength(128);
        builder.Property(k => k.Version).IsConcurrencyToken();
        builder.HasIndex(k => k.PublicId).IsUnique();
        builder.Ignore(k => k.EndsAt);
    }
}
