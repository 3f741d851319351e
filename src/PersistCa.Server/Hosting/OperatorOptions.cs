namespace PersistCa.Server.Hosting;

/// <summary>Section Operators: those who look after the authority, and their doors.</summary>
public sealed class OperatorOptions
{
    /// <summary>Address and port of an HTTPS door for operators alone; empty for the one of ACME.</summary>
    public string Listen { get; set; } = "";

    /// <summary>Things on a page of a list, where a call does not say how many.</summary>
    public int PageSize { get; set; } = 100;

    /// <summary>Most things on a page of a list.</summary>
    public int MaxPageSize { get; set; } = 1000;

    /// <summary>Most certificates of one export.</summary>
    public int MaxExport { get; set; } = 10_000;

    /// <summary>Longest life of a token.</summary>
    public TimeSpan MaxTokenLifetime { get; set; } = TimeSpan.FromDays(825);

    /// <summary>Kinds of changes that two operators have to agree to; unset for those that the handbook says, "none" for none.</summary>
    public List<string>? SecondApprover { get; set; }

    /// <summary>How long a proposal waits for its approval.</summary>
    public TimeSpan ProposalLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often a node looks at what was switched off through others, for what is only shown.</summary>
    public TimeSpan SwitchInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Client certificates.</summary>
    public ClientCertificateOptions ClientCertificates { get; set; } = new();

    /// <summary>Bearer tokens of an OpenID Connect provider.</summary>
    public OpenIdConnectOptions OpenIdConnect { get; set; } = new();
}

/// <summary>Section Operators:ClientCertificates.</summary>
public sealed class ClientCertificateOptions
{
    /// <summary>Certificates of the authorities that operators' certificates are of (PEM); empty for none.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>Whose certificate is whose.</summary>
    public List<CertificateMappingOptions> Mappings { get; set; } = [];
}

/// <summary>Section Operators:ClientCertificates:Mappings:N.</summary>
public sealed class CertificateMappingOptions
{
    /// <summary>Subject of the certificate, whole; or San.</summary>
    public string Subject { get; set; } = "";

    /// <summary>A name in its subjectAltName, with its kind: dns:NAME, email:ADDRESS or uri:URI.</summary>
    public string San { get; set; } = "";

    /// <summary>Name of the operator.</summary>
    public string Name { get; set; } = "";

    /// <summary>Role of the operator.</summary>
    public string Role { get; set; } = "";
}

/// <summary>Section Operators:OpenIdConnect.</summary>
public sealed class OpenIdConnectOptions
{
    /// <summary>Signature algorithms that are known here: of public keys alone, so that no key can be taken for a shared secret.</summary>
    public static IReadOnlyList<string> AllAlgorithms { get; } = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>The issuer, exactly as its tokens have it; empty for none.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>What its tokens have to be for.</summary>
    public string Audience { get; set; } = "";

    /// <summary>URL of its document; empty for the one below the issuer.</summary>
    public string MetadataUrl { get; set; } = "";

    /// <summary>Signature algorithms that are accepted; empty for all that are known.</summary>
    public List<string> Algorithms { get; set; } = [];

    /// <summary>The claim with the operator's name.</summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The claim with what the operator may be.</summary>
    public string RoleClaim { get; set; } = "groups";

    /// <summary>Which value of that claim is which role.</summary>
    public List<ClaimRoleOptions> Roles { get; set; } = [];

    /// <summary>How long the provider's keys are kept.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromHours(12);

    /// <summary>Least time between two looks for keys, however many tokens name one that is not known.</summary>
    public TimeSpan LeastRefresh { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time of one look.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most octets of each of the provider's documents.</summary>
    public int MaxDocumentBytes { get; set; } = 256 * 1024;

    /// <summary>How much later than here it may be where a token was made.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Root certificates (PEM) that the provider's is to be under; empty for those of this machine.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>Whether the machine's proxy is used to reach the provider.</summary>
    public bool UseProxy { get; set; }
}

/// <summary>Section Operators:OpenIdConnect:Roles:N.</summary>
public sealed class ClaimRoleOptions
{
    /// <summary>The value of the claim.</summary>
    public string Value { get; set; } = "";

    /// <summary>The role.</summary>
    public string Role { get; set; } = "";
}
