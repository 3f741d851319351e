using PersistCa.Protocol.Caa;

namespace PersistCa.Server.Hosting;

/// <summary>Section Validation:Caa: what CAA records (RFC 8659, RFC 8657) let this authority issue.</summary>
public sealed class CaaOptions
{
    /// <summary>What becomes of a verdict: Enforce, Report (kept as evidence, refuses nothing) or Off (nothing is looked up).</summary>
    public CaaMode Mode { get; set; } = CaaMode.Enforce;

    /// <summary>Other modes for names under suffixes; the longest counts.</summary>
    public List<CaaSuffixOptions> Suffixes { get; set; } = [];

    /// <summary>Most names asked in one climb, nearest first.</summary>
    public int MaxLabels { get; set; } = 32;

    /// <summary>Let a look-up that failed pass where the fault is another's, it was retried and the zone is proven unsigned (BR 3.2.2.8.1).</summary>
    public bool ExcuseInsecureFailures { get; set; }
}

/// <summary>Section Validation:Caa:Suffixes:N.</summary>
public sealed class CaaSuffixOptions
{
    /// <summary>A name; it stands for itself and all under it.</summary>
    public string Suffix { get; set; } = "";

    /// <summary>Its mode.</summary>
    public CaaMode Mode { get; set; } = CaaMode.Enforce;
}
