using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Nodes;

/// <summary>Behind proxies the address of a client is what a trusted one says, and nobody else.</summary>
public sealed class ProxyTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Limits_by_address_count_the_clients_behind_a_trusted_proxy_apart()
    {
        await using var authority = await StartAsync(["127.0.0.0/8"]);
        await RegisterAsync(authority, "198.51.100.1");
        await RegisterAsync(authority, "198.51.100.2");
        await RefusedAsync(authority, "198.51.100.1");
    }

    [Fact]
    public async Task What_a_client_wrote_before_the_trusted_proxy_wrote_is_not_believed()
    {
        await using var authority = await StartAsync(["127.0.0.0/8", "192.0.2.0/24"]);
        await RegisterAsync(authority, "198.51.100.1, 192.0.2.7"); // two proxies, both known
        await RefusedAsync(authority, "203.0.113.99, 198.51.100.1, 192.0.2.8");
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.0/8")]
    public async Task Nobody_who_is_not_trusted_says_where_he_is(string trusted)
    {
        await using var authority = await StartAsync(trusted.Length == 0 ? [] : [trusted]);
        await RegisterAsync(authority, "198.51.100.1");
        await RefusedAsync(authority, "198.51.100.2");
    }

    [Fact]
    public async Task A_trusted_balancer_says_by_the_PROXY_protocol_where_the_client_is_and_a_header_in_the_request_changes_nothing()
    {
        await using var authority = await StartAsync(["127.0.0.0/8"], proxyProtocol: true);
        await RegisterAsync(authority, "203.0.113.1", "198.51.100.1");
        await RegisterAsync(authority, "203.0.113.1", "198.51.100.2");
        await RefusedAsync(authority, "203.0.113.2", "198.51.100.1");
    }

    [Fact]
    public async Task A_trusted_balancer_without_its_header_is_not_served()
    {
        await using var authority = await StartAsync(["127.0.0.0/8"], proxyProtocol: true);
        await Assert.ThrowsAsync<HttpRequestException>(() => RegisterAsync(authority, null));
    }

    [Fact]
    public async Task Whoever_is_not_trusted_begins_with_TLS_as_ever()
    {
        await using var authority = await StartAsync(["10.0.0.0/8"], proxyProtocol: true);
        await RegisterAsync(authority, null);
        await Assert.ThrowsAsync<HttpRequestException>(() => RegisterAsync(authority, null, "198.51.100.1"));
    }

    [Fact]
    public void The_PROXY_protocol_without_trusted_proxies_stops_the_start()
    {
        var options = new PersistCaOptions();
        options.Server.ProxyProtocol = true;
        Assert.Equal("Server:ProxyProtocol", Assert.Single(OptionRules.Check(options)).Key);
    }

    private static Task<RunningAuthority> StartAsync(List<string> trusted, bool proxyProtocol = false) => RunningAuthority.StartAsync(o =>
    {
        o.Server.TrustedProxies = trusted;
        o.Server.ProxyProtocol = proxyProtocol;
        o.Limits.NewAccountsPerAddress = "1/01:00:00";
    });

    private static async Task RegisterAsync(RunningAuthority authority, string? forwarded, string? header = null)
    {
        var handler = RootTrust.Handler(authority.RootPem);
        if (header is not null)
        {
            handler.ConnectCallback = async (context, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPEndPoint.Parse(authority.Options.Server.Listen), cancel);
                byte[] octets = [.. Convert.FromHexString("0D0A0D0A000D0A515549540A2111000C"), .. IPAddress.Parse(header).GetAddressBytes(), 127, 0, 0, 1, 0xC3, 0x50, 0x01, 0xBB];
                await socket.SendAsync(octets.AsMemory(0, 5), cancel); // in two pieces, as networks may cut it
                await socket.SendAsync(octets.AsMemory(5), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        var http = new HttpClient(handler);
        if (forwarded is not null)
        {
            http.DefaultRequestHeaders.Add("X-Forwarded-For", forwarded);
        }

        using var client = new AcmeClient(http, authority.DirectoryUrl, System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256));
        await client.RegisterAsync(None);
    }

    private static async Task RefusedAsync(RunningAuthority authority, string? forwarded, string? header = null)
    {
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => RegisterAsync(authority, forwarded, header));
        Assert.Equal("rateLimited", refused.Answer.Problem);
    }
}
