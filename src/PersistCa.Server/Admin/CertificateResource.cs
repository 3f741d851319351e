using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>A certificate as operators see it.</summary>
public sealed record CertificateResource
{
    [Description("Serial number, lower-case hexadecimal.")]
    public required string Serial { get; init; }

    [Description("Its id: the last segment of its URL.")]
    public required string Id { get; init; }

    [Description("valid; expired; revoked; intended, while it is being signed; abandoned, when that came to nothing.")]
    [AllowedValues("valid", "expired", "revoked", "intended", "abandoned")]
    public required string Status { get; init; }

    [Description("Its names.")]
    public required IReadOnlyList<string> Names { get; init; }

    [Description("Start of its validity.")]
    public required DateTimeOffset NotBefore { get; init; }

    [Description("End of its validity.")]
    public required DateTimeOffset NotAfter { get; init; }

    [Description("Id of the account.")]
    public required string Account { get; init; }

    [Description("Id of the order.")]
    public required string Order { get; init; }

    [Description("Id of the issuer.")]
    public required string Issuer { get; init; }

    [Description("Name of the profile.")]
    public string? Profile { get; init; }

    [Description("SHA-256 of its SubjectPublicKeyInfo.")]
    public required string Key { get; init; }

    [Description("SHA-256 of the certificate; left out until it is signed.")]
    public string? Sha256 { get; init; }

    [Description("When it was intended.")]
    public required DateTimeOffset Intended { get; init; }

    [Description("When it was signed.")]
    public DateTimeOffset? Issued { get; init; }

    [Description("When it was revoked.")]
    public DateTimeOffset? Revoked { get; init; }

    [Description("CRL reason code (RFC 5280 section 5.3.1).")]
    public int? Reason { get; init; }

    [Description("The part of the issuer's revocation list that it points to; 0 for the whole.")]
    public required int CrlShard { get; init; }

    [Description("Whether it says where OCSP answers.")]
    public required bool Ocsp { get; init; }

    [Description("The certificate (PEM); in the certificate by itself, and in exports.")]
    public string? Pem { get; init; }

    /// <summary>Puts a certificate into this form.</summary>
    public static CertificateResource Of(CertificateView view, DateTimeOffset now, bool whole)
    {
        var c = view.Certificate;
        return new CertificateResource
        {
            Serial = c.Serial,
            Id = c.PublicId,
            Status = c.Status == CertificateStatus.Issued ? c.NotAfter >= now ? "valid" : "expired" : c.Status.ToString().ToLowerInvariant(),
            Names = view.Names,
            NotBefore = c.NotBefore,
            NotAfter = c.NotAfter,
            Account = view.Account,
            Order = view.Order,
            Issuer = c.IssuerId,
            Profile = c.Profile,
            Key = c.KeyFingerprint,
            Sha256 = c.Sha256,
            Intended = c.IntendedAt,
            Issued = c.IssuedAt,
            Revoked = c.RevokedAt,
            Reason = c.RevocationReason,
            CrlShard = c.CrlShard,
            Ocsp = c.HasOcsp,
            Pem = whole && c.Der is { } der ? PemEncoding.WriteString("CERTIFICATE", der) + "\n" : null,
        };
    }
}
