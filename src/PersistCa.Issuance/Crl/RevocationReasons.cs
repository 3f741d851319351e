using System.Globalization;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Crl;

/// <summary>The reasons a certificate can be revoked for (RFC 5280 section 5.3.1, Baseline Requirements section 7.2.2).</summary>
public static class RevocationReasons
{
    // certificateHold is left out, since nothing is taken back from a list here (and BR section 7.2.2 forbids it); removeFromCRL is for delta lists, of which there are none.
    private static readonly (int Code, string Name, bool OfSubscribers)[] Rows =
    [
        (0, "unspecified", true),
        (1, "keyCompromise", true),
        (2, "cACompromise", false),
        (3, "affiliationChanged", true),
        (4, "superseded", true),
        (5, "cessationOfOperation", true),
        (9, "privilegeWithdrawn", true),
        (10, "aACompromise", false),
    ];

    /// <summary>keyCompromise: the key shall never be certified again.</summary>
    public const int KeyCompromise = 1;

    /// <summary>The codes that are accepted of a subscriber's certificate.</summary>
    public static IReadOnlyList<int> Accepted { get; } = [.. Rows.Where(r => r.OfSubscribers).Select(r => r.Code)];

    /// <summary>The codes that are accepted of an authority's certificate.</summary>
    public static IReadOnlyList<int> OfAuthorities { get; } = [.. Rows.Select(r => r.Code)];

    /// <summary>Judges a requested reason (RFC 8555 section 7.6).</summary>
    /// <param name="requested">The code, null when none is given.</param>
    /// <returns>Null when it is accepted; badRevocationReason listing the accepted ones.</returns>
    public static AcmeProblem? Judge(int? requested) => requested is null || Accepted.Contains(requested.Value)
        ? null
        : new AcmeProblem(ProblemCatalog.BadRevocationReason, $"The revocation reason {requested} is not accepted; accepted are {Listed(Accepted)}, or none.");

    /// <summary>Judges the reason for which an authority's certificate is revoked.</summary>
    /// <param name="code">The code, null when none is given.</param>
    /// <returns>Null when it is accepted; else why it is not.</returns>
    public static string? JudgeAuthority(int? code) =>
        code is null || OfAuthorities.Contains(code.Value) ? null : $"the reason {code} is not accepted of an authority's certificate; accepted are {Listed(OfAuthorities)}, or none";

    /// <summary>Reads the reason for which an authority's certificate is revoked.</summary>
    /// <param name="text">Its name as RFC 5280 spells it, whatever the case, or its code.</param>
    /// <returns>The code; or why it is not accepted.</returns>
    public static Parsed<int> Read(string text)
    {
        var row = Array.Find(Rows, r => r.Name.Equals(text, StringComparison.OrdinalIgnoreCase) || r.Code.ToString(CultureInfo.InvariantCulture) == text);
        return row.Name is null ? Parsed<int>.Refused($"'{text}' is no reason that is accepted of an authority's certificate; accepted are {Listed(OfAuthorities)}") : Parsed<int>.Ok(row.Code);
    }

    /// <summary>The code to record and to publish: 0 says nothing and is left out (RFC 5280 section 5.3.1).</summary>
    public static int? Recorded(int? requested) => requested is 0 ? null : requested;

    /// <summary>The name of an accepted code, for people.</summary>
    public static string NameOf(int? code) => Array.Find(Rows, r => r.Code == (code ?? 0)).Name ?? "unknown";

    private static string Listed(IEnumerable<int> codes) => string.Join(", ", codes.Select(c => $"{c} ({NameOf(c)})"));
}
