using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>draft-ietf-acme-profiles: what the directory lists, what an order gets, what is refused and when.</summary>
public sealed class ProfileTests
{
    private const string Server = "1.3.6.1.5.5.7.3.1";
    private const string Client = "1.3.6.1.5.5.7.3.2";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task The_directory_lists_what_is_offered_and_an_order_says_which_it_has()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        var listed = (await client.DirectoryAsync(None))["meta"]!["profiles"]!.AsObject();
        Assert.Equal(["server", "client", "server-short-lived"], listed.Select(p => p.Key));
        Assert.Equal("server", (await client.OrderAsync(["a.test"], None)).Json["profile"]!.GetValue<string>());
        Assert.Equal("client", (await client.OrderAsync(["a.test"], None, "client")).Json["profile"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(null, 90, true, Server)]
    [InlineData("server", 90, true, Server)]
    [InlineData("server-short-lived", 6, false, Server)]
    [InlineData("client", 90, true, Client)]
    public async Task Each_shipped_profile_makes_its_own_kind_of_certificate(string? profile, int days, bool list, string purpose)
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueOfAsync(profile, "dns-persist-01", "a.test"));
        Assert.Equal(TimeSpan.FromDays(days), leaf.NotAfter - leaf.NotBefore + TimeSpan.FromSeconds(1));
        Assert.Equal(list, leaf.Extensions.Any(e => e.Oid!.Value == "2.5.29.31"));
        Assert.Equal(!list, leaf.Extensions.Any(e => e.Oid!.Value == "2.5.29.56"));
        Assert.Equal(purpose, Assert.Single(leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>()).Value);
    }

    [Fact]
    public async Task A_profile_that_is_not_offered_is_refused_with_the_list_of_those_that_are()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        foreach (var name in new[] { "nonsense", "Server", "server-cabf", "" })
        {
            var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.test"], None, name));
            Assert.Equal("invalidProfile", refused.Answer.Problem);
            Assert.Contains("server-short-lived", refused.Answer.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_profile_for_other_accounts_is_refused_to_this_one()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "team", Accounts = ["AAAAAAAAAAAAAAAA"] }]);
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.test"], None, "team"));
        Assert.Equal("invalidProfile", refused.Answer.Problem);
        Assert.Contains("not offered to this account", refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_profile_withdrawn_after_the_order_is_refused_at_finalize()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "team" }]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderOfAsync("team", "dns-persist-01", "a.test");
        authority.Options.Profiles[0].Offered = false;
        await authority.RestartAsync();
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, csr));
        Assert.Equal("invalidProfile", refused.Answer.Problem);
    }

    [Fact]
    public async Task A_kind_of_key_that_the_profile_is_not_for_is_refused_at_finalize()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "rsa", Keys = ["Rsa"] }]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderOfAsync("rsa", "dns-persist-01", "a.test");
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, csr));
        Assert.Equal("badPublicKey", refused.Answer.Problem);
        Assert.Contains("rsa is not for P256", refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_challenges_of_the_profile_are_offered()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "persist", Challenges = ["dns-persist-01"] }]);
        using var client = await authority.RegisteredAsync();
        var order = await client.OrderAsync(["a.test"], None, "persist");
        var offered = (await client.FetchAsync(order.Json["authorizations"]![0]!.GetValue<string>(), None)).Json["challenges"]!.AsArray();
        Assert.Equal("dns-persist-01", Assert.Single(offered)!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_challenge_that_the_profile_no_longer_accepts_is_found_at_issuance()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "team", Challenges = ["dns-persist-01", "dns-01"] }]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderOfAsync("team", "dns-persist-01", "a.test");
        authority.Options.Profiles[0].Challenges = ["dns-01"];
        await authority.RestartAsync();
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        var failed = await client.FinalizeAsync(order, csr);
        Assert.Equal("invalid", failed.Json["status"]!.GetValue<string>());
        Assert.Contains("the profile team does not accept any more", failed.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Most_names_are_the_profile_s()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "one", MaxNames = 1 }]);
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.test", "b.test"], None, "one"));
        Assert.Contains("names 2 identifiers; at most 1", refused.Answer.Body, StringComparison.Ordinal);
    }
}
