using System.Buffers.Text;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>What a caller shows.</summary>
/// <param name="Authorization">The Authorization header; null for none.</param>
/// <param name="Certificate">The client certificate, DER, for whose key the connection vouches; null for none.</param>
public sealed record ShownCredentials(string? Authorization, byte[]? Certificate = null);

/// <summary>What a door wants of those who come in.</summary>
/// <param name="Name">The door, for the audit: method and path as routed.</param>
/// <param name="Roles">The roles that it is open to.</param>
/// <param name="Scope">What a token must be for.</param>
public sealed record DoorDemand(string Name, IReadOnlyCollection<OperatorRole> Roles, string Scope);

/// <summary>Knows operators by what they show, and writes down what they called and what they were refused.</summary>
public sealed class OperatorDesk(CaStore store, LimitDesk limits, CertificateTrust certificates, OpenIdTrust openId)
{
    /// <summary>Begins every secret, so that scanners of sources and logs find one that got there.</summary>
    public const string SecretPrefix = "pca_";

    private const string Scheme = "Bearer ";
    private const string Nobody = "nobody";

    /// <summary>Whether a text can be an operator's name: 1 to 64 of a-z, 0-9, ".", "_", "-", "@", beginning with a letter or digit. Small letters only: nobody is two by spelling.</summary>
    public static bool IsName(string text) => text.Length is >= 1 and <= 64 && text != Nobody && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-' or '@');

    /// <summary>Finds out who calls.</summary>
    /// <param name="shown">What the caller shows. A header counts before a certificate.</param>
    /// <param name="door">What the door wants.</param>
    /// <param name="address">The caller's address as limits count it.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>
    /// Who it is; unauthorized with 401 when nothing good was shown, in the same words whatever is wrong with it; with 403 when the role or the scope is another;
    /// rateLimited when the address failed too often (who shows something good is let in all the same).
    /// </returns>
    public async Task<Outcome<OperatorIdentity>> AuthenticateAsync(ShownCredentials shown, DoorDemand door, string address, CancellationToken cancel)
    {
        var seen = await SeeAsync(shown, cancel);
        if (seen.Who is not { } who)
        {
            return await NoteRefusalAsync(seen, Unknown(), door.Name, address, cancel);
        }

        if (!door.Roles.Contains(who.Role))
        {
            return await NoteRefusalAsync(seen with { Why = "role" }, WrongRole(who, door.Roles), door.Name, null, cancel);
        }

        return who.Scopes is null || who.Scopes.Contains(door.Scope)
            ? who
            : await NoteRefusalAsync(
                seen with { Why = "scope" },
                new AcmeProblem(ProblemCatalog.Unauthorized, $"The token is for {string.Join(", ", who.Scopes)}; this door is for {door.Scope}."),
                door.Name,
                null,
                cancel);
    }

    /// <summary>Writes down that a call was answered, and on which day the token was last used.</summary>
    public async Task NoteCallAsync(OperatorIdentity who, string door, int status, CancellationToken cancel)
    {
        var noted = await store.WriteAsync<string>(
            who.Actor,
            async t =>
            {
                t.Audit(AuditKinds.OperatorCalled, who.Credential, ("door", door), ("role", who.Role.Word()), ("status", status.ToString(CultureInfo.InvariantCulture)));
                if (who.TokenId is { } token)
                {
                    await MarkUsedAsync(t, token, cancel);
                }

                return "noted";
            },
            cancel);
        _ = noted.Value;
    }

    internal static AcmeProblem Unknown() => new(
        ProblemCatalog.Unauthorized,
        "Somebody known is needed here: send 'Authorization: Bearer pca_...' with a token that is neither expired nor revoked, or show what else this authority knows operators by.") { Status = 401 };

    internal static AcmeProblem WrongRole(OperatorIdentity who, IEnumerable<OperatorRole> allowed) =>
        new(ProblemCatalog.Unauthorized, $"The role {who.Role.Word()} does not open this door; it is open to {string.Join(", ", allowed.Select(r => r.Word()))}.");

    private async Task<Seen> SeeAsync(ShownCredentials shown, CancellationToken cancel)
    {
        if (shown.Authorization is not { } header)
        {
            return shown.Certificate is { } certificate ? await certificates.SeeAsync(certificate, cancel) : Seen.Nobody("no token");
        }

        var bearer = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..] : "";
        if (openId.Takes(bearer))
        {
            return await openId.SeeAsync(bearer, cancel);
        }

        // Anything that has not the form of a secret need not be looked up.
        var wellFormed = bearer.Length == TokenDesk.SecretLength && bearer.StartsWith(SecretPrefix, StringComparison.Ordinal) && Base64Url.IsValid(bearer.AsSpan(SecretPrefix.Length));
        if (!wellFormed || await store.ReadAsync(db => db.OperatorTokenAsync(bearer, cancel), cancel) is not { } token)
        {
            return Seen.Nobody("unknown token");
        }

        var why = token.RevokedAt is not null ? "revoked token" : token.IsLive(store.Now) ? null : "expired token";
        return new Seen(why is null ? new OperatorIdentity(token) : null, why, token.Name, "token:" + token.PublicId, token.Role);
    }

    private async Task<AcmeProblem> NoteRefusalAsync(Seen seen, AcmeProblem problem, string door, string? address, CancellationToken cancel)
    {
        var noted = await store.WriteAsync<string>(
            Actor.OperatorNamed(seen.Name ?? Nobody),
            async t =>
            {
                // Taken in the change that writes the entry, so that strangers cannot fill the audit log.
                if (address is not null && await limits.TakeAsync(t, LimitKind.FailedOperatorCallsPerAddress, address, "calls without a good token from this address", null, cancel) is { } limited)
                {
                    return limited;
                }

                t.Audit(AuditKinds.OperatorRefused, seen.Credential ?? "token:none", ("door", door), ("why", seen.Why), ("role", seen.Role?.Word()));
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

/// <summary>What was seen of a caller.</summary>
/// <param name="Who">The operator; null when nothing good was shown.</param>
/// <param name="Why">What is wrong, for the audit; null when nothing is.</param>
/// <param name="Name">Whose it is, or would be; null when that cannot be said.</param>
/// <param name="Credential">What was shown; null when that cannot be said.</param>
/// <param name="Role">What for.</param>
public sealed record Seen(OperatorIdentity? Who, string? Why, string? Name = null, string? Credential = null, OperatorRole? Role = null)
{
    /// <summary>Nobody is known by it.</summary>
    public static Seen Nobody(string why, string? credential = null) => new(null, why, null, credential);

    /// <summary>An operator is.</summary>
    public static Seen Somebody(OperatorIdentity who) => new(who, null, who.Name, who.Credential, who.Role);
}
