using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Orders;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Limits;
using PersistCa.Storage.Nodes;
using PersistCa.Storage.Operators;
using PersistCa.Storage.Status;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage;

/// <summary>The model, the same on both databases. <see cref="CaStore"/> is the way to it.</summary>
public abstract class CaDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<AccountKey> AccountKeys => Set<AccountKey>();

    public DbSet<ExternalAccountKey> ExternalAccountKeys => Set<ExternalAccountKey>();

    public DbSet<Order> Orders => Set<Order>();

    public DbSet<OrderAuthorization> OrderAuthorizations => Set<OrderAuthorization>();

    public DbSet<Authorization> Authorizations => Set<Authorization>();

    public DbSet<Challenge> Challenges => Set<Challenge>();

    public DbSet<ValidationRecord> ValidationRecords => Set<ValidationRecord>();

    public DbSet<CaaCheckRow> CaaChecks => Set<CaaCheckRow>();

    public DbSet<IssuedCertificate> Certificates => Set<IssuedCertificate>();

    public DbSet<PolicyDecisionRow> PolicyDecisions => Set<PolicyDecisionRow>();

    public DbSet<IssuerRow> Issuers => Set<IssuerRow>();

    public DbSet<CrlRow> Crls => Set<CrlRow>();

    public DbSet<CrlPoint> CrlPoints => Set<CrlPoint>();

    public DbSet<LostRevocation> LostRevocations => Set<LostRevocation>();

    public DbSet<OcspAnswerRow> OcspAnswers => Set<OcspAnswerRow>();

    public DbSet<OcspSignerRow> OcspSigners => Set<OcspSignerRow>();

    public DbSet<BlockedKey> BlockedKeys => Set<BlockedKey>();

    public DbSet<WorkItem> WorkItems => Set<WorkItem>();

    public DbSet<Duty> Duties => Set<Duty>();

    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    public DbSet<ConsumedNonce> ConsumedNonces => Set<ConsumedNonce>();

    public DbSet<LimitBucket> LimitBuckets => Set<LimitBucket>();

    public DbSet<OperatorToken> OperatorTokens => Set<OperatorToken>();

    public DbSet<RevocationProposal> RevocationProposals => Set<RevocationProposal>();

    public DbSet<RevocationItem> RevocationItems => Set<RevocationItem>();

    public DbSet<OperatorProposal> OperatorProposals => Set<OperatorProposal>();

    public DbSet<RuntimeSwitch> RuntimeSwitches => Set<RuntimeSwitch>();

    public DbSet<CertifiedName> CertifiedNames => Set<CertifiedName>();

    public DbSet<SealedSecret> SealedSecrets => Set<SealedSecret>();

    /// <summary>Which database this is.</summary>
    public abstract StoreKind Kind { get; }

    /// <summary>Whether it wrote something.</summary>
    internal bool HasSaved { get; private set; }

    /// <summary>A time as a parameter of raw SQL, in the form in which this database keeps it.</summary>
    internal abstract object TimeParameter(DateTimeOffset time);

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(CaDb).Assembly);

    /// <inheritdoc/>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        foreach (var entry in ChangeTracker.Entries())
        {
            if (entry.State == EntityState.Modified && entry.Metadata.FindProperty("Version") is not null)
            {
                var version = entry.Property("Version");
                version.CurrentValue = (int)version.OriginalValue! + 1;
            }
        }

        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        HasSaved |= written > 0;
        return written;
    }
}

/// <summary>The databases.</summary>
public enum StoreKind
{
    /// <summary>One file, one node.</summary>
    Sqlite = 1,

    /// <summary>A server, any number of nodes.</summary>
    PostgreSql = 2,
}
