using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Hosting;

/// <summary>A server and the database that is its own.</summary>
public sealed class StoreGuardTests
{
    [Fact]
    public async Task A_second_server_over_one_sqlite_file_is_refused_and_the_first_goes_on()
    {
        await using var first = await RunningAuthority.StartAsync();
        var options = Elsewhere(first.Options);

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => ServerHost.StartAsync(options, first.Clock, CancellationToken.None));

        Assert.Equal("Store:ConnectionString", refused.Key);
        Assert.Contains("another server has", refused.Message, StringComparison.Ordinal);
        using var client = await first.RegisteredAsync();
        Assert.NotNull(client.AccountUrl);
    }

    [Fact]
    public async Task A_new_database_in_the_place_of_the_known_one_is_refused_until_that_is_meant()
    {
        await using var authority = await RunningAuthority.StartAsync();
        var other = Elsewhere(authority.Options);
        other.Store.ConnectionString = $"Data Source={Path.Combine(other.Server.DataDirectory, "other.db")}";

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => ServerHost.StartAsync(other, authority.Clock, CancellationToken.None));

        Assert.Equal("Store:ConnectionString", refused.Key);
        Assert.Contains("CRL numbers would begin anew", refused.Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(other.Server.DataDirectory, StoreGuard.MarkFile));
        await using var meant = await ServerHost.StartAsync(other, authority.Clock, CancellationToken.None);
    }

    private static PersistCaOptions Elsewhere(PersistCaOptions of)
    {
        var options = new PersistCaOptions();
        options.Server.DataDirectory = of.Server.DataDirectory;
        options.Server.BaseUrl = of.Server.BaseUrl;
        options.Server.Listen = $"127.0.0.1:{RunningAuthority.FreePort()}";
        options.Server.ListenPublication = $"127.0.0.1:{RunningAuthority.FreePort()}";
        options.Validation.Dns.Resolvers = of.Validation.Dns.Resolvers;
        options.Log.Level = of.Log.Level;
        return options;
    }
}
