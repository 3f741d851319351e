using System.Globalization;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Workers;

/// <summary>Keeps the lists of every issuer fresh: each at the start, soon after a revocation, and on a schedule.</summary>
internal sealed partial class CrlWorker(
    CaStore store, StatusIssuers issuers, AuthorityUrls urls, RevocationDesk desk, CrlSignal signal, PeriodicDuty duty, PersistCaOptions options, TimeProvider clock, ILogger<CrlWorker> logger)
    : BackgroundService
{
    /// <summary>How often another node's revocations are looked for. With Issuance:StatusMaxAge it stays below the minute in which a revocation is to be seen.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a revocation may have waited for its commit, behind a lock or for a synchronous standby, before who was told of it looks for it no more: it bears the time at which it began,
    /// and lists that were made meanwhile have missed it.
    /// </summary>
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(10);

    /// <summary>Least time between two lists of a part: many revocations in a row share one, and no number overtakes the clock.</summary>
    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(2);

    /// <summary>Lists kept of a part: the newest is served, the one before may still be on its way to someone.</summary>
    private const int Kept = 3;

    private readonly HashSet<string> pointed = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? before = null;
        var told = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var epoch = await duty.WaitAsync(stoppingToken);
            told |= epoch != before; // what the holder before was told is not known
            before = epoch;
            var soon = false;
            foreach (var issuer in issuers.All)
            {
                try
                {
                    soon |= await RefreshAsync(issuer, epoch, told, stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogFailed(logger, e, issuer.IssuerId);
                }
            }

            try
            {
                await desk.RevokeCompromisedAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogSweepFailed(logger, e);
            }

            told &= soon; // a list that has to wait a moment is still owed to who told
            if (soon)
            {
                await Task.Delay(Spacing, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            else
            {
                told = await signal.WaitAsync(Look, clock, stoppingToken);
            }
        }
    }

    /// <summary>Makes the lists of an issuer that are due.</summary>
    /// <returns>True when one has to wait a moment because the list before is so young.</returns>
    private async Task<bool> RefreshAsync(Issuer issuer, long epoch, bool told, CancellationToken cancel)
    {
        await PointAsync(issuer, cancel);
        var (shards, newest) = await store.ReadAsync(
            async db => (await db.CrlShardsAsync(issuer.IssuerId, cancel), await db.NewestCrlsAsync(issuer.IssuerId, cancel)), cancel);
        var soon = false;
        foreach (var shard in shards)
        {
            switch (await JudgeAsync(issuer, shard, newest.GetValueOrDefault(shard), told, cancel))
            {
                case Due.Now:
                    await MakeAsync(issuer, shard, epoch, parted: shards.Count > 1, cancel);
                    break;
                case Due.Soon:
                    soon = true;
                    break;
                default:
                    break;
            }
        }

        return soon;
    }

    private async Task<Due> JudgeAsync(Issuer issuer, int shard, NewestCrl? newest, bool told, CancellationToken cancel)
    {
        if (newest?.ThisUpdate > store.Now)
        {
            return told ? Due.Now : Due.Not; // the clock was set back: times do not say what came after the list, so whatever was told may have
        }

        if (newest is null || store.Now - newest.ThisUpdate >= options.Issuance.CrlInterval)
        {
            return Due.Now;
        }

        var changed = await store.ReadAsync(db => db.LastStatusChangeAsync(issuer.IssuerId, shard, cancel), cancel);
        var age = store.Now - newest.ThisUpdate;
        if (changed >= newest.ThisUpdate)
        {
            return age >= Spacing ? Due.Now : Due.Soon;
        }

        if (told && changed >= newest.ThisUpdate - Late)
        {
            return age >= Spacing ? Due.Now : Due.Soon; // it may be the one that was told of, committed only now
        }

        // One that was committed while the newest list was being made bears an earlier time and may have missed it: one more list, a look later.
        return changed >= newest.ThisUpdate - Look && age >= Look ? Due.Now : Due.Not;
    }

    /// <summary>
    /// Makes a list. It is read and signed outside of any transaction, since a long one takes its time; only the epoch and the number decide then: another node may have
    /// taken this work meanwhile, or made a list with one as high.
    /// </summary>
    private async Task MakeAsync(Issuer issuer, int shard, long epoch, bool parted, CancellationToken cancel)
    {
        var now = store.Now;
        var (before, floor, entries, pointers) = await store.ReadAsync(
            async db =>
            {
                var last = (await db.NewestCrlsAsync(issuer.IssuerId, cancel)).GetValueOrDefault(shard);
                var ended = last is null ? (DateTimeOffset?)null : Earlier(last.ThisUpdate, now - options.Issuance.CrlInterval);
                return (last, await db.CrlNumberFloorAsync(issuer.IssuerId, cancel), await db.CrlEntriesAsync(issuer.IssuerId, shard, ended, cancel), await db.CrlUrlsAsync(issuer.IssuerId, shard, cancel));
            },
            cancel);
        var thisUpdate = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        thisUpdate = before?.ThisUpdate > thisUpdate ? before.ThisUpdate : thisUpdate; // a clock that was set back does not set lists back
        var content = new CrlContent
        {
            Number = CrlLists.NextCrlNumber(Math.Max(before?.Number ?? 0, floor), now),
            NumberBefore = before?.Number,
            Revoked = entries.Select(e => new RevokedCertificate(e.Serial, e.RevokedAt, e.Reason)),
            ThisUpdate = thisUpdate,
            NextUpdate = thisUpdate + options.Issuance.CrlValidity,

            // As long as there is one list only it is the list of everything, as it always was.
            Urls = parted ? pointers : [],
        };
        var der = await CrlBuilder.BuildAsync(issuer, content, cancel);
        var row = new CrlRow { IssuerId = issuer.IssuerId, Shard = shard, Number = content.Number, Der = der, ThisUpdate = thisUpdate, NextUpdate = content.NextUpdate };
        var outcome = await store.WriteAsync<CrlRow>(
            Actor.Server,
            async t =>
            {
                if (!await PeriodicDuty.HoldsAsync(t, epoch, cancel))
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "another node has taken the periodic work");
                }

                if ((await t.Db.NewestCrlsAsync(issuer.IssuerId, cancel)).GetValueOrDefault(shard) is { } newest && newest.Number >= row.Number)
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "another node made a list with this number, or a higher one");
                }

                t.Db.Crls.Add(row);
                t.Audit(
                    AuditKinds.CrlPublished,
                    "issuer:" + issuer.IssuerId,
                    ("number", row.Number.ToString(CultureInfo.InvariantCulture)),
                    ("part", shard == 0 ? null : shard.ToString(CultureInfo.InvariantCulture)),
                    ("entries", entries.Count.ToString(CultureInfo.InvariantCulture)));
                await t.ForgetOldCrlsAsync(issuer.IssuerId, shard, Kept - 1, cancel);
                return row;
            },
            cancel);
        if (!outcome.IsRefused)
        {
            LogMade(logger, row.Number, issuer.IssuerId, shard, entries.Count);
        }
    }

    /// <summary>Remembers the URLs of the lists that certificates will point at from now on, once in the life of the process.</summary>
    private async Task PointAsync(Issuer issuer, CancellationToken cancel)
    {
        if (pointed.Contains(issuer.IssuerId))
        {
            return;
        }

        var outcome = await store.WriteAsync<string>(
            Actor.Server,
            async t =>
            {
                foreach (var (shard, url) in urls.CrlPoints(issuer.IssuerId, options.Issuance.CrlShards))
                {
                    if (await t.RememberCrlPointAsync(issuer.IssuerId, shard, url, cancel))
                    {
                        t.Audit(AuditKinds.CrlPointAdded, "issuer:" + issuer.IssuerId, ("url", url));
                    }
                }

                return "remembered";
            },
            cancel);
        _ = outcome.Value;
        pointed.Add(issuer.IssuerId);
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private enum Due
    {
        Not = 0,
        Soon = 1,
        Now = 2,
    }

    [LoggerMessage(LogLevel.Information, "Published CRL {Number} of issuer {IssuerId}, part {Shard}, with {Entries} entries")]
    private static partial void LogMade(ILogger logger, long number, string issuerId, int shard, int entries);

    [LoggerMessage(LogLevel.Error, "A CRL of issuer {IssuerId} could not be made; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception, string issuerId);

    [LoggerMessage(LogLevel.Error, "Certificates with compromised keys could not be revoked; it is tried again")]
    private static partial void LogSweepFailed(ILogger logger, Exception exception);
}
