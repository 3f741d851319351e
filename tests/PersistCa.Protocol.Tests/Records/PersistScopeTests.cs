using CsCheck;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;

namespace PersistCa.Protocol.Tests.Records;

/// <summary>At which names a record may stand (dns-persist-01 rules section 6 items 1 and 4).</summary>
public sealed class PersistScopeTests
{
    private static PersistScope Scope(params string[] floors) => PersistScope.WithAncestors(PublicSuffixList.Shipped, floors.Select(Name));

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("a.b.example.com", "a.b.example.com b.example.com example.com")]
    [InlineData("a.example.co.uk", "a.example.co.uk example.co.uk")]
    [InlineData("co.uk", "co.uk")]
    [InlineData("a.b.kobe.jp", "a.b.kobe.jp")] // b.kobe.jp is a public suffix by "*.kobe.jp"
    [InlineData("a.city.kobe.jp", "a.city.kobe.jp city.kobe.jp")] // by "!city.kobe.jp"
    [InlineData("host.dept.corp", "host.dept.corp dept.corp")]
    public void Names_are_asked_up_to_the_registrable_domain_and_never_above(string name, string asked) =>
        Assert.Equal(asked.Split(' '), Scope().NamesFor(Name(name)).Select(n => n.Text));

    [Theory]
    [InlineData("host.dept.corp", "host.dept.corp dept.corp corp")]
    [InlineData("x.y.svc.corp", "x.y.svc.corp y.svc.corp svc.corp")]
    [InlineData("svc.corp", "svc.corp")]
    [InlineData("a.b.example.com", "a.b.example.com b.example.com example.com")]
    public void A_floor_stands_for_the_registrable_domain_and_the_longest_counts(string name, string asked) =>
        Assert.Equal(asked.Split(' '), Scope("corp", "svc.corp").NamesFor(Name(name)).Select(n => n.Text));

    [Fact]
    public void At_most_eight_names_are_asked_nearest_first()
    {
        var names = Scope().NamesFor(Name("a.b.c.d.e.f.g.h.i.example.com"));
        Assert.Equal(PersistScope.DefaultMaxNames, names.Length);
        Assert.Equal("a.b.c.d.e.f.g.h.i.example.com", names[0].Text);
        Assert.Equal("h.i.example.com", names[^1].Text);
    }

    [Fact]
    public void Without_ancestors_only_the_name_itself_is_asked() => Assert.Equal("a.example.com", Assert.Single(PersistScope.NameOnly.NamesFor(Name("a.example.com"))).Text);

    [Fact]
    public void No_name_is_asked_that_is_a_public_suffix_or_not_above_the_name() =>
        Gen.Select(Gen.Int[0, 4].Select(i => new[] { "com", "co.uk", "kobe.jp", "corp", "github.io" }[i]), Gen.Int[0, 3].Select(i => new[] { "a", "b", "city", "www" }[i]).Array[1, 10]).Sample((suffix, labels) =>
        {
            var name = Name(string.Join('.', labels) + "." + suffix);
            return Scope().NamesFor(name).Skip(1).All(n => name.IsSubdomainOf(n) && !PublicSuffixList.Shipped.IsPublicSuffix(n));
        });

    private static DnsName Name(string text) => DnsName.Parse(text).Value!;
}
