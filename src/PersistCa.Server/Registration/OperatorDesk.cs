using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>An operator whose token was found good. Only <see cref="OperatorDesk"/> makes one: whoever asks for it as an argument is asked with authority.</summary>
public sealed class OperatorIdentity
{
    internal OperatorIdentity(OperatorToken token) => (TokenId, Name, Role) = (token.PublicId, token.Name, token.Role);

    /// <summary>Id of the token, no secret.</summary>
    public string TokenId { get; }

    /// <summary>Who it is.</summary>
    public string Name { get; }

    /// <summary>What for.</summary>
    public OperatorRole Role { get; }

    /// <summary>As whom the store is written.</summary>
    public Actor Actor => Actor.OperatorNamed(Name);

    /// <summary>Asked inside a change: the role, and whether the token is still good.</summary>
    /// <returns>Null when the change may be made; unauthorized when not.</returns>
    internal async Task<AcmeProblem?> RefuseAsync(StoreTransaction t, OperatorRole needed, CancellationToken cancel) =>
        Role != needed ? OperatorDesk.WrongRole(this, [needed])
            : await t.StillLiveAsync(TokenId, cancel) ? null
            : OperatorDesk.Unknown();
}

/// <summary>Knows operators by their tokens, and writes down what they called and what they were refused.</summary>
public sealed class OperatorDesk(CaStore store, LimitDesk limits)
{
    /// <summary>Begins every secret, so that scanners of sources and logs find one that got there.</summary>
    public const string SecretPrefix = "pca_";

    private const int SecretOctets = 32;
    private const string Scheme = "Bearer ";
    private const string Nobody = "nobody";

    /// <summary>Characters of a secret.</summary>
    public static int SecretLength { get; } = SecretPrefix.Length + Base64Url.GetEncodedLength(SecretOctets);

    /// <summary>Whether a text can be an operator's name: 1 to 64 of a-z, 0-9, ".", "_", "-", beginning with a letter or digit. Small letters only: nobody is two by spelling.</summary>
    public static bool IsName(string text) => text.Length is >= 1 and <= 64 && text != Nobody && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    /// <summary>Finds out who calls.</summary>
    /// <param name="authorization">The Authorization header; null for none.</param>
    /// <param name="allowed">The roles that the door is open to.</param>
    /// <param name="door">The door, for the audit: method and path as routed.</param>
    /// <param name="address">The caller's address as limits count it.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>
    /// Who it is; unauthorized with 401 when the token is missing, unknown, expired or revoked, in the same words for each; with 403 when the role is another;
    /// rateLimited when the address failed too often (who has a good token is let in all the same).
    /// </returns>
    public async Task<Outcome<OperatorIdentity>> AuthenticateAsync(string? authorization, IReadOnlyCollection<OperatorRole> allowed, string door, string address, CancellationToken cancel)
    {
        var secret = Secret(authorization);
        var token = secret is null ? null : await store.ReadAsync(db => db.OperatorTokenAsync(secret, cancel), cancel);
        var why = authorization is null ? "no token"
            : token is null ? "unknown token"
            : token.RevokedAt is not null ? "revoked token"
            : token.IsLive(store.Now) ? null
            : "expired token";
        if (why is not null)
        {
            return await NoteRefusalAsync(token, Unknown(), why, door, address, cancel);
        }

        var who = new OperatorIdentity(token!);
        return allowed.Contains(who.Role) ? who : await NoteRefusalAsync(token, WrongRole(who, allowed), "role", door, null, cancel);
    }

    /// <summary>Writes down that a call was answered, and on which day the token was last used.</summary>
    public async Task NoteCallAsync(OperatorIdentity who, string door, int status, CancellationToken cancel)
    {
        var noted = await store.WriteAsync<string>(
            who.Actor,
            async t =>
            {
                t.Audit(AuditKinds.OperatorCalled, "token:" + who.TokenId, ("door", door), ("role", who.Role.Word()), ("status", status.ToString(CultureInfo.InvariantCulture)));
                await MarkUsedAsync(t, who.TokenId, cancel);
                return "noted";
            },
            cancel);
        _ = noted.Value;
    }

    /// <summary>Makes a token. For somebody at the host, who has the database anyway.</summary>
    /// <param name="name">Whose.</param>
    /// <param name="role">What for; null for the first custodian, which is refused once there is one.</param>
    /// <param name="life">How long it is good.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The row and its secret, which is kept nowhere.</returns>
    public async Task<Outcome<MadeToken>> MakeAsync(string name, OperatorRole? role, TimeSpan life, CancellationToken cancel)
    {
        if (!IsName(name))
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"'{Refusals.Shorten(name)}' is not a name of an operator; 1 to 64 of a-z, 0-9, '.', '_' and '-' are expected, beginning with a letter or digit, and not '{Nobody}'.");
        }

        var secret = SecretPrefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretOctets));
        return await store.WriteAsync<MadeToken>(
            Actor.Operator,
            async t =>
            {
                if (role is null && await t.Db.AnyLiveAsync(OperatorRole.Custodian, t.Now, cancel))
                {
                    return new AcmeProblem(ProblemCatalog.Unauthorized, "There is a custodian already; say --role to make a further token, whatever its role.");
                }

                var token = new OperatorToken
                {
                    PublicId = PublicId.Next(),
                    Name = name,
                    Role = role ?? OperatorRole.Custodian,
                    SecretHash = OperatorTokens.HashOf(secret),
                    CreatedAt = t.Now,
                    ExpiresAt = t.Now + life,
                };
                t.Db.OperatorTokens.Add(token);
                t.Audit(AuditKinds.OperatorTokenCreated, "token:" + token.PublicId, ("name", name), ("role", token.Role.Word()), ("expires", AcmeJson.Time(token.ExpiresAt)));
                return new MadeToken(token, secret);
            },
            cancel);
    }

    /// <summary>All tokens, the newest first.</summary>
    public Task<List<OperatorToken>> ListAsync(CancellationToken cancel) => store.ReadAsync(db => db.OperatorTokens.OrderByDescending(t => t.Id).ToListAsync(cancel), cancel);

    /// <summary>Takes a token back, for ever.</summary>
    /// <returns>The token; malformed with 404 when there is none of that id, with 409 when it is revoked already.</returns>
    public Task<Outcome<OperatorToken>> RevokeAsync(string tokenId, CancellationToken cancel) => store.WriteAsync<OperatorToken>(
        Actor.Operator,
        async t =>
        {
            if (await t.Db.OperatorTokens.FirstOrDefaultAsync(o => o.PublicId == tokenId, cancel) is not { } token)
            {
                return Refusals.NoSuchResource("token");
            }

            if (token.RevokedAt is { } at)
            {
                return new AcmeProblem(ProblemCatalog.Malformed, $"The token was revoked at {AcmeJson.Time(at)}.") { Status = 409 };
            }

            token.RevokedAt = t.Now;
            t.Audit(AuditKinds.OperatorTokenRevoked, "token:" + tokenId, ("name", token.Name), ("role", token.Role.Word()));
            return token;
        },
        cancel);

    internal static AcmeProblem Unknown() =>
        new(ProblemCatalog.Unauthorized, "A good token is needed here: send 'Authorization: Bearer pca_...' with one that is neither expired nor revoked.") { Status = 401 };

    internal static AcmeProblem WrongRole(OperatorIdentity who, IEnumerable<OperatorRole> allowed) =>
        new(ProblemCatalog.Unauthorized, $"The role {who.Role.Word()} does not open this door; it is open to {string.Join(", ", allowed.Select(r => r.Word()))}.");

    /// <summary>The secret in a header, if it has the form of one: anything else need not be looked up.</summary>
    private static string? Secret(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var secret = authorization[Scheme.Length..];
        return secret.Length == SecretLength && secret.StartsWith(SecretPrefix, StringComparison.Ordinal) && Base64Url.IsValid(secret.AsSpan(SecretPrefix.Length)) ? secret : null;
    }

    private async Task<AcmeProblem> NoteRefusalAsync(OperatorToken? token, AcmeProblem problem, string why, string door, string? address, CancellationToken cancel)
    {
        var noted = await store.WriteAsync<string>(
            Actor.OperatorNamed(token?.Name ?? Nobody),
            async t =>
            {
                // Taken in the change that writes the entry, so that strangers cannot fill the audit log.
                if (address is not null && await limits.TakeAsync(t, LimitKind.FailedOperatorCallsPerAddress, address, "calls without a good token from this address", null, cancel) is { } limited)
                {
                    return limited;
                }

                t.Audit(AuditKinds.OperatorRefused, token is null ? "token:none" : "token:" + token.PublicId, ("door", door), ("why", why), ("role", token?.Role.Word()));
                return "noted";
            },
            cancel);
        return noted.Problem ?? problem;
    }

    private static async Task MarkUsedAsync(StoreTransaction t, string tokenId, CancellationToken cancel)
    {
        var today = DateOnly.FromDateTime(t.Now.UtcDateTime);
        if (await t.Db.OperatorTokens.FirstOrDefaultAsync(o => o.PublicId == tokenId, cancel) is { } token && token.LastUsedOn != today)
        {
            token.LastUsedOn = today;
        }
    }
}

/// <summary>A new token.</summary>
/// <param name="Token">Its row.</param>
/// <param name="Secret">Its secret, to be shown once.</param>
public sealed record MadeToken(OperatorToken Token, string Secret);
