using Microsoft.Extensions.Time.Testing;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>Which resolver is asked, when, and how one that is dead or a zone that is dead leaves the others alone.</summary>
public sealed class ResolverSetTests
{
    private const string Owner = "_acme-challenge.www.example.com";
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly DnsOptions Defaults = new() { Resolvers = ["192.0.2.1"] };

    private static UpstreamHealth Failed(int times) =>
        Enumerable.Range(0, times).Aggregate(default(UpstreamHealth), (h, _) => h.AfterFailure(Now, Defaults));

    [Theory]
    [InlineData(0u, "0 1 2")]
    [InlineData(1u, "1 2 0")]
    [InlineData(5u, "2 0 1")]
    [InlineData(uint.MaxValue, "0 1 2")]
    public void Resolvers_are_asked_in_turn(uint turn, string order) =>
        Assert.Equal(order, string.Join(' ', UpstreamOrder.For(new UpstreamHealth[3], turn, Now)));

    [Fact]
    public void One_that_failed_often_is_asked_last_until_its_time_is_over()
    {
        UpstreamHealth[] health = [Failed(3), default, default];

        Assert.Equal("1 2 0", string.Join(' ', UpstreamOrder.For(health, 0, Now)));
        Assert.Equal("2 1 0", string.Join(' ', UpstreamOrder.For(health, 2, Now)));
        Assert.Equal("0 1 2", string.Join(' ', UpstreamOrder.For(health, 0, Now + Defaults.CoolingTime)));
    }

    [Fact]
    public void Of_those_that_cool_the_one_whose_time_ends_first_comes_first()
    {
        UpstreamHealth[] health = [new(3, Now.AddSeconds(9)), new(3, Now.AddSeconds(3)), new(3, Now.AddSeconds(6))];

        Assert.Equal("1 2 0", string.Join(' ', UpstreamOrder.For(health, 0, Now)));
    }

    [Fact]
    public void Fewer_failures_than_the_limit_change_nothing_and_an_answer_ends_the_row()
    {
        Assert.False(Failed(2).IsCooling(Now));
        Assert.True(Failed(3).IsCooling(Now));
        Assert.False(UpstreamHealth.AfterAnswer().IsCooling(Now));
    }

    [Fact]
    public void After_its_time_one_more_failure_is_enough()
    {
        var later = Now + Defaults.CoolingTime;

        Assert.False(Failed(3).IsCooling(later));
        Assert.True(Failed(3).AfterFailure(later, Defaults).IsCooling(later));
    }

    private static ResolverPlan Plan(params DnsZoneForward[] zones) => ResolverPlan.Read(Defaults with { Zones = zones }).Value!;

    [Theory]
    [InlineData("www.corp.example", "corp.example", "192.0.2.2:53")]
    [InlineData("corp.example", "corp.example", "192.0.2.2:53")]
    [InlineData("WWW.Corp.Example", "corp.example", "192.0.2.2:53")]
    [InlineData("a.lab.corp.example", "lab.corp.example", "192.0.2.3:53")]
    [InlineData("notcorp.example", "notcorp.example", "192.0.2.1:53")]
    [InlineData("a.b.c.Example.net", "example.net", "192.0.2.1:53")]
    [InlineData("example", "example", "192.0.2.1:53")]
    [InlineData("", "", "192.0.2.1:53")]
    public void The_longest_zone_that_a_name_lies_in_says_who_is_asked(string name, string zone, string resolver)
    {
        var route = Plan(new("corp.example", ["192.0.2.2"]), new("lab.corp.example.", ["192.0.2.3"])).For(name);

        Assert.Equal(zone, route.Zone);
        Assert.Equal(resolver, Assert.Single(route.Resolvers).ToString());
    }

    [Fact]
    public async Task A_zone_is_asked_at_its_own_resolvers_only()
    {
        await using var general = Sample.Zone();
        await using var own = Sample.Zone();
        own.SetTxt("www.corp.example", "inside");
        var resolver = Sample.Resolver(Sample.Options(general.EndPoint) with { Zones = [new("corp.example", [own.EndPoint.ToString()])], Retries = 3 });

        Assert.Equal("inside", Assert.Single((await resolver.AskAsync("www.corp.example", DnsRecordKind.Txt, default)).Records).Text);
        await resolver.AskAsync("none.corp.example", DnsRecordKind.Txt, default);
        Assert.Empty(general.Queries);
    }

    [Fact]
    public async Task A_dead_resolver_delays_no_look_up_once_it_is_known()
    {
        await using var dead = Sample.Zone();
        await using var alive = Sample.Zone();
        dead.Drop(Owner);
        alive.SetTxt(Owner, "x");
        var time = new FakeTimeProvider(Now);
        var resolver = Sample.Resolver(
            Sample.Options(dead.EndPoint, alive.EndPoint) with { Retries = 1, FailuresUntilCooling = 1, OverallTimeout = TimeSpan.FromHours(1) }, time);

        // The first look-up starts at the dead one: only when its time is over is the other asked.
        var first = resolver.AskAsync(Owner, DnsRecordKind.Txt, default);
        await Until(() => dead.Queries.Count == 1);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, (await first).Attempts);

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(1, (await resolver.AskAsync(Owner, DnsRecordKind.Txt, default)).Attempts);
        }

        Assert.Single(dead.Queries);
    }

    [Fact]
    public async Task A_zone_that_fails_does_not_make_its_resolver_a_failing_one()
    {
        await using var first = Sample.Zone();
        await using var second = Sample.Zone();
        first.Fail(Owner, 2);
        second.Fail(Owner, 2);
        var resolver = Sample.Resolver(Sample.Options(first.EndPoint, second.EndPoint) with { FailuresUntilCooling = 1 });

        for (var i = 0; i < 4; i++)
        {
            await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);
        }

        Assert.Equal([2, 2], [first.Queries.Count, second.Queries.Count]);
    }

    [Fact]
    public async Task A_dead_zone_takes_no_more_places_than_its_share()
    {
        await using var zone = Sample.Zone();
        using var end = new CancellationTokenSource();
        zone.SetTxt("www.alive.example", "x");
        foreach (var i in Enumerable.Range(0, 10))
        {
            zone.Drop($"n{i}.dead.example");
        }

        var resolver = Sample.Resolver(Sample.Options(zone.EndPoint) with { ConcurrencyPerResolver = 3, ConcurrencyPerZone = 2, Timeout = TimeSpan.FromSeconds(20) });
        var dead = Enumerable.Range(0, 10).Select(i => resolver.AskAsync($"n{i}.dead.example", DnsRecordKind.Txt, end.Token)).ToList();
        await Until(() => zone.Queries.Count == 2);

        var answer = await resolver.AskAsync("www.alive.example", DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(3, zone.Queries.Count);
        await end.CancelAsync();
        Assert.All(dead, d => Assert.True(d.IsCanceled || !d.IsCompleted, d.Status.ToString()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(dead));
    }

    [Fact]
    public async Task Who_waits_in_vain_for_a_place_is_told_so_and_leaves_nothing_behind()
    {
        var places = new UpstreamPlaces(overAll: 2, perZone: 1);
        var held = await places.EnterAsync("a", default);
        using var end = new CancellationTokenSource();
        var waiting = places.EnterAsync("a", end.Token);
        using (await places.EnterAsync("b", default))
        {
            Assert.False(waiting.IsCompleted);
            Assert.Equal(2, places.BusyZones);
        }

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        held.Dispose();
        Assert.Equal(0, places.BusyZones);
        (await places.EnterAsync("a", default)).Dispose();
    }

    [Fact]
    public async Task Without_a_place_until_the_overall_timeout_the_look_up_ends()
    {
        await using var zone = Sample.Zone();
        zone.Drop(Owner);
        using var end = new CancellationTokenSource();
        var time = new FakeTimeProvider(Now);
        var resolver = Sample.Resolver(
            Sample.Options(zone.EndPoint) with { ConcurrencyPerZone = 1, Timeout = TimeSpan.FromSeconds(10), OverallTimeout = TimeSpan.FromSeconds(10) }, time);
        var first = resolver.AskAsync(Owner, DnsRecordKind.Txt, end.Token);
        await Until(() => zone.Queries.Count == 1);

        var second = resolver.AskAsync(Owner, DnsRecordKind.A, default);
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(DnsStatus.Timeout, (await second).Status);
        Assert.Equal(DnsStatus.Timeout, (await first).Status);
    }

    [Theory]
    [InlineData("nameserver 192.0.2.1\nnameserver\t2001:db8::1 \r\n", "192.0.2.1:53 [2001:db8::1]:53")]
    [InlineData("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver 192.0.2.3 # mine", "192.0.2.3:53")]
    [InlineData("search example\noptions rotate\n nameserver 192.0.2.1\nnameserver2 192.0.2.2\nnameserver\nnameserver dns.example", "")]
    [InlineData("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4", "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53")]
    [InlineData("", "")]
    public void The_systems_resolvers_are_its_first_three_nameserver_lines(string text, string resolvers) =>
        Assert.Equal(resolvers, string.Join(' ', SystemResolvers.Read(text)));

    [Fact]
    public async Task Without_resolvers_those_of_the_system_are_asked()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "nameserver 192.0.2.1\n" + new string('#', 100_000) + "\nnameserver 192.0.2.2\n");
        try
        {
            Assert.Equal("192.0.2.1:53", Assert.Single(Sample.Resolver(new DnsOptions { SystemResolversFile = file }).Servers).ToString());
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task Until(Func<bool> happened)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!happened())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, late.Token);
        }
    }
}
