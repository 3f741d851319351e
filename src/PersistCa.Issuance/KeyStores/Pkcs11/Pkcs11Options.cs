namespace PersistCa.Issuance.KeyStores.Pkcs11;

/// <summary>How tokens are reached. The PIN is not among it.</summary>
public sealed record Pkcs11Options
{
    /// <summary>Path of the module, a shared library.</summary>
    public required string Module { get; init; }

    /// <summary>Most sessions that are open at a time: as many signatures are made side by side.</summary>
    public int Sessions { get; init; } = 4;

    /// <summary>Longest wait for one call of the module, and for a free session.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Attempts at one signature: the second with new sessions, the third with the module started anew.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Longest pause before a token that was lost is looked for again; pauses begin at a quarter of a second and double.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);
}
