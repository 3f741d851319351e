using System.Net;
using System.Text.Json;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class TargetPolicyTests
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "ssrf.json"))).RootElement;

    public static TheoryData<string, bool, bool, string> Addresses()
    {
        var rows = new TheoryData<string, bool, bool, string>();
        foreach (var row in Vectors.GetProperty("addresses").EnumerateArray())
        {
            rows.Add(row.GetProperty("address").GetString()!, row.GetProperty("default").GetBoolean(), row.GetProperty("strict").GetBoolean(), row.GetProperty("why").GetString()!);
        }

        return rows;
    }

    private static bool Permits(string address, TargetOptions options) => new TargetPolicy(options).Permits(IPAddress.Parse(address));

    private static IReadOnlyList<IPNetwork> Networks(params string[] networks) => [.. networks.Select(IPNetwork.Parse)];

    [Theory]
    [MemberData(nameof(Addresses))]
    public void Each_special_range_is_judged_as_the_table_says(string address, bool byDefault, bool strict, string why)
    {
        Assert.True(byDefault == Permits(address, new TargetOptions()), why);
        Assert.True(strict == Permits(address, new TargetOptions { Strict = true }), why);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("64:ff9b::7f00:1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    [InlineData("169.254.169.254", false)]
    public void Loopback_can_be_allowed_and_nothing_else_comes_with_it(string address, bool permitted)
    {
        Assert.Equal(permitted, Permits(address, new TargetOptions { AllowLoopback = true }));
        Assert.Equal(permitted, Permits(address, new TargetOptions { AllowLoopback = true, Strict = true }));
        Assert.False(Permits(address, new TargetOptions { AllowLoopback = true, DeniedNetworks = Networks("127.0.0.0/8", "::/0") }));
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("10.9.2.3", false)]
    [InlineData("11.1.2.3", false)]
    [InlineData("2606:4700::1", false)]
    public void Named_networks_are_the_only_ones_and_denied_ones_win(string address, bool permitted) =>
        Assert.Equal(permitted, Permits(address, new TargetOptions { AllowedNetworks = Networks("10.0.0.0/8"), DeniedNetworks = Networks("10.9.0.0/16") }));

    [Theory]
    [InlineData("10.1.2.3", true)] // the named network is inside the range
    [InlineData("10.2.0.1", false)]
    [InlineData("8.8.8.8", true)]
    [InlineData("127.0.0.1", false)] // 0.0.0.0/0 is wider than the range
    [InlineData("169.254.169.254", false)]
    [InlineData("169.254.10.1", true)]
    [InlineData("fd00:ec2::254", false)] // narrower than the network that was named
    [InlineData("fd00::1", true)]
    public void A_network_lifts_the_refusal_of_a_range_that_it_lies_in(string address, bool permitted) =>
        Assert.Equal(permitted, Permits(address, new TargetOptions { Strict = true, AllowedNetworks = Networks("0.0.0.0/0", "10.1.0.0/16", "169.254.10.0/24", "fd00::/8") }));

    [Fact]
    public void A_denied_network_holds_for_addresses_that_carry_one_of_it()
    {
        var options = new TargetOptions { DeniedNetworks = Networks("203.0.113.0/24", "2002::/16") };

        Assert.False(Permits("203.0.113.5", options));
        Assert.False(Permits("::ffff:203.0.113.5", options));
        Assert.False(Permits("64:ff9b::cb00:7105", options));
        Assert.False(Permits("2002:808:808::1", options));
    }
}
