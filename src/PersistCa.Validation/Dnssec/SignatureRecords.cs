using System.Buffers.Binary;
using System.Security.Cryptography;

namespace PersistCa.Validation.Dnssec;

/// <summary>An RRSIG record (RFC 4034 section 3.1).</summary>
internal sealed record SignatureRecord
{
    private const int FixedOctets = 18;

    /// <summary>Type of the records that are signed.</summary>
    public required int TypeCovered { get; init; }

    /// <summary>Algorithm number.</summary>
    public required int Algorithm { get; init; }

    /// <summary>Labels of the owner, the root's and a wildcard's asterisk not counted.</summary>
    public required int Labels { get; init; }

    /// <summary>Time to live of the records in their zone, in seconds.</summary>
    public required uint OriginalTtl { get; init; }

    /// <summary>End of its time: seconds since 1970, modulo 2^32.</summary>
    public required uint Expiration { get; init; }

    /// <summary>Begin of its time, likewise.</summary>
    public required uint Inception { get; init; }

    /// <summary>Tag of the key.</summary>
    public required int KeyTag { get; init; }

    /// <summary>The zone whose key signed.</summary>
    public required CanonicalName Signer { get; init; }

    /// <summary>The signature.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>What is signed in front of the records: RDATA without the signature, the signer in canonical form (section 3.1.8.1).</summary>
    public required ReadOnlyMemory<byte> Preamble { get; init; }

    /// <summary>Reads RDATA.</summary>
    /// <returns>The record, null where the octets are none.</returns>
    public static SignatureRecord? Read(ReadOnlyMemory<byte> data)
    {
        var octets = data.Span;
        if (octets.Length < FixedOctets || CanonicalName.Read(octets[FixedOctets..], out var length) is not { } signer || octets.Length == FixedOctets + length)
        {
            return null;
        }

        return new SignatureRecord
        {
            TypeCovered = BinaryPrimitives.ReadUInt16BigEndian(octets),
            Algorithm = octets[2],
            Labels = octets[3],
            OriginalTtl = BinaryPrimitives.ReadUInt32BigEndian(octets[4..]),
            Expiration = BinaryPrimitives.ReadUInt32BigEndian(octets[8..]),
            Inception = BinaryPrimitives.ReadUInt32BigEndian(octets[12..]),
            KeyTag = BinaryPrimitives.ReadUInt16BigEndian(octets[16..]),
            Signer = signer,
            Signature = data[(FixedOctets + length)..],
            Preamble = (byte[])[.. octets[..FixedOctets], .. signer.Wire],
        };
    }

    /// <summary>Why its time is not now, null when it is (section 3.1.5: serial number arithmetic).</summary>
    public string? WhyNotAt(DateTimeOffset now)
    {
        var at = unchecked((uint)now.ToUnixTimeSeconds());
        return unchecked((int)(Expiration - Inception)) < 0 ? "a signature that ends before it begins"
            : unchecked((int)(at - Inception)) < 0 ? $"a signature that is not valid before {Shown(Inception, now)}"
            : unchecked((int)(Expiration - at)) < 0 ? $"a signature that expired at {Shown(Expiration, now)}"
            : null;
    }

    /// <summary>How long it is still valid.</summary>
    public TimeSpan LeftAt(DateTimeOffset now) => TimeSpan.FromSeconds(Math.Max(0, unchecked((int)(Expiration - (uint)now.ToUnixTimeSeconds()))));

    private static string Shown(uint moment, DateTimeOffset now) =>
        now.AddSeconds(unchecked((int)(moment - (uint)now.ToUnixTimeSeconds()))).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A DNSKEY record (RFC 4034 section 2.1).</summary>
internal sealed record KeyRecord
{
    private const int ZoneKey = 0x0100;
    private const int Revoke = 0x0080;
    private const int Dnssec = 3;

    /// <summary>Flags.</summary>
    public required int Flags { get; init; }

    /// <summary>Protocol; 3 is the only one.</summary>
    public required int Protocol { get; init; }

    /// <summary>Algorithm number.</summary>
    public required int Algorithm { get; init; }

    /// <summary>The key, in the form of its algorithm.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>RDATA.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Its tag (RFC 4034 appendix B).</summary>
    public required int Tag { get; init; }

    /// <summary>Whether it may sign records of its zone: a zone key that is not revoked (RFC 5011 section 2.1).</summary>
    public bool MaySign => (Flags & ZoneKey) != 0 && (Flags & Revoke) == 0 && Protocol == Dnssec;

    /// <summary>Reads RDATA.</summary>
    /// <returns>The record, null where the octets are none.</returns>
    public static KeyRecord? Read(ReadOnlyMemory<byte> data)
    {
        var octets = data.Span;
        const int fixedOctets = 4;
        if (octets.Length <= fixedOctets)
        {
            return null;
        }

        uint sum = 0;
        for (var i = 0; i < octets.Length; i++)
        {
            sum += (i & 1) == 0 ? (uint)octets[i] << 8 : octets[i];
        }

        return new KeyRecord
        {
            Flags = BinaryPrimitives.ReadUInt16BigEndian(octets),
            Protocol = octets[2],
            Algorithm = octets[3],
            Key = data[fixedOctets..],
            Data = data,
            Tag = (int)((sum + ((sum >> 16) & 0xFFFF)) & 0xFFFF),
        };
    }
}

/// <summary>A DS record (RFC 4034 section 5.1): the digest of a key that a zone may be signed with.</summary>
/// <param name="KeyTag">Tag of the key.</param>
/// <param name="Algorithm">Algorithm number of the key.</param>
/// <param name="DigestType">2 is SHA-256, 4 is SHA-384.</param>
/// <param name="Digest">The digest over the zone's name and the key's RDATA.</param>
internal sealed record DelegationRecord(int KeyTag, int Algorithm, int DigestType, ReadOnlyMemory<byte> Digest)
{
    /// <summary>SHA-256 (RFC 4509).</summary>
    public const int Sha256 = 2;

    /// <summary>SHA-384 (RFC 6605).</summary>
    public const int Sha384 = 4;

    /// <summary>
    /// Whether digest and algorithm are known here. SHA-1 is not: a zone with nothing else counts as not signed (RFC 4035 section 5.2, RFC 9905).
    /// </summary>
    public bool IsSupported => DigestType is Sha256 or Sha384 && SignatureAlgorithm.IsSupported(Algorithm);

    /// <summary>Reads RDATA.</summary>
    /// <returns>The record, null where the octets are none or the digest has not the length of its type.</returns>
    public static DelegationRecord? Read(ReadOnlyMemory<byte> data)
    {
        const int fixedOctets = 4;
        if (data.Length <= fixedOctets)
        {
            return null;
        }

        var octets = data.Span;
        var digest = data[fixedOctets..];
        var right = octets[3] switch
        {
            Sha256 => digest.Length == SHA256.HashSizeInBytes,
            Sha384 => digest.Length == SHA384.HashSizeInBytes,
            _ => true,
        };
        return right ? new DelegationRecord(BinaryPrimitives.ReadUInt16BigEndian(octets), octets[2], octets[3], digest) : null;
    }

    /// <summary>The record for a key, with SHA-256.</summary>
    public static DelegationRecord For(CanonicalName zone, KeyRecord key) =>
        new(key.Tag, key.Algorithm, Sha256, SHA256.HashData((byte[])[.. zone.Wire, .. key.Data.Span]));

    /// <summary>Whether it is the digest of a key (section 5.1.4).</summary>
    public bool Fits(CanonicalName zone, KeyRecord key)
    {
        if (key.Tag != KeyTag || key.Algorithm != Algorithm)
        {
            return false;
        }

        byte[] whole = [.. zone.Wire, .. key.Data.Span];
        return DigestType switch
        {
            Sha256 => Digest.Span.SequenceEqual(SHA256.HashData(whole)),
            Sha384 => Digest.Span.SequenceEqual(SHA384.HashData(whole)),
            _ => false,
        };
    }
}
