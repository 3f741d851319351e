using PersistCa.Issuance.Linting.Rules;

namespace PersistCa.Issuance.Linting;

/// <summary>Every lint, in the order of their numbers.</summary>
public static class Lints
{
    /// <summary>The lints about certificates.</summary>
    public static IReadOnlyList<ICertificateLint> All { get; } =
    [
        new L01Version(),
        new L02SerialNumber(),
        new L03SignatureAlgorithm(),
        new L04IssuerName(),
        new L05NotBefore(),
        new L06Validity(),
        new L07ValidityMargin(),
        new L08TimeSpelling(),
        new L09UniqueIds(),
        new L10ExtensionsOnce(),
        new L11ExtensionEncoding(),
        new L12EmptyValues(),
        new L13KeyAlgorithm(),
        new L14RsaNumbers(),
        new L15EcPoint(),
        new L16FermatFactors(),
        new L17Roca(),
        new L18BlockedKey(),
        new L19GeneratedKey(),
        new L20SubjectAttributes(),
        new L21CommonName(),
        new L22SubjectOrder(),
        new L23Country(),
        new L24StringLimits(),
        new L25MeaninglessValues(),
        new L26NameKinds(),
        new L27NamesCriticality(),
        new L28DnsNameForm(),
        new L29Underscore(),
        new L30Wildcard(),
        new L31InternationalLabels(),
        new L32InternalNames(),
        new L33Addresses(),
        new L34ReverseZones(),
        new L35SameNames(),
        new L36NameCount(),
        new L37KeyUsage(),
        new L38ExtendedKeyUsage(),
        new L39ClientAuth(),
        new L40LeafConstraints(),
        new L41AuthorityKeyIdentifier(),
        new L42SubjectKeyIdentifier(),
        new L43AuthorityInfoAccess(),
        new L44RevocationPointer(),
        new L45Policies(),
        new L46PolicyQualifiers(),
        new L47NameConstraintsPlace(),
        new L48IssuerPurposes(),
        new L49Precertificate(),
        new L50RevocationFeatures(),
        new L51KnownExtensions(),
        new L52AuthorityUsage(),
        new L53Root(),
        new L54Subordinate(),
        new L55ConstrainedAuthority(),
        new L56OcspSigner(),
    ];

    /// <summary>The lints about revocation lists.</summary>
    public static IReadOnlyList<ICrlLint> Crl { get; } =
    [
        new L57RevocationList(),
        new L58RevocationEntries(),
        new L59Shard(),
    ];

    /// <summary>The lints about OCSP answers.</summary>
    public static IReadOnlyList<IOcspLint> Ocsp { get; } = [new L60OcspAnswer()];
}
