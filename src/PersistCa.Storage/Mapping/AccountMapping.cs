using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Protocol.Accounts;

namespace PersistCa.Storage.Mapping;

internal sealed class AccountMapping : IEntityTypeConfiguration<Account>, IEntityTypeConfiguration<AccountKey>
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
    }

    public void Configure(EntityTypeBuilder<AccountKey> builder)
    {
        builder.ToTable("account_keys");
        builder.HasKey(k => k.Id);
        builder.Property(k => k.Thumbprint).HasMaxLength(64);
        builder.HasIndex(k => k.Thumbprint);
    }
}
