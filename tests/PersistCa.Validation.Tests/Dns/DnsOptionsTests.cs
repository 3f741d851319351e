using System.Text.Json;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

public sealed class DnsOptionsTests
{
    public static TheoryData<string, string?, string?> Addresses()
    {
        var data = new TheoryData<string, string?, string?>();
        using var vectors = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "resolver-addresses.json")));
        foreach (var vector in vectors.RootElement.EnumerateArray())
        {
            data.Add(
                vector.GetProperty("text").GetString()!,
                vector.TryGetProperty("endPoint", out var endPoint) ? endPoint.GetString() : null,
                vector.TryGetProperty("reason", out var reason) ? reason.GetString() : null);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Addresses))]
    public void A_resolver_is_an_ip_address_with_an_optional_port_or_one_over_tls_with_a_name(string text, string? endPoint, string? reason)
    {
        var read = ResolverAddress.Parse(text);

        Assert.Equal(endPoint, read.Value?.ToString());
        Assert.Equal(reason is null, read.IsValid);
        if (reason is not null)
        {
            Assert.Contains(reason, read.Reason, StringComparison.Ordinal);
            Assert.Contains($"'{text}'", read.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void One_bad_resolver_among_good_ones_is_named() =>
        Assert.Contains("'nonsense'", Reason(new DnsOptions { Resolvers = ["192.0.2.1", "nonsense"] }), StringComparison.Ordinal);

    private static string? Reason(DnsOptions options) => StubResolver.Create(options, TimeProvider.System).Reason;

    private static readonly DnsOptions Good = new() { Resolvers = ["192.0.2.1"] };

    public static TheoryData<DnsOptions, string> Contradictions() => new()
    {
        { Good with { RequireSecure = true }, nameof(DnsOptions.RequireSecure) },
        { Good with { TrustedResolvers = ["nobody"] }, "'nobody'" },
        { Good with { InsecureZones = [""] }, "'' is not a zone" },
        { Good with { Zones = [new("corp.example", [])] }, "'corp.example' has no resolver" },
        { Good with { Zones = [new("corp..example", ["192.0.2.2"])] }, "'corp..example' is not a zone" },
        { Good with { Zones = [new("corp.example", ["192.0.2.2"]), new("CORP.example.", ["192.0.2.3"])] }, "configured twice" },
        { new DnsOptions { SystemResolversFile = "/nonexistent/resolv.conf" }, "/nonexistent/resolv.conf names none" },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Settings_that_cannot_work_are_refused_with_what_is_wrong(DnsOptions options, string named) =>
        Assert.Contains(named, Reason(options), StringComparison.Ordinal);

    public static TheoryData<DnsOptions, string> OutOfRange() => new()
    {
        { new DnsOptions { Timeout = TimeSpan.Zero }, "timeouts" },
        { new DnsOptions { OverallTimeout = TimeSpan.FromSeconds(1) }, "timeouts" },
        { new DnsOptions { Retries = -1 }, nameof(DnsOptions.Retries) },
        { new DnsOptions { Retries = 11 }, nameof(DnsOptions.Retries) },
        { new DnsOptions { UdpPayloadOctets = 511 }, nameof(DnsOptions.UdpPayloadOctets) },
        { new DnsOptions { ConcurrencyPerResolver = 0 }, nameof(DnsOptions.ConcurrencyPerResolver) },
        { new DnsOptions { ConcurrencyPerZone = 0 }, nameof(DnsOptions.ConcurrencyPerZone) },
        { new DnsOptions { FailuresUntilCooling = 0 }, nameof(DnsOptions.FailuresUntilCooling) },
        { new DnsOptions { CoolingTime = TimeSpan.FromHours(2) }, nameof(DnsOptions.CoolingTime) },
        { new DnsOptions { MaxRecords = 0 }, nameof(DnsOptions.MaxRecords) },
        { new DnsOptions { MaxAnswerOctets = 65537 }, nameof(DnsOptions.MaxAnswerOctets) },
        { new DnsOptions { MaxCnames = -1 }, nameof(DnsOptions.MaxCnames) },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void A_limit_outside_its_range_is_refused_by_name(DnsOptions options, string named)
    {
        Assert.Contains(named, Reason(options with { Resolvers = ["192.0.2.1"] }), StringComparison.Ordinal);
    }
}
