using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Fuzz;

/// <summary>RDATA of RRSIG, DNSKEY, DS, NSEC and NSEC3, names in canonical form, signature checks with a stranger's key, and proofs from whole messages.</summary>
internal static class DnssecTarget
{
    private static readonly CanonicalName Zone = CanonicalName.FromText("caa.example")!;
    private static readonly CanonicalName Owner = CanonicalName.FromText("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.caa.example")!;

    /// <summary>One good record of each type.</summary>
    public static IEnumerable<byte[]> Seeds() => new[]
    {
        // RRSIG: TXT 13 2 60, signed by example.
        "00100d020000003c" + "70000000" + "60000000" + "1234" + "076578616d706c6500" + new string('a', 128),

        // DNSKEY 257 3 13, then 257 3 15, then 256 3 8 with exponent 65537.
        "0101030d" + new string('7', 128),
        "0101030f" + new string('7', 64),
        "01000308" + "03010001" + new string('c', 512),

        // DS 4242 13 2.
        "10920d02" + new string('5', 64),

        // NSEC: next b.example, NS DS RRSIG NSEC.
        "0162076578616d706c6500" + "0006" + "200000000013",

        // NSEC3: SHA-1, opt-out, 10 rounds, salt aabb.
        "0101000a02aabb14" + new string('3', 40) + "0006" + "400000000002",
    }.Select(Convert.FromHexString);

    /// <summary>Runs it.</summary>
    public static void Run(byte[] octets)
    {
        if (CanonicalName.Read(octets, out var length) is { } name)
        {
            Require(length == name.Wire.Length && CanonicalName.FromText(name.Text)?.Equals(name) == true, "a name does not read to itself");
            Require(name.IsWithin(CanonicalName.Root) && CanonicalName.Compare(name, name) == 0 && name.IsWithin(name.Parent), "a name is not where it is");
        }

        if (SignatureRecord.Read(octets) is { } signature)
        {
            Require(signature.Preamble.Length + signature.Signature.Length == octets.Length, "a signature holds more than its octets");
            _ = signature.WhyNotAt(DateTimeOffset.UnixEpoch);
        }

        if (KeyRecord.Read(octets) is { } key)
        {
            // Any octets are a key to somebody: what it costs and that it does not throw is what matters.
            Require(!SignatureAlgorithm.Verify(key, [1, 2, 3], octets), "a signature is right that nobody made");
            Require(DelegationRecord.For(Zone, key).Fits(Zone, key), "a digest does not fit its key");
        }

        _ = DelegationRecord.Read(octets);
        if (NsecRecord.Read(Zone, octets) is { } nsec)
        {
            Require(nsec.Types.Count <= octets.Length * 8 && !nsec.Covers(Zone, Zone), "an NSEC record covers its own name");
        }

        if (Nsec3Record.Read(Owner, octets) is { } nsec3)
        {
            Require(!nsec3.Covers(nsec3.Hash) && !nsec3.Covers(nsec3.Next), "an NSEC3 record covers its own ends");
        }

        if (DnsMessage.Read(octets) is { IsValid: true, Value: var message })
        {
            var proof = DenialProof.From(Zone, SignedSet.Of(message.Authorities).Concat(SignedSet.Of(message.Answers)), 50);
            _ = proof.Of(Owner, DnssecTypes.Ds);
            _ = proof.OfNearer(Owner, Zone.LabelCount);
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
