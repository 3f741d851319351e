namespace PersistCa.Server.Hosting;

/// <summary>Section Perspective: what this node is in the role perspective, which looks at names for other authorities (Open MPIC).</summary>
public sealed class PerspectiveOptions
{
    /// <summary>Address and port for HTTPS with client certificates.</summary>
    public string Listen { get; set; } = "127.0.0.1:14443";

    /// <summary>TLS certificate chain (PEM).</summary>
    public string TlsCertificateFile { get; set; } = "";

    /// <summary>Key of that certificate (PEM, not encrypted).</summary>
    public string TlsKeyFile { get; set; } = "";

    /// <summary>Certificates (PEM) of the authorities whose client certificates are admitted; empty to go by ClientFingerprints alone.</summary>
    public string ClientTrustFile { get; set; } = "";

    /// <summary>SHA-256 of the client certificates that are admitted, in hex; empty to go by ClientTrustFile alone. With both, a certificate must pass both.</summary>
    public List<string> ClientFingerprints { get; set; } = [];

    /// <summary>Most octets in a request body.</summary>
    public int MaxBodyBytes { get; set; } = 16 * 1024;
}

/// <summary>Section Validation:Perspectives:N: a remote perspective of this authority. It has either a Url or Resolvers.</summary>
public sealed class RemotePerspectiveOptions
{
    /// <summary>Its id, as the evidence has it.</summary>
    public string Id { get; set; } = "";

    /// <summary>Its region: one of the Internet registries under cabf-br, any word for the site otherwise.</summary>
    public string Region { get; set; } = "";

    /// <summary>Base URL of its Open MPIC API, https, no final slash.</summary>
    public string Url { get; set; } = "";

    /// <summary>SHA-256 of its certificate, in hex; empty to go by Validation:PerspectiveTls:TrustFile alone.</summary>
    public string Fingerprint { get; set; } = "";

    /// <summary>Resolvers of its own, for a perspective in this process.</summary>
    public List<string> Resolvers { get; set; } = [];
}

/// <summary>Section Validation:PerspectiveTls: how this authority and its perspectives know each other.</summary>
public sealed class PerspectiveTlsOptions
{
    /// <summary>Client certificate chain (PEM) shown to perspectives.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>Key of that certificate (PEM, not encrypted).</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Certificates (PEM) of the authorities that vouch for perspectives; empty where each has a Fingerprint.</summary>
    public string TrustFile { get; set; } = "";
}
