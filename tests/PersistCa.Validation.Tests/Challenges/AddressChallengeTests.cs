using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>Challenges for ip identifiers (RFC 8738).</summary>
public sealed class AddressChallengeTests
{
    private static Task<ChallengeResult> HttpAsync(LoopbackZone zone, int port, string identifier) =>
        new Http01Validator(
            Sample.Resolver(zone),
            new Http01Options { Target = Sample.Targets, Port = port, AllowedRedirectPorts = [port], Timeout = TimeSpan.FromSeconds(20) },
            TimeProvider.System).ValidateAsync(Sample.Attempt(identifier), default);

    private static async Task<(ChallengeResult Result, string? ServerName)> TlsAsync(TestCertificates show, string identifier)
    {
        using var certificate = show.Create();
        string? asked = null;
        using var server = new ScriptedServer(
            (_, _, _) => Task.CompletedTask,
            new SslServerAuthenticationOptions
            {
                ApplicationProtocols = [TlsAlpn01Validator.Protocol],
                ServerCertificateSelectionCallback = (_, name) =>
                {
                    asked = name;
                    return certificate;
                },
            },
            at: IPAddress.Parse(identifier));
        await using var zone = Sample.Zone();
        var options = new TlsAlpn01Options { Target = Sample.Targets, Port = server.Port, Timeout = TimeSpan.FromSeconds(20) };
        return (await new TlsAlpn01Validator(Sample.Resolver(zone), options, TimeProvider.System).ValidateAsync(Sample.Attempt(identifier), default), asked);
    }

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.Equal(type, result.Problem!.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "[::1]")]
    public async Task Http_asks_the_address_itself_and_names_it_in_the_host_header(string identifier, string host)
    {
        Skip.If(identifier == "::1" && !Socket.OSSupportsIPv6, "this machine has no IPv6");
        using var server = new ScriptedServer(
            async (_, stream, stopping) => await stream.WriteAsync(Encoding.Latin1.GetBytes(ScriptedServer.Ok(Sample.KeyAuthorization)), stopping), at: IPAddress.Parse(identifier));
        await using var zone = Sample.Zone();

        var result = await HttpAsync(zone, server.Port, identifier);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Contains($"\r\nHost: {host}:{server.Port}\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
        Assert.Empty(zone.Queries);
        Assert.Equal((identifier, false), (result.Evidence.Name, result.Evidence.Wildcard));
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/there", true)]
    [InlineData("http://2130706433:{0}/there", true)] // the same address, spelled as a number
    [InlineData("http://www.example.com:{0}/there", true)]
    [InlineData("http://127.0.0.2:{0}/there", false)]
    [InlineData("http://[::1]:{0}/there", false)]
    public async Task An_address_may_redirect_to_itself_and_to_names_but_to_no_other_address(string location, bool followed)
    {
        var port = 0;
        using var server = new ScriptedServer(async (header, stream, stopping) => await stream.WriteAsync(
            Encoding.Latin1.GetBytes(header.StartsWith("GET /there", StringComparison.Ordinal)
                ? ScriptedServer.Ok(Sample.KeyAuthorization)
                : ScriptedServer.Redirect(302, location.Replace("{0}", $"{Volatile.Read(ref port)}", StringComparison.Ordinal))),
            stopping));
        Volatile.Write(ref port, server.Port);
        await using var zone = Sample.Zone();

        var result = await HttpAsync(zone, server.Port, "127.0.0.1");

        Assert.Equal(followed, result.IsValid);
        if (!followed)
        {
            AssertRefused(result, ProblemCatalog.Connection, "its host is an IP address");
        }
    }

    [SkippableTheory]
    [InlineData("127.0.0.1", "1.0.0.127.in-addr.arpa")]
    [InlineData("::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa")]
    public async Task Tls_asks_by_the_reverse_name_and_wants_the_address_in_the_certificate(string identifier, string serverName)
    {
        Skip.If(identifier == "::1" && !Socket.OSSupportsIPv6, "this machine has no IPv6");

        var (result, asked) = await TlsAsync(new TestCertificates { Names = [], IpAddress = identifier }, identifier);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal(serverName, asked);
    }

    [Theory]
    [InlineData("1.0.0.127.in-addr.arpa", null, "is no iPAddress")]
    [InlineData("127.0.0.1", null, "is no iPAddress")]
    [InlineData("", "127.0.0.2", "it is for 127.0.0.2, 127.0.0.1 expected")]
    [InlineData("www.example.com", "127.0.0.1", "it names 2 subjects, exactly one iPAddress expected")]
    [InlineData("", null, "0 subjectAltName extensions")]
    public async Task Exactly_one_address_is_named(string names, string? address, string detail)
    {
        var show = new TestCertificates { Names = names.Split(',', StringSplitOptions.RemoveEmptyEntries), IpAddress = address };

        AssertRefused((await TlsAsync(show, "127.0.0.1")).Result, ProblemCatalog.Unauthorized, detail);
    }

    [Theory]
    [InlineData("30158705" + "7f00000100" + "870c" + "000000000000000000000000", "names 2 subjects")]
    [InlineData("30078705" + "7f00000100", "has 5 octets")]
    [InlineData("3012871000000000000000000000ffff7f000001", "127.0.0.1 is expected")] // the same address in IPv6 form
    [InlineData("3000", "names 0 subjects")]
    public async Task An_address_of_another_form_is_refused(string san, string detail) =>
        AssertRefused((await TlsAsync(new TestCertificates { RawNames = Convert.FromHexString(san) }, "127.0.0.1")).Result, ProblemCatalog.Unauthorized, detail);

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("0.0.0.0")]
    public async Task An_address_in_a_forbidden_network_is_not_connected_to(string identifier)
    {
        await using var zone = Sample.Zone();

        AssertRefused(await HttpAsync(zone, 80, identifier), ProblemCatalog.Connection, "does not connect to");
    }

    [Fact]
    public async Task Challenges_with_a_digest_in_a_record_prove_no_address()
    {
        await using var zone = Sample.Zone();
        foreach (IChallengeValidator validator in new IChallengeValidator[]
        {
            new Dns01Validator(Sample.Resolver(zone), TimeProvider.System),
            new DnsAccount01Validator(Sample.Resolver(zone), TimeProvider.System),
        })
        {
            AssertRefused(await validator.ValidateAsync(Sample.Attempt("127.0.0.1"), default), ProblemCatalog.Malformed, "use http-01 or tls-alpn-01 or dns-persist-01");
        }

        Assert.Empty(zone.Queries);
    }
}
