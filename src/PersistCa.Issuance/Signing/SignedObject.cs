using PersistCa.Issuance.Linting;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Signing;

/// <summary>A certificate or revocation list, held against the key that should have signed it.</summary>
public static class SignedObject
{
    /// <summary>The fields of a certificate, if a key signed it.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="subjectPublicKeyInfo">The key, DER.</param>
    /// <returns>The fields; or a clause that says why not.</returns>
    public static Parsed<TbsFields> ReadCertificate(ReadOnlyMemory<byte> der, ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        Refuse(der, subjectPublicKeyInfo, out var parts) is { } reason ? Parsed<TbsFields>.Refused(reason) : TbsFields.Read(parts.ToBeSigned);

    /// <summary>A revocation list, if a key signed it.</summary>
    /// <param name="der">The list.</param>
    /// <param name="subjectPublicKeyInfo">The key, DER.</param>
    /// <returns>The list; or a clause that says why not.</returns>
    public static Parsed<CrlFacts> ReadList(ReadOnlyMemory<byte> der, ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        Refuse(der, subjectPublicKeyInfo, out _) is { } reason ? Parsed<CrlFacts>.Refused(reason) : CrlFacts.Read(der, int.MaxValue);

    /// <summary>The key of a certificate, DER; null when it cannot be read.</summary>
    public static ReadOnlyMemory<byte>? KeyOf(ReadOnlyMemory<byte> certificate) =>
        SignedParts.Read(certificate) is { IsValid: true } parts && TbsFields.Read(parts.Value.ToBeSigned) is { IsValid: true } fields ? fields.Value.SubjectPublicKeyInfo : null;

    private static string? Refuse(ReadOnlyMemory<byte> der, ReadOnlySpan<byte> subjectPublicKeyInfo, out SignedParts parts)
    {
        var read = SignedParts.Read(der);
        parts = read.IsValid ? read.Value : new SignedParts(default, default, default);
        return !read.IsValid ? read.Reason
            : KnownSignature.Refuse(subjectPublicKeyInfo, parts) is { } broken ? $"its signature {broken} for the key of its issuer"
            : null;
    }
}
