namespace PersistCa.Storage.Status;

/// <summary>A URL that certificates have as their CRL pointer. Never deleted: as long as a certificate may have it, its list says that it is the list of that URL.</summary>
public sealed class CrlPoint
{
    public required string IssuerId { get; init; }

    /// <summary>The part of the issuer's list, 0 for the list at the issuer's own URL.</summary>
    public int Shard { get; init; }

    public required string Url { get; init; }

    public DateTimeOffset AddedAt { get; init; }
}

/// <summary>
/// The revocation of a certificate that the store does not know, because it was issued after the copy that the store came back from: a list that was published
/// shows it, and every list after that does too.
/// </summary>
public sealed class LostRevocation
{
    public required string IssuerId { get; init; }

    /// <summary>Serial number, lower-case hex.</summary>
    public required string Serial { get; init; }

    /// <summary>The part of the issuer's list that showed it.</summary>
    public int Shard { get; init; }

    public DateTimeOffset RevokedAt { get; init; }

    /// <summary>CRL reason code, null for none.</summary>
    public int? Reason { get; set; }

    /// <summary>When it was learnt of.</summary>
    public DateTimeOffset RecordedAt { get; init; }
}

/// <summary>A signed OCSP answer about one certificate, kept so that questions do not touch a key. Without octets it is only due.</summary>
public sealed class OcspAnswerRow
{
    public required string IssuerId { get; init; }

    /// <summary>Serial number, lower-case hex.</summary>
    public required string Serial { get; init; }

    /// <summary>The hash of the question: 1 for SHA-1, 2 for SHA-256.</summary>
    public int Hash { get; init; }

    /// <summary>The answer, DER; empty while none holds.</summary>
    public required byte[] Der { get; set; }

    public DateTimeOffset ThisUpdate { get; set; }

    public DateTimeOffset NextUpdate { get; set; }

    /// <summary>From when on another should take its place.</summary>
    public DateTimeOffset RefreshAt { get; set; }
}

/// <summary>A delegated signer of OCSP answers, shared by all nodes.</summary>
public sealed class OcspSignerRow
{
    public required string IssuerId { get; init; }

    /// <summary>Counts the signers of an issuer from 1 on: of two nodes that make one at the same time one is refused by the key of this table.</summary>
    public int Generation { get; init; }

    public required byte[] CertificateDer { get; init; }

    /// <summary>SHA-256 of its SubjectPublicKeyInfo, lower-case hex: this server generated it, so that it is no subscriber's.</summary>
    public required string KeyFingerprint { get; init; }

    /// <summary>Its private key, sealed.</summary>
    public required byte[] SealedKey { get; init; }

    public DateTimeOffset NotAfter { get; init; }
}

/// <summary>A key that is never certified again, nor an account's.</summary>
public sealed class BlockedKey
{
    /// <summary>SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</summary>
    public required string Fingerprint { get; init; }

    public DateTimeOffset BlockedAt { get; init; }

    /// <summary>Whether the holder of the key itself said that it is compromised, or officers decided so by a revocation of all its certificates. Then every certificate with it is revoked.</summary>
    public bool Proven { get; set; }

    /// <summary>Serial number of the certificate by whose revocation it was blocked.</summary>
    public required string Serial { get; init; }
}
