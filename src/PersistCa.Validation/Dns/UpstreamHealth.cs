namespace PersistCa.Validation.Dns;

/// <summary>How a resolver has done lately. Only its own failures count (no reply, or none that can be used): SERVFAIL is the fault of a zone.</summary>
/// <param name="FailuresInARow">Failures since the last answer.</param>
/// <param name="CoolsUntil">Until then it is asked last.</param>
internal readonly record struct UpstreamHealth(int FailuresInARow, DateTimeOffset CoolsUntil)
{
    /// <summary>Whether it is asked last.</summary>
    public bool IsCooling(DateTimeOffset now) => now < CoolsUntil;

    /// <summary>After an answer.</summary>
    public static UpstreamHealth AfterAnswer() => default;

    /// <summary>After a failure.</summary>
    /// <param name="now">The time.</param>
    /// <param name="options">How many failures are too many, and for how long.</param>
    public UpstreamHealth AfterFailure(DateTimeOffset now, DnsOptions options)
    {
        var failures = Math.Min(FailuresInARow + 1, options.FailuresUntilCooling);
        return new UpstreamHealth(failures, failures >= options.FailuresUntilCooling ? now + options.CoolingTime : CoolsUntil);
    }
}

/// <summary>In which order the resolvers of a route are asked. Pure.</summary>
internal static class UpstreamOrder
{
    /// <summary>
    /// The order of one look-up: in turn, those that cool behind all others, and of those first whose time ends first. Nobody is left out: a resolver
    /// that fails may be all there is.
    /// </summary>
    /// <param name="health">Health of each resolver, one at least.</param>
    /// <param name="turn">Number of the look-up; each starts one further.</param>
    /// <param name="now">The time.</param>
    /// <returns>Indexes into <paramref name="health"/>, each once.</returns>
    public static int[] For(IReadOnlyList<UpstreamHealth> health, uint turn, DateTimeOffset now) =>
    [
        .. Enumerable.Range(0, health.Count)
            .Select(i => (int)(((turn % (uint)health.Count) + (uint)i) % (uint)health.Count))
            .OrderBy(i => health[i].IsCooling(now) ? health[i].CoolsUntil : DateTimeOffset.MinValue),
    ];
}
