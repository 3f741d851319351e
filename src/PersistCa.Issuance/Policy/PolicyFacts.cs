using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Policy;

/// <summary>The account that a certificate is for, as it is at this moment.</summary>
/// <param name="Id">Public id.</param>
/// <param name="State">Its state in a word.</param>
/// <param name="IsOpen">Whether it may act.</param>
public sealed record AccountFactsNow(string Id, string State, bool IsOpen)
{
    /// <summary>Why it may not act, where that is not for ever; null otherwise.</summary>
    public AcmeProblem? Suspended { get; init; }

    /// <summary>What an operator left to it; null when none restricted it.</summary>
    public AccountRestrictions? Restrictions { get; init; }

    /// <summary>What it may do by its external account.</summary>
    public AccountScope Scope { get; init; } = AccountScope.Unbound;

    /// <summary>Whether accounts need an external account here.</summary>
    public bool ScopeRequired { get; init; }

    /// <summary>What the order is, where the external account has ended.</summary>
    public ScopedAct Act { get; init; } = ScopedAct.NewOrder;

    /// <summary>Why the external account has no certificate left in its period; null when it has, and when the certificate was taken before.</summary>
    public AcmeProblem? CertificatesSpent { get; init; }
}

/// <summary>The profile by which a certificate is made, as it is at this moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Regime">Its regime, as the server names it.</param>
/// <param name="Offered">Whether orders may have it.</param>
/// <param name="OpenToAccount">Whether this account may.</param>
/// <param name="Keys">Kinds of keys that it is for.</param>
/// <param name="Challenges">Challenges that it accepts; none for all.</param>
/// <param name="Certificate">What its certificates look like.</param>
public sealed record ProfileFacts(
    string Name,
    string Regime,
    bool Offered,
    bool OpenToAccount,
    FrozenSet<KeyKind> Keys,
    ImmutableArray<ChallengeType> Challenges,
    ServerProfile Certificate)
{
    /// <summary>Which names its certificates may have, of those that are served.</summary>
    public SubjectNames Names { get; init; } = SubjectNames.Every;

    /// <summary>What it says of proofs besides its regime, in words; empty for nothing. The regime is one of its own then.</summary>
    public string Proofs { get; init; } = "";

    /// <summary>Whether a proof counts for the order alone for which it was made.</summary>
    public bool ProvedAnew { get; init; }
}

/// <summary>Who is to sign.</summary>
/// <param name="Id">Id of the issuer.</param>
/// <param name="NotBefore">Start of its validity.</param>
/// <param name="NotAfter">End of its validity.</param>
/// <param name="Constraints">For which names it may sign.</param>
public sealed record IssuerFacts(string Id, DateTimeOffset NotBefore, DateTimeOffset NotAfter, NameConstraints Constraints);

/// <summary>What was proved for a name.</summary>
/// <param name="Name">The name.</param>
public sealed record ProofFacts(Identifier Name)
{
    /// <summary>Public id of the authorization, null when there is none.</summary>
    public string? Authorization { get; init; }

    /// <summary>Its state at this moment; null when there is none.</summary>
    public AuthorizationStatus? Status { get; init; }

    /// <summary>By which challenge it was proved.</summary>
    public ChallengeType? Method { get; init; }

    /// <summary>Whether a name above it was proved in its place.</summary>
    public bool Above { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset? ProvedAt { get; init; }

    /// <summary>How long such a proof may be used.</summary>
    public TimeSpan LongestUse { get; init; }

    /// <summary>Whether it was proved by the rules that hold now for the profile's regime.</summary>
    public bool ByPresentRules { get; init; }
}

/// <summary>What CAA said of a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Mode">What becomes of it.</param>
public sealed record CaaFacts(Identifier Name, CaaMode Mode)
{
    /// <summary>The verdict in one word; null when nobody asked in time.</summary>
    public string? Outcome { get; init; }

    /// <summary>When it was asked.</summary>
    public DateTimeOffset? CheckedAt { get; init; }

    /// <summary>Until when that counts.</summary>
    public DateTimeOffset? FreshUntil { get; init; }
}

/// <summary>Everything that is to be known of a certificate that is about to be signed.</summary>
public sealed record PolicyFacts
{
    /// <summary>The to-be-signed bytes.</summary>
    public required ReadOnlyMemory<byte> TbsDer { get; init; }

    /// <summary>The time.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The account.</summary>
    public required AccountFactsNow Account { get; init; }

    /// <summary>The profile.</summary>
    public required ProfileFacts Profile { get; init; }

    /// <summary>The issuer.</summary>
    public required IssuerFacts Issuer { get; init; }

    /// <summary>The order's names.</summary>
    public required ImmutableArray<Identifier> Names { get; init; }

    /// <summary>When the order was opened.</summary>
    public required DateTimeOffset OrderedAt { get; init; }

    /// <summary>The order's notBefore, null when it asks for none.</summary>
    public DateTimeOffset? WishedNotBefore { get; init; }

    /// <summary>The order's notAfter, null when it asks for none.</summary>
    public DateTimeOffset? WishedNotAfter { get; init; }

    /// <summary>The key of the certificate request, DER.</summary>
    public required ReadOnlyMemory<byte> RequestedKey { get; init; }

    /// <summary>Judges keys.</summary>
    public required KeyPolicy Keys { get; init; }

    /// <summary>Keys that must not be certified, by the SHA-256 of their SubjectPublicKeyInfo in lower-case hex, each with what it is. Only those that this one could be.</summary>
    public IReadOnlyDictionary<string, string> ForbiddenKeys { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>What was proved, for each name.</summary>
    public required ImmutableArray<ProofFacts> Proofs { get; init; }

    /// <summary>What CAA said, for each name that has such records.</summary>
    public required ImmutableArray<CaaFacts> Caa { get; init; }

    /// <summary>Says why an identifier is not served here; null when it is.</summary>
    public required Func<Identifier, AcmeProblem?> NotServed { get; init; }

    /// <summary>Says why an identifier is none of the public web; null when it is one.</summary>
    public required Func<Identifier, AcmeProblem?> NotPublic { get; init; }

    /// <summary>What the lint found, errors too.</summary>
    public required ImmutableArray<LintFinding> Findings { get; init; }
}
