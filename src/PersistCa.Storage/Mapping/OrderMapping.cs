using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;

namespace PersistCa.Storage.Mapping;

internal sealed class OrderMapping : IEntityTypeConfiguration<Order>, IEntityTypeConfiguration<OrderAuthorization>
{
    public void Configure(EntityTypeBuilder<Order> builder)
    {
        builder.ToTable("orders");
        builder.HasKey(o => o.Id);
        builder.Property(o => o.PublicId).HasMaxLength(32);
        builder.Property(o => o.CertificateId).HasMaxLength(32);
        builder.Property(o => o.TraceParent).HasMaxLength(64);
        builder.Property(o => o.Profile).HasMaxLength(64);
        builder.Property(o => o.Replaces).HasMaxLength(CertificateId.MaxLength);
        builder.Property(o => o.Version).IsConcurrencyToken();
        builder.Property(o => o.Error).HasConversion<ProblemConverter>();
        builder.HasIndex(o => o.PublicId).IsUnique();
        builder.HasIndex(o => new { o.AccountId, o.Id });
        builder.HasIndex(o => o.ExpiresAt).HasFilter("finalized_at IS NULL");
        builder.HasOne<Account>().WithMany().HasForeignKey(o => o.AccountId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<OrderAuthorization> builder)
    {
        builder.ToTable("order_authorizations");
        builder.HasKey(l => new { l.OrderId, l.Position });
        builder.HasIndex(l => l.AuthorizationId);
        builder.HasOne(l => l.Order).WithMany().HasForeignKey(l => l.OrderId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne(l => l.Authorization).WithMany().HasForeignKey(l => l.AuthorizationId).OnDelete(DeleteBehavior.Restrict);
    }
}
