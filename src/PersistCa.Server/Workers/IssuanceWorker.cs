using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
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
    ProfileBook profiles,
    SwitchBoard switches,
    IssuerBook issuers,
    CsrReader reader,
    IdentifierPolicy policy,
    CaaDesk caa,
    ValidationRegimes regimes,
    Completions completions,
    AccountScopes scopes,
    LimitDesk limits,
    BlockedKeyList blocked,
    PersistCaOptions options,
    TimeProvider clock,
    ILogger<IssuanceWorker> logger) : LeaseLoop(WorkKind.Issue, leases, signal, node, clock, logger)
{
    /// <summary>How often CAA is asked when the look-up fails, in half a minute altogether, before the order fails.</summary>
    private const int CaaAttempts = 7;

    /// <inheritdoc/>
    protected override int Concurrency => options.Issuance.Concurrency;

    /// <inheritdoc/>
    protected override int MaxAttempts => options.Server.MaxWorkAttempts;

    /// <inheritdoc/>
    protected override Task GiveUpAsync(WorkItem item, CancellationToken cancel) =>
        FailAsync(item, new AcmeProblem(ProblemCatalog.ServerInternal, "The certificate could not be made, however often it was tried; make a new order."), cancel);

    /// <inheritdoc/>
    protected override async Task HandleAsync(WorkItem item, CancellationToken cancel)
    {
        CrashPoint.Reached("9.leased");
        using var activity = CaTelemetry.Source.StartActivity("issue", ActivityKind.Internal, item.TraceParent);
        var due = new List<CaaDue>();
        var outcome = await IntendAsync(item, due, cancel);
        if (due.Count > 0)
        {
            var forbidden = await CheckCaaAsync(item, due, cancel);
            if (forbidden?.RetryAfterSeconds is not null && item.Attempts < CaaAttempts)
            {
                await PostponeAsync(item, cancel); // nobody forbids; the answer is only not there yet
                return;
            }

            outcome = forbidden is not null ? forbidden : await IntendAsync(item, due, cancel);
        }

        if (!outcome.TryGet(out var intended, out var problem))
        {
            if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            {
                await WaitAsync(item, cancel); // operators stopped the issuer: nobody's fault, and it passes
                return;
            }

            // The order's failure is recorded in a transaction of its own: the refused one left nothing behind.
            await FailAsync(item, problem, cancel);
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

    /// <summary>Checks everything again, live, and makes the intent durable; or finds the one that was made before a crash.</summary>
    /// <param name="item">The work.</param>
    /// <param name="due">Filled with the names whose CAA records have to be looked at first; then nothing is intended.</param>
    /// <param name="cancel">Stops.</param>
    private Task<Outcome<Intended>> IntendAsync(WorkItem item, List<CaaDue> due, CancellationToken cancel) => store.WriteAsync<Intended>(
        Actor.Server,
        async t =>
        {
            var (order, authorizations) = await t.Db.OrderAsync(item.SubjectId, cancel) ?? throw new InvalidOperationException("a queued order vanished");

            // A node that was slow may have lost its lease to one that decided meanwhile: then there is nothing to intend, and nothing to fail either.
            if (order.FinalizedAt is null || order.Error is not null || order.CertificateId is not null || !await WorkLeases.HoldsAsync(t, item, cancel))
            {
                return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node decides");
            }

            var account = await t.Db.AccountAsync(order.AccountId, cancel) ?? throw new InvalidOperationException("an account vanished");
            if (!account.IsValid)
            {
                return AccountRegistrar.NotValid(account);
            }

            // Asked for again at the last moment: a profile may have been withdrawn, or closed to the account, since finalize.
            await switches.LookAsync(t.Db, cancel);
            var scope = await t.Db.ScopeAsync(account, cancel);
            if (!profiles.For(order.Profile, account, scope).TryGet(out var profile, out var problem))
            {
                return problem;
            }

            if ((scopes.RefuseUnbound(scope)
                ?? await AccountScopes.RefuseEndedAsync(t.Db, account, scope, order.Names, order.Replaces, t.Now, cancel)
                ?? scope.RefuseNames(order.Names.Select(Identifier.Of))
                ?? scope.RefuseCount(order.Names.Count)) is { } outside)
            {
                return outside;
            }

            var judged = Names(order, authorizations, profile, account, scope, t.Now);
            if (!judged.TryGet(out var identifiers, out problem))
            {
                return problem;
            }

            var known = await t.Db.Certificates.FirstOrDefaultAsync(c => c.OrderId == order.Id, cancel);

            // Of an intent found after a crash too: it may be older than what CAA said.
            due.Clear();
            due.AddRange(await caa.DueAsync(t, order.Names, authorizations, cancel));
            if (due.Count > 0)
            {
                return new AcmeProblem(ProblemCatalog.ServerInternal, "CAA records could not be looked at in time.");
            }

            // So may the key have been blocked since.
            if (known is not null && (await BlockedAsync(t, account, known.KeyFingerprint, cancel)).Contains(known.KeyFingerprint))
            {
                return new AcmeProblem(ProblemCatalog.BadPublicKey, "The key must not be certified: it was blocked, or became the account's, since the request was made.");
            }

            if (known is null)
            {
                var read = reader.Read(order.Csr);
                if (!read.TryGet(out var request, out problem))
                {
                    return problem;
                }

                if (profile.Refuse(request.KeyKind) is { } unfit)
                {
                    return unfit;
                }

                if (!profiles.SignerAt(profile, t.Now).TryGet(out var signer, out problem))
                {
                    return problem;
                }

                var prepared = signer.Prepare(new IssuanceRequest
                {
                    SubjectPublicKeyInfo = request.SubjectPublicKeyInfo,
                    KeyKind = request.KeyKind,
                    Names = identifiers,
                    Now = t.Now,
                    NotBefore = order.NotBefore,
                    NotAfter = order.NotAfter,
                    BlockedKeys = await BlockedAsync(t, account, request.KeyFingerprint, cancel),
                    GeneratedKeys = await t.Db.OcspSigners.AnyAsync(s => s.KeyFingerprint == request.KeyFingerprint, cancel) ? [request.KeyFingerprint] : new HashSet<string>(),
                });
                if (!prepared.TryGet(out var intent, out problem))
                {
                    if (problem.Type == ProblemCatalog.ServerInternal)
                    {
                        // Nothing that a client did: a profile or an issuer makes certificates that must not be signed.
                        CaTelemetry.LintRefusals.Add(1, new KeyValuePair<string, object?>("profile", profile.Name));
                        LogLintRefused(logger, order.PublicId, profile.Name, problem.Detail);
                    }

                    return problem;
                }

                if (await limits.TakeCertificateAsync(t, scope, cancel) is { } spent)
                {
                    return spent;
                }

                CrashPoint.Reached("9.prepared");
                known = new IssuedCertificate(
                    PublicId.Next(),
                    intent.Serial,
                    signer.Issuer.IssuerId,
                    order.Id,
                    account.Id,
                    request.KeyFingerprint,
                    intent.TbsDer,
                    intent.NotBefore,
                    intent.NotAfter,
                    t.Now,
                    profile.Name)
                {
                    CrlShard = intent.CrlShard,
                    HasOcsp = intent.HasOcsp,
                };
                known.Names.AddRange(order.Names.Distinct().Select(CertifiedName.Of));
                t.Db.Certificates.Add(known);
                if (intent.CrlUrl is { } pointer)
                {
                    await t.RememberCrlPointAsync(known.IssuerId, known.CrlShard, pointer, cancel);
                }

                t.Audit(
                    AuditKinds.IssuanceIntended,
                    "order:" + order.PublicId,
                    ("certificate", known.PublicId),
                    ("serial", known.Serial),
                    ("issuer", known.IssuerId),
                    ("profile", profile.Name),
                    ("lint", Warnings(intent)),
                    ("names", string.Join(' ', order.Names)));
            }

            // An intent goes to its end by the issuer it was made for, though another may have followed it meanwhile.
            if (known.Status != CertificateStatus.Intended || issuers.Find(known.IssuerId) is not { } owner)
            {
                return new AcmeProblem(ProblemCatalog.ServerInternal, "The issuance was interrupted and its issuer is gone; make a new order.");
            }

            // Not even what was intended before they stopped it.
            if (profiles.IsStopped(known.IssuerId))
            {
                return ProfileBook.Stopped(profile.Name);
            }

            return new Intended(order.PublicId, account.PublicId, known.Serial, known.TbsDer, owner.Issuer, order.Names, order.FinalizedAt!.Value);
        },
        cancel);

    /// <summary>Of the keys that must not be certified those that this one could be: it may be blocked, or be the account's (for lint L18).</summary>
    private async Task<HashSet<string>> BlockedAsync(StoreTransaction t, Account account, string fingerprint, CancellationToken cancel)
    {
        HashSet<string> found = [.. account.Keys.Select(k => PublicKeyFingerprint.Of(Jwk.FromCanonical(k.Jwk).SubjectPublicKeyInfo()))];
        if (await blocked.ContainsAsync(t.Db, fingerprint, cancel))
        {
            found.Add(fingerprint);
        }

        return found;
    }

    private async Task<AcmeProblem?> CheckCaaAsync(WorkItem item, IReadOnlyList<CaaDue> due, CancellationToken cancel)
    {
        var account = await store.ReadAsync(
            async db => await db.AccountAsync((await db.Orders.FirstAsync(o => o.Id == item.SubjectId, cancel)).AccountId, cancel), cancel)
            ?? throw new InvalidOperationException("an account vanished");
        return await caa.CheckAsync(due, account, cancel);
    }

    /// <summary>The identifiers, if each has an authorization that is valid now. Never trusts what the queue or an earlier step found.</summary>
    private Outcome<ImmutableArray<Identifier>> Names(Order order, IReadOnlyList<Authorization> authorizations, CaProfile profile, Account account, AccountScope scope, DateTimeOffset now)
    {
        var accepted = ImmutableArray.CreateBuilder<Identifier>(order.Names.Count);
        var problems = new List<AcmeProblem>();
        foreach (var text in order.Names)
        {
            var identifier = Identifier.Of(text);
            var authorization = authorizations.FirstOrDefault(a => a.Covers(text) && a.AccountId == order.AccountId);
            var status = authorization?.StatusAt(now);
            if (status == AuthorizationStatus.Valid && authorization!.Rules != regimes.Find(profile.Regime)?.Rules.Fingerprint)
            {
                problems.Add(new AcmeProblem(ProblemCatalog.Unauthorized, $"{text} was proved by rules that have changed since; make a new order.") { Identifier = identifier.Acme });
            }
            else if (status == AuthorizationStatus.Valid && authorization!.Challenges.FirstOrDefault(c => c.Status == ChallengeStatus.Valid) is { } won && !profile.Accepts(won.Type))
            {
                problems.Add(new AcmeProblem(ProblemCatalog.Unauthorized, $"{text} was proved by {won.Type.Wire()}, which the profile {profile.Name} does not accept any more; make a new order.") { Identifier = identifier.Acme });
            }
            else if (status == AuthorizationStatus.Valid && authorization!.Challenges.FirstOrDefault(c => c.Status == ChallengeStatus.Valid) is { } proof && account.Restrictions?.Accepts(proof.Type) == false)
            {
                problems.Add(new AcmeProblem(ProblemCatalog.Unauthorized, $"{text} was proved by {proof.Type.Wire()}, which the account may not use any more; make a new order.") { Identifier = identifier.Acme });
            }
            else if (status == AuthorizationStatus.Valid && authorization!.Challenges.FirstOrDefault(c => c.Status == ChallengeStatus.Valid) is { } by && !scope.Accepts(by.Type))
            {
                problems.Add(new AcmeProblem(ProblemCatalog.Unauthorized, $"{text} was proved by {by.Type.Wire()}, which the external account {scope.KeyId} does not accept; make a new order.") { Identifier = identifier.Acme });
            }
            else if (status != AuthorizationStatus.Valid)
            {
                problems.Add(new AcmeProblem(
                    ProblemCatalog.Unauthorized,
                    $"The authorization for {text} is {status?.ToString().ToLowerInvariant() ?? "missing"} at the time of issuance.")
                { Identifier = identifier.Acme });
            }
            else if ((policy.Judge(identifier).Problem ?? account.Restrictions?.Refuse(identifier)) is { } refused)
            {
                problems.Add(refused);
            }
            else
            {
                accepted.Add(identifier);
            }
        }

        return problems.Count == 0
            ? accepted.ToImmutable()
            : AcmeProblem.Combine(problems, $"{problems.Count} of {order.Names.Count} names cannot be issued for; see subproblems.");
    }

    private async Task<bool> RecordAsync(WorkItem item, byte[] der, CancellationToken cancel)
    {
        var outcome = await store.WriteAsync<WorkItem>(
            Actor.Server,
            async t =>
            {
                if (!await WorkLeases.TakeAsync(t, item, cancel))
                {
                    return new AcmeProblem(ProblemCatalog.ServerInternal, "the lease was lost: another node records");
                }

                var order = await t.Db.Orders.FirstAsync(o => o.Id == item.SubjectId, cancel);
                var certificate = await t.Db.Certificates.FirstAsync(c => c.OrderId == item.SubjectId, cancel);
                certificate.Record(der, t.Now);
                if (certificate.HasOcsp)
                {
                    t.AwaitOcspAnswer(certificate);
                }

                order.Complete(certificate.PublicId);
                t.Audit(
                    AuditKinds.CertificateIssued,
                    "certificate:" + certificate.PublicId,
                    ("order", order.PublicId),
                    ("serial", certificate.Serial),
                    ("sha256", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(der))));
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

    private async Task FailAsync(WorkItem item, AcmeProblem problem, CancellationToken cancel)
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
                    await LimitDesk.GiveBackCertificateAsync(t, await t.Db.ScopeAsync(account, cancel), cancel);
                    t.Audit(AuditKinds.IssuanceAbandoned, "certificate:" + intent.PublicId, ("serial", intent.Serial));
                }

                order.Fail(problem);
                t.Audit(AuditKinds.OrderFailed, "order:" + order.PublicId, ("problem", problem.Type.Name), ("detail", problem.Detail));
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
