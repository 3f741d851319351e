using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Jose;
using PersistCa.Storage;

namespace PersistCa.Server.Acme;

/// <summary>Which key must have signed a request (RFC 8555 section 6.2).</summary>
public enum SignedBy
{
    /// <summary>An account, named by kid.</summary>
    Account,

    /// <summary>A key that the request carries, in jwk.</summary>
    Key,

    /// <summary>Either: revocation only.</summary>
    AccountOrKey,
}

/// <summary>A request whose signature, url and nonce hold, from an account that may act. There is no other way to one than <see cref="SignedRequestReader"/>.</summary>
public sealed class SignedRequest
{
    internal SignedRequest(Jwk key, Account? account, byte[] payload, NonceUse nonce, string url, string address)
    {
        Address = address;
        Key = key;
        AccountOrNull = account;
        Payload = payload;
        Nonce = nonce;
        Url = url;
    }

    /// <summary>Where it came from, as limits count it.</summary>
    public string Address { get; }

    /// <summary>The key that signed.</summary>
    public Jwk Key { get; }

    /// <summary>The account; null only where a request may be signed by a bare key.</summary>
    public Account? AccountOrNull { get; }

    /// <summary>The account.</summary>
    /// <exception cref="InvalidOperationException">The request was signed by a bare key.</exception>
    public Account Account => AccountOrNull ?? throw new InvalidOperationException("this request was signed by a bare key");

    /// <summary>The payload; empty for POST-as-GET.</summary>
    public byte[] Payload { get; }

    /// <summary>True for POST-as-GET (RFC 8555 section 6.3).</summary>
    public bool IsFetch => Payload.Length == 0;

    /// <summary>The nonce, spent; it goes into the transaction of whatever the request changes.</summary>
    public NonceUse Nonce { get; }

    /// <summary>The url of the protected header.</summary>
    public string Url { get; }

    /// <summary>The account as the one who changes state.</summary>
    public Actor Actor => AccountOrNull is { } account ? Actor.Account(account.PublicId, Key.Thumbprint, Nonce) : new Actor("key:" + Key.Thumbprint, Nonce);
}
