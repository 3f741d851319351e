using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Authorizations;

public sealed class ChallengePolicyTests
{
    private const string Fleet = "AAAAAAAAAAAAAAAA";
    private const string Other = "BBBBBBBBBBBBBBBB";

    private static ChallengeRule Rule(string? suffix, string? account, params ChallengeType[] types) =>
        new(suffix is null ? null : DnsName.Parse(suffix).Value, account, [.. types]);

    private static string For(ChallengePolicy policy, string identifier, string account = Other)
    {
        var outcome = policy.For(Identifier.Of(identifier), account);
        return outcome.TryGet(out var types, out var problem) ? string.Join(',', types.Select(t => t.Wire())) : problem.Detail;
    }

    [Fact]
    public void Without_rules_the_default_is_on_offer_as_far_as_it_proves_the_identifier()
    {
        var policy = new ChallengePolicy(ChallengeTypes.OnOfferUnasked, []);

        Assert.Equal("http-01,dns-01,tls-alpn-01,dns-persist-01", For(policy, "www.example.com"));
        Assert.Equal("dns-01,dns-persist-01", For(policy, "*.example.com"));
        Assert.Equal("http-01,tls-alpn-01,dns-persist-01", For(policy, "10.0.0.1"));
    }

    [Fact]
    public void The_order_is_that_of_the_table_and_not_of_the_configuration() =>
        Assert.Equal("http-01,dns-persist-01", For(new ChallengePolicy([ChallengeType.DnsPersist01, ChallengeType.Http01], []), "www.example.com"));

    [Fact]
    public void The_first_rule_that_holds_decides()
    {
        var policy = new ChallengePolicy(
            ChallengeTypes.OnOfferUnasked,
            [
                Rule("fleet.example.com", Fleet, ChallengeType.DnsPersist01),
                Rule("fleet.example.com", null, ChallengeType.Dns01),
                Rule(null, Fleet, ChallengeType.Http01, ChallengeType.DnsAccount01),
            ]);

        Assert.Equal("dns-persist-01", For(policy, "a.fleet.example.com", Fleet));
        Assert.Equal("dns-persist-01", For(policy, "*.fleet.example.com", Fleet));
        Assert.Equal("dns-01", For(policy, "fleet.example.com"));
        Assert.Equal("http-01,dns-account-01", For(policy, "www.example.com", Fleet));
        Assert.Equal("http-01,dns-01,tls-alpn-01,dns-persist-01", For(policy, "www.example.com"));
    }

    [Theory]
    [InlineData("badfleet.example.com")]
    [InlineData("example.com")]
    [InlineData("10.0.0.1")]
    public void A_suffix_holds_on_label_boundaries_and_for_no_address(string identifier)
    {
        var policy = new ChallengePolicy([ChallengeType.Http01], [Rule("fleet.example.com", null, ChallengeType.TlsAlpn01)]);

        Assert.Equal("http-01", For(policy, identifier));
    }

    [Theory]
    [InlineData("*.example.com", "wildcard name *.example.com; on offer: http-01; able to: dns-01, dns-account-01, dns-persist-01.")]
    [InlineData("*.fleet.example.com", "on offer for it by policy: tls-alpn-01;")]
    public void What_no_challenge_on_offer_proves_is_rejected_with_the_reason(string identifier, string reason)
    {
        var policy = new ChallengePolicy([ChallengeType.Http01], [Rule("fleet.example.com", null, ChallengeType.TlsAlpn01)]);

        var refused = policy.For(Identifier.Of(identifier), Other).Problem!;

        Assert.Equal(ProblemCatalog.RejectedIdentifier, refused.Type);
        Assert.Contains(reason, refused.Detail, StringComparison.Ordinal);
        Assert.Equal(AcmeIdentifier.Dns(identifier), refused.Identifier);
    }

    [Fact]
    public void An_address_is_rejected_where_only_challenges_for_names_are_on_offer()
    {
        var refused = new ChallengePolicy([ChallengeType.Dns01, ChallengeType.DnsAccount01], []).For(Identifier.Of("10.0.0.1"), Other).Problem!;

        Assert.Contains("the address 10.0.0.1; on offer: dns-01, dns-account-01; able to: http-01, tls-alpn-01, dns-persist-01.", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(new AcmeIdentifier("ip", "10.0.0.1"), refused.Identifier);
    }
}
