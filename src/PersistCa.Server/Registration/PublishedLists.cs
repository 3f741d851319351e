using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Storage;
using PersistCa.Storage.Backup;

namespace PersistCa.Server.Registration;

/// <summary>Revocation lists that come back from those who fetched them.</summary>
public static partial class PublishedLists
{
    private const string ReasonCode = "2.5.29.21";
    private const string DistributionPoint = "2.5.29.28";
    private const long MaxNumber = 1L << 60;

    /// <summary>Reads a list, which an issuer of the store must have signed.</summary>
    /// <param name="db">The model.</param>
    /// <param name="octets">The list, DER or PEM.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task<Parsed<KnownList>> ReadAsync(CaDb db, byte[] octets, CancellationToken cancel)
    {
        var der = octets;
        if (octets.AsSpan().StartsWith("-----"u8))
        {
            var text = Encoding.ASCII.GetString(octets);
            if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] != "X509 CRL")
            {
                return Parsed<KnownList>.Refused("it is no revocation list in PEM (BEGIN X509 CRL)");
            }

            der = Convert.FromBase64String(text[fields.Base64Data]);
        }

        var reason = (string?)null;
        foreach (var issuer in await db.Issuers.Select(i => new { i.Id, i.CertificateDer }).ToListAsync(cancel))
        {
            if (SignedObject.KeyOf(issuer.CertificateDer) is not { } key)
            {
                continue;
            }

            var read = SignedObject.ReadList(der, key.Span);
            if (read.IsValid)
            {
                return await JudgeAsync(db, issuer.Id, der, read.Value, cancel);
            }

            reason = read.Reason;
        }

        return Parsed<KnownList>.Refused("it is no list of an issuer of this store: " + (reason ?? "the store has no issuers"));
    }

    private static async Task<Parsed<KnownList>> JudgeAsync(CaDb db, string issuerId, byte[] der, CrlFacts facts, CancellationToken cancel)
    {
        try
        {
            if (facts.Number is not { } number || number < 0 || number > MaxNumber || facts.NextUpdate is not { } next)
            {
                return Parsed<KnownList>.Refused("it has no CRL number, or one that no list of this product has");
            }

            if (await PartAsync(db, issuerId, facts, cancel) is not { } part)
            {
                return Parsed<KnownList>.Refused("it is the list of a part (issuingDistributionPoint) whose URL is none of this issuer's");
            }

            var revocations = (facts.Entries ?? []).Select(e => new KnownRevocation(e.Serial, e.RevokedAt.At, ReasonOf(e))).ToList();
            return Parsed<KnownList>.Ok(new KnownList(issuerId, part, (long)number, der, facts.ThisUpdate.At, next.At, revocations));
        }
        catch (AsnContentException e)
        {
            return Parsed<KnownList>.Refused("an extension of it is no DER: " + e.Message);
        }
    }

    /// <summary>
    /// The reason, where it is one that lists of this product have. An issuer that was imported may have had others, such as certificateHold: what they revoke stays revoked, without
    /// a reason, since with it no list could be made any more.
    /// </summary>
    private static int? ReasonOf(CrlEntryFacts entry)
    {
        if (entry.Extensions.FirstOrDefault(e => e.Oid == ReasonCode) is not { } reason)
        {
            return null;
        }

        return AsnDecoder.ReadEnumeratedBytes(reason.Value.Span, AsnEncodingRules.DER, out _) is not [var code] ? throw new AsnContentException("a reason code has more than an octet")
            : RevocationReasons.Judge(code) is null ? RevocationReasons.Recorded(code) : null;
    }

    /// <summary>The part that a list says it is the list of: by its URL as the store knows it, or as this product makes it; null when it is no part known.</summary>
    private static async Task<int?> PartAsync(CaDb db, string issuerId, CrlFacts facts, CancellationToken cancel)
    {
        if (facts.Find(DistributionPoint) is not { } extension)
        {
            return 0;
        }

        foreach (var url in Urls(extension.Value))
        {
            if (await db.CrlPoints.Where(p => p.IssuerId == issuerId && p.Url == url).Select(p => (int?)p.Shard).FirstOrDefaultAsync(cancel) is { } known)
            {
                return known;
            }

            if (PartUrl().Match(url) is { Success: true } made && made.Groups[1].Value == issuerId)
            {
                return made.Groups[2].Success ? int.Parse(made.Groups[2].Value, CultureInfo.InvariantCulture) : 0;
            }
        }

        return null;
    }

    /// <summary>URLs of an issuingDistributionPoint (RFC 5280 section 5.2.5).</summary>
    private static List<string> Urls(ReadOnlyMemory<byte> value)
    {
        var found = new List<string>();
        var outer = new AsnReader(value, AsnEncodingRules.DER).ReadSequence();
        var first = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        if (outer.HasData && outer.PeekTag().HasSameClassAndValue(first))
        {
            var point = outer.ReadSequence(first);
            var names = point.HasData && point.PeekTag().HasSameClassAndValue(first) ? point.ReadSequence(first) : null;
            while (names is { HasData: true })
            {
                var uri = new Asn1Tag(TagClass.ContextSpecific, 6);
                if (names.PeekTag() == uri)
                {
                    found.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, uri));
                }
                else
                {
                    names.ReadEncodedValue();
                }
            }
        }

        return found;
    }

    [GeneratedRegex(@"/crl/([0-9a-f]{16})(?:/([1-9][0-9]{0,3}))?\.crl$")]
    private static partial Regex PartUrl();
}
