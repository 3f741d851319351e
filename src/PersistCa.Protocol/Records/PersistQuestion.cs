using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Records;

/// <summary>What is to be decided.</summary>
/// <param name="Requested">The name, wildcard or not.</param>
/// <param name="Account">The account, read live.</param>
/// <param name="Now">The time.</param>
public sealed record PersistQuestion(CertificateName Requested, AccountFacts Account, DateTimeOffset Now)
{
    /// <summary>Whether the name is the reverse name of an address, whose records have a label of their own (BR 3.2.2.5.8).</summary>
    public bool IsReverse { get; init; }

    /// <summary>The labels under which its records stand, by policy.</summary>
    public IEnumerable<PersistLabel> Labels(PersistPolicy policy) =>
        !IsReverse ? policy.Labels : policy.Labels.Contains(PersistLabel.ValidationPersist) ? [PersistLabel.IpValidationPersist] : [];

    /// <summary>Whether the names under it are to be proved too (RFC 9444), which needs policy=wildcard as a wildcard does.</summary>
    public bool WithSubdomains { get; init; }
}

/// <summary>A TXT record that was found.</summary>
/// <param name="StandsAt">The name that was asked for, without the label: never an alias's target.</param>
/// <param name="Label">The label.</param>
/// <param name="Text">Its character-strings joined with nothing between them, each octet one character (U+0000 to U+00FF).</param>
/// <param name="TtlSeconds">Time to live, seconds.</param>
public sealed record FoundTxt(DnsName StandsAt, PersistLabel Label, string Text, int TtlSeconds)
{
    /// <summary>Where it stands.</summary>
    public string OwnerName => Label.Text() + "." + StandsAt.Text;
}

/// <summary>What the authority accepts.</summary>
/// <param name="IssuerNames">Its issuer names: the announced ones first, then former ones that are still accepted.</param>
/// <param name="AccountHashPrefixes">Prefixes of hashed account URIs: the present one first, then former ones.</param>
/// <param name="Dialects">Dialects that are accepted.</param>
public sealed record PersistPolicy(
    IReadOnlyList<IssuerName> IssuerNames,
    IReadOnlyList<string> AccountHashPrefixes,
    IReadOnlySet<PersistDialect> Dialects)
{
    /// <summary>Whether a record must say when it ends.</summary>
    public bool RequireExpiry { get; init; }

    /// <summary>Most TXT records judged per owner name (dns-persist-01 rules section 6 item 12).</summary>
    public int MaxRecords { get; init; } = 100;

    /// <summary>Most octets of TXT judged per owner name.</summary>
    public int MaxBytes { get; init; } = 64 * 1024;

    /// <summary>At which names records count.</summary>
    public PersistScope Scope { get; init; } = PersistScope.NameOnly;

    /// <summary>Labels to ask for.</summary>
    public IEnumerable<PersistLabel> Labels => PersistDialects.Labels.Where(l => Dialects.Any(d => d.Label() == l));

    /// <summary>True when the issuer name is ours.</summary>
    public bool IsOurs(IssuerName name) => IssuerNames.Contains(name);
}
