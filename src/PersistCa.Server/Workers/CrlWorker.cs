using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Workers;

/// <summary>Keeps every issuer's CRL fresh: one at the start, one soon after a revocation, one on a schedule.</summary>
internal sealed partial class CrlWorker(CaStore store, IssuerBook issuers, CrlSignal signal, PersistCaOptions options, TimeProvider clock, ILogger<CrlWorker> logger)
    : BackgroundService
{
    /// <summary>How often another node's revocations are looked for.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    /// <summary>CRLs kept: the newest is served, the one before may still be on its way to someone.</summary>
    private const int Kept = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            // Of those that no longer sign certificates too: theirs live on.
            foreach (var issuer in issuers.All.Select(b => b.Issuer))
            {
                try
                {
                    await RefreshAsync(issuer, stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogFailed(logger, e, issuer.IssuerId);
                }
            }

            await signal.WaitAsync(Look, clock, stoppingToken);
        }
    }

    /// <summary>Makes a new CRL if one is due.</summary>
    public async Task RefreshAsync(Issuer issuer, CancellationToken cancel)
    {
        if (!await IsDueAsync(issuer, cancel))
        {
            return;
        }

        var outcome = await store.WriteAsync<CrlRow>(
            Actor.Server,
            async t =>
            {
                // Read inside the transaction: the number must rise even when two nodes are at it, and the primary key holds if they collide.
                var number = (await t.Db.Crls.Where(c => c.IssuerId == issuer.IssuerId).MaxAsync(c => (long?)c.Number, cancel) ?? 0) + 1;
                var now = t.Now;
                var revoked = await t.Db.Certificates
                    .Where(c => c.IssuerId == issuer.IssuerId && c.RevokedAt != null && c.NotAfter > now - options.Issuance.CrlInterval)
                    .OrderBy(c => c.Id)
                    .Select(c => new RevokedCertificate(c.Serial, c.RevokedAt!.Value, c.RevocationReason))
                    .ToListAsync(cancel);
                var thisUpdate = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
                var nextUpdate = thisUpdate + options.Issuance.CrlValidity;
                var der = await CrlBuilder.BuildAsync(issuer, number, revoked, thisUpdate, nextUpdate, cancel);
                var row = new CrlRow { IssuerId = issuer.IssuerId, Number = number, Der = der, ThisUpdate = thisUpdate, NextUpdate = nextUpdate };
                t.Db.Crls.Add(row);
                t.Audit(AuditKinds.CrlPublished, "issuer:" + issuer.IssuerId, ("number", number.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("entries", revoked.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)));
                await t.Db.Crls.Where(c => c.IssuerId == issuer.IssuerId && c.Number <= number - Kept).ExecuteDeleteAsync(cancel);
                return row;
            },
            cancel);
        if (outcome.TryGet(out var made, out _))
        {
            LogMade(logger, issuer.IssuerId, made.Number);
        }
    }

    private Task<bool> IsDueAsync(Issuer issuer, CancellationToken cancel) => store.ReadAsync(
        async db =>
        {
            var newest = await db.Crls.Where(c => c.IssuerId == issuer.IssuerId).OrderByDescending(c => c.Number).FirstOrDefaultAsync(cancel);
            if (newest is null || store.Now - newest.ThisUpdate >= options.Issuance.CrlInterval)
            {
                return true;
            }

            // One that was committed while the newest CRL was being made bears an earlier time and may have missed it, so a margin counts as after.
            var since = newest.ThisUpdate - Look;
            return await db.Certificates.AnyAsync(c => c.IssuerId == issuer.IssuerId && c.RevokedAt >= since, cancel);
        },
        cancel);

    [LoggerMessage(LogLevel.Information, "Published CRL {Number} of issuer {IssuerId}")]
    private static partial void LogMade(ILogger logger, string issuerId, long number);

    [LoggerMessage(LogLevel.Error, "The CRL of issuer {IssuerId} could not be made; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception, string issuerId);
}
