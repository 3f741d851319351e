namespace PersistCa.Validation.Challenges;

/// <summary>How tls-alpn-01 asks.</summary>
public sealed record TlsAlpn01Options
{
    /// <summary>Port. RFC 8737 section 3 fixes 443; another is for tests and closed networks.</summary>
    public int Port { get; init; } = 443;

    /// <summary>Longest wait for everything: look-ups, connection and handshake.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Where it may connect to.</summary>
    public TargetOptions Target { get; init; } = new();
}
