using System.Globalization;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>Kinds of authorities' certificates.</summary>
public enum AuthorityKind
{
    /// <summary>Signed by its own key.</summary>
    Root = 1,

    /// <summary>Of an authority below the signer.</summary>
    Subordinate = 2,

    /// <summary>Of another root's name and key: a bridge for those who trust the signer only (Baseline Requirements section 7.1.2.2).</summary>
    Cross = 3,
}

/// <summary>
/// Everything that an authority's certificate is made of, serial number and times included, so that whoever has this record can make the to-be-signed bytes
/// again (Baseline Requirements sections 7.1.2.1, 7.1.2.2, 7.1.2.6; RFC 5280 section 4.1).
/// </summary>
public sealed record AuthorityCertificate
{
    /// <summary>Largest path length.</summary>
    public const int MaxPathLength = 16;

    /// <summary>Most purposes, and most policies.</summary>
    public const int MaxIdentifiers = 16;

    /// <summary>Longest URL, characters.</summary>
    public const int MaxUrlLength = 1024;

    /// <summary>What TLS servers and clients need: id-kp-serverAuth, id-kp-clientAuth (RFC 5280 section 4.2.1.12).</summary>
    public static IReadOnlyList<string> ServersAndClients { get; } = [Oids.ServerAuth, Oids.ClientAuth];

    /// <summary>What it is to be.</summary>
    public required AuthorityKind Kind { get; init; }

    /// <summary>By whose rules it is linted.</summary>
    public Regime Regime { get; init; } = Regime.Private;

    /// <summary>Serial number, lower-case hex of its content octets.</summary>
    public required string Serial { get; init; }

    /// <summary>Name of the signer, DER.</summary>
    public required byte[] Issuer { get; init; }

    /// <summary>Name of the authority, DER.</summary>
    public required byte[] Subject { get; init; }

    /// <summary>What the signer signs with, by its name in <see cref="SigningAlgorithms"/>.</summary>
    public required string Algorithm { get; init; }

    /// <summary>Start of validity, whole seconds.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>End of validity, inclusive, whole seconds.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>The authority's SubjectPublicKeyInfo, DER.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Key identifier of the signer.</summary>
    public required byte[] IssuerKeyIdentifier { get; init; }

    /// <summary>Key identifier of the authority: that of its other certificates, where it has some.</summary>
    public required byte[] KeyIdentifier { get; init; }

    /// <summary>Most authorities between this one and a subscriber; null for any number.</summary>
    public int? PathLength { get; init; }

    /// <summary>Purposes of what it may sign, OIDs; none for no extKeyUsage.</summary>
    public IReadOnlyList<string> Purposes { get; init; } = [];

    /// <summary>Policies under which it may sign, OIDs.</summary>
    public IReadOnlyList<string> Policies { get; init; } = [];

    /// <summary>For which names it may sign.</summary>
    public NameRestrictions Names { get; init; } = NameRestrictions.None;

    /// <summary>Where the signer's certificate can be fetched; null for no authorityInfoAccess.</summary>
    public string? CertificateUrl { get; init; }

    /// <summary>Where the signer's revocation list can be fetched; null for no cRLDistributionPoints.</summary>
    public string? CrlUrl { get; init; }

    /// <summary>Makes the to-be-signed bytes, and lints them as what they are to be.</summary>
    /// <returns>The bytes; or the first value outside its limits, else every error that the lints found.</returns>
    public Parsed<byte[]> Encode()
    {
        if (Judge() is { } reason)
        {
            return Parsed<byte[]>.Refused(reason);
        }

        byte[] tbs;
        try
        {
            tbs = new CertificateTbs
            {
                Serial = Serial,
                IssuerDer = Issuer,
                SubjectDer = Subject,
                Algorithm = SigningAlgorithms.Find(Algorithm)!,
                NotBefore = NotBefore,
                NotAfter = NotAfter,
                SubjectPublicKeyInfo = Key,
            }.Encode(Extensions());
        }
        catch (Exception e) when (e is ArgumentException or FormatException or IOException or InvalidOperationException or InvalidCastException)
        {
            return Parsed<byte[]>.Refused("it cannot be encoded: " + e.Message);
        }

        var errors = Lint(tbs).Where(f => f.Severity == LintSeverity.Error).Select(f => $"{f.Id}: {f.Message}").ToList();
        return errors.Count == 0 ? Parsed<byte[]>.Ok(tbs) : Parsed<byte[]>.Refused("its lint found: " + string.Join("; ", errors));
    }

    /// <summary>What the lints say of to-be-signed bytes that this record made (L52 to L55 are about authorities).</summary>
    public IReadOnlyList<LintFinding> Lint(ReadOnlyMemory<byte> tbs) => TbsLint.Check(tbs, new LintContext
    {
        Regime = Regime,
        Kind = Kind == AuthorityKind.Root ? CertificateKind.Root : CertificateKind.SubordinateAuthority,
        IssuerSubjectDer = Issuer,
        IssuerKeyIdentifier = IssuerKeyIdentifier,
        SignatureAlgorithm = SigningAlgorithms.Find(Algorithm)?.AlgorithmIdentifier,
        Purposes = null,
    });

    /// <summary>What is to be signed, line by line, for the people who are to agree to it.</summary>
    public IReadOnlyList<string> Describe() =>
    [
        $"kind         {Kind.ToString().ToLowerInvariant()}",
        $"subject      {AuthorityName.Show(Subject)}",
        $"issuer       {AuthorityName.Show(Issuer)}",
        $"serial       {Serial}",
        $"key          sha-256 {Csr.PublicKeyFingerprint.Of(Key)}",
        $"valid        {Time(NotBefore)} to {Time(NotAfter)}",
        $"path length  {PathLength?.ToString(CultureInfo.InvariantCulture) ?? "any"}",
        $"purposes     {List(Purposes)}",
        $"policies     {List(Policies)}",
        $"names        {Names}",
        $"CRL          {CrlUrl ?? "none"}",
        $"certificate  {CertificateUrl ?? "none"}",
        $"signed with  {Algorithm}",
    ];

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string List(IReadOnlyList<string> texts) => texts.Count == 0 ? "none" : string.Join(", ", texts);

    private string? Judge()
    {
        if (SigningAlgorithms.Find(Algorithm) is null)
        {
            return $"'{Algorithm}' is nothing that authorities sign with";
        }

        if (AuthorityName.Judge(Subject) is { } subject)
        {
            return "the subject is refused: " + subject;
        }

        if (AuthorityName.Judge(Issuer) is { } issuer)
        {
            return "the issuer is refused: " + issuer;
        }

        if (NotAfter <= NotBefore || CertificateTbs.WholeSeconds(NotBefore) != NotBefore || CertificateTbs.WholeSeconds(NotAfter) != NotAfter)
        {
            return "the validity does not end after its begin, or not in a whole second";
        }

        if (Serial.Length is 0 or > 40 || Serial.Length % 2 != 0 || !Serial.All(char.IsAsciiHexDigitLower))
        {
            return "the serial number is not lower-case hex of 1 to 20 octets";
        }

        if (PathLength is < 0 or > MaxPathLength)
        {
            return $"the path length is {PathLength}; 0 to {MaxPathLength} are expected";
        }

        if (Purposes.Count > MaxIdentifiers || Policies.Count > MaxIdentifiers)
        {
            return $"there are more than {MaxIdentifiers} purposes or policies";
        }

        if (Purposes.Concat(Policies).FirstOrDefault(o => o.Length > 128 || !DerObjectIdentifier.TryFromID(o, out _)) is { } oid)
        {
            return $"'{oid}' is no object identifier; write one such as 1.3.6.1.4.1.32473.1";
        }

        return Location(CrlUrl) ?? Location(CertificateUrl) ?? Names.Judge();
    }

    private static string? Location(string? url) =>
        url is null || (url.Length <= MaxUrlLength && url.All(c => c is > ' ' and < '\x7f') && Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme == "http")
            ? null
            : $"'{url}' is no http URL of at most {MaxUrlLength} characters (Baseline Requirements section 7.1.2.11.2)";

    // In this order in every certificate, so that two can be compared line by line.
    private List<(DerObjectIdentifier Oid, bool Critical, Asn1Encodable Value)> Extensions()
    {
        var list = new List<(DerObjectIdentifier, bool, Asn1Encodable)>
        {
            (X509Extensions.BasicConstraints, true, PathLength is { } length ? new BasicConstraints(length) : new BasicConstraints(true)),
            (X509Extensions.KeyUsage, true, new KeyUsage(KeyUsage.KeyCertSign | KeyUsage.CrlSign)),
        };
        if (Purposes.Count > 0)
        {
            list.Add((X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(Purposes.Select(p => new DerObjectIdentifier(p)).ToArray())));
        }

        list.Add((X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(IssuerKeyIdentifier)));
        list.Add((X509Extensions.SubjectKeyIdentifier, false, new SubjectKeyIdentifier(KeyIdentifier)));
        if (!Names.IsEmpty)
        {
            list.Add((X509Extensions.NameConstraints, true, Names.Encode()));
        }

        if (Policies.Count > 0)
        {
            list.Add((X509Extensions.CertificatePolicies, false, new DerSequence(Policies.Select(p => new PolicyInformation(new DerObjectIdentifier(p))).ToArray<Asn1Encodable>())));
        }

        if (CertificateUrl is { } certificateUrl)
        {
            list.Add(CertificateTbs.CaIssuers(certificateUrl));
        }

        if (CrlUrl is { } crlUrl)
        {
            list.Add(CertificateTbs.CrlDistributionPoint(crlUrl));
        }

        return list;
    }
}
