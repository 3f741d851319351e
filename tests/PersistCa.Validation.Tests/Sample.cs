using System.Net;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Demo;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests;

/// <summary>The good case that every test departs from.</summary>
internal static class Sample
{
    public const string Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    public const string Token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
    public const string KeyAuthorization = Token + "." + Thumbprint;

    public static AccountFacts Account { get; } = new("123", "https://ca.example/acct/123", [Thumbprint], IsValid: true);

    /// <summary>Loopback is where the servers under test are.</summary>
    public static TargetOptions Targets { get; } = new() { AllowLoopback = true };

    public static ChallengeAttempt Attempt(string identifier = "www.example.com") => new(Identifier.Of(identifier), Token, Account);

    public static CertificateName Name(string text) => (CertificateName)Identifier.Of(text);

    public static LoopbackZone Zone(LoopbackZoneOptions? options = null) =>
        LoopbackZone.Start(null, options ?? new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback });

    /// <summary>Asks the zone alone, once, with a wait short enough for tests that provoke it.</summary>
    public static DnsOptions Options(params IPEndPoint[] servers) => new()
    {
        Resolvers = [.. servers.Select(s => s.ToString())],
        Timeout = TimeSpan.FromSeconds(2),
        OverallTimeout = TimeSpan.FromSeconds(20),
        Retries = 0,
    };

    public static StubResolver Resolver(DnsOptions options, TimeProvider? time = null)
    {
        var resolver = StubResolver.Create(options, time ?? TimeProvider.System);
        return resolver.IsValid ? resolver.Value : throw new ArgumentException(resolver.Reason, nameof(options));
    }

    public static StubResolver Resolver(LoopbackZone zone) => Resolver(Options(zone.EndPoint));
}
