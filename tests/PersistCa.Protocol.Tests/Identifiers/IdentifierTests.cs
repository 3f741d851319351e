using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Identifiers;

public sealed class IdentifierTests
{
    private static string? Refusal(string identifier, string[] allowed, string[]? denied = null)
    {
        var policy = new IdentifierPolicy(
            new NamePolicy(new NamePolicyOptions(), PublicSuffixList.Shipped),
            new IpPolicy(new IpPolicyOptions { AllowedNetworks = [.. allowed], DeniedNetworks = [.. denied ?? []] }));
        var judged = policy.Judge(Identifier.Of(identifier));
        Assert.True(!judged.IsRefused || judged.Problem.Type == ProblemCatalog.RejectedIdentifier);
        return judged.Problem?.Detail;
    }

    [Theory]
    [InlineData("www.example.com", IdentifierType.Dns)]
    [InlineData("*.example.com", IdentifierType.Dns)]
    [InlineData("a.example.123a", IdentifierType.Dns)]
    [InlineData("10.0.0.1", IdentifierType.Ip)]
    [InlineData("::1", IdentifierType.Ip)]
    public void The_kind_follows_from_the_text(string text, IdentifierType type)
    {
        var identifier = Identifier.Of(text);

        Assert.Equal((type, text, text), (identifier.Type, identifier.Text, identifier.ToString()));
        Assert.Equal(new AcmeIdentifier(type.Wire(), text), identifier.Acme);
        Assert.Equal(identifier, Identifier.Parse(type, text).Value);
        Assert.All(IdentifierTypes.All.Where(t => t != type), other => Assert.False(Identifier.Parse(other, text).IsValid));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a_b.example")]
    [InlineData("::FFFF")]
    public void A_stored_text_that_is_none_is_a_mistake(string text) => Assert.Throws<InvalidOperationException>(() => Identifier.Of(text));

    [Fact]
    public void The_words_are_read_exactly()
    {
        Assert.Equal(["dns", "ip"], IdentifierTypes.All.Select(t => t.Wire()));
        Assert.All(["DNS", "IP", "", "ip ", "email"], w => Assert.Null(IdentifierTypes.Read(w)));
        Assert.All(IdentifierTypes.All, t => Assert.Equal(t, IdentifierTypes.Read(t.Wire())));
    }

    [Fact]
    public void No_address_is_served_unless_networks_are_allowed()
    {
        Assert.Contains("The address 10.0.0.1 is not served here: this authority serves no ip identifiers.", Refusal("10.0.0.1", []), StringComparison.Ordinal);
        Assert.Null(Refusal("www.example.com", []));
    }

    [Theory]
    [InlineData("10.0.0.1", null)]
    [InlineData("2001:db8::1", null)]
    [InlineData("11.0.0.1", "none of the networks")]
    [InlineData("2001:db9::1", "none of the networks")]
    [InlineData("10.9.0.1", "its network is denied")]
    public void Networks_decide_and_the_denied_win(string address, string? reason)
    {
        var refusal = Refusal(address, ["10.0.0.0/8", "2001:db8::/32"], ["10.9.0.0/16"]);

        Assert.Equal(reason is null, refusal is null);
        Assert.Contains(reason ?? "", refusal ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("ff02::1")]
    public void An_address_of_no_single_machine_is_never_served(string address) =>
        Assert.Contains("no machine's own", Refusal(address, ["0.0.0.0/0", "::/0"]), StringComparison.Ordinal);

    [Fact]
    public void A_name_is_judged_by_the_rules_for_names() => Assert.Contains("public suffix", Refusal("com", ["0.0.0.0/0"]), StringComparison.Ordinal);
}
