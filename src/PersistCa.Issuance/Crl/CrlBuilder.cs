using System.Formats.Asn1;
using System.Numerics;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Crl;

/// <summary>An entry of a revocation list.</summary>
/// <param name="Serial">Serial number, hex of its content octets.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="Reason">An accepted reason code, null or 0 for none; see <see cref="RevocationReasons"/>.</param>
public sealed record RevokedCertificate(string Serial, DateTimeOffset RevokedAt, int? Reason);

/// <summary>What a list is to say.</summary>
public sealed record CrlContent
{
    /// <summary>CRL number, 1 or more, higher than that of every list before.</summary>
    public required long Number { get; init; }

    /// <summary>The number of the list before, null when there was none; the lint holds the new one against it.</summary>
    public long? NumberBefore { get; init; }

    /// <summary>The revoked certificates, in any order, each once. A time after thisUpdate is given as thisUpdate.</summary>
    public required IEnumerable<RevokedCertificate> Revoked { get; init; }

    /// <summary>The time of the list.</summary>
    public required DateTimeOffset ThisUpdate { get; init; }

    /// <summary>When the next list will be out at the latest.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>
    /// For a list of a part: the URLs that its certificates have as their pointer, octet for octet, one unless the authority has moved. Empty for a list of
    /// everything that the issuer issued.
    /// </summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>Whether the certificates are authorities', of which other reasons are accepted.</summary>
    public bool OfAuthorities { get; init; }

    /// <summary>By whose rules it is linted; null for those of a private authority.</summary>
    public Regime? Regime { get; init; }
}

/// <summary>Makes certificate revocation lists (RFC 5280 section 5, Baseline Requirements section 7.2).</summary>
public static class CrlBuilder
{
    private const int OctetsOfAnEntry = 48; // about: room is asked for once

    private static readonly Asn1Tag First = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    // onlyContainsUserCerts of IssuingDistributionPoint (RFC 5280 section 5.2.5).
    private static readonly Asn1Tag OnlyUsersTag = new(TagClass.ContextSpecific, 1);

    /// <summary>Makes and signs a complete v2 list.</summary>
    /// <param name="issuer">Whose list it is.</param>
    /// <param name="number">CRL number, 1 or more, higher than that of every list before.</param>
    /// <param name="revoked">The revoked certificates, in any order, each once. A time after thisUpdate is given as thisUpdate.</param>
    /// <param name="thisUpdate">The time of the list.</param>
    /// <param name="nextUpdate">When the next list will be out at the latest.</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <returns>The list, DER; entries sorted by serial number.</returns>
    /// <exception cref="ArgumentException">The number is not positive, the times are in the wrong order, or an entry is double or has a reason that is not accepted.</exception>
    /// <exception cref="InvalidOperationException">The lint found an error in what was to be signed.</exception>
    public static ValueTask<byte[]> BuildAsync(
        Issuer issuer,
        long number,
        IEnumerable<RevokedCertificate> revoked,
        DateTimeOffset thisUpdate,
        DateTimeOffset nextUpdate,
        CancellationToken cancellationToken = default) =>
        BuildAsync(issuer, new CrlContent { Number = number, Revoked = revoked, ThisUpdate = thisUpdate, NextUpdate = nextUpdate }, cancellationToken);

    /// <summary>Makes and signs a v2 list, complete or of a part.</summary>
    /// <param name="issuer">Whose list it is.</param>
    /// <param name="content">What it is to say.</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <returns>The list, DER; entries sorted by serial number.</returns>
    /// <exception cref="ArgumentException">The number is not positive, the times are in the wrong order, or an entry is double or has a reason that is not accepted.</exception>
    /// <exception cref="InvalidOperationException">The lint found an error in what was to be signed.</exception>
    public static ValueTask<byte[]> BuildAsync(Issuer issuer, CrlContent content, CancellationToken cancellationToken = default)
    {
        var tbs = ToBeSigned(issuer.SubjectDer, issuer.KeyIdentifier, issuer.Key.Algorithm, content);
        RefuseUnsound(tbs, issuer, content);
        return SignedParts.SignAsync(tbs, issuer.Key, cancellationToken);
    }

    /// <summary>The to-be-signed bytes of a list: what is signed depends on nothing else.</summary>
    /// <exception cref="ArgumentException">As above.</exception>
    internal static byte[] ToBeSigned(ReadOnlyMemory<byte> subjectDer, byte[] keyIdentifier, SigningAlgorithm algorithm, CrlContent content)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(content.Number);
        var thisUpdate = CertificateTbs.WholeSeconds(content.ThisUpdate);
        var nextUpdate = CertificateTbs.WholeSeconds(content.NextUpdate);
        if (nextUpdate <= thisUpdate)
        {
            throw new ArgumentException($"nextUpdate {nextUpdate:u} is not later than thisUpdate {thisUpdate:u}", nameof(content));
        }

        var entries = Sorted(content.Revoked, content.OfAuthorities);
        var writer = new AsnWriter(AsnEncodingRules.DER, (entries.Count * OctetsOfAnEntry) + 1024);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1); // v2
            writer.WriteEncodedValue(algorithm.AlgorithmIdentifier.Span);
            writer.WriteEncodedValue(subjectDer.Span);
            WriteTime(writer, thisUpdate);
            WriteTime(writer, nextUpdate);

            // Without an entry the list of them is left out (RFC 5280 section 5.1.2.6).
            if (entries.Count > 0)
            {
                using (writer.PushSequence())
                {
                    foreach (var (serial, entry) in entries)
                    {
                        WriteEntry(writer, serial, entry, thisUpdate);
                    }
                }
            }

            using (writer.PushSequence(First))
            using (writer.PushSequence())
            {
                WriteExtensions(writer, keyIdentifier, content);
            }
        }

        return writer.Encode();
    }

    /// <summary>Lints the list with a placeholder for its signature (Baseline Requirements section 4.3.1.2), before the key is touched.</summary>
    private static void RefuseUnsound(byte[] tbs, Issuer issuer, CrlContent content)
    {
        var twin = CrlFacts.Read(SignedParts.Assemble(tbs, issuer.Key.Algorithm.AlgorithmIdentifier.Span, [0]), int.MaxValue);
        var context = new CrlLintContext
        {
            IssuerKeyIdentifier = issuer.KeyIdentifier,
            IssuerSubjectDer = issuer.SubjectDer,
            NumberBefore = content.NumberBefore,
            DistributionUris = content.Urls,
            OfAuthorities = content.OfAuthorities,
            Regime = content.Regime ?? Regime.Private,
        };
        var errors = twin.IsValid
            ? [.. CrlLint.Check(twin.Value, context).Where(f => f.Severity == LintSeverity.Error).Select(f => $"{f.Id}: {f.Message}")]
            : new List<string> { twin.Reason };
        if (errors.Count > 0)
        {
            throw new InvalidOperationException("the list was not signed, because its lint found: " + string.Join("; ", errors));
        }
    }

    /// <summary>The entries in the order of their serial numbers, each once.</summary>
    private static List<(byte[] Serial, RevokedCertificate Entry)> Sorted(IEnumerable<RevokedCertificate> revoked, bool ofAuthorities)
    {
        var entries = revoked.Select(r => (Serial: Content(r.Serial), Entry: r)).ToList();
        entries.Sort((a, b) => Compare(a.Serial, b.Serial));
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i].Entry;
            if (i > 0 && Compare(entries[i - 1].Serial, entries[i].Serial) == 0)
            {
                throw new ArgumentException($"the serial number {entry.Serial} stands there twice", nameof(revoked));
            }

            if ((ofAuthorities ? RevocationReasons.JudgeAuthority(entry.Reason) : RevocationReasons.Judge(entry.Reason)?.Detail) is { } refusal)
            {
                throw new ArgumentException(refusal, nameof(revoked));
            }
        }

        return entries;

        static int Compare(byte[] a, byte[] b) => a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.AsSpan().SequenceCompareTo(b);
    }

    /// <summary>Content octets of the INTEGER, the fewest that say the number, so that equal numbers are equal octets.</summary>
    private static byte[] Content(string serial) => new BigInteger(Convert.FromHexString(serial), isUnsigned: true, isBigEndian: true).ToByteArray(isUnsigned: false, isBigEndian: true);

    private static void WriteEntry(AsnWriter writer, byte[] serial, RevokedCertificate entry, DateTimeOffset thisUpdate)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(serial);

            // The clock of the node that revoked it may be ahead: the list says that it is revoked now, which is true, rather than nothing.
            var revokedAt = CertificateTbs.WholeSeconds(entry.RevokedAt);
            WriteTime(writer, revokedAt < thisUpdate ? revokedAt : thisUpdate);
            if (RevocationReasons.Recorded(entry.Reason) is { } reason)
            {
                using (writer.PushSequence())
                {
                    WriteExtension(writer, Oids.ReasonCode, false, [0x0a, 0x01, (byte)reason]);
                }
            }
        }
    }

    private static void WriteExtensions(AsnWriter writer, byte[] keyIdentifier, CrlContent content)
    {
        WriteExtension(writer, Oids.AuthorityKeyIdentifier, false, Encoded(w =>
        {
            using (w.PushSequence())
            {
                w.WriteOctetString(keyIdentifier, new Asn1Tag(TagClass.ContextSpecific, 0));
            }
        }));
        WriteExtension(writer, Oids.CrlNumber, false, Encoded(w => w.WriteInteger(content.Number)));
        if (content.Urls.Count > 0)
        {
            WriteExtension(writer, Oids.IssuingDistributionPoint, true, Encoded(w => WritePoint(w, content.Urls)));
        }
    }

    /// <summary>IssuingDistributionPoint (RFC 5280 section 5.2.5): fullName with every URL, and subscribers' certificates only.</summary>
    private static void WritePoint(AsnWriter writer, IReadOnlyList<string> urls)
    {
        using (writer.PushSequence())
        {
            using (writer.PushSequence(First))
            using (writer.PushSequence(First))
            {
                foreach (var url in urls)
                {
                    writer.WriteCharacterString(UniversalTagNumber.IA5String, url, UriTag);
                }
            }

            writer.WriteBoolean(true, OnlyUsersTag);
        }
    }

    private static void WriteExtension(AsnWriter writer, string oid, bool critical, ReadOnlySpan<byte> value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            if (critical)
            {
                writer.WriteBoolean(true);
            }

            writer.WriteOctetString(value);
        }
    }

    private static byte[] Encoded(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }

    /// <summary>UTCTime through 2049, GeneralizedTime from then on (RFC 5280 section 5.1.2.4).</summary>
    private static void WriteTime(AsnWriter writer, DateTimeOffset time)
    {
        if (time.UtcDateTime.Year < 2050)
        {
            writer.WriteUtcTime(time);
        }
        else
        {
            writer.WriteGeneralizedTime(time, omitFractionalSeconds: true);
        }
    }
}
