namespace PersistCa.Issuance.Signing;

/// <summary>A private key that signs certificates and lists, wherever it lives. Safe to use from several threads at once.</summary>
public interface ISigningKey : IDisposable
{
    /// <summary>What it signs with.</summary>
    public SigningAlgorithm Algorithm { get; }

    /// <summary>Its public half as SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7).</summary>
    public byte[] SubjectPublicKeyInfo { get; }

    /// <summary>Signs a message, hashing it first.</summary>
    /// <returns>The content of the X.509 signature BIT STRING: an ECDSA-Sig-Value in DER (RFC 3279 section 2.2.3) or a PKCS #1 v1.5 signature.</returns>
    /// <exception cref="ObjectDisposedException">The key has been closed.</exception>
    public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);
}
