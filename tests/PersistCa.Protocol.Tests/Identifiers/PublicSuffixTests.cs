using System.Text.Json;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Identifiers;

public sealed class PublicSuffixTests
{
    [Theory]
    [InlineData("db01.corp", true)]
    [InlineData("a.test", true)]
    [InlineData("b.example", true)]
    [InlineData("printer.local", true)]
    [InlineData("intranet", true)]
    [InlineData("a.example.com", false)]
    [InlineData("com", false)]
    [InlineData("x.co.uk", false)]
    public void A_name_is_internal_unless_its_last_label_is_a_public_top_level_domain(string name, bool isInternal) =>
        Assert.Equal(isInternal, PublicSuffixList.Shipped.IsInternal(DnsName.Parse(name).Value!));

    public static TheoryData<string, string?> Cases
    {
        get
        {
            using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "public-suffix.json")));
            var cases = new TheoryData<string, string?>();
            foreach (var vector in file.RootElement.GetProperty("cases").EnumerateArray())
            {
                cases.Add(vector.GetProperty("name").GetString()!, vector.GetProperty("registrable").GetString());
            }

            return cases;
        }
    }

    private static PublicSuffixList List(string text) => PublicSuffixList.Read(new StringReader(text));

    private static DnsName Name(string text) => DnsName.Parse(text).Value!;

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_registrable_domain_is_as_the_lists_own_tests_say(string name, string? registrable) =>
        Assert.Equal(registrable, PublicSuffixList.Shipped.RegistrableDomain(Name(name))?.Text);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_registrable_domain_is_its_own_and_no_suffix(string name, string? registrable)
    {
        if (registrable is null)
        {
            return;
        }

        var domain = Name(registrable);
        Assert.False(PublicSuffixList.Shipped.IsPublicSuffix(domain));
        Assert.Equal(domain, PublicSuffixList.Shipped.RegistrableDomain(domain));
        Assert.True(Name(name).Equals(domain) || Name(name).IsSubdomainOf(domain));
    }

    [Theory]
    [InlineData("kobe.jp", true)]
    [InlineData("ck", true)]
    [InlineData("city.kobe.jp", false)]
    [InlineData("jp", false)]
    [InlineData("example.com", false)]
    public void A_name_with_suffixes_right_below_is_known(string name, bool above) => Assert.Equal(above, PublicSuffixList.Shipped.IsAboveSuffixes(Name(name)));

    [Fact]
    public void The_list_that_ships_is_whole() => Assert.InRange(PublicSuffixList.Shipped.Count, 9_000, 50_000);

    [Fact]
    public void A_list_has_comments_blank_lines_and_text_behind_its_rules()
    {
        var list = List("// test is a comment\n\n  \ncom  and the rest of the line\nCO.UK\n*.ck\n!www.ck\nb\u00fccher.example\n//com.example\n");
        Assert.Equal(5, list.Count);
        Assert.True(list.IsPublicSuffix(Name("com")));
        Assert.True(list.IsPublicSuffix(Name("co.uk")));
        Assert.True(list.IsPublicSuffix(Name("xn--bcher-kva.example")));
        Assert.False(list.IsPublicSuffix(Name("com.example")));
        Assert.False(list.IsPublicSuffix(Name("test")));
    }

    [Fact]
    public void Of_two_suffixes_the_longer_counts_even_with_a_gap_between()
    {
        var list = List("com\na.b.com\n");
        Assert.Equal("x.a.b.com", list.RegistrableDomain(Name("y.x.a.b.com"))?.Text);
        Assert.Equal("b.com", list.RegistrableDomain(Name("b.com"))?.Text);
        Assert.Equal("b.com", list.RegistrableDomain(Name("c.b.com"))?.Text);
        Assert.Null(list.RegistrableDomain(Name("a.b.com")));
    }

    [Fact]
    public void An_empty_list_takes_every_top_label_for_a_suffix_and_calls_none_public()
    {
        var list = List("");
        Assert.Equal("b.c", list.RegistrableDomain(Name("a.b.c"))?.Text);
        Assert.False(list.IsPublicSuffix(Name("c")));
    }
}
