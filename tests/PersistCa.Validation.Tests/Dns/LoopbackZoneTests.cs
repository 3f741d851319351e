using System.Net;
using System.Net.Sockets;
using PersistCa.Server.Demo;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

public sealed class LoopbackZoneTests
{
    private const string Name = "www.example.com";

    private static Task<DnsAnswer> AskAsync(LoopbackZone zone, string owner, DnsRecordKind kind = DnsRecordKind.Txt) =>
        Sample.Resolver(zone).AskAsync(owner, kind, default);

    private static string[] Texts(DnsAnswer answer) => [.. answer.Records.Select(r => r.Text).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Text_is_set_added_and_cleared()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetTxt(Name, "a", "b");
        zone.AddTxt("WWW.example.com.", "c");
        Assert.Equal(["a", "b", "c"], Texts(await AskAsync(zone, Name)));

        zone.SetTxt(Name, "d");
        Assert.Equal(["d"], Texts(await AskAsync(zone, Name)));

        zone.ClearTxt(Name);
        Assert.Equal(DnsStatus.NxDomain, (await AskAsync(zone, Name)).Status);
    }

    [Fact]
    public async Task Clearing_text_leaves_addresses()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetA(Name, IPAddress.Loopback);
        zone.SetTxt(Name, "a");

        zone.ClearTxt(Name);

        Assert.Equal(DnsStatus.NoData, (await AskAsync(zone, Name)).Status);
        Assert.Equal(["127.0.0.1"], Texts(await AskAsync(zone, Name, DnsRecordKind.A)));
    }

    [Fact]
    public async Task An_alias_replaces_other_records_and_they_replace_it()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetTxt(Name, "a");
        zone.SetCname(Name, "target.example.net");
        zone.SetTxt("target.example.net", "b");
        Assert.Equal(["b"], Texts(await AskAsync(zone, Name)));

        zone.SetTxt(Name, "c");
        var answer = await AskAsync(zone, Name);
        Assert.Equal(["c"], Texts(answer));
        Assert.Empty(answer.CnameChain);
    }

    [Fact]
    public async Task A_loop_of_aliases_fails()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetCname(Name, "target.example.net");
        zone.SetCname("target.example.net", Name);

        Assert.Equal(DnsStatus.ServFail, (await AskAsync(zone, Name)).Status);
    }

    [Fact]
    public async Task A_name_above_an_existing_one_exists_without_records()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetTxt("_acme-challenge.www.example.com", "a");

        Assert.Equal(DnsStatus.NoData, (await AskAsync(zone, Name)).Status);
        Assert.Equal(DnsStatus.NxDomain, (await AskAsync(zone, "ww.example.com")).Status);
    }

    [Fact]
    public async Task The_default_address_serves_every_name_but_labels_for_records()
    {
        await using var zone = LoopbackZone.Start(null, new LoopbackZoneOptions { DefaultAddress = IPAddress.Parse("127.0.0.7") });

        Assert.Equal(["127.0.0.7"], Texts(await AskAsync(zone, Name, DnsRecordKind.A)));
        Assert.Equal(DnsStatus.NoData, (await AskAsync(zone, Name, DnsRecordKind.Aaaa)).Status);
        Assert.Equal(DnsStatus.NxDomain, (await AskAsync(zone, "_acme-persist." + Name, DnsRecordKind.A)).Status);
    }

    [Fact]
    public async Task A_fault_ends_when_it_is_healed()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetTxt(Name, "a");
        zone.Fail(Name, 5);
        Assert.Equal(DnsStatus.Refused, (await AskAsync(zone, Name)).Status);

        zone.Heal(Name);
        Assert.Equal(DnsStatus.Answered, (await AskAsync(zone, Name)).Status);
    }

    [Fact]
    public async Task A_delayed_answer_comes_later()
    {
        await using var zone = LoopbackZone.Start();
        zone.SetTxt(Name, "a");
        zone.Delay(Name, TimeSpan.FromMilliseconds(150));

        var answer = await AskAsync(zone, Name);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.True(answer.Duration > TimeSpan.FromMilliseconds(100), $"it took {answer.Duration}");
    }

    [Fact]
    public async Task Udp_and_tcp_share_one_port_that_is_free_again_afterwards()
    {
        IPEndPoint at;
        await using (var zone = LoopbackZone.Start())
        {
            at = zone.EndPoint;
            Assert.NotEqual(0, at.Port);
            Assert.Throws<SocketException>(() => LoopbackZone.Start(at));
        }

        await using var again = LoopbackZone.Start(at);
        again.SetTxt(Name, new string('x', 5000));
        Assert.Equal(5000, Assert.Single((await AskAsync(again, Name)).Records).Text.Length);
        Assert.Equal([false, true], again.Queries.Select(q => q.OverTcp));
    }

    [Fact]
    public void Only_loopback_is_served()
    {
        Assert.Throws<ArgumentException>(() => LoopbackZone.Start(new IPEndPoint(IPAddress.Any, 0)));
    }

    [Theory]
    [InlineData("a..b", "x")]
    [InlineData("", "x")]
    [InlineData(Name, "\u0100")]
    public void What_dns_cannot_carry_is_refused(string owner, string text)
    {
        using var zone = LoopbackZone.Start();

        Assert.Throws<ArgumentException>(() => zone.SetTxt(owner, text));
    }

    [Fact]
    public async Task The_log_is_bounded()
    {
        await using var zone = LoopbackZone.Start(null, new LoopbackZoneOptions { MostLoggedQueries = 2 });
        foreach (var owner in new[] { "a.example", "b.example", "c.example" })
        {
            await AskAsync(zone, owner);
        }

        Assert.Equal(["b.example", "c.example"], zone.Queries.Select(q => q.Owner));
    }
}
