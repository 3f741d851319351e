using CsCheck;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Identifiers;

/// <summary>dns-persist-01 rules section 2: case-fold, NFC, A-labels, one trailing dot removed; at most 253 octets.</summary>
public sealed class IssuerNameTests
{
    private static readonly string Longest = string.Join('.', new string('x', 63), new string('y', 63), new string('z', 63), new string('w', 61));

    [Theory]
    [InlineData("ca.example", "ca.example")]
    [InlineData("CA.Example.", "ca.example")]
    [InlineData("ca", "ca")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("XN--BCHER-KVA.EXAMPLE.", "xn--bcher-kva.example")]
    [InlineData("b\u00fccher.example", "xn--bcher-kva.example")]
    [InlineData("B\u00dcCHER.Example.", "xn--bcher-kva.example")]
    [InlineData("bu\u0308cher.example", "xn--bcher-kva.example")]
    [InlineData("BU\u0308CHER.example", "xn--bcher-kva.example")]
    [InlineData("fa\u00df.example", "xn--fa-hia.example")]
    public void A_name_has_one_normal_form(string written, string normal)
    {
        Assert.Equal(normal, IssuerName.Parse(written).Value!.Text);
        Assert.Equal(IssuerName.Parse(normal).Value, IssuerName.Parse(written).Value);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData(".", "empty")]
    [InlineData("ca.example..", "ends with a dot")]
    [InlineData(".ca.example", "an empty label")]
    [InlineData("ca..example", "an empty label")]
    [InlineData("ca_1.example", "underscore")]
    [InlineData("ca example", "U+0020")]
    [InlineData("*.ca.example", "'*'")]
    [InlineData("https://ca.example", "':'")]
    [InlineData("ca.example:443", "':'")]
    [InlineData("192.0.2.1", "IP address")]
    [InlineData("xn--abc.example", "no A-label")]
    [InlineData("\u00fc..example", "cannot be written in A-labels")]
    public void What_is_no_issuer_name_is_refused_with_its_reason(string written, string reason)
    {
        var parsed = IssuerName.Parse(written);
        Assert.False(parsed.IsValid, "it was read");
        Assert.Contains(reason, parsed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_has_at_most_253_octets_without_its_dot()
    {
        Assert.Equal(Longest, IssuerName.Parse(Longest + ".").Value!.Text);
        Assert.Contains("254", IssuerName.Parse(Longest + "w").Reason, StringComparison.Ordinal);
        Assert.Contains("far too long", IssuerName.Parse(new string('x', 5000)).Reason, StringComparison.Ordinal);
        Assert.Contains("far too long", IssuerName.Parse(new string('\u00fc', 5000)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_characters_are_refused() => Assert.Contains("cannot be written", IssuerName.Parse("\ud800.example").Reason, StringComparison.Ordinal);

    [Fact]
    public void Any_text_is_judged_without_an_exception_and_a_normal_form_is_its_own() => Gen.OneOf(Gen.String, Gen.String[Gen.Char["abxn-.09*_\u00e9\u0301\u00c9\u00df\u3002\ud83d\ude00"], 0, 30]).Sample(
        text => IssuerName.Parse(text) is var parsed && (!parsed.IsValid || IssuerName.Parse(parsed.Value.Text).Value == parsed.Value),
        iter: 20_000);
}
