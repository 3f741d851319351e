namespace PersistCa.Storage.Operators;

/// <summary>What an operator is for. Duties are kept apart: no role holds another's.</summary>
public enum OperatorRole
{
    /// <summary>Looks, and has records explained.</summary>
    Viewer = 1,

    /// <summary>Runs the server day by day.</summary>
    Operator = 2,

    /// <summary>Revokes, proposes bulk revocations and approves those of others.</summary>
    RevocationOfficer = 3,

    /// <summary>Looks at everything and changes nothing.</summary>
    Auditor = 4,

    /// <summary>Keeps keys and the tokens of the others.</summary>
    Custodian = 5,
}

/// <summary>The words for roles.</summary>
public static class OperatorRoles
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<OperatorRole> All { get; } = Enum.GetValues<OperatorRole>();

    /// <summary>The word for a role, such as "revocation-officer".</summary>
    public static string Word(this OperatorRole role) => role switch
    {
        OperatorRole.Viewer => "viewer",
        OperatorRole.Operator => "operator",
        OperatorRole.RevocationOfficer => "revocation-officer",
        OperatorRole.Auditor => "auditor",
        OperatorRole.Custodian => "custodian",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    /// <summary>Reads a word.</summary>
    /// <returns>Null when there is no such role.</returns>
    public static OperatorRole? Read(string word) => All.Where(r => r.Word() == word).Select(r => (OperatorRole?)r).FirstOrDefault();
}

/// <summary>A token by which an operator is known. Of its secret only the hash is kept: 256 random bits need no salt and no rounds.</summary>
public sealed class OperatorToken
{
    public long Id { get; private set; }

    /// <summary>Random id, by which the token is revoked and which is no secret.</summary>
    public required string PublicId { get; init; }

    /// <summary>Whose it is. Several tokens of one name are one person's, whatever their roles.</summary>
    public required string Name { get; init; }

    public OperatorRole Role { get; init; }

    /// <summary>SHA-256 of the secret, lower-case hex.</summary>
    public required string SecretHash { get; init; }

    /// <summary>What it is for, such as "certificates:read"; null for everything that its role opens.</summary>
    public List<string>? Scopes { get; init; }

    /// <summary>Name of the operator who made it; null for one made on the host. Nobody approves with a token that the proposer made.</summary>
    public string? MadeBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>The last day, in UTC, on which it was used; null while it never was.</summary>
    public DateOnly? LastUsedOn { get; set; }

    /// <summary>Whether it opens doors at a time.</summary>
    public bool IsLive(DateTimeOffset now) => RevokedAt is null && now < ExpiresAt;
}
