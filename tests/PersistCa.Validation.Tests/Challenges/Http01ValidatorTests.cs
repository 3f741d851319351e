using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class Http01ValidatorTests
{
    private const string Name = "www.example.com";

    private static async Task<ChallengeResult> ValidateAsync(
        ScriptedServer server, Func<Http01Options, Http01Options>? change = null, Action<LoopbackZone>? zoneChange = null, string name = Name)
    {
        await using var zone = Sample.Zone();
        zoneChange?.Invoke(zone);
        var options = new Http01Options { Target = Sample.Targets, Port = server.Port, AllowedRedirectPorts = [server.Port], Timeout = TimeSpan.FromSeconds(20) };
        var validator = new Http01Validator(Sample.Resolver(zone), change?.Invoke(options) ?? options, TimeProvider.System);
        return await validator.ValidateAsync(Sample.Attempt(name), default);
    }

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.NotNull(result.Problem);
        Assert.Equal(type, result.Problem.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", result.Problem.Detail, StringComparison.Ordinal);
        Assert.Equal(result.Problem.Detail, result.Evidence.Reason);
    }

    [Fact]
    public async Task A_file_with_the_key_authorization_proves_control()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));

        var result = await ValidateAsync(server);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.True(result.Reusable);
        Assert.Null(result.RecordExpires);
        var request = Assert.Single(server.Requests);
        Assert.StartsWith($"GET /.well-known/acme-challenge/{Sample.Token} HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains($"\r\nHost: {Name}:{server.Port}\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nUser-Agent: PersistCA\r\n", request, StringComparison.Ordinal);
        Assert.DoesNotContain("traceparent", request, StringComparison.OrdinalIgnoreCase);
        var hop = Assert.Single(result.Evidence.Hops!);
        Assert.Equal($"127.0.0.1:{server.Port}", hop.Address);
        Assert.Equal(200, hop.Status);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData(" \t\r\n\n")]
    public async Task White_space_at_the_end_is_ignored(string end)
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization + end));

        Assert.True((await ValidateAsync(server)).IsValid);
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret-of-another-machine")]
    [InlineData("\n" + Sample.KeyAuthorization)]
    [InlineData(Sample.KeyAuthorization + "x")]
    [InlineData(Sample.Token)]
    public async Task Another_body_is_an_incorrect_response_and_never_echoed(string body)
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(body));

        var result = await ValidateAsync(server);

        AssertRefused(result, ProblemCatalog.IncorrectResponse, $"({body.Length} octets) is not the key authorization");
        Assert.DoesNotContain("secret", result.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal(64, Assert.Single(result.Evidence.Hops!).BodySha256!.Length);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(401)]
    [InlineData(303)]
    [InlineData(300)]
    [InlineData(304)]
    public async Task Another_status_is_unauthorized(int status)
    {
        using var server = ScriptedServer.Answering(
            ScriptedServer.Ok(Sample.KeyAuthorization, $"Location: http://{Name}/\r\n").Replace("200 OK", $"{status} X", StringComparison.Ordinal));

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Unauthorized, $"status {status}; 200 was expected");
    }

    [Theory]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    [InlineData(10_000_000, false)]
    public async Task A_body_is_read_up_to_its_limit(int octets, bool valid)
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization.PadRight(octets, '\n')));

        var result = await ValidateAsync(server);

        Assert.Equal(valid, result.IsValid);
        if (!valid)
        {
            AssertRefused(result, ProblemCatalog.IncorrectResponse, "longer than 4096 octets");
        }
    }

    [Fact]
    public async Task An_endless_body_is_read_up_to_its_limit()
    {
        using var server = new ScriptedServer(async (_, stream, stopping) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray(), stopping);
            while (true)
            {
                await stream.WriteAsync(new byte[65536], stopping);
            }
        });

        AssertRefused(await ValidateAsync(server), ProblemCatalog.IncorrectResponse, "longer than 4096 octets");
    }

    [Fact]
    public async Task A_body_that_trickles_in_ends_at_the_timeout()
    {
        using var server = new ScriptedServer(async (_, stream, stopping) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"u8.ToArray(), stopping);
            while (true)
            {
                await stream.WriteAsync("x"u8.ToArray(), stopping);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stopping);
            }
        });

        var result = await ValidateAsync(server, o => o with { Timeout = TimeSpan.FromMilliseconds(500) });

        AssertRefused(result, ProblemCatalog.Connection, "within 0.5 seconds");
        Assert.Equal(200, Assert.Single(result.Evidence.Hops!).Status);
    }

    [Fact]
    public async Task A_server_that_says_nothing_ends_at_the_timeout()
    {
        using var server = new ScriptedServer((_, _, stopping) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping));

        AssertRefused(await ValidateAsync(server, o => o with { Timeout = TimeSpan.FromMilliseconds(300) }), ProblemCatalog.Connection, "within 0.3 seconds");
    }

    [Fact]
    public async Task The_timeout_follows_the_injected_time()
    {
        var time = new FakeTimeProvider();
        using var server = new ScriptedServer(async (_, _, stopping) =>
        {
            time.Advance(TimeSpan.FromSeconds(11));
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
        });
        await using var zone = Sample.Zone();
        var validator = new Http01Validator(Sample.Resolver(zone), new Http01Options { Target = Sample.Targets, Port = server.Port }, time);

        AssertRefused(await validator.ValidateAsync(Sample.Attempt(), default), ProblemCatalog.Connection, "within 10 seconds");
    }

    [Theory]
    [InlineData("Content-Encoding: gzip\r\n", "is compressed")]
    [InlineData("Content-Encoding: br\r\n", "is compressed")]
    public async Task A_compressed_body_is_not_accepted(string header, string detail)
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization, header));

        AssertRefused(await ValidateAsync(server), ProblemCatalog.IncorrectResponse, detail);
        Assert.Contains("Accept-Encoding: identity\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense\r\n\r\n", "is not HTTP")]
    [InlineData("", "closed the connection before its response")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "broke off")]
    public async Task A_broken_response_is_a_connection_problem(string response, string detail)
    {
        using var server = ScriptedServer.Answering(response);

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, detail);
    }

    [Fact]
    public async Task A_huge_header_is_a_connection_problem()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization, $"X: {new string('x', 40_000)}\r\n"));

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, "header");
    }

    [Fact]
    public async Task A_closed_port_is_a_connection_problem()
    {
        var server = ScriptedServer.Answering("");
        server.Dispose();

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, "the connection was refused");
    }

    [Fact]
    public async Task The_next_address_is_tried_when_one_refuses()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));

        var result = await ValidateAsync(server, zoneChange: z => z.SetA(Name, IPAddress.Parse("127.0.0.9"), IPAddress.IPv6Loopback, IPAddress.Loopback));

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal($"127.0.0.1:{server.Port}", Assert.Single(result.Evidence.Hops!).Address);
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("fe80::1")]
    public async Task A_forbidden_network_is_not_connected_to(string address)
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));

        var result = await ValidateAsync(server, zoneChange: z => z.SetA(Name, IPAddress.Parse(address)));

        AssertRefused(result, ProblemCatalog.Connection, "does not connect to");
        Assert.DoesNotContain(address, result.Problem!.Detail, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_name_without_address_is_a_dns_problem()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));
        await using var zone = Sample.Zone(new LoopbackZoneOptions());
        var validator = new Http01Validator(Sample.Resolver(zone), new Http01Options { Target = Sample.Targets, Port = server.Port }, TimeProvider.System);

        AssertRefused(await validator.ValidateAsync(Sample.Attempt(), default), ProblemCatalog.Dns, "NXDOMAIN");
    }

    [Fact]
    public async Task A_failed_look_up_is_a_dns_problem()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));

        var result = await ValidateAsync(server, zoneChange: z => z.Fail(Name, 2));

        AssertRefused(result, ProblemCatalog.Dns, "SERVFAIL");
        Assert.Equal(2, result.Evidence.Lookups!.Count);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_wildcard_cannot_be_proved()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));

        AssertRefused(await ValidateAsync(server, name: "*.example.com"), ProblemCatalog.Malformed, "wildcard");
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_deactivated_account_proves_nothing_and_nothing_is_asked()
    {
        await using var zone = Sample.Zone();
        var validator = new Http01Validator(Sample.Resolver(zone), new Http01Options(), TimeProvider.System);

        var result = await validator.ValidateAsync(Sample.Attempt() with { Account = Sample.Account with { IsValid = false } }, default);

        AssertRefused(result, ProblemCatalog.Unauthorized, "deactivated or revoked");
        Assert.Empty(zone.Queries);
    }

    [Fact]
    public async Task Cancellation_is_cancellation_and_not_a_verdict()
    {
        using var cancel = new CancellationTokenSource();
        using var server = new ScriptedServer(async (_, _, stopping) =>
        {
            await cancel.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
        });
        await using var zone = Sample.Zone();
        var validator = new Http01Validator(Sample.Resolver(zone), new Http01Options { Target = Sample.Targets, Port = server.Port }, TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => validator.ValidateAsync(Sample.Attempt(), cancel.Token));
    }

    [Fact]
    public async Task Octets_above_ascii_in_the_body_are_no_match()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization + "\u00A0"));

        AssertRefused(await ValidateAsync(server), ProblemCatalog.IncorrectResponse, $"({Encoding.Latin1.GetByteCount(Sample.KeyAuthorization) + 1} octets)");
    }
}
