using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using PersistCa.Protocol.Acme;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class TlsAlpn01ValidatorTests
{
    private const string Name = "www.example.com";

    private static readonly TestCertificates Good = new();

    private static async Task<ChallengeResult> ValidateAsync(
        TestCertificates show, List<SslApplicationProtocol>? alpn = null, SslProtocols protocols = SslProtocols.None, Action<string?>? seenName = null)
    {
        using var certificate = show.Create();
        var settings = new SslServerAuthenticationOptions
        {
            ApplicationProtocols = alpn ?? [TlsAlpn01Validator.Protocol],
            EnabledSslProtocols = protocols,
            ServerCertificateSelectionCallback = (_, name) =>
            {
                seenName?.Invoke(name);
                return certificate;
            },
        };
        if (alpn is { Count: 0 })
        {
            settings.ApplicationProtocols = null;
        }

        using var server = new ScriptedServer((_, _, _) => Task.CompletedTask, settings);
        return await ValidateAsync(server);
    }

    private static async Task<ChallengeResult> ValidateAsync(ScriptedServer server, TimeSpan? timeout = null, string name = Name)
    {
        await using var zone = Sample.Zone();
        var options = new TlsAlpn01Options { Target = Sample.Targets, Port = server.Port, Timeout = timeout ?? TimeSpan.FromSeconds(20) };
        return await new TlsAlpn01Validator(Sample.Resolver(zone), options, TimeProvider.System).ValidateAsync(Sample.Attempt(name), default);
    }

    private static void AssertRefused(ChallengeResult result, ProblemType type, string detail)
    {
        Assert.False(result.IsValid);
        Assert.Equal(type, result.Problem!.Type);
        Assert.Contains(detail, result.Problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", result.Problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task The_right_certificate_proves_control(SslProtocols protocol, bool rsa)
    {
        string? asked = null;

        var result = await ValidateAsync(Good with { UseRsa = rsa }, protocols: protocol, seenName: n => asked = n);

        Assert.True(result.IsValid, result.Problem?.Detail);
        Assert.True(result.Reusable);
        Assert.Equal(Name, asked);
        Assert.Equal("acme-tls/1", result.Evidence.Tls!.Alpn);
        Assert.Equal(protocol.ToString(), result.Evidence.Tls.Protocol);
        Assert.StartsWith("127.0.0.1:", result.Evidence.Tls.Address, StringComparison.Ordinal);
        Assert.Equal(64, result.Evidence.Tls.CertificateSha256!.Length);
    }

    [Fact]
    public async Task The_name_is_compared_without_case()
    {
        Assert.True((await ValidateAsync(Good with { Names = ["WWW.Example.com"] })).IsValid);
    }

    public static TheoryData<string, string> Names() => new()
    {
        { "www.example.com,other.example.com", "it names 2 subjects" },
        { "www.example.com,www.example.com", "it names 2 subjects" },
        { "other.example.com", "it is for 'other.example.com', 'www.example.com' expected" },
        { "*.example.com", "it is for '*.example.com'" },
        { "example.com", "it is for 'example.com'" },
        { "", "0 subjectAltName extensions" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Exactly_one_subject_is_named(string names, string detail)
    {
        var show = Good with { Names = names.Split(',', StringSplitOptions.RemoveEmptyEntries) };

        AssertRefused(await ValidateAsync(show), ProblemCatalog.Unauthorized, detail);
    }

    [Theory]
    [InlineData("www.example.com", "it names 2 subjects")]
    [InlineData("", "is no dNSName")]
    public async Task An_address_is_no_name(string names, string detail)
    {
        var show = Good with { Names = names.Split(',', StringSplitOptions.RemoveEmptyEntries), IpAddress = "192.0.2.1" };

        AssertRefused(await ValidateAsync(show), ProblemCatalog.Unauthorized, detail);
    }

    [Fact]
    public async Task The_extension_is_critical()
    {
        AssertRefused(await ValidateAsync(Good with { Critical = false }), ProblemCatalog.Unauthorized, "is not critical");
    }

    [Theory]
    [InlineData("1.3.6.1.5.5.7.1.30.1")]
    [InlineData("1.3.6.1.5.5.7.1.32")]
    [InlineData(null)]
    public async Task The_extension_has_the_registered_identifier(string? oid)
    {
        AssertRefused(await ValidateAsync(Good with { Oid = oid }), ProblemCatalog.Unauthorized, "0 acmeIdentifier extensions");
    }

    [Fact]
    public async Task Another_key_authorization_does_not_match()
    {
        var value = TestCertificates.OctetString(TestCertificates.Digest(Sample.Token + ".another-thumbprint"));

        AssertRefused(await ValidateAsync(Good with { Value = value }), ProblemCatalog.Unauthorized, "is not that of the key authorization");
    }

    public static TheoryData<byte[], string> Values() => new()
    {
        { TestCertificates.OctetString([1, 2, 3]), "holds 3 octets, 32 expected" },
        { TestCertificates.Digest(Sample.KeyAuthorization), "cannot be read" },
        { [.. TestCertificates.OctetString(TestCertificates.Digest(Sample.KeyAuthorization)), 0], "cannot be read" },
        { [4, 0x81, 32, .. TestCertificates.Digest(Sample.KeyAuthorization)], "cannot be read" },
        { [], "cannot be read" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task The_extension_is_one_octet_string_of_32_octets(byte[] value, string detail)
    {
        AssertRefused(await ValidateAsync(Good with { Value = value }), ProblemCatalog.Unauthorized, detail);
    }

    [Fact]
    public async Task A_certificate_of_another_issuer_is_not_self_signed()
    {
        AssertRefused(await ValidateAsync(Good with { OtherIssuer = "CN=other" }), ProblemCatalog.Unauthorized, "its issuer is not its subject");
    }

    [Fact]
    public async Task A_certificate_signed_by_another_key_is_not_self_signed()
    {
        AssertRefused(await ValidateAsync(Good with { SignedByOther = true }), ProblemCatalog.Unauthorized, "its signature is not by its own key");
    }

    [Fact]
    public async Task No_application_protocol_is_unauthorized()
    {
        AssertRefused(await ValidateAsync(Good, alpn: []), ProblemCatalog.Unauthorized, "did not agree on the application protocol");
    }

    [Fact]
    public async Task Another_application_protocol_fails_the_handshake()
    {
        var result = await ValidateAsync(Good, alpn: [SslApplicationProtocol.Http11]);

        AssertRefused(result, ProblemCatalog.Tls, "handshake");
    }

    [Fact]
    public async Task A_longer_application_protocol_is_not_the_one()
    {
        AssertRefused(await ValidateAsync(Good, alpn: [new SslApplicationProtocol("acme-tls/1.1")]), ProblemCatalog.Tls, "handshake");
    }

    [Fact]
    public async Task A_server_of_a_protocol_before_tls_1_2_fails_the_handshake()
    {
        // The version stands in the ServerHello as TLS 1.1 (3, 2), which is refused before anything else of it is looked at.
        using var server = new ScriptedServer(
            async (_, stream, stopping) =>
            {
                byte[] hello = [2, 0, 0, 38, 3, 2, .. new byte[32], 0, 0xc0, 0x13, 0];
                await stream.WriteAsync(new byte[] { 22, 3, 2, 0, (byte)hello.Length }.Concat(hello).ToArray(), stopping);
                await stream.ReadAtLeastAsync(new byte[4096], 4096, throwOnEndOfStream: false, stopping);
            },
            readsRequest: false);

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Tls, "TLS 1.2 or 1.3");
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task The_connection_ends_after_the_handshake_without_application_data(SslProtocols protocol)
    {
        using var certificate = Good.Create();
        var read = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var server = new ScriptedServer(
            async (_, stream, stopping) => read.SetResult(await ReadToEndAsync(stream, stopping)),
            new SslServerAuthenticationOptions { ApplicationProtocols = [TlsAlpn01Validator.Protocol], ServerCertificate = certificate, EnabledSslProtocols = protocol },
            readsRequest: false);

        Assert.True((await ValidateAsync(server)).IsValid);
        Assert.Equal(0, await read.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_name_in_the_subject_is_no_subject_alternative_name()
    {
        AssertRefused(await ValidateAsync(Good with { Names = [], Subject = "CN=www.example.com" }), ProblemCatalog.Unauthorized, "0 subjectAltName extensions");
    }

    [Fact]
    public async Task A_server_without_tls_is_a_tls_problem()
    {
        using var server = new ScriptedServer(
            async (_, stream, stopping) => await stream.WriteAsync("220 mail.example.com ESMTP\r\n"u8.ToArray(), stopping), readsRequest: false);

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Tls, "handshake");
    }

    [Fact]
    public async Task A_server_that_says_nothing_ends_at_the_timeout()
    {
        using var server = new ScriptedServer(
            (_, _, stopping) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping), readsRequest: false);

        AssertRefused(await ValidateAsync(server, TimeSpan.FromMilliseconds(300)), ProblemCatalog.Connection, "within 0.3 seconds");
    }

    [Fact]
    public async Task A_closed_port_is_a_connection_problem()
    {
        var server = ScriptedServer.Answering("");
        server.Dispose();

        AssertRefused(await ValidateAsync(server), ProblemCatalog.Connection, "the connection was refused");
    }

    [Fact]
    public async Task A_failed_look_up_is_a_dns_problem()
    {
        await using var zone = Sample.Zone();
        zone.Fail(Name, 2);

        var result = await new TlsAlpn01Validator(Sample.Resolver(zone), new TlsAlpn01Options(), TimeProvider.System)
            .ValidateAsync(Sample.Attempt(), default);

        AssertRefused(result, ProblemCatalog.Dns, "SERVFAIL");
    }

    [Fact]
    public async Task A_wildcard_cannot_be_proved()
    {
        using var server = ScriptedServer.Answering("");

        AssertRefused(await ValidateAsync(server, name: "*.example.com"), ProblemCatalog.Malformed, "wildcard");
    }

    [Fact]
    public void The_digest_is_that_of_the_key_authorization()
    {
        Assert.Equal(SHA256.HashSizeInBytes, TestCertificates.Digest(Sample.KeyAuthorization).Length);
        Assert.Equal(Sample.KeyAuthorization, Sample.Attempt().KeyAuthorization);
    }

    private static async Task<int> ReadToEndAsync(Stream stream, CancellationToken stopping)
    {
        try
        {
            return await stream.ReadAtLeastAsync(new byte[16], 16, throwOnEndOfStream: false, stopping);
        }
        catch (IOException)
        {
            return 0; // closed without a farewell, which is as good
        }
    }
}
