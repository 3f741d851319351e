using System.Security.Cryptography;

namespace PersistCa.Protocol.Certificates;

/// <summary>Certificate states. The intent comes first, so that no signature exists that the store does not know of.</summary>
public enum CertificateStatus
{
    /// <summary>Serial reserved and to-be-signed bytes fixed; the key has not been used, or what it made was lost before anyone saw it.</summary>
    Intended = 1,

    /// <summary>Signed and recorded.</summary>
    Issued = 2,

    /// <summary>Revoked; for ever.</summary>
    Revoked = 3,

    /// <summary>The intent was given up before a signature was recorded; the serial is never used again.</summary>
    Abandoned = 4,
}

/// <summary>A certificate from its intent to its end.</summary>
public sealed class IssuedCertificate
{
    /// <summary>The reason keyCompromise (RFC 5280 section 5.3.1).</summary>
    public const int KeyCompromise = 1;

    private static readonly Lifecycle<CertificateStatus> Life = new(
        "a certificate",
        (CertificateStatus.Intended, CertificateStatus.Issued),
        (CertificateStatus.Intended, CertificateStatus.Abandoned),
        (CertificateStatus.Issued, CertificateStatus.Revoked));

    private IssuedCertificate()
    {
        PublicId = Serial = IssuerId = KeyFingerprint = "";
        TbsDer = [];
    }

    /// <summary>Records the intent to issue.</summary>
    /// <param name="publicId">Random id, last segment of the certificate URL.</param>
    /// <param name="serial">Serial number, lower-case hex of its content octets.</param>
    /// <param name="issuerId">Id of the issuer that will sign.</param>
    /// <param name="orderId">Internal id of the order; one order has at most one certificate.</param>
    /// <param name="accountId">Internal id of the account.</param>
    /// <param name="keyFingerprint">SHA-256 of the SubjectPublicKeyInfo, lower-case hex.</param>
    /// <param name="tbsDer">The linted to-be-signed bytes.</param>
    /// <param name="notBefore">Start of validity.</param>
    /// <param name="notAfter">End of validity, inclusive.</param>
    /// <param name="now">The time.</param>
    /// <param name="profile">Name of the profile it is made by.</param>
    public IssuedCertificate(
        string publicId,
        string serial,
        string issuerId,
        long orderId,
        long accountId,
        string keyFingerprint,
        byte[] tbsDer,
        DateTimeOffset notBefore,
        DateTimeOffset notAfter,
        DateTimeOffset now,
        string? profile = null)
    {
        PublicId = publicId;
        Serial = serial;
        IssuerId = issuerId;
        OrderId = orderId;
        AccountId = accountId;
        KeyFingerprint = keyFingerprint;
        TbsDer = tbsDer;
        NotBefore = notBefore;
        NotAfter = notAfter;
        IntendedAt = now;
        Profile = profile;
        Status = CertificateStatus.Intended;
    }

    /// <summary>A certificate as a store kept it, without its names.</summary>
    public static IssuedCertificate Restore(
        long id,
        string publicId,
        string serial,
        string issuerId,
        long orderId,
        long accountId,
        string keyFingerprint,
        string? profile,
        CertificateStatus status,
        byte[] tbsDer,
        byte[]? der,
        string? sha256,
        DateTimeOffset notBefore,
        DateTimeOffset notAfter,
        DateTimeOffset intendedAt,
        DateTimeOffset? issuedAt,
        DateTimeOffset? revokedAt,
        int? revocationReason,
        DateTimeOffset? statusChangedAt,
        int crlShard,
        bool hasOcsp,
        string? replacedBy,
        int version) => new()
        {
            Id = id,
            PublicId = publicId,
            Serial = serial,
            IssuerId = issuerId,
            OrderId = orderId,
            AccountId = accountId,
            KeyFingerprint = keyFingerprint,
            Profile = profile,
            Status = status,
            TbsDer = tbsDer,
            Der = der,
            Sha256 = sha256,
            NotBefore = notBefore,
            NotAfter = notAfter,
            IntendedAt = intendedAt,
            IssuedAt = issuedAt,
            RevokedAt = revokedAt,
            RevocationReason = revocationReason,
            StatusChangedAt = statusChangedAt,
            CrlShard = crlShard,
            HasOcsp = hasOcsp,
            ReplacedBy = replacedBy,
            Version = version,
        };

    /// <summary>A store has kept it under this id and in this version.</summary>
    public void Kept(long id, int version) => (Id, Version) = (id, version);

    /// <summary>Internal id.</summary>
    public long Id { get; private set; }

    /// <summary>Last segment of the certificate URL.</summary>
    public string PublicId { get; private set; }

    /// <summary>Serial number, lower-case hex.</summary>
    public string Serial { get; private set; }

    /// <summary>Id of the issuer.</summary>
    public string IssuerId { get; private set; }

    /// <summary>Internal id of the order.</summary>
    public long OrderId { get; private set; }

    /// <summary>Internal id of the account.</summary>
    public long AccountId { get; private set; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo, lower-case hex.</summary>
    public string KeyFingerprint { get; private set; }

    /// <summary>Name of the profile it was made by; null for one made before there were profiles.</summary>
    public string? Profile { get; private set; }

    /// <summary>State.</summary>
    public CertificateStatus Status { get; private set; }

    /// <summary>The linted to-be-signed bytes; emptied once the certificate, which holds them, is recorded.</summary>
    public byte[] TbsDer { get; private set; }

    /// <summary>The certificate, DER; null until it is signed.</summary>
    public byte[]? Der { get; private set; }

    /// <summary>SHA-256 of the certificate, lower-case hex; null until it is signed.</summary>
    public string? Sha256 { get; private set; }

    /// <summary>Its names, for searches. Loaded only where it is made.</summary>
    public List<CertifiedName> Names { get; } = [];

    /// <summary>Start of validity.</summary>
    public DateTimeOffset NotBefore { get; private set; }

    /// <summary>End of validity, inclusive.</summary>
    public DateTimeOffset NotAfter { get; private set; }

    /// <summary>When the intent was recorded.</summary>
    public DateTimeOffset IntendedAt { get; private set; }

    /// <summary>When the signed certificate was recorded.</summary>
    public DateTimeOffset? IssuedAt { get; private set; }

    /// <summary>When it was revoked.</summary>
    public DateTimeOffset? RevokedAt { get; private set; }

    /// <summary>CRL reason code (RFC 5280 section 5.3.1), null for none.</summary>
    public int? RevocationReason { get; private set; }

    /// <summary>When what is said of its status last changed: its revocation, or the upgrade of its reason. Null while it never did.</summary>
    public DateTimeOffset? StatusChangedAt { get; private set; }

    /// <summary>The part of the issuer's revocation list that its pointer names, for ever; 0 for the list at the issuer's own URL.</summary>
    public int CrlShard { get; init; }

    /// <summary>Whether it says where OCSP answers.</summary>
    public bool HasOcsp { get; init; }

    /// <summary>Public id of the order that takes its place (RFC 9773 section 5); null for none. One that became invalid, or is gone, does not count.</summary>
    public string? ReplacedBy { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>The signed certificate is recorded.</summary>
    public void Record(byte[] der, DateTimeOffset now)
    {
        Status = Life.Step(Status, CertificateStatus.Issued);
        Der = der;
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(der));
        TbsDer = [];
        IssuedAt = now;
    }

    /// <summary>Fills what searches need into one that was recorded before there were searches.</summary>
    /// <param name="names">Its names.</param>
    /// <exception cref="InvalidOperationException">It is not signed.</exception>
    public void FillSearch(IEnumerable<string> names)
    {
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(Der ?? throw new InvalidOperationException("there is no certificate yet")));
        Names.AddRange(names.Distinct().Where(n => !Names.Exists(k => k.Name == n)).Select(CertifiedName.Of));
    }

    /// <summary>The intent is given up.</summary>
    public void Abandon() => Status = Life.Step(Status, CertificateStatus.Abandoned);

    /// <summary>The certificate is revoked.</summary>
    public void Revoke(int? reason, DateTimeOffset now) => Revoke(reason, now, now);

    /// <summary>The certificate turns out to have been revoked before: a list that was published shows it.</summary>
    /// <param name="reason">CRL reason code, null for none.</param>
    /// <param name="revokedAt">Since when it has been, as the list says.</param>
    /// <param name="now">The time.</param>
    public void Revoke(int? reason, DateTimeOffset revokedAt, DateTimeOffset now)
    {
        Status = Life.Step(Status, CertificateStatus.Revoked);
        RevocationReason = reason;
        RevokedAt = revokedAt;
        StatusChangedAt = now;
    }

    /// <summary>An order takes its place. The row changes, so that of two orders at the same moment one looks again.</summary>
    /// <param name="orderId">Public id of the order.</param>
    public void Replace(string orderId) => ReplacedBy = orderId;

    /// <summary>
    /// Its key turned out to be compromised after it was revoked for something else: the reason becomes keyCompromise (Baseline Requirements section 4.9.1.1
    /// and 7.2.2). The time of the revocation stays: it was not good since.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is not revoked, or for that reason already.</exception>
    public void UpgradeToKeyCompromise(DateTimeOffset now)
    {
        if (Status != CertificateStatus.Revoked || RevocationReason == KeyCompromise)
        {
            throw new InvalidOperationException($"the certificate is {Status} with reason {RevocationReason}: there is nothing to upgrade");
        }

        RevocationReason = KeyCompromise;
        StatusChangedAt = now;
    }
}
