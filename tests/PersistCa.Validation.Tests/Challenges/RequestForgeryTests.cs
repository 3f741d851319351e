using System.Net;
using System.Text;
using System.Text.Json;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>What an account might try, to make this server talk to machines that the account cannot reach (CWE-918).</summary>
public sealed class RequestForgeryTests
{
    private const string Name = "www.example.com";

    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "ssrf.json"))).RootElement;

    public static TheoryData<string, string> Names() => Rows("names", row => string.Join(' ', row.GetProperty("records").EnumerateArray().Select(r => r.GetString())));

    public static TheoryData<string, string> Redirects() => Rows("redirects", row => row.GetProperty("location").GetString()!);

    private static TheoryData<string, string> Rows(string section, Func<JsonElement, string> what)
    {
        var rows = new TheoryData<string, string>();
        foreach (var row in Vectors.GetProperty(section).EnumerateArray())
        {
            rows.Add(what(row), $"{row.GetProperty("type").GetString()}: {row.GetProperty("detail").GetString()}");
        }

        return rows;
    }

    private static IReadOnlyList<string> Zone(string name) => name switch
    {
        "metadata.example.net" => ["169.254.169.254"],
        "mapped.example.net" => ["::ffff:169.254.169.254"],
        "unspecified.example.net" or "localhost" => ["0.0.0.0"],
        _ => ["127.0.0.1"],
    };

    private static Task<ChallengeResult> ValidateAsync(IDnsResolver resolver, int port) => new Http01Validator(
        resolver,
        new Http01Options { Port = port, AllowedRedirectPorts = [80, 443], Timeout = TimeSpan.FromSeconds(20), Target = Sample.Targets },
        TimeProvider.System).ValidateAsync(Sample.Attempt(Name), default);

    private static ScriptedServer Redirecting(string location)
    {
        var port = 0;
        var server = new ScriptedServer(async (header, stream, stopping) => await stream.WriteAsync(
            Encoding.Latin1.GetBytes(header.StartsWith("GET /there", StringComparison.Ordinal)
                ? ScriptedServer.Ok(Sample.KeyAuthorization)
                : ScriptedServer.Redirect(302, location.Replace("{port}", $"{Volatile.Read(ref port)}", StringComparison.Ordinal))),
            stopping));
        Volatile.Write(ref port, server.Port);
        return server;
    }

    private static void AssertRefused(ChallengeResult result, string expected, string written = "")
    {
        Assert.False(result.IsValid);
        var parts = expected.Split(": ", 2);
        Assert.Equal(parts[0], result.Problem!.Type.Name);
        Assert.Contains(parts[1], result.Problem.Detail, StringComparison.Ordinal);

        // No address that the account did not write itself: neither of this network nor of the machine behind the name.
        Assert.All(["127.0.0.1", "169.254.169.254"], a => Assert.True(written.Contains(a, StringComparison.Ordinal) || !result.Problem.Detail.Contains(a, StringComparison.Ordinal), result.Problem.Detail));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_name_at_forbidden_addresses_is_not_connected_to(string records, string expected)
    {
        var resolver = new ScriptedResolver((_, _) => records.Split(' '));

        AssertRefused(await ValidateAsync(resolver, 80), expected);
        AssertRefused(await new TlsAlpn01Validator(resolver, new TlsAlpn01Options { Target = Sample.Targets }, TimeProvider.System).ValidateAsync(Sample.Attempt(Name), default), expected);
    }

    [Theory]
    [MemberData(nameof(Redirects))]
    public async Task A_redirect_to_what_is_not_the_accounts_is_not_followed(string location, string expected)
    {
        using var server = Redirecting(location);

        AssertRefused(await ValidateAsync(new ScriptedResolver((name, _) => Zone(name)), server.Port), expected, written: location);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_forbidden_address_beside_a_permitted_one_is_left_out()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));

        var result = await ValidateAsync(new ScriptedResolver((_, _) => ["::ffff:169.254.169.254", "169.254.169.254", "0.0.0.0", "127.0.0.1"]), server.Port);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal($"127.0.0.1:{server.Port}", Assert.Single(result.Evidence.Hops!).Address);
    }

    [Fact]
    public async Task The_address_connected_to_is_the_one_that_was_judged_whatever_the_dns_says_a_moment_later()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));
        var resolver = new ScriptedResolver((_, before) => before == 0 ? ["127.0.0.1"] : ["169.254.169.254"]);

        var result = await ValidateAsync(resolver, server.Port);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal($"127.0.0.1:{server.Port}", Assert.Single(result.Evidence.Hops!).Address);
        Assert.Equal((1, 1), (resolver.Asked(Name, DnsRecordKind.A), resolver.Asked(Name, DnsRecordKind.Aaaa)));
    }

    [Fact]
    public async Task After_a_redirect_to_the_same_name_its_new_addresses_are_judged()
    {
        using var server = Redirecting("http://www.example.com:{port}/there");
        var resolver = new ScriptedResolver((_, before) => before == 0 ? ["127.0.0.1"] : ["169.254.169.254"]);

        AssertRefused(await ValidateAsync(resolver, server.Port), $"connection: Every address of {Name} lies");
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_fragment_that_looks_like_another_host_leads_to_the_host_before_it()
    {
        using var server = Redirecting("http://www.example.com:{port}/there#@metadata.example.net/");

        Assert.True((await ValidateAsync(new ScriptedResolver((name, _) => Zone(name)), server.Port)).IsValid);
    }

    [Fact]
    public async Task Loopback_is_not_connected_to_unless_that_is_configured()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));
        var validator = new Http01Validator(new ScriptedResolver((_, _) => ["127.0.0.1", "::1"]), new Http01Options { Port = server.Port }, TimeProvider.System);

        AssertRefused(await validator.ValidateAsync(Sample.Attempt(Name), default), $"connection: Every address of {Name} lies in a network");
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void Each_row_of_the_table_stands_there_once() => Assert.All(
        ["names", "redirects"],
        section => Assert.Equal(Vectors.GetProperty(section).GetArrayLength(), Vectors.GetProperty(section).EnumerateArray().Select(r => r.GetRawText()).Distinct().Count()));
}
