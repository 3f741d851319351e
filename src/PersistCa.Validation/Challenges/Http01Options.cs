namespace PersistCa.Validation.Challenges;

/// <summary>How http-01 asks.</summary>
public sealed record Http01Options
{
    /// <summary>Port of the first request. RFC 8555 section 8.3 fixes 80; another is for tests and closed networks.</summary>
    public int Port { get; init; } = 80;

    /// <summary>Most redirects followed.</summary>
    public int MaxRedirects { get; init; } = 10;

    /// <summary>Ports a redirect may lead to, besides <see cref="Port"/> (BR 1.6.1 "authorized ports").</summary>
    public IReadOnlyList<int> AllowedRedirectPorts { get; init; } = [80, 443];

    /// <summary>Longest wait for everything: look-ups, redirects and body.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most octets of body that are read. A key authorization has under 200.</summary>
    public int MaxBodyOctets { get; init; } = 4096;

    /// <summary>Most kibibytes of response header.</summary>
    public int MaxHeaderKibibytes { get; init; } = 16;

    /// <summary>Longest URL a redirect may lead to, in characters.</summary>
    public int MaxUrlCharacters { get; init; } = 2000;

    /// <summary>Where it may connect to.</summary>
    public TargetOptions Target { get; init; } = new();
}
