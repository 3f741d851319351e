using System.Collections.Immutable;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Csr;

/// <summary>
/// What is taken from a certificate request: the key, whose possession its signature proves, and the names, which only have to agree with the
/// order. Nothing else of it ever reaches a certificate.
/// </summary>
public sealed record SigningRequest
{
    /// <summary>Most names that a refusal lists.</summary>
    public const int MaxListedNames = 10;

    /// <summary>The key, DER.</summary>
    public required ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; init; }

    /// <summary>Its kind.</summary>
    public required KeyKind KeyKind { get; init; }

    /// <summary>SHA-256 of <see cref="SubjectPublicKeyInfo"/>, lower-case hex.</summary>
    public required string KeyFingerprint { get; init; }

    /// <summary>The names, each once: dNSNames and iPAddresses of the subjectAltName, then common names that are domain names.</summary>
    public required ImmutableArray<Identifier> Names { get; init; }

    /// <summary>Compares the names with the order's: RFC 8555 section 7.4 wants exactly the same set.</summary>
    /// <returns>Null when they agree; badCSR naming the missing and the surplus ones.</returns>
    public AcmeProblem? NamesDiffer(IEnumerable<Identifier> ordered)
    {
        var wanted = ordered.Select(n => n.Text).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var asked = Names.Select(n => n.Text).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var missing = wanted.Where(n => !asked.Contains(n)).ToList();
        var surplus = asked.Where(n => !wanted.Contains(n)).ToList();
        if (missing.Count == 0 && surplus.Count == 0)
        {
            return null;
        }

        var parts = new List<string>();
        if (missing.Count > 0)
        {
            parts.Add("missing in the CSR: " + Listing(missing));
        }

        if (surplus.Count > 0)
        {
            parts.Add("not in the order: " + Listing(surplus));
        }

        return new AcmeProblem(ProblemCatalog.BadCsr, $"The names of the CSR are not those of the order; {string.Join("; ", parts)}.");
    }

    private static string Listing(List<string> names)
    {
        names.Sort(StringComparer.Ordinal);
        var listed = string.Join(", ", names.Take(MaxListedNames));
        return names.Count > MaxListedNames ? $"{listed} and {names.Count - MaxListedNames} more" : listed;
    }
}
