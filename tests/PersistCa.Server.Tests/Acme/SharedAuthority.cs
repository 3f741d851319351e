using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>One authority for the tests of a class.</summary>
public sealed class SharedAuthority : IAsyncLifetime
{
    private int names;

    public RunningAuthority Authority { get; private set; } = null!;

    /// <summary>A name that no other test uses.</summary>
    public string Fresh() => $"n{Interlocked.Increment(ref names)}.example.test";

    public async Task InitializeAsync() => Authority = await RunningAuthority.StartAsync(o => o.Acme.OrdersPerPage = 2);

    public async Task DisposeAsync() => await Authority.DisposeAsync();
}
