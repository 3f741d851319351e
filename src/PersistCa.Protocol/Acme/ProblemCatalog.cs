namespace PersistCa.Protocol.Acme;

/// <summary>One kind of refusal: its URN, its usual HTTP status, where the kind is defined, and the page that explains it.</summary>
/// <param name="Name">Last part of the URN, as in RFC 8555 section 6.7.</param>
/// <param name="Status">HTTP status used unless a section demands another.</param>
/// <param name="Source">Document and section that define the kind.</param>
/// <param name="Title">The kind in words, the same for every occurrence (RFC 7807 section 3.1).</param>
public sealed record ProblemType(string Name, int Status, string Source, string Title)
{
    /// <summary>Prefix of every ACME problem URN.</summary>
    public const string UrnPrefix = "urn:ietf:params:acme:error:";

    /// <summary>The full URN.</summary>
    public string Urn => UrnPrefix + Name;

    /// <summary>File under docs/problems, and last path segment of the page this server answers: of its own where a kind has a special case that needs more words.</summary>
    public string Page { get; init; } = Name;
}

/// <summary>Every problem type this server sends: one row each. The table is closed; a refusal outside it does not compile.</summary>
public static class ProblemCatalog
{
    public static readonly ProblemType AccountDoesNotExist = new("accountDoesNotExist", 400, "RFC 8555 6.7", "The account does not exist");
    public static readonly ProblemType AlreadyReplaced = new("alreadyReplaced", 409, "RFC 9773 7.4", "The certificate is replaced already");
    public static readonly ProblemType AlreadyRevoked = new("alreadyRevoked", 400, "RFC 8555 6.7", "The certificate is revoked already");
    public static readonly ProblemType BadCsr = new("badCSR", 400, "RFC 8555 6.7", "The certificate request cannot be used");
    public static readonly ProblemType BadNonce = new("badNonce", 400, "RFC 8555 6.5", "The nonce cannot be used");
    public static readonly ProblemType BadPublicKey = new("badPublicKey", 400, "RFC 8555 6.7", "The public key is not accepted");
    public static readonly ProblemType BadRevocationReason = new("badRevocationReason", 400, "RFC 8555 7.6", "The revocation reason is not accepted");
    public static readonly ProblemType BadSignatureAlgorithm = new("badSignatureAlgorithm", 400, "RFC 8555 6.2", "The signature algorithm is not accepted");
    public static readonly ProblemType Caa = new("caa", 403, "RFC 8555 6.7", "CAA records forbid issuance");
    public static readonly ProblemType Connection = new("connection", 400, "RFC 8555 6.7", "The server could not connect to the validation target");
    public static readonly ProblemType Dns = new("dns", 400, "RFC 8555 6.7", "A DNS look-up failed");
    public static readonly ProblemType ExternalAccountRequired = new("externalAccountRequired", 403, "RFC 8555 7.3.4", "An external account is required");
    public static readonly ProblemType IncorrectResponse = new("incorrectResponse", 403, "RFC 8555 6.7", "The response did not match the challenge");
    public static readonly ProblemType InvalidContact = new("invalidContact", 400, "RFC 8555 7.3", "A contact URL is invalid");
    public static readonly ProblemType InvalidProfile = new("invalidProfile", 400, "draft-ietf-acme-profiles 4", "The profile is not offered");
    public static readonly ProblemType Malformed = new("malformed", 400, "RFC 8555 6.7", "The request is malformed");
    public static readonly ProblemType OrderNotReady = new("orderNotReady", 403, "RFC 8555 7.4", "The order is not ready to be finalized");
    public static readonly ProblemType RateLimited = new("rateLimited", 429, "RFC 8555 6.6", "Too many requests");
    public static readonly ProblemType RejectedIdentifier = new("rejectedIdentifier", 400, "RFC 8555 6.7", "The identifier is not served here");
    public static readonly ProblemType ServerInternal = new("serverInternal", 500, "RFC 8555 6.7", "The server failed");
    public static readonly ProblemType Tls = new("tls", 400, "RFC 8555 6.7", "The TLS handshake with the validation target failed");
    public static readonly ProblemType Unauthorized = new("unauthorized", 403, "RFC 8555 6.7", "The account is not authorized");
    public static readonly ProblemType AccountSuspended = new("unauthorized", 401, "RFC 8555 6.7", "The account is suspended") { Page = "accountSuspended" };
    public static readonly ProblemType UnsupportedContact = new("unsupportedContact", 400, "RFC 8555 7.3", "The contact scheme is not supported");
    public static readonly ProblemType UnsupportedIdentifier = new("unsupportedIdentifier", 400, "RFC 8555 6.7", "The identifier type is not supported");
    public static readonly ProblemType UserActionRequired = new("userActionRequired", 403, "RFC 8555 7.3.3", "A person has to act first");

    /// <summary>Special cases of rows, with titles and pages of their own.</summary>
    public static IReadOnlyList<ProblemType> Cases { get; } = [AccountSuspended];

    /// <summary>All rows, for the pages under docs/problems and the tests that hold them together.</summary>
    public static IReadOnlyList<ProblemType> All { get; } =
    [
        AccountDoesNotExist, AlreadyReplaced, AlreadyRevoked, BadCsr, BadNonce, BadPublicKey, BadRevocationReason, BadSignatureAlgorithm, Caa,
        Connection, Dns, ExternalAccountRequired, IncorrectResponse, InvalidContact, InvalidProfile, Malformed, OrderNotReady, RateLimited, RejectedIdentifier,
        ServerInternal, Tls, Unauthorized, UnsupportedContact, UnsupportedIdentifier, UserActionRequired,
    ];
}
