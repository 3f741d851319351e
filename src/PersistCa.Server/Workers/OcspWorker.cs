using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Workers;

/// <summary>Signs answers ahead of questions: those about new certificates, about revoked ones, and those that have grown old.</summary>
internal sealed partial class OcspWorker(CaStore store, StatusIssuers issuers, OcspDesk desk, PeriodicDuty duty, PersistCaOptions options, TimeProvider clock, ILogger<OcspWorker> logger) : BackgroundService
{
    /// <summary>How often it is looked for what is due. Whoever asks earlier gets an answer at once all the same.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <summary>Answers of one transaction.</summary>
    private const int Batch = 50;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await duty.WaitAsync(stoppingToken); // answers of two nodes would be as good, and cost twice
            var wait = Look;
            try
            {
                var made = await SignDueAsync(stoppingToken);
                wait = made < Batch ? Look : TimeSpan.FromSeconds((double)made / options.Issuance.Ocsp.AheadPerSecond);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailed(logger, e);
            }

            await Task.Delay(wait, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Signs one batch.</summary>
    /// <returns>How many answers were due, at most one batch.</returns>
    public async Task<int> SignDueAsync(CancellationToken cancel)
    {
        var due = await store.ReadAsync(db => db.DueOcspAnswersAsync(issuers.Ids, store.Now, Batch, cancel), cancel);
        foreach (var group in due.GroupBy(d => d.IssuerId))
        {
            await desk.SignAsync(issuers.Find(group.Key)!, [.. group.Select(d => (d.Serial, d.Hash))], cancel);
        }

        return due.Count;
    }

    [LoggerMessage(LogLevel.Error, "OCSP answers could not be signed; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
