using System.Security.Cryptography;

namespace PersistCa.Issuance.Signing.PrivateKeys;

/// <summary>A key that was read and that nothing here signs with.</summary>
internal sealed class UnfitKeyException : CryptographicException
{
    /// <summary>Closes the key.</summary>
    public UnfitKeyException(int bits, AsymmetricAlgorithm key)
        : base($"a key of {bits} bits does not sign here")
    {
        Bits = bits;
        key.Dispose();
    }

    /// <summary>Its size.</summary>
    public int Bits { get; }
}
