using System.Text.Json.Serialization;

namespace PersistCa.Protocol.Acme;

/// <summary>The directory (RFC 8555 section 7.1.1).</summary>
public sealed record DirectoryResource
{
    public required string NewNonce { get; init; }

    public required string NewAccount { get; init; }

    public required string NewOrder { get; init; }

    /// <summary>Authorizations in advance (section 7.4.1).</summary>
    public required string NewAuthz { get; init; }

    /// <summary>An extension: what a dns-persist-01 validation would find now.</summary>
    public required string ExplainRecords { get; init; }

    public required string RevokeCert { get; init; }

    public required string KeyChange { get; init; }

    /// <summary>RFC 9773 section 4.1: the id of a certificate is appended, after a slash.</summary>
    public required string RenewalInfo { get; init; }

    public required DirectoryMeta Meta { get; init; }
}

/// <summary>Metadata of the directory (RFC 8555 section 9.7.6; dns-persist-01 rules section 5). Always sent: one client crashes without.</summary>
public sealed record DirectoryMeta
{
    public string? TermsOfService { get; init; }

    public string? Website { get; init; }

    public required IReadOnlyList<string> CaaIdentities { get; init; }

    public required bool ExternalAccountRequired { get; init; }

    /// <summary>RFC 9444 section 4.4; absent when not.</summary>
    public bool? SubdomainAuthAllowed { get; init; }

    /// <summary>Names of the certificate profiles on offer, each with what it is for (draft-ietf-acme-profiles section 3).</summary>
    public required IReadOnlyDictionary<string, string> Profiles { get; init; }

    /// <summary>Issuer names for records; the same set as caaIdentities and as in every challenge.</summary>
    public IReadOnlyList<string>? IssuerDomainNames { get; init; }

    /// <summary>Prefix of hashed account URIs (draft-02); absent when that dialect is off.</summary>
    public string? AccountHashPrefix { get; init; }
}

/// <summary>An account (RFC 8555 section 7.1.2).</summary>
public sealed record AccountResource
{
    public required string Status { get; init; }

    public IReadOnlyList<string>? Contact { get; init; }

    public bool? TermsOfServiceAgreed { get; init; }

    /// <summary>The binding that was verified when the account was made (section 7.3.4): shown so that clients can tell.</summary>
    public BindingResource? ExternalAccountBinding { get; init; }

    public required string Orders { get; init; }
}

/// <summary>An external account binding (RFC 8555 section 7.3.4), a flattened JWS.</summary>
/// <param name="Protected">Its header, base64url.</param>
/// <param name="Payload">The account's key, base64url.</param>
/// <param name="Signature">The MAC, base64url.</param>
public sealed record BindingResource(string Protected, string Payload, string Signature);

/// <summary>What an authority suggests about the renewal of a certificate (RFC 9773 section 4.2).</summary>
public sealed record RenewalInfoResource
{
    public required RenewalWindowResource SuggestedWindow { get; init; }

    /// <summary>A page that says why the window is where it is; absent while nothing is out of the ordinary.</summary>
    [JsonPropertyName("explanationURL")]
    public string? ExplanationUrl { get; init; }
}

/// <summary>The window in which a certificate is best renewed.</summary>
/// <param name="Start">RFC 3339.</param>
/// <param name="End">RFC 3339, later than the start.</param>
public sealed record RenewalWindowResource(string Start, string End);

/// <summary>A page of an account's orders (RFC 8555 section 7.1.2.1).</summary>
public sealed record OrderListResource(IReadOnlyList<string> Orders);

/// <summary>An order (RFC 8555 section 7.1.3).</summary>
public sealed record OrderResource
{
    public required string Status { get; init; }

    public required string Expires { get; init; }

    public required IReadOnlyList<AcmeIdentifier> Identifiers { get; init; }

    /// <summary>draft-ietf-acme-profiles section 4.</summary>
    public required string Profile { get; init; }

    /// <summary>RFC 9773 section 5: the certificate that it takes the place of, as the client named it.</summary>
    public string? Replaces { get; init; }

    public string? NotBefore { get; init; }

    public string? NotAfter { get; init; }

    public required IReadOnlyList<string> Authorizations { get; init; }

    public required string Finalize { get; init; }

    public string? Certificate { get; init; }

    public ProblemDocument? Error { get; init; }
}

/// <summary>An authorization (RFC 8555 section 7.1.4).</summary>
public sealed record AuthorizationResource
{
    public required AcmeIdentifier Identifier { get; init; }

    public required string Status { get; init; }

    public required string Expires { get; init; }

    /// <summary>Present, and true, only for wildcards: acme.sh maps by it.</summary>
    public bool? Wildcard { get; init; }

    /// <summary>Present, and true, only where it stands for the names under it too (RFC 9444 section 4.1).</summary>
    public bool? SubdomainAuthAllowed { get; init; }

    public required IReadOnlyList<ChallengeResource> Challenges { get; init; }
}

/// <summary>
/// A challenge (RFC 8555 section 8; dns-persist-01 rules section 5). type, url and token stand before anything nested: shell clients read with text tools.
/// </summary>
public sealed record ChallengeResource
{
    [JsonPropertyOrder(0)]
    public required string Type { get; init; }

    [JsonPropertyOrder(1)]
    public required string Url { get; init; }

    [JsonPropertyOrder(2)]
    public required string Status { get; init; }

    [JsonPropertyOrder(3)]
    public string? Validated { get; init; }

    [JsonPropertyOrder(4)]
    public required string Token { get; init; }

    /// <summary>draft-01: the account URL exactly as in Location, never a hash.</summary>
    [JsonPropertyOrder(5)]
    [JsonPropertyName("accounturi")]
    public string? AccountUri { get; init; }

    /// <summary>draft-02.</summary>
    [JsonPropertyOrder(6)]
    public IReadOnlyList<string>? IssuerDomainNames { get; init; }

    /// <summary>draft-00 and -01: the same names.</summary>
    [JsonPropertyOrder(7)]
    [JsonPropertyName("issuer-domain-names")]
    public IReadOnlyList<string>? IssuerDomainNamesOfFirstDrafts { get; init; }

    [JsonPropertyOrder(8)]
    public ProblemDocument? Error { get; init; }
}
