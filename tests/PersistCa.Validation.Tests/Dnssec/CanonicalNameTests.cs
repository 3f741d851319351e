using CsCheck;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Tests.Dnssec;

/// <summary>Names and records as canonical form has them, whatever the octets are.</summary>
public sealed class CanonicalNameTests
{
    [Fact]
    public void The_order_is_that_of_rfc_4034_section_6_1()
    {
        string[] names = ["example", "a.example", "yljkjljk.a.example", "Z.a.example", "zABC.a.EXAMPLE", "z.example", "\\001.z.example", "*.z.example", "\\200.z.example"];
        var read = names.Select(n => CanonicalName.FromText(n)!).ToList();

        Assert.Equal(read, read.Order(Comparer<CanonicalName>.Create(CanonicalName.Compare)));
    }

    [Fact]
    public void A_name_reads_to_itself_from_wire_and_text() => Gen.Byte.Array[0, 40].Array[0, 6].Sample(labels =>
    {
        byte[] wire = [.. labels.Where(l => l.Length > 0).SelectMany(l => (byte[])[(byte)l.Length, .. l]), 0];
        var name = CanonicalName.Read(wire, out var length);
        Assert.Equal(wire.Length, length);
        Assert.Equal(name, CanonicalName.FromText(name!.Text));
        Assert.True(name.IsWithin(name.Parent) && name.IsWithin(CanonicalName.Root));
    });

    [Fact]
    public void No_octets_make_the_readers_throw() => Gen.Byte.Array[0, 300].Sample(octets =>
    {
        _ = CanonicalName.Read(octets, out _);
        _ = SignatureRecord.Read(octets)?.WhyNotAt(SignedWorld.Now);
        _ = DelegationRecord.Read(octets);
        _ = NsecRecord.Read(CanonicalName.Root, octets);
        _ = Nsec3Record.Read(CanonicalName.FromText("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example")!, octets);
        if (KeyRecord.Read(octets) is { } key)
        {
            foreach (var algorithm in new[] { 5, 8, 10, 13, 14, 15, 16 })
            {
                Assert.False(SignatureAlgorithm.Verify(key with { Algorithm = algorithm }, [1], octets));
            }
        }
    });

    [Fact]
    public void The_hash_is_that_of_rfc_5155_appendix_a()
    {
        var hash = new Nsec3Hash(12, [0xAA, 0xBB, 0xCC, 0xDD]);
        var record = Nsec3Record.Read(CanonicalName.FromText("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example")!, [1, 1, 0, 12, 4, 0xAA, 0xBB, 0xCC, 0xDD, 20, .. new byte[20]])!;
        Assert.Equal(record.Hash, hash.Of(CanonicalName.FromText("example")!));
    }
}
