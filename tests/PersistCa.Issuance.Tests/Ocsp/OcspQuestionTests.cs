using CsCheck;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;

namespace PersistCa.Issuance.Tests.Ocsp;

public sealed class OcspQuestionTests
{
    private static readonly OcspDraft Good = new();

    private static readonly (string Name, OcspDraft Draft, string Reason)[] Bent =
    [
        ("it spells out its version", Good with { Version = 0 }, "version"),
        ("it asks about nothing", Good with { Count = 0 }, "no certificate"),
        ("it asks about nine", Good with { Count = 9 }, "more than 8"),
        ("the hash is SHA-512", Good with { HashOid = "2.16.840.1.101.3.4.2.3" }, "neither SHA-1 nor SHA-256"),
        ("a hash has the length of another", Good with { HashOid = "2.16.840.1.101.3.4.2.1" }, "length"),
        ("the serial number has 21 octets", Good with { Serial = [.. Enumerable.Repeat((byte)0x41, 21)] }, "20 octets"),
        ("the nonce is empty", Good with { Extensions = [OcspDraft.NonceOf(0)] }, "0 octets"),
        ("the nonce has 129 octets", Good with { Extensions = [OcspDraft.NonceOf(129)] }, "129 octets"),
        ("the nonce stands there twice", Good with { Extensions = [OcspDraft.NonceOf(8), OcspDraft.NonceOf(8)] }, "twice"),
        ("an unknown extension is critical", Good with { Extensions = [new TbsExtension("1.2.3", true, new byte[] { 5, 0 })] }, "critical"),
    ];

    public static TheoryData<string> BentNames => [.. Bent.Select(b => b.Name)];

    [Fact]
    public void A_good_question_is_read()
    {
        var read = OcspQuestion.Read(Good.Encode());
        Assert.True(read.IsValid, read.Reason);
        Assert.Equal("4001", Assert.Single(read.Value.Certificates).Serial);
        Assert.Null(read.Value.Nonce);
    }

    [Theory]
    [MemberData(nameof(BentNames))]
    public void A_question_is_refused_because(string name)
    {
        var (_, draft, reason) = Bent.Single(b => b.Name == name);
        var read = OcspQuestion.Read(draft.Encode());
        Assert.False(read.IsValid);
        Assert.Contains(reason, read.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(128)]
    public void Nonces_of_1_to_128_octets_are_read_critical_or_not(int octets)
    {
        Assert.Equal(octets, OcspQuestion.Read((Good with { Extensions = [OcspDraft.NonceOf(octets)] }).Encode()).Value!.Nonce!.Value.Length);
        Assert.Equal(octets, OcspQuestion.Read((Good with { Extensions = [OcspDraft.NonceOf(octets, critical: true)] }).Encode()).Value!.Nonce!.Value.Length);
    }

    [Fact]
    public void Eight_certificates_missing_parameters_a_signature_and_unknown_extensions_are_read()
    {
        Assert.Equal(8, OcspQuestion.Read((Good with { Count = 8 }).Encode()).Value!.Certificates.Length);
        Assert.True(OcspQuestion.Read((Good with { Parameters = false }).Encode()).IsValid);
        Assert.True(OcspQuestion.Read((Good with { Signed = true }).Encode()).IsValid);
        Assert.True(OcspQuestion.Read((Good with { Extensions = [new TbsExtension("1.2.3", false, new byte[] { 5, 0 })] }).Encode()).IsValid);
    }

    [Fact]
    public void A_question_longer_than_4096_octets_is_not_looked_at() =>
        Assert.Contains("4097", OcspQuestion.Read(new byte[OcspQuestion.MaxOctets + 1]).Reason, StringComparison.Ordinal);

    [Fact]
    public void Whatever_the_octets_are_there_is_a_question_within_its_limits_or_a_reason()
    {
        var seed = (Good with { Extensions = [OcspDraft.NonceOf(16)], Signed = true }).Encode();
        Gen.Select(Gen.Int[0, seed.Length - 1], Gen.Byte, Gen.Int[0, seed.Length]).Sample((at, octet, length) =>
        {
            var octets = seed.ToArray();
            octets[at] = octet;
            var read = OcspQuestion.Read(octets.AsMemory(0, length));
            return read.IsValid ? read.Value.Certificates.Length is >= 1 and <= OcspQuestion.MaxCertificates && read.Value.Nonce is null or { Length: >= 1 and <= 128 } : read.Reason.Length > 0;
        });
    }
}
