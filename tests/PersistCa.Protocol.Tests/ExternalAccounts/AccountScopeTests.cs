using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Limits;

namespace PersistCa.Protocol.Tests.ExternalAccounts;

public sealed class AccountScopeTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly ExternalAccountTerms Terms = new()
    {
        Names = [".corp.example", "10.0.0.0/8"],
        Profiles = ["server"],
        Challenges = ["dns-persist-01"],
        MaxNames = 2,
        Certificates = new RateLimit(5, TimeSpan.FromDays(1)),
        Owner = "anna",
        ExpiresAt = Now.AddDays(10),
    };

    private static ExternalAccountKey Key(ExternalAccountTerms? terms = null, bool singleUse = false) => new("AAAAAAAAAAAAAAAA", [1], singleUse, terms ?? Terms, "operator:anna", Now);

    [Fact]
    public void An_account_without_a_key_may_do_everything()
    {
        var scope = AccountScope.Unbound;
        Assert.Null(scope.Refuse(Identifier.Of("anything.example")));
        Assert.Null(scope.RefuseProfile("anything"));
        Assert.Null(scope.RefuseCount(100_000));
        Assert.True(scope.Accepts(ChallengeType.Http01));
        Assert.All(Enum.GetValues<ScopedAct>(), a => Assert.Null(scope.RefuseAct(a, DateTimeOffset.MaxValue)));
    }

    [Theory]
    [InlineData("www.corp.example", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("www.other.example", false)]
    [InlineData("11.1.2.3", false)]
    public void Names_are_those_that_a_rule_permits(string name, bool permitted)
    {
        var refused = Key().Scope().Refuse(Identifier.Of(name));
        Assert.Equal(permitted, refused is null);
        if (refused is not null)
        {
            Assert.Equal(("rejectedIdentifier", name), (refused.Type.Name, refused.Identifier!.Value));
            Assert.Contains("they are .corp.example, 10.0.0.0/8", refused.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Several_names_that_are_refused_are_named_together()
    {
        var refused = Key().Scope().RefuseNames([Identifier.Of("a.corp.example"), Identifier.Of("b.example"), Identifier.Of("c.example")])!;
        Assert.Equal("rejectedIdentifier", refused.Type.Name);
        Assert.Equal(["b.example", "c.example"], refused.Subproblems.Select(p => p.Identifier!.Value));
    }

    [Fact]
    public void Profiles_challenges_and_the_number_of_names_are_the_keys()
    {
        var scope = Key().Scope();
        Assert.Null(scope.RefuseProfile("server"));
        Assert.Equal("invalidProfile", scope.RefuseProfile("client")!.Type.Name);
        Assert.True(scope.Accepts(ChallengeType.DnsPersist01));
        Assert.False(scope.Accepts(ChallengeType.Dns01));
        Assert.Null(scope.RefuseCount(2));
        Assert.Equal("malformed", scope.RefuseCount(3)!.Type.Name);
        Assert.Equal(5, scope.Certificates.Count);
    }

    [Theory]
    [InlineData(EndStops.None, "")]
    [InlineData(EndStops.NewOrders, "NewOrder")]
    [InlineData(EndStops.Renewals, "Renewal")]
    [InlineData(EndStops.Revocations, "Revocation")]
    [InlineData(EndStops.NewOrders | EndStops.Renewals | EndStops.Revocations, "NewOrder Renewal Revocation")]
    public void The_end_of_a_key_stops_what_it_was_told_to_stop_whether_it_expired_or_was_removed(EndStops stops, string stopped)
    {
        var expired = Key(Terms with { Stops = stops });
        var removed = Key();
        removed.Remove(stops, Now.AddDays(1));
        foreach (var (key, end) in new[] { (expired, Now.AddDays(10)), (removed, Now.AddDays(1)) })
        {
            Assert.Equal(stopped.Split(' ', StringSplitOptions.RemoveEmptyEntries), Enum.GetValues<ScopedAct>().Where(a => key.Scope().RefuseAct(a, end) is not null).Select(a => a.ToString()));
        }

        Assert.All(Enum.GetValues<ScopedAct>(), a => Assert.Null(expired.Scope().RefuseAct(a, Now.AddDays(10).AddTicks(-1))));
        Assert.All(Enum.GetValues<ScopedAct>().Select(a => expired.Scope().RefuseAct(a, Now.AddDays(10))).OfType<Protocol.Acme.AcmeProblem>(), p => Assert.Equal("unauthorized", p.Type.Name));
    }

    [Fact]
    public void A_key_lives_until_it_expires_or_is_removed_and_a_removed_one_is_not_changed()
    {
        var key = Key();
        Assert.Equal(KeyStanding.Live, key.StandingAt(Now.AddDays(10).AddTicks(-1)));
        Assert.Equal(KeyStanding.Expired, key.StandingAt(Now.AddDays(10)));
        key.Change(Terms with { ExpiresAt = null, Owner = "berta" });
        Assert.Equal((KeyStanding.Live, "berta"), (key.StandingAt(Now.AddYears(100)), key.Owner));
        key.Remove(EndStops.None, Now.AddDays(1));
        Assert.Equal((KeyStanding.Removed, Now.AddDays(1)), (key.StandingAt(Now), key.EndsAt));
        Assert.Throws<InvalidOperationException>(() => key.Change(Terms));
        Assert.Throws<InvalidOperationException>(() => key.Remove(EndStops.None, Now));
        Assert.Throws<InvalidOperationException>(() => key.Bind(Now.AddDays(2)));
    }

    [Fact]
    public void A_key_for_one_account_is_bound_once()
    {
        var key = Key(singleUse: true);
        key.Bind(Now);
        Assert.Throws<InvalidOperationException>(() => key.Bind(Now));
        var other = Key();
        other.Bind(Now);
        other.Bind(Now);
        Assert.Equal((2, Now), (other.Bound, other.LastBoundAt));
    }

    [Fact]
    public void The_terms_of_a_key_are_what_was_said() => Assert.Equivalent(Terms, Key().Terms(), strict: true);
}
