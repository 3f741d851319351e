using System.Net;
using System.Net.Security;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class Http01RedirectTests
{
    private const string Name = "www.example.com";

    private static ScriptedServer Redirecting(Func<int, string> location, int status = 302)
    {
        var port = 0;
        var server = new ScriptedServer(async (header, stream, stopping) =>
        {
            var response = header.StartsWith("GET /there", StringComparison.Ordinal)
                ? ScriptedServer.Ok(Sample.KeyAuthorization)
                : ScriptedServer.Redirect(status, location(Volatile.Read(ref port)));
            await stream.WriteAsync(Encoding.Latin1.GetBytes(response), stopping);
        });
        Volatile.Write(ref port, server.Port);
        return server;
    }

    private static async Task<ChallengeResult> ValidateAsync(ScriptedServer server, LoopbackZone? zone = null, params int[] morePorts)
    {
        await using var own = Sample.Zone();
        var options = new Http01Options { Target = Sample.Targets, Port = server.Port, AllowedRedirectPorts = [80, 443, .. morePorts], Timeout = TimeSpan.FromSeconds(20) };
        return await new Http01Validator(Sample.Resolver(zone ?? own), options, TimeProvider.System).ValidateAsync(Sample.Attempt(), default);
    }

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.Equal(type, result.Problem!.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", result.Problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task These_redirects_are_followed_and_the_name_is_looked_up_again(int status)
    {
        using var server = Redirecting(p => $"http://other.example.net:{p}/there", status);
        await using var zone = Sample.Zone();

        var result = await ValidateAsync(server, zone);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Contains(zone.Queries, q => q.Owner == "other.example.net");
        Assert.Equal([status, 200], result.Evidence.Hops!.Select(h => h.Status!.Value));
        Assert.Equal($"http://other.example.net:{server.Port}/there", result.Evidence.Hops![0].Location);
    }

    [Theory]
    [InlineData("/there")]
    [InlineData("//www.example.com:{0}/there?x=1#y")]
    public async Task A_relative_redirect_is_followed(string location)
    {
        using var server = Redirecting(p => location.Replace("{0}", $"{p}", StringComparison.Ordinal));

        var result = await ValidateAsync(server);

        Assert.True(result.IsValid, result.Problem?.Detail);
    }

    [Fact]
    public async Task A_redirect_to_https_is_followed_whatever_certificate_is_shown()
    {
        using var certificate = new TestCertificates { Names = ["unrelated.example"], Oid = null }.Create();
        using var secure = ScriptedServer.Answering(
            ScriptedServer.Ok(Sample.KeyAuthorization), new SslServerAuthenticationOptions { ServerCertificate = certificate });
        using var server = Redirecting(_ => $"https://{Name}:{secure.Port}/there");

        var result = await ValidateAsync(server, null, secure.Port);

        Assert.True(result.IsValid, result.Problem?.Detail);
    }

    [Fact]
    public async Task A_redirect_to_https_without_tls_is_a_tls_problem()
    {
        using var plain = new ScriptedServer(
            async (_, stream, stopping) => await stream.WriteAsync("this is not TLS\r\n\r\n"u8.ToArray(), stopping), readsRequest: false);
        using var server = Redirecting(_ => $"https://{Name}:{plain.Port}/there");

        AssertRefused(await ValidateAsync(server, null, plain.Port), ProblemCatalog.Tls, "TLS handshake");
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/there", "its host is an IP address")]
    [InlineData("http://[::1]:{0}/there", "its host is an IP address")]
    [InlineData("http://2130706433:{0}/there", "its host is an IP address")]
    [InlineData("http://0x7f.1:{0}/there", "its host is an IP address")]
    [InlineData("http://www.example.com:8081/there", "its port is 8081, one of 80, 443 expected")]
    [InlineData("ftp://www.example.com/there", "its scheme is 'ftp'")]
    [InlineData("file:///etc/passwd", "its scheme is 'file'")]
    [InlineData("http://user:secret@www.example.com:{0}/there", "credentials")]
    [InlineData("http://under_score.example.com:{0}/there", "is no domain name")]
    public async Task A_redirect_elsewhere_is_not_followed(string location, string detail)
    {
        using var server = Redirecting(p => location.Replace("{0}", $"{p}", StringComparison.Ordinal));

        var result = await ValidateAsync(server);

        AssertRefused(result, ProblemCatalog.Connection, detail);
        Assert.DoesNotContain("secret", result.Problem!.Detail, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_redirect_without_location_is_not_followed()
    {
        using var server = ScriptedServer.Answering("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, "no readable Location");
    }

    [Fact]
    public async Task A_redirect_to_an_overlong_url_is_not_followed()
    {
        using var server = Redirecting(p => $"http://{Name}:{p}/there{new string('x', 2000)}");

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, "at most 2000 expected");
    }

    [Fact]
    public async Task A_redirect_into_a_forbidden_network_is_not_followed()
    {
        using var server = Redirecting(p => $"http://metadata.example.net:{p}/there");
        await using var zone = Sample.Zone();
        zone.SetA("metadata.example.net", IPAddress.Parse("169.254.169.254"));

        AssertRefused(await ValidateAsync(server, zone), ProblemCatalog.Connection, "does not connect to");
    }

    [Fact]
    public async Task A_loop_ends_after_ten_redirects()
    {
        using var server = Redirecting(p => $"http://{Name}:{p}/again");

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, "at most 10 redirects");
        Assert.Equal(11, server.Requests.Count);
    }

    [Fact]
    public async Task Ten_redirects_are_followed()
    {
        var count = 0;
        using var server = Redirecting(p => ++count == 10 ? $"http://{Name}:{p}/there" : $"http://{Name}:{p}/again");

        var result = await ValidateAsync(server);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.Equal(11, server.Requests.Count);
    }
}
