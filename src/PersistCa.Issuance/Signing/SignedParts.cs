using System.Formats.Asn1;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Signing;

/// <summary>The three parts of everything X.509 signs: certificate, list, request (RFC 5280 section 4.1.1, 5.1.1, RFC 2986 section 4.2).</summary>
/// <param name="ToBeSigned">The signed bytes.</param>
/// <param name="Algorithm">AlgorithmIdentifier, DER.</param>
/// <param name="Signature">Content of the signature BIT STRING.</param>
internal sealed record SignedParts(ReadOnlyMemory<byte> ToBeSigned, ReadOnlyMemory<byte> Algorithm, ReadOnlyMemory<byte> Signature)
{
    /// <summary>Takes apart.</summary>
    public static Parsed<SignedParts> Read(ReadOnlyMemory<byte> der)
    {
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var body = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var toBeSigned = body.ReadEncodedValue();
            var algorithm = body.ReadEncodedValue();
            var signature = body.ReadBitString(out var unused);
            body.ThrowIfNotEmpty();
            return unused != 0
                ? Parsed<SignedParts>.Refused("the signature is no whole number of octets")
                : Parsed<SignedParts>.Ok(new SignedParts(toBeSigned, algorithm, signature));
        }
        catch (AsnContentException e)
        {
            return Parsed<SignedParts>.Refused("it is not DER of a signed structure: " + e.Message);
        }
    }

    /// <summary>Puts together, copying the to-be-signed bytes as they are.</summary>
    public static byte[] Assemble(ReadOnlySpan<byte> toBeSigned, ReadOnlySpan<byte> algorithm, ReadOnlySpan<byte> signature)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(toBeSigned);
            writer.WriteEncodedValue(algorithm);
            writer.WriteBitString(signature);
        }

        return writer.Encode();
    }

    /// <summary>
    /// Signs and assembles, then checks what came out: the signature holds for the key, and the signed bytes are the ones asked for. A key module
    /// that answers with garbage is found here and not by the first client.
    /// </summary>
    /// <exception cref="InvalidOperationException">The key made a signature that does not hold.</exception>
    public static async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> toBeSigned, ISigningKey key, CancellationToken cancellationToken)
    {
        var signature = await key.SignAsync(toBeSigned, cancellationToken);
        var der = Assemble(toBeSigned.Span, key.Algorithm.AlgorithmIdentifier.Span, signature);
        var parts = Read(der);
        if (!parts.IsValid
            || !parts.Value.ToBeSigned.Span.SequenceEqual(toBeSigned.Span)
            || !SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, parts.Value.ToBeSigned.Span, parts.Value.Signature.Span))
        {
            throw new InvalidOperationException("the signing key made a signature that does not hold for what was to be signed");
        }

        return der;
    }
}
