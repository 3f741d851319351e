namespace PersistCa.Validation.Evidence;

/// <summary>
/// Everything one attempt saw and why it was judged as it was: kept with the authorization, so that an auditor can judge it again. It holds
/// internal addresses and other people's records; it is never shown to an account.
/// </summary>
public sealed record ValidationEvidence
{
    /// <summary>Version of this form, raised when a member changes its meaning.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Challenge type as on the wire.</summary>
    public required string ChallengeType { get; init; }

    /// <summary>Name that was validated, without "*.", or address.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the authorization is for the wildcard of that name.</summary>
    public required bool Wildcard { get; init; }

    /// <summary>Whether the authorization is for the names under it too (RFC 9444); null when not.</summary>
    public bool? Subdomains { get; init; }

    /// <summary>Whether the server looked by itself before the client asked (dns-persist-01 rules, section 6.7); null when not.</summary>
    public bool? JustInTime { get; init; }

    /// <summary>Public id of the account.</summary>
    public required string AccountId { get; init; }

    /// <summary>Thumbprint of the account's key at the time of the attempt; null for an account without any.</summary>
    public string? Thumbprint { get; init; }

    /// <summary>When the attempt began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When the verdict was reached.</summary>
    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>Whether control was proved.</summary>
    public required bool Valid { get; init; }

    /// <summary>Problem type when it was not, null otherwise.</summary>
    public string? Problem { get; init; }

    /// <summary>The verdict in words.</summary>
    public required string Reason { get; init; }

    /// <summary>DNS look-ups in the order in which they ended; null when there were none.</summary>
    public IReadOnlyList<LookupEvidence>? Lookups { get; init; }

    /// <summary>HTTP requests in order; null when there were none.</summary>
    public IReadOnlyList<HttpHopEvidence>? Hops { get; init; }

    /// <summary>The TLS connection; null when there was none.</summary>
    public TlsEvidence? Tls { get; init; }

    /// <summary>dns-persist-01: dialect of the record that fitted; null otherwise.</summary>
    public string? Dialect { get; init; }

    /// <summary>dns-persist-01: our records and why each fits or not; null for other challenges.</summary>
    public IReadOnlyList<RecordEvidence>? Judged { get; init; }

    /// <summary>What the remote perspectives come to; null when none was asked.</summary>
    public QuorumEvidence? Quorum { get; init; }

    /// <summary>The remote perspectives, every one that was asked; null when none was.</summary>
    public IReadOnlyList<PerspectiveEvidence>? Perspectives { get; init; }

    /// <summary>Entries left out of lists to keep the whole within its size; null when none was.</summary>
    public int? Omitted { get; init; }
}

/// <summary>One look-up.</summary>
public sealed record LookupEvidence
{
    /// <summary>Name asked for.</summary>
    public required string Name { get; init; }

    /// <summary>Record type.</summary>
    public required string Type { get; init; }

    /// <summary>How it ended.</summary>
    public required string Status { get; init; }

    /// <summary>Response code, null without a reply that was understood.</summary>
    public string? ResponseCode { get; init; }

    /// <summary>What was wrong with the reply or came before it, null when nothing was.</summary>
    public string? Reason { get; init; }

    /// <summary>Extended errors (RFC 8914), each as "number text"; null when there were none.</summary>
    public IReadOnlyList<string>? ExtendedErrors { get; init; }

    /// <summary>Aliases followed, null when there were none.</summary>
    public IReadOnlyList<string>? Cnames { get; init; }

    /// <summary>Records, null when there were none.</summary>
    public IReadOnlyList<FoundRecordEvidence>? Records { get; init; }

    /// <summary>The resolver that replied last.</summary>
    public string? Resolver { get; init; }

    /// <summary>AD bit of the reply.</summary>
    public bool AuthenticData { get; init; }

    /// <summary>What DNSSEC says of the answer; null when nobody looked.</summary>
    public string? Security { get; init; }

    /// <summary>Why it is not secure, as found here; null where it is, and where nobody here looked.</summary>
    public string? SecurityReason { get; init; }

    /// <summary>The reply as it came, in base64; null without a reply, and where it is too long to keep.</summary>
    public string? Reply { get; init; }

    /// <summary>SHA-256 of the reply, in hex; null without a reply.</summary>
    public string? ReplySha256 { get; init; }

    /// <summary>When it was asked.</summary>
    public DateTimeOffset AskedAt { get; init; }

    /// <summary>How long it took, in milliseconds.</summary>
    public long Milliseconds { get; init; }

    /// <summary>How often it was asked.</summary>
    public int Attempts { get; init; }
}

/// <summary>One record as found.</summary>
/// <param name="Text">Data; TXT with one character for each octet.</param>
/// <param name="Ttl">Time to live, in seconds.</param>
public sealed record FoundRecordEvidence(string Text, int Ttl);

/// <summary>One HTTP request of http-01.</summary>
public sealed record HttpHopEvidence
{
    /// <summary>URL asked for.</summary>
    public required string Url { get; init; }

    /// <summary>Address and port connected to, null when no connection was made.</summary>
    public string? Address { get; init; }

    /// <summary>HTTP status, null without a response.</summary>
    public int? Status { get; init; }

    /// <summary>Where the response redirects to, null when it does not.</summary>
    public string? Location { get; init; }

    /// <summary>SHA-256 of the body as far as it was read, in hex; null when none was read.</summary>
    public string? BodySha256 { get; init; }
}

/// <summary>The connection of tls-alpn-01.</summary>
public sealed record TlsEvidence
{
    /// <summary>Address and port connected to.</summary>
    public required string Address { get; init; }

    /// <summary>TLS version, null when the handshake failed.</summary>
    public string? Protocol { get; init; }

    /// <summary>Application protocol agreed on, null when there was none.</summary>
    public string? Alpn { get; init; }

    /// <summary>SHA-256 of the certificate, in hex; null when none was sent.</summary>
    public string? CertificateSha256 { get; init; }
}

/// <summary>One persistent record and its verdict.</summary>
/// <param name="Owner">Name it was found at.</param>
/// <param name="Text">The record.</param>
/// <param name="Verdict">Why it fits or not, as one word.</param>
/// <param name="Detail">The same in a sentence.</param>
public sealed record RecordEvidence(string Owner, string Text, string Verdict, string Detail)
{
    /// <summary>Dialect, null when it could not be told.</summary>
    public string? Dialect { get; init; }

    /// <summary>The record's own expiry, null when it has none.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Thumbprint that matched, null when the record does not rest on one.</summary>
    public string? MatchedThumbprint { get; init; }
}
