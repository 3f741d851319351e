using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Authorizations;

public sealed class ChallengeTypesTests
{
    [Fact]
    public void Every_challenge_type_has_its_word()
    {
        Assert.Equal(Enum.GetValues<ChallengeType>(), ChallengeTypes.All.Order());
        Assert.All(ChallengeTypes.All, t => Assert.Equal(t, ChallengeTypes.Read(t.Wire())));
        Assert.All(["", "HTTP-01", "dns-account-02", "dns-persist-01 "], w => Assert.Null(ChallengeTypes.Read(w)));
    }

    [Fact]
    public void Those_of_drafts_stand_last_and_dns_persist_after_all() =>
        Assert.Equal(["http-01", "dns-01", "tls-alpn-01", "dns-account-01", "dns-persist-01"], ChallengeTypes.All.Select(t => t.Wire()));

    [Fact]
    public void Dns_account_is_offered_only_where_it_is_named() =>
        Assert.Equal(["http-01", "dns-01", "tls-alpn-01", "dns-persist-01"], ChallengeTypes.OnOfferUnasked.Select(t => t.Wire()));

    [Theory]
    [InlineData("www.example.com", "http-01,dns-01,tls-alpn-01,dns-account-01,dns-persist-01")]
    [InlineData("*.example.com", "dns-01,dns-account-01,dns-persist-01")]
    [InlineData("10.0.0.1", "http-01,tls-alpn-01,dns-persist-01")]
    [InlineData("2001:db8::1", "http-01,tls-alpn-01,dns-persist-01")]
    public void Each_kind_of_identifier_has_its_challenges(string identifier, string challenges) =>
        Assert.Equal(challenges, string.Join(',', ChallengeTypes.All.Where(t => t.Proves(Identifier.Of(identifier))).Select(t => t.Wire())));

    [Fact]
    public void Only_those_that_look_records_up_prove_wildcards() =>
        Assert.Equal(["dns-01", "dns-account-01", "dns-persist-01"], ChallengeTypes.All.Where(t => t.ProvesWildcards()).Select(t => t.Wire()));

    [Fact]
    public void A_value_outside_the_set_is_a_mistake() => Assert.Throws<ArgumentOutOfRangeException>(() => ((ChallengeType)99).Wire());
}
