using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>What every step writes down of its surroundings.</summary>
/// <param name="Now">The time.</param>
/// <param name="Tool">Name and version of the program.</param>
/// <param name="Witnesses">Who is there, as the operator names them.</param>
public sealed record CeremonySetting(DateTimeOffset Now, string Tool, IReadOnlyList<string> Witnesses)
{
    /// <summary>Most witnesses.</summary>
    public const int MaxWitnesses = 32;

    /// <summary>Longest name of a witness, characters.</summary>
    public const int MaxWitnessLength = 100;
}

/// <summary>An open key, and how it was opened.</summary>
/// <param name="Key">The key; its giver's to dispose.</param>
/// <param name="Reference">How the operator named it.</param>
/// <param name="Shares">The shares by which its passphrase was restored; none where it was not.</param>
public sealed record CeremonyKey(ISigningKey Key, string Reference, IReadOnlyList<int> Shares);

/// <summary>What a new root is to be.</summary>
/// <param name="Subject">Its name, DER.</param>
/// <param name="Validity">How long, inclusive.</param>
/// <param name="PathLength">Most authorities below one another; null for any number.</param>
/// <param name="Regime">By whose rules it is linted.</param>
public sealed record RootPlan(byte[] Subject, TimeSpan Validity, int? PathLength, Regime Regime);

/// <summary>What the certificate of an authority below the root, or of another root, is to say.</summary>
public sealed record AuthorityPlan
{
    /// <summary>How long it is valid, inclusive; cut to the root's end. 10 years by default.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(3652);

    /// <summary>Most authorities below it; null for any number.</summary>
    public int? PathLength { get; init; } = 0;

    /// <summary>Purposes, OIDs.</summary>
    public IReadOnlyList<string> Purposes { get; init; } = AuthorityCertificate.ServersAndClients;

    /// <summary>Policies, OIDs.</summary>
    public IReadOnlyList<string> Policies { get; init; } = [];

    /// <summary>For which names it may sign.</summary>
    public NameRestrictions Names { get; init; } = NameRestrictions.None;

    /// <summary>Where the root's certificate can be fetched; null for nowhere.</summary>
    public string? CertificateUrl { get; init; }

    /// <summary>Where the root's list can be fetched; null for nowhere.</summary>
    public string? CrlUrl { get; init; }

    /// <summary>By whose rules it is linted.</summary>
    public Regime Regime { get; init; } = Regime.Private;

    /// <summary>The plan that a certificate was made by, for the next one of its kind.</summary>
    public static AuthorityPlan Of(AuthorityCertificate made) => new()
    {
        Validity = made.NotAfter - made.NotBefore + TimeSpan.FromSeconds(1),
        PathLength = made.PathLength,
        Purposes = made.Purposes,
        Policies = made.Policies,
        Names = made.Names,
        CertificateUrl = made.CertificateUrl,
        CrlUrl = made.CrlUrl,
        Regime = made.Regime,
    };
}

/// <summary>What was done.</summary>
/// <param name="Transcript">The transcript.</param>
/// <param name="Findings">What the lints say besides errors, which would have stopped it.</param>
public sealed record CeremonyOutcome(Transcript Transcript, IReadOnlyList<LintFinding> Findings);

/// <summary>A revocation list that is to be made.</summary>
/// <param name="Revoke">Certificates to be revoked besides those of the list before.</param>
/// <param name="Validity">Until when the next list is out, 12 months at most.</param>
/// <param name="Before">The last list of a root that was made elsewhere, for the first list of a folder; null when nobody said.</param>
public sealed record ListPlan(IReadOnlyList<RevokedCertificate> Revoke, TimeSpan Validity, ListBefore? Before = null);
