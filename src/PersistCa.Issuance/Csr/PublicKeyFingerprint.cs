using System.Security.Cryptography;

namespace PersistCa.Issuance.Csr;

/// <summary>The name by which a public key is found again: SHA-256 of its SubjectPublicKeyInfo.</summary>
public static class PublicKeyFingerprint
{
    /// <summary>Lower-case hex, 64 characters.</summary>
    public static string Of(ReadOnlySpan<byte> subjectPublicKeyInfo) => Convert.ToHexStringLower(SHA256.HashData(subjectPublicKeyInfo));
}
