using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Crl;

/// <summary>The reasons a subscriber's certificate can be revoked for (RFC 5280 section 5.3.1, Baseline Requirements section 7.2.2).</summary>
public static class RevocationReasons
{
    private static readonly (int Code, string Name)[] Rows =
    [
        (0, "unspecified"),
        (1, "keyCompromise"),
        (3, "affiliationChanged"),
        (4, "superseded"),
        (5, "cessationOfOperation"),
        (9, "privilegeWithdrawn"),
    ];

    /// <summary>keyCompromise: the key shall never be certified again.</summary>
    public const int KeyCompromise = 1;

    /// <summary>The accepted codes.</summary>
    public static IReadOnlyList<int> Accepted { get; } = [.. Rows.Select(r => r.Code)];

    /// <summary>Judges a requested reason (RFC 8555 section 7.6).</summary>
    /// <param name="requested">The code, null when none is given.</param>
    /// <returns>Null when it is accepted; badRevocationReason listing the accepted ones.</returns>
    public static AcmeProblem? Judge(int? requested) => requested is null || Accepted.Contains(requested.Value)
        ? null
        : new AcmeProblem(
            ProblemCatalog.BadRevocationReason,
            $"The revocation reason {requested} is not accepted; accepted are {string.Join(", ", Rows.Select(r => $"{r.Code} ({r.Name})"))}, or none.");

    /// <summary>The code to record and to publish: 0 says nothing and is left out (RFC 5280 section 5.3.1).</summary>
    public static int? Recorded(int? requested) => requested is 0 ? null : requested;

    /// <summary>The name of an accepted code, for people.</summary>
    public static string NameOf(int? code) => Array.Find(Rows, r => r.Code == (code ?? 0)).Name ?? "unknown";
}
