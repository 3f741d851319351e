namespace PersistCa.Validation.Dns;

/// <summary>One resolver while the program runs: its health and its places.</summary>
internal sealed class Upstream(ResolverAddress address, bool isTrusted, DnsOptions options, TimeProvider time)
{
    private readonly Lock gate = new();
    private UpstreamHealth health;

    /// <summary>Where it is.</summary>
    public ResolverAddress Address { get; } = address;

    /// <summary>Whether its word on DNSSEC counts.</summary>
    public bool IsTrusted { get; } = isTrusted;

    /// <summary>Its places.</summary>
    public UpstreamPlaces Places { get; } = new(options.ConcurrencyPerResolver, options.ConcurrencyPerZone);

    /// <summary>How it has done lately.</summary>
    public UpstreamHealth Health
    {
        get
        {
            lock (gate)
            {
                return health;
            }
        }
    }

    /// <summary>Counts one exchange.</summary>
    public void Count(bool answered)
    {
        lock (gate)
        {
            health = answered ? UpstreamHealth.AfterAnswer() : health.AfterFailure(time.GetUtcNow(), options);
        }
    }
}

/// <summary>
/// Bounds the questions in flight at one resolver, over all and for each zone. Whoever waits for a place of a zone holds none of the resolver, so that
/// a zone that never answers delays only itself.
/// </summary>
internal sealed class UpstreamPlaces(int overAll, int perZone)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, ZonePlaces> zones = new(StringComparer.Ordinal);

    // Never disposed of, and need not be: no wait handle is ever asked of it.
    private SemaphoreSlim All { get; } = new(overAll, overAll);

    /// <summary>Zones that somebody has or awaits a place of.</summary>
    public int BusyZones
    {
        get
        {
            lock (gate)
            {
                return zones.Count;
            }
        }
    }

    /// <summary>Takes a place; dispose of it to give it back.</summary>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public async Task<IDisposable> EnterAsync(string zone, CancellationToken cancellationToken)
    {
        var ofZone = Join(zone);
        try
        {
            await ofZone.Places.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Leave(zone, ofZone);
            throw;
        }

        try
        {
            await All.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            ofZone.Places.Release();
            Leave(zone, ofZone);
            throw;
        }

        return new Place(this, zone, ofZone);
    }

    private ZonePlaces Join(string zone)
    {
        lock (gate)
        {
            if (!zones.TryGetValue(zone, out var places))
            {
                zones[zone] = places = new ZonePlaces(perZone);
            }

            places.Users++;
            return places;
        }
    }

    private void Leave(string zone, ZonePlaces places)
    {
        lock (gate)
        {
            // Names are a stranger's choice: a zone that nobody asks for any more is forgotten.
            if (--places.Users == 0)
            {
                zones.Remove(zone);
            }
        }
    }

    private sealed class ZonePlaces(int most)
    {
        public SemaphoreSlim Places { get; } = new(most, most);

        public int Users { get; set; }
    }

    private sealed class Place(UpstreamPlaces owner, string zone, ZonePlaces ofZone) : IDisposable
    {
        public void Dispose()
        {
            owner.All.Release();
            ofZone.Places.Release();
            owner.Leave(zone, ofZone);
        }
    }
}
