using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>A token that is wanted.</summary>
/// <param name="Name">Whose.</param>
/// <param name="Role">What for; null, on the host alone, for the first custodian.</param>
/// <param name="Life">How long it is good.</param>
/// <param name="Scopes">What it is for, of the scopes that there are; null for everything that the role opens.</param>
public sealed record TokenWish(string Name, OperatorRole? Role, TimeSpan Life, IReadOnlyList<string>? Scopes = null);

/// <summary>A new token.</summary>
/// <param name="Token">Its row; null while it waits for a second operator.</param>
/// <param name="Secret">Its secret, to be shown once.</param>
/// <param name="Proposal">The proposal that it waits for; null where it needed none.</param>
public sealed record MadeToken(OperatorToken? Token, string Secret, OperatorProposal? Proposal = null);

/// <summary>Makes, lists and revokes tokens: on the host, for whoever has the database anyway, and through the doors, for custodians.</summary>
public sealed class TokenDesk(CaStore store, PersistCaOptions options)
{
    private const int SecretOctets = 32;

    /// <summary>Characters of a secret.</summary>
    public static int SecretLength { get; } = OperatorDesk.SecretPrefix.Length + Base64Url.GetEncodedLength(SecretOctets);

    /// <summary>Those who look after tokens.</summary>
    internal static OperatorRole[] Keepers { get; } = [OperatorRole.Custodian];

    /// <summary>Makes a token, for somebody at the host.</summary>
    /// <returns>The row and its secret, which is kept nowhere; unauthorized where no role was said and there is a custodian already.</returns>
    public async Task<Outcome<MadeToken>> MakeOnHostAsync(TokenWish wish, CancellationToken cancel)
    {
        if (Judge(wish) is { } problem)
        {
            return problem;
        }

        var secret = NewSecret();
        return await store.WriteAsync<MadeToken>(
            Actor.Operator,
            async t =>
            {
                if (wish.Role is null && await t.Db.AnyLiveAsync(OperatorRole.Custodian, t.Now, cancel))
                {
                    return new AcmeProblem(ProblemCatalog.Unauthorized, "There is a custodian already; say --role to make a further token, whatever its role.");
                }

                return new MadeToken(Add(t, PublicId.Next(), wish.Name, wish.Role ?? OperatorRole.Custodian, wish.Scopes, OperatorTokens.HashOf(secret), t.Now + wish.Life, null), secret);
            },
            cancel);
    }

    /// <summary>Makes a token for a custodian who asks; another custodian's waits for a second, where one is demanded.</summary>
    /// <param name="who">A custodian.</param>
    /// <param name="wish">What is wanted; with a role.</param>
    /// <param name="decisions">Takes proposals.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<MadeToken>> MakeAsync(OperatorIdentity who, TokenWish wish, DecisionDesk decisions, CancellationToken cancel)
    {
        var role = wish.Role ?? throw new ArgumentException("a role is needed", nameof(wish));
        if (Judge(wish) is { } problem)
        {
            return problem;
        }

        var secret = NewSecret();
        if (role == OperatorRole.Custodian)
        {
            // Its secret is the proposer's to hand over, and opens nothing before the approval.
            var id = PublicId.Next();
            var payload = Payload(new ProposedToken(wish.Name, wish.Scopes, store.Now + wish.Life, OperatorTokens.HashOf(secret)));
            var decided = await decisions.DecideAsync(who, DecisionKinds.CustodianToken, "token:" + id, "", cancel, _ => Task.FromResult<Outcome<DecisionDraft>>(new DecisionDraft(payload)));
            return decided.TryGet(out var proposal, out problem)
                ? new MadeToken(proposal.StatusAt(store.Now) == DecisionStatus.Done ? await store.ReadAsync(db => db.OperatorTokens.FirstAsync(o => o.PublicId == id, cancel), cancel) : null, secret, proposal)
                : problem;
        }

        return await store.WriteAsync<MadeToken>(
            who.Actor,
            async t => await who.RefuseAsync(t, Keepers, cancel) is { } refused
                ? refused
                : new MadeToken(Add(t, PublicId.Next(), wish.Name, role, wish.Scopes, OperatorTokens.HashOf(secret), t.Now + wish.Life, who.Name), secret),
            cancel);
    }

    /// <summary>The tokens, the newest first. Whoever lists them is at the host or was let in.</summary>
    public async Task<Paged<OperatorToken>> ListAsync(PageWish page, CancellationToken cancel)
    {
        var below = page.Below;
        return Paged.Of(await store.ReadAsync(db => db.OperatorTokens.Where(t => t.Id < below).OrderByDescending(t => t.Id).Take(page.Size + 1).ToListAsync(cancel), cancel), page, t => t.Id);
    }

    /// <summary>Takes a token back, for ever.</summary>
    /// <param name="who">A custodian; null for somebody at the host.</param>
    /// <param name="tokenId">Its id.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The token; malformed with 404 when there is none of that id, with 409 when it is revoked already.</returns>
    public Task<Outcome<OperatorToken>> RevokeAsync(OperatorIdentity? who, string tokenId, CancellationToken cancel) => store.WriteAsync<OperatorToken>(
        who?.Actor ?? Actor.Operator,
        async t =>
        {
            if (who is not null && await who.RefuseAsync(t, Keepers, cancel) is { } refused)
            {
                return refused;
            }

            if (await t.Db.OperatorTokens.FirstOrDefaultAsync(o => o.PublicId == tokenId, cancel) is not { } token)
            {
                return Refusals.NoSuchResource("token");
            }

            if (token.RevokedAt is { } at)
            {
                return Refusals.Conflict($"The token was revoked at {AcmeJson.Time(at)}.");
            }

            token.RevokedAt = t.Now;
            t.Audit(AuditKinds.OperatorTokenRevoked, "token:" + tokenId, ("name", token.Name), ("role", token.Role.Word()));
            return token;
        },
        cancel);

    /// <summary>Makes the token of a proposal, in the transaction that carries it out.</summary>
    internal static AcmeProblem? CarryOut(StoreTransaction t, OperatorProposal proposal)
    {
        var wanted = JsonSerializer.Deserialize<ProposedToken>(proposal.Payload) ?? throw new JsonException("null is no token");
        if (wanted.Expires <= t.Now)
        {
            return Refusals.Conflict("The token that was proposed would have expired by now.");
        }

        Add(t, proposal.Subject["token:".Length..], wanted.Name, OperatorRole.Custodian, wanted.Scopes, wanted.SecretSha256, wanted.Expires, proposal.Proposer);
        return null;
    }

    private static string Payload(ProposedToken token) => JsonSerializer.Serialize(token);

    private static string NewSecret() => OperatorDesk.SecretPrefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretOctets));

    private static OperatorToken Add(StoreTransaction t, string id, string name, OperatorRole role, IReadOnlyList<string>? scopes, string hash, DateTimeOffset expires, string? madeBy)
    {
        var token = new OperatorToken
        {
            PublicId = id,
            Name = name,
            Role = role,
            Scopes = scopes is null ? null : [.. scopes],
            SecretHash = hash,
            CreatedAt = t.Now,
            ExpiresAt = expires,
            MadeBy = madeBy,
        };
        t.Db.OperatorTokens.Add(token);
        t.Audit(AuditKinds.OperatorTokenCreated, "token:" + id, ("name", name), ("role", role.Word()), ("expires", AcmeJson.Time(expires)), ("scopes", scopes is null ? null : string.Join(' ', scopes)));
        return token;
    }

    private AcmeProblem? Judge(TokenWish wish)
    {
        if (!OperatorDesk.IsName(wish.Name))
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"'{Refusals.Shorten(wish.Name)}' is not a name of an operator; 1 to 64 of a-z, 0-9, '.', '_', '-' and '@' are expected, beginning with a letter or digit, and not 'nobody'.");
        }

        var most = options.Operators.MaxTokenLifetime;
        return wish.Life > most ? new AcmeProblem(ProblemCatalog.Malformed, $"The token would live {wish.Life.TotalDays:0.##} days; at most {most.TotalDays:0.##} are accepted (Operators:MaxTokenLifetime).") : null;
    }

    private sealed record ProposedToken(string Name, IReadOnlyList<string>? Scopes, DateTimeOffset Expires, string SecretSha256);
}
