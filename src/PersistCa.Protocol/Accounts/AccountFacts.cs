using System.Collections.Immutable;

namespace PersistCa.Protocol.Accounts;

/// <summary>What validation must know of an account, read live at each attempt: never from a cache.</summary>
/// <param name="Id">Public id: the last segment of the account URL.</param>
/// <param name="Url">Account URL exactly as in the newAccount Location header.</param>
/// <param name="Thumbprints">RFC 7638 SHA-256 thumbprints, unpadded base64url: the current key first, then older ones newest first.</param>
/// <param name="IsValid">False once the account is deactivated or revoked: then no record matches (dns-persist-01 rules section 4).</param>
public sealed record AccountFacts(string Id, string Url, ImmutableArray<string> Thumbprints, bool IsValid)
{
    /// <summary>Thumbprint of the current key.</summary>
    public string CurrentThumbprint => Thumbprints[0];

    /// <summary>Account URLs this account had before the authority's base URL changed, still accepted while a migration lasts.</summary>
    public ImmutableArray<string> FormerUrls { get; init; } = [];
}
