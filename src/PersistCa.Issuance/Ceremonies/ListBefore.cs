using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>The last list of a root that was made elsewhere: the folder's first goes on from its number and keeps what it revokes (RFC 5280 section 5.2.3).</summary>
/// <param name="Number">Its CRL number; 0 where there was none.</param>
/// <param name="Revoked">What it revokes.</param>
/// <param name="Octets">The list, DER; empty where there was none.</param>
public sealed record ListBefore(long Number, IReadOnlyList<RevokedCertificate> Revoked, byte[] Octets)
{
    /// <summary>Name of its copy in the folder.</summary>
    public const string FileName = "root-before.crl";

    private const long MaxNumber = 1L << 60;

    /// <summary>There was no list.</summary>
    public static ListBefore None { get; } = new(0, [], []);

    /// <summary>Reads a list.</summary>
    /// <param name="file">PEM or DER.</param>
    /// <param name="root">The root's certificate, DER, by whose key it has to be signed.</param>
    /// <returns>The list; or why it is none of this root's, or cannot be gone on from.</returns>
    public static Parsed<ListBefore> Read(byte[] file, byte[] root)
    {
        var der = file;
        if (file.AsSpan().StartsWith("-----"u8))
        {
            var text = Encoding.Latin1.GetString(file);
            if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] != "X509 CRL")
            {
                return Refuse("it is no revocation list in PEM (BEGIN X509 CRL)");
            }

            der = Convert.FromBase64String(text[fields.Base64Data]);
        }

        if (SignedObject.KeyOf(root) is not { } key)
        {
            return Refuse("the root's certificate cannot be read");
        }

        var read = SignedObject.ReadList(der, key.Span);
        if (!read.IsValid)
        {
            return Refuse("it is no list of this root: " + read.Reason);
        }

        try
        {
            // Lists of version 1 have no number; this product's begins with 1 then.
            var number = read.Value.Number ?? 0;
            return number < 0 || number > MaxNumber
                ? Refuse($"its number is below 0 or above {MaxNumber}, from where this product does not go on")
                : Parsed<ListBefore>.Ok(new ListBefore((long)number, [.. (read.Value.Entries ?? []).Select(e => new RevokedCertificate(e.Serial, e.RevokedAt.At, ReasonOf(e)))], der));
        }
        catch (AsnContentException e)
        {
            return Refuse("an extension of it is no DER: " + e.Message);
        }
    }

    /// <summary>The reason, where it is one that is accepted here; what was on hold stays revoked, without one.</summary>
    private static int? ReasonOf(CrlEntryFacts entry) =>
        entry.Extensions.FirstOrDefault(e => e.Oid == Oids.ReasonCode) is { } reason && AsnDecoder.ReadEnumeratedBytes(reason.Value.Span, AsnEncodingRules.DER, out _) is [var code] && RevocationReasons.JudgeAuthority(code) is null
            ? RevocationReasons.Recorded(code)
            : null;

    private static Parsed<ListBefore> Refuse(string reason) => Parsed<ListBefore>.Refused(reason);
}
