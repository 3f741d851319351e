using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Registration;

/// <summary>A challenge and the authorization it stands in.</summary>
public sealed record LocatedChallenge(Authorization Authorization, Challenge Challenge);

/// <summary>Takes the client's word that a challenge is ready, and queues its validation (step 3 of docs/order-flow.md).</summary>
public sealed class ChallengeIntake(CaStore store, WorkSignal signal, ValidationDesk desk, LimitDesk limits)
{
    /// <summary>Reads an authorization of an account.</summary>
    public async Task<Outcome<Authorization>> FindAsync(Account account, string authorizationId, CancellationToken cancel)
    {
        var found = PublicId.LooksRight(authorizationId)
            ? await store.AuthorizationAsync(authorizationId, cancel)
            : null;
        return Owned(found, account);
    }

    /// <summary>Reads a challenge of an account.</summary>
    public async Task<Outcome<LocatedChallenge>> FindAsync(Account account, string authorizationId, int ordinal, CancellationToken cancel)
    {
        var found = await FindAsync(account, authorizationId, cancel);
        return found.TryGet(out var authorization, out var problem) ? Locate(authorization, ordinal) : problem;
    }

    /// <summary>Queues the validation of a challenge. A challenge that was accepted before is returned as it stands, whatever its state.</summary>
    /// <param name="account">The account.</param>
    /// <param name="actor">The account as the one who acts.</param>
    /// <param name="authorizationId">Public id of the authorization.</param>
    /// <param name="ordinal">Position of the challenge in it.</param>
    /// <param name="recordAt">dns-persist-01: where the client says that its record stands ("adn"), null when it says nothing.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<LocatedChallenge>> AcceptAsync(Account account, Actor actor, string authorizationId, int ordinal, string? recordAt, CancellationToken cancel)
    {
        using var place = new WorkPlace(signal, WorkKind.Validate);
        return await store.WriteTogetherAsync<LocatedChallenge>(
            actor,
            async t =>
            {
                var reads = t.Read();
                var asked = PublicId.LooksRight(authorizationId) ? reads.Authorization(authorizationId) : null;
                await reads.RunAsync(cancel);
                var found = Owned(asked?.Value, account);
                if (!found.TryGet(out var authorization, out var problem))
                {
                    return problem;
                }

                var located = Locate(authorization, ordinal);
                if (!located.TryGet(out var at, out problem))
                {
                    return problem;
                }

                if (at.Challenge.Status == ChallengeStatus.Pending && authorization.StatusAt(t.Now) is not AuthorizationStatus.Pending and var status)
                {
                    return new AcmeProblem(
                        ProblemCatalog.Malformed,
                        $"The authorization is {status.ToString().ToLowerInvariant()}, so this challenge can no longer be tried; make a new order.");
                }

                DnsName? told = null;
                if (recordAt is not null && at.Challenge.Type == ChallengeType.DnsPersist01)
                {
                    var parsed = DnsName.Parse(recordAt);
                    if (!parsed.IsValid)
                    {
                        return new AcmeProblem(ProblemCatalog.Malformed, $"The adn is no name at which a record can stand: {parsed.Reason}.");
                    }

                    told = parsed.Value;
                }

                if (authorization.Accept(at.Challenge, t.Now, told?.Text))
                {
                    if (await limits.TryAsync(t, account, authorization, cancel) is { } limited)
                    {
                        return limited;
                    }

                    t.Save(authorization, at.Challenge);
                    var domain = desk.Domain(authorization);
                    place.Reserve(account.Id, domain);
                    var item = t.Enqueue(WorkKind.Validate, authorization.Id, at.Challenge.Ordinal, authorization.TraceParent, account.Id, domain, place.Lease);
                    t.Audit(
                        AuditKinds.ChallengeAccepted,
                        "authorization:" + authorization.PublicId,
                        ("challenge", at.Challenge.Type.Wire()),
                        ("name", authorization.CertificateName));
                    t.AfterCommit(() =>
                    {
                        CrashPoint.Reached("3.accepted");
                        place.Begin(item);
                    });
                }

                return at;
            },
            cancel);
    }

    /// <summary>Gives an authorization up (RFC 8555 section 7.5.2).</summary>
    public async Task<Outcome<Authorization>> DeactivateAsync(Account account, Actor actor, string authorizationId, CancellationToken cancel) =>
        await store.WriteAsync<Authorization>(
            actor,
            async t =>
            {
                var found = Owned(PublicId.LooksRight(authorizationId) ? await t.Db.AuthorizationAsync(authorizationId, cancel) : null, account);
                if (!found.TryGet(out var authorization, out var problem))
                {
                    return problem;
                }

                if (authorization.Status == AuthorizationStatus.Deactivated)
                {
                    return authorization;
                }

                if (!authorization.CanDeactivate(t.Now))
                {
                    return new AcmeProblem(
                        ProblemCatalog.Malformed,
                        $"The authorization is {authorization.StatusAt(t.Now).ToString().ToLowerInvariant()}; only a pending or valid one can be deactivated.");
                }

                authorization.Deactivate();
                t.Audit(AuditKinds.AuthorizationDeactivated, "authorization:" + authorization.PublicId, ("name", authorization.CertificateName));
                return authorization;
            },
            cancel);

    private static Outcome<Authorization> Owned(Authorization? authorization, Account account)
    {
        if (authorization is null)
        {
            return Refusals.NoSuchResource("authorization");
        }

        return authorization.AccountId == account.Id ? authorization : Refusals.NotYours("authorization");
    }

    private static Outcome<LocatedChallenge> Locate(Authorization authorization, int ordinal) =>
        authorization.Challenges.FirstOrDefault(c => c.Ordinal == ordinal) is { } challenge
            ? new LocatedChallenge(authorization, challenge)
            : Refusals.NoSuchResource("challenge");
}
