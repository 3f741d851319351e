namespace PersistCa.Testing;

/// <summary>Waits for what must come, as long as a machine needs that has much else to do; nothing is said of how fast it came.</summary>
public static class Patience
{
    /// <summary>How long is waited.</summary>
    public static TimeSpan Most { get; } = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks again and again until something is there.</summary>
    /// <param name="look">Looks; null while it is not there.</param>
    /// <param name="missing">What to say when it does not come.</param>
    /// <exception cref="TimeoutException">It did not come in two minutes.</exception>
    public static async Task<T> UntilAsync<T>(Func<Task<T?>> look, string missing)
        where T : class
    {
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < Most;)
        {
            if (await look() is { } found)
            {
                return found;
            }

            await Task.Delay(Pause, TimeProvider.System);
        }

        throw new TimeoutException(missing);
    }

    /// <summary>Looks again and again until something is so.</summary>
    /// <param name="look">Looks.</param>
    /// <param name="missing">What to say when it does not come.</param>
    /// <exception cref="TimeoutException">It did not come in two minutes.</exception>
    public static Task UntilAsync(Func<Task<bool>> look, string missing) => UntilAsync<object>(async () => await look() ? look : null, missing);
}
