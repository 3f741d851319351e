using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Identifiers;

public sealed class NameTests
{
    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("EXAMPLE.Com", "example.com")]
    [InlineData("a", "a")]
    [InlineData("a-b.example", "a-b.example")]
    [InlineData("1.example", "1.example")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("XN--BCHER-KVA.example", "xn--bcher-kva.example")]
    [InlineData("xn--fa-hia.example", "xn--fa-hia.example")]
    [InlineData("xn--fsqu00a.xn--0zwm56d", "xn--fsqu00a.xn--0zwm56d")]
    [InlineData("a--b.example", "a--b.example")]
    [InlineData("a.b.c.d.e.f.g.h.i.j", "a.b.c.d.e.f.g.h.i.j")]
    [InlineData("0x1.0b1", "0x1.0b1")]
    public void A_name_is_read_and_folded(string text, string expected) => Assert.Equal(expected, DnsName.Parse(text).Value!.Text);

    [Theory]
    [InlineData("", "empty")]
    [InlineData("example.com.", "ends with a dot")]
    [InlineData(".example.com", "an empty label")]
    [InlineData("a..b", "an empty label")]
    [InlineData("-a.test", "begins or ends with a hyphen")]
    [InlineData("a-.test", "begins or ends with a hyphen")]
    [InlineData("a_b.test", "underscore")]
    [InlineData("a b.test", "U+0020")]
    [InlineData("a*b.test", "'*'")]
    [InlineData("ab--cd.test", "third and fourth place")]
    [InlineData("1.2.3.4", "reads as an IP address")]
    [InlineData("a.123", "reads as an IP address")]
    [InlineData("bücher.example", "as A-labels it is xn--bcher-kva.example")]
    [InlineData(".", "ends with a dot")]
    [InlineData("a\tb.test", "U+0009")]
    [InlineData("a\0b.test", "U+0000")]
    [InlineData("a/b.test", "'/'")]
    [InlineData("a:80", "':'")]
    [InlineData("a@b.test", "'@'")]
    [InlineData("[::1]", "'['")]
    [InlineData("1", "reads as an IP address")]
    [InlineData("a\u007fb.test", "outside ASCII")]
    [InlineData("\u00e9..example", "write it in A-labels")]
    [InlineData("a\u3002b", "as A-labels it is a.b")]
    [InlineData("xn--99999999.test", "does not decode")]
    [InlineData("xn--.test", "begins or ends with a hyphen")]
    [InlineData("xn--abc.test", "no A-label")]
    [InlineData("xn--zz--zz.test", "no A-label")]
    [InlineData("xn--a-0000.test", "no A-label")]
    public void What_is_no_name_is_refused_with_its_reason(string text, string reason) => Assert.Contains(reason, DnsName.Parse(text).Reason, StringComparison.Ordinal);

    [Fact]
    public void Half_characters_are_refused() => Assert.Contains("write it in A-labels", DnsName.Parse("\ud800.example").Reason, StringComparison.Ordinal);

    [Fact]
    public void Labels_have_63_characters_and_names_253()
    {
        var label = new string('a', 63);
        Assert.True(DnsName.Parse(label + ".test").IsValid);
        Assert.Contains("64 characters", DnsName.Parse(label + "a.test").Reason, StringComparison.Ordinal);
        var longest = string.Join('.', label, label, label, label[..61]);
        Assert.True(DnsName.Parse(longest).IsValid);
        Assert.Contains("254 characters", DnsName.Parse(longest + "a").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_is_judged_without_an_exception_and_what_is_read_reads_to_itself() => Gen.OneOf(Gen.String, Gen.String[Gen.Char["abxn-.019*_é"], 0, 30]).Sample(
        text => DnsName.Parse(text) is var parsed && (!parsed.IsValid || DnsName.Parse(parsed.Value.Text).Value!.Equals(parsed.Value)),
        iter: 20_000);

    [Fact]
    public void A_name_lies_under_another_on_a_label_boundary_only()
    {
        var (example, www, bad) = (DnsName.Parse("example.com").Value!, DnsName.Parse("www.example.com").Value!, DnsName.Parse("badexample.com").Value!);
        Assert.True(www.IsSubdomainOf(example));
        Assert.False(bad.IsSubdomainOf(example));
        Assert.False(example.IsSubdomainOf(example));
        Assert.Equal(["example.com", "com"], www.Ancestors().Select(a => a.Text));
    }

    [Theory]
    [InlineData("*.example.com", true, "example.com")]
    [InlineData("example.com", false, "example.com")]
    public void A_wildcard_is_one_whole_left_most_label(string text, bool wildcard, string name)
    {
        var parsed = CertificateName.Parse(text).Value!;
        Assert.Equal((wildcard, name, text), (parsed.IsWildcard, parsed.Name.Text, parsed.Text));
    }

    [Fact]
    public void A_wildcard_has_253_characters_with_its_star()
    {
        var label = new string('a', 63);
        var longest = string.Join('.', label, label, label, label[..59]);
        Assert.True(CertificateName.Parse("*." + longest).IsValid);
        Assert.Contains("more than 253", CertificateName.Parse("*." + longest + "a").Reason, StringComparison.Ordinal);
        Assert.Equal("*.example.com", CertificateName.Parse("*.EXAMPLE.com").Value!.Text);
        Assert.NotEqual(CertificateName.Parse("*.example.com").Value, CertificateName.Parse("example.com").Value);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("a.*.test")]
    [InlineData("*.*.test")]
    [InlineData("a*.test")]
    [InlineData("**.test")]
    public void A_wildcard_elsewhere_is_refused(string text) => Assert.False(CertificateName.Parse(text).IsValid);

    [Theory]
    [InlineData("com", true)]
    [InlineData("example.com", false)]
    [InlineData("co.uk", true)]
    [InlineData("test.ck", true)]
    [InlineData("www.ck", false)]
    [InlineData("kobe.jp", false)]
    [InlineData("c.kobe.jp", true)]
    [InlineData("city.kobe.jp", false)]
    [InlineData("xn--85x722f.xn--55qx5d.cn", false)]
    [InlineData("xn--55qx5d.cn", true)]
    [InlineData("corp", false)]
    public void The_public_suffix_list_is_read_with_wildcards_and_exceptions(string name, bool suffix) =>
        Assert.Equal(suffix, PublicSuffixList.Shipped.IsPublicSuffix(DnsName.Parse(name).Value!));

    [Theory]
    [InlineData("com", null)]
    [InlineData("example.com", "example.com")]
    [InlineData("a.b.example.co.uk", "example.co.uk")]
    [InlineData("www.ck", "www.ck")]
    [InlineData("www.www.ck", "www.ck")]
    [InlineData("b.c.kobe.jp", "b.c.kobe.jp")]
    [InlineData("www.city.kobe.jp", "city.kobe.jp")]
    [InlineData("host.corp", "host.corp")]
    [InlineData("a.host.corp", "host.corp")]
    [InlineData("corp", null)]
    public void The_registrable_domain_is_one_label_below_the_suffix(string name, string? expected) =>
        Assert.Equal(expected, PublicSuffixList.Shipped.RegistrableDomain(DnsName.Parse(name).Value!)?.Text);

    [Theory]
    [InlineData("a.corp.test", null)]
    [InlineData("corp.test", null)]
    [InlineData("a.secret.corp.test", "denied")]
    [InlineData("a.other.test", "none of the suffixes")]
    [InlineData("acorp.test", "none of the suffixes")]
    [InlineData("*.a.corp.test", "wildcards are not served")]
    public void The_policy_says_which_rule_refuses(string name, string? reason)
    {
        var policy = new NamePolicy(new NamePolicyOptions { AllowedSuffixes = ["corp.test"], DeniedSuffixes = [".secret.corp.test"], AllowWildcards = false }, PublicSuffixList.Shipped);
        var judged = policy.Judge(CertificateName.Parse(name).Value!);
        Assert.Equal(reason is null, !judged.IsRefused);
        if (judged.IsRefused)
        {
            Assert.Equal(ProblemCatalog.RejectedIdentifier, judged.Problem.Type);
            Assert.Contains(reason!, judged.Problem.Detail, StringComparison.Ordinal);
            Assert.Equal(name, judged.Problem.Identifier!.Value);
        }
    }

    [Theory]
    [InlineData("com", "it is a public suffix", false)]
    [InlineData("*.co.uk", "strangers' names", false)]
    [InlineData("intranet", "single label", false)]
    [InlineData("com", null, true)]
    [InlineData("intranet", null, true)]
    public void Suffixes_and_single_labels_are_served_only_when_configured(string name, string? reason, bool allowed)
    {
        var judged = new NamePolicy(new NamePolicyOptions { AllowPublicSuffixes = allowed, AllowSingleLabels = allowed }, PublicSuffixList.Shipped).Judge(CertificateName.Parse(name).Value!);
        Assert.Equal(reason is null, !judged.IsRefused);
        Assert.Contains(reason ?? "", judged.Problem?.Detail ?? "", StringComparison.Ordinal);
    }
}
