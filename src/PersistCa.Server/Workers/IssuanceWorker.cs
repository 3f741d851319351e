using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Policy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Storage.Status;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Workers;

/// <summary>
/// Issues certificates (steps 9 and 10 of docs/order-flow.md). The intent is durable before the key is touched; whoever finds an intent without
/// a certificate goes on from there with the same bytes and the same serial.
/// </summary>
internal sealed partial class IssuanceWorker(
    CaStore store,
    WorkLeases leases,
    WorkSignal signal,
    NodeIdentity node,
    Readiness readiness,
    ProfileBook profiles,
    SwitchBoard switches,
    IssuerBook issuers,
    CsrReader reader,
    PolicyDesk policy,
    CaaDesk caa,
    Completions completions,
    PersistCaOptions options,
    TimeProvider clock,
    ILogger<IssuanceWorker> logger) : LeaseLoop(WorkKind.Issue, leases, signal, node, readiness, options, clock, logger)
{
    /// <summary>How often CAA is asked when the look-up fails, in half a minute altogether, before the order fails.</summary>
    private const int CaaAttempts = 7;

    /// <inheritdoc/>
    protected override int Concurrency => Options.Issuance.Concurrency;

    /// <inheritdoc/>
    protected override Task GiveUpAsync(WorkItem item, CancellationToken cancel) =>
        FailAsync(item, new AcmeProblem(ProblemCatalog.ServerInternal, "The certificate could not be made, however often it was tried; make a new order."), cancel);

    /// <inheritdoc/>
    protected override async Task HandleAsync(WorkItem item, CancellationToken cancel)
    {
        CrashPoint.Reached("9.leased");
        using var activity = CaTelemetry.Source.StartActivity("issue", ActivityKind.Internal, item.TraceParent);
        var due = new List<CaaDue>();
        PolicyDecision? decided = null;
        var outcome = await IntendAsync(item, due, d => decided = d, cancel);
        if (due.Count > 0)
        {
            var forbidden = await CheckCaaAsync(item, due, cancel);
            if (forbidden?.RetryAfterSeconds is not null && item.Attempts < CaaAttempts)
            {
                await PostponeAsync(item, cancel); // nobody forbids; the answer is only not there yet
                return;
            }

            outcome = forbidden is not null ? forbidden : await IntendAsync(item, due, d => decided = d, cancel);
        }

        if (!outcome.TryGet(out var intended, out var problem))
        {
            if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            {
                await WaitAsync(item, cancel); // operators stopped the issuer: nobody's fault, and it passes
                return;
            }

            // The order's failure is recorded in a transaction of its own: the refused one left nothing behind.
            await FailAsync(item, problem, cancel, decided);
            return;
        }

        activity?.SetTag("acme.order", intended.OrderPublicId).SetTag("acme.account", intended.AccountPublicId);
        using var scope = Scope(logger, intended.AccountPublicId, "order " + intended.OrderPublicId);
        CrashPoint.Reached("9.intended");
        var der = await CertificateIssuer.IssueAsync(intended.Issuer, IssuanceTicket.Resume(intended.TbsDer, intended.Serial), cancel);
        CrashPoint.Reached("9.signed");
        if (await RecordAsync(item, der, cancel))
        {
            CrashPoint.Reached("10.recorded");
            completions.Announce(intended.OrderPublicId);
            CaTelemetry.Issued.Add(1);
            CaTelemetry.IssuanceTime.Record((Clock.GetUtcNow() - intended.FinalizedAt).TotalSeconds);
            LogIssued(logger, intended.Serial, string.Join(' ', intended.Names));
        }
    }

    /// <summary>Has everything judged again, live, and makes the intent durable; or finds the one that was made before a crash.</summary>
    /// <param name="item">The work.</param>
    /// <param name="due">Filled with the names whose CAA records have to be looked at first; then nothing is intended.</param>
    /// <param name="decided">Told the decision, whatever it is.</param>
    /// <param name="cancel">Stops.</param>
    private Task<Outcome<Intended>> IntendAsync(WorkItem item, List<CaaDue> due, Action<PolicyDecision> decided, CancellationToken cancel) => store.WriteAsync<Intended>(
        Actor.Server,
        async t =>
        {
            due.Clear();
            var reads = t.Read();
            var asked = reads.Order(item.SubjectId);
            var held = reads.Holds(item);
            var owner = reads.Account(item.AccountId);
            var before = reads.CertificateOf(item.SubjectId);
            var looked = switches.Ask(reads); // a profile or an issuer may have been switched off since finalize
            await reads.RunAsync(cancel);
            var (order, authorizations) = asked.Value ?? throw new InvalidOperationException("a queued order vanished");
            looked();

            // A node that was slow may have lost its lease to one that decided meanwhile: then there is nothing to intend, and nothing to fail either.
            if (order.FinalizedAt is null || order.Error is not null || order.CertificateId is not null || !held.Value)
            {
                return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node decides");
            }

            var account = owner.Value ?? throw new InvalidOperationException("an account vanished");
            if (!Gather(order, authorizations, account, before.Value, t.Now).TryGet(out var found, out var problem))
            {
                return problem;
            }

            if (!(await policy.JudgeAsync(t, found, cancel)).TryGet(out var judged, out problem))
            {
                return problem;
            }

            var (intent, decision, waiting) = judged;
            decided(decision);
            if (decision.AwaitsCaa && waiting.Count > 0)
            {
                due.AddRange(waiting);
                return new AcmeProblem(ProblemCatalog.ServerInternal, "CAA records could not be looked at in time.");
            }

            if (decision.Problem is { } refused)
            {
                if (refused.Type == ProblemCatalog.ServerInternal)
                {
                    // Nothing that a client did: a profile or an issuer makes certificates that must not be signed.
                    CaTelemetry.LintRefusals.Add(1, new KeyValuePair<string, object?>("profile", found.Profile.Name));
                    LogLintRefused(logger, order.PublicId, found.Profile.Name, refused.Detail);
                }

                return refused;
            }

            // An intent goes to its end by the issuer it was made for, though another may have followed it meanwhile.
            var json = decision.Write();
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json)));
            if (found.Known is { } known)
            {
                t.Audit(AuditKinds.IssuanceResumed, "order:" + order.PublicId, ("certificate", known.PublicId), ("serial", known.Serial), ("decision", hash));
            }
            else
            {
                known = Intend(t, found, intent!, hash);
            }

            t.Keep(known, decision.Version, decision.At, json);
            return new Intended(order.PublicId, found.Account.PublicId, known.Serial, known.TbsDer, found.Signer.Issuer, order.Names, order.FinalizedAt!.Value);
        },
        cancel);

    /// <summary>What is to be judged: without a profile, a request that can be read and somebody who signs there is no certificate to judge.</summary>
    private Outcome<IssuanceCase> Gather(Order order, IReadOnlyList<Authorization> authorizations, Account account, IssuedCertificate? known, DateTimeOffset now)
    {
        if (profiles.Find(order.Profile ?? profiles.Default.Name) is not { } profile)
        {
            return profiles.For(order.Profile, account, AccountScope.Unbound).Problem!;
        }

        if (!reader.Read(order.Csr).TryGet(out var request, out var problem))
        {
            return problem;
        }

        if (known is null)
        {
            return profiles.SignerAt(profile, now).TryGet(out var signer, out problem) ? new IssuanceCase(order, authorizations, account, profile, signer, request, null) : Unsigned(problem);
        }

        if (profiles.IsStopped(known.IssuerId))
        {
            return Unsigned(ProfileBook.Stopped(profile.Name)); // not even what was intended before
        }

        return known.Status == CertificateStatus.Intended && issuers.Find(known.IssuerId) is { } owner
            ? new IssuanceCase(order, authorizations, account, profile, profiles.By(profile, owner.Issuer), request, known)
            : new AcmeProblem(ProblemCatalog.ServerInternal, "The issuance was interrupted and its issuer is gone; make a new order.");

        // The order of an account that may not act does not wait for an issuer.
        AcmeProblem Unsigned(AcmeProblem why) => account.IsValid ? why : AccountRegistrar.NotValid(account);
    }

    /// <summary>Writes the intent.</summary>
    private static IssuedCertificate Intend(StoreTransaction t, IssuanceCase found, IssuanceIntent intent, string decision)
    {
        CrashPoint.Reached("9.prepared");
        var (order, account) = (found.Order, found.Account);
        var made = new IssuedCertificate(
            PublicId.Next(),
            intent.Serial,
            found.Signer.Issuer.IssuerId,
            order.Id,
            account.Id,
            found.Request.KeyFingerprint,
            intent.TbsDer,
            intent.NotBefore,
            intent.NotAfter,
            t.Now,
            found.Profile.Name)
        {
            CrlShard = intent.CrlShard,
            HasOcsp = intent.HasOcsp,
        };
        made.Names.AddRange(order.Names.Distinct().Select(CertifiedName.Of));
        t.Add(made);
        if (intent.CrlUrl is { } pointer)
        {
            t.RememberCrlPoint(made.IssuerId, made.CrlShard, pointer);
        }

        t.Audit(
            AuditKinds.IssuanceIntended,
            "order:" + order.PublicId,
            ("certificate", made.PublicId),
            ("serial", made.Serial),
            ("issuer", made.IssuerId),
            ("profile", found.Profile.Name),
            ("lint", Warnings(intent)),
            ("decision", decision),
            ("names", string.Join(' ', order.Names)));
        return made;
    }

    private async Task<AcmeProblem?> CheckCaaAsync(WorkItem item, IReadOnlyList<CaaDue> due, CancellationToken cancel)
    {
        var reads = store.Read();
        var owner = reads.Account(item.AccountId);
        await reads.RunAsync(cancel);
        var account = owner.Value ?? throw new InvalidOperationException("an account vanished");
        return await caa.CheckAsync(due, account, cancel);
    }

    private async Task<bool> RecordAsync(WorkItem item, byte[] der, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<WorkItem>(
            Actor.Server,
            async t =>
            {
                var reads = t.Read();
                var taken = reads.Take(item);
                var asked = reads.OrderAlone(item.SubjectId);
                var intended = reads.CertificateOf(item.SubjectId);
                await reads.RunAsync(cancel);
                if (!taken.Value)
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node records");
                }

                var order = asked.Value?.Order ?? throw new InvalidOperationException("a queued order vanished");
                var certificate = intended.Value ?? throw new InvalidOperationException("an intent vanished");
                certificate.Record(der, t.Now);
                if (certificate.HasOcsp)
                {
                    t.AwaitOcspAnswer(certificate);
                }

                order.Complete(certificate.PublicId);
                t.Save(certificate);
                t.Save(order);
                t.Audit(
                    AuditKinds.CertificateIssued,
                    "certificate:" + certificate.PublicId,
                    ("order", order.PublicId),
                    ("serial", certificate.Serial),
                    ("sha256", Convert.ToHexStringLower(SHA256.HashData(der))));
                CrashPoint.Reached("10.recording");
                return item;
            },
            cancel);
        if (outcome.IsRefused)
        {
            LogLeaseLost(logger, item.SubjectId);
        }

        return !outcome.IsRefused;
    }

    private async Task FailAsync(WorkItem item, AcmeProblem problem, CancellationToken cancel, PolicyDecision? decision = null)
    {
        var failed = await store.WriteAsync<Order>(
            Actor.Server,
            async t =>
            {
                if (!await WorkLeases.TakeAsync(t, item, cancel))
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node decides");
                }

                var order = await t.Db.Orders.FirstAsync(o => o.Id == item.SubjectId, cancel);
                if (await t.Db.Certificates.FirstOrDefaultAsync(c => c.OrderId == order.Id && c.Status == CertificateStatus.Intended, cancel) is { } intent)
                {
                    intent.Abandon();
                    var account = await t.Db.AccountAsync(order.AccountId, cancel) ?? throw new InvalidOperationException("an account vanished");
                    LimitDesk.GiveBackCertificate(t, await t.ScopeAsync(account, cancel));
                    t.Audit(AuditKinds.IssuanceAbandoned, "certificate:" + intent.PublicId, ("serial", intent.Serial));
                }

                order.Fail(problem);
                t.Audit(AuditKinds.OrderFailed, "order:" + order.PublicId, ("problem", problem.Type.Name), ("detail", problem.Detail), ("rules", decision is { IsPermitted: false } ? string.Join(' ', decision.Failed) : null));
                return order;
            },
            cancel);
        if (failed.TryGet(out var gone, out _))
        {
            completions.Announce(gone.PublicId);
            LogFailed(logger, gone.PublicId, problem.Type.Name, problem.Detail);
        }
    }

    /// <summary>What the lint found that does not forbid the signature, to be kept with the intent; null for nothing.</summary>
    private static string? Warnings(IssuanceIntent intent) => intent.Findings.IsEmpty ? null : string.Join("; ", intent.Findings.Select(f => $"{f.Id} {f.Severity}: {f.Message}"));

    [LoggerMessage(LogLevel.Error, "The lint forbids a certificate for order {OrderId} of profile {Profile}: {Detail}")]
    private static partial void LogLintRefused(ILogger logger, string orderId, string profile, string detail);

    [LoggerMessage(LogLevel.Information, "Issued {Serial} for {Names}")]
    private static partial void LogIssued(ILogger logger, string serial, string names);

    [LoggerMessage(LogLevel.Warning, "Order {OrderId} failed at issuance: {Type}: {Detail}")]
    private static partial void LogFailed(ILogger logger, string orderId, string type, string detail);

    [LoggerMessage(LogLevel.Warning, "The lease on order {Subject} was lost; another node records")]
    private static partial void LogLeaseLost(ILogger logger, long subject);

    private sealed record Intended(string OrderPublicId, string AccountPublicId, string Serial, byte[] TbsDer, Issuer Issuer, IReadOnlyList<string> Names, DateTimeOffset FinalizedAt);
}
