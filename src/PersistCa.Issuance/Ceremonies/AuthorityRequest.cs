using System.Formats.Asn1;
using System.Security.Cryptography;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>An authority's request for a certificate (PKCS #10, RFC 2986): a name and a key, whose possession its signature proves. It asks for nothing else.</summary>
/// <param name="Subject">The name, DER.</param>
/// <param name="Key">SubjectPublicKeyInfo, DER.</param>
public sealed record AuthorityRequest(byte[] Subject, byte[] Key)
{
    /// <summary>Longest request, octets: room for an ML-DSA-87 key and signature.</summary>
    public const int MaxOctets = 32 * 1024;

    /// <summary>Most attributes that are looked at.</summary>
    public const int MaxAttributes = 64;

    private const string Label = "CERTIFICATE REQUEST";
    private static readonly Asn1Tag AttributesTag = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly KeyPolicy Keys = new(new KeyPolicyOptions { AcceptMlDsa = true, MaxRsaBits = 8192 });

    /// <summary>Makes one.</summary>
    /// <param name="subject">The name, DER.</param>
    /// <param name="key">Signs it.</param>
    /// <param name="cancel">Stops before the signature.</param>
    /// <returns>The request, DER.</returns>
    public static ValueTask<byte[]> MakeAsync(ReadOnlyMemory<byte> subject, ISigningKey key, CancellationToken cancel)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            writer.WriteEncodedValue(subject.Span);
            writer.WriteEncodedValue(key.SubjectPublicKeyInfo);
            using (writer.PushSetOf(AttributesTag))
            {
                // No attributes; the field is there all the same.
            }
        }

        return SignedParts.SignAsync(writer.Encode(), key, cancel);
    }

    /// <summary>As text (RFC 7468 section 7).</summary>
    public static string Pem(ReadOnlySpan<byte> der) => PemEncoding.WriteString(Label, der) + "\n";

    /// <summary>Reads one, PEM or DER.</summary>
    /// <param name="file">The octets of a file.</param>
    /// <returns>Name and key; or why it is refused: it cannot be read, its key is unfit, its signature does not hold, or it asks for extensions.</returns>
    public static Parsed<AuthorityRequest> Read(ReadOnlySpan<byte> file)
    {
        if (file.Length == 0 || file.Length > MaxOctets)
        {
            return Refuse($"the request has {file.Length} octets; 1 to {MaxOctets} are read");
        }

        const byte sequence = 0x30;
        return file[0] == sequence ? ReadDer(file.ToArray()) : ReadText(System.Text.Encoding.Latin1.GetString(file));
    }

    private static Parsed<AuthorityRequest> ReadText(string text)
    {
        if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] is not (Label or "NEW CERTIFICATE REQUEST"))
        {
            return Refuse($"there is no PEM block '{Label}' in it");
        }

        return ReadDer(Convert.FromBase64String(text[fields.Base64Data]));
    }

    private static Parsed<AuthorityRequest> ReadDer(byte[] der)
    {
        var parts = SignedParts.Read(der);
        if (!parts.IsValid)
        {
            return Refuse("it is no PKCS #10 request: " + parts.Reason);
        }

        try
        {
            var outer = new AsnReader(parts.Value.ToBeSigned, AsnEncodingRules.DER);
            var info = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            if (!info.ReadInteger().IsZero)
            {
                return Refuse("its version is not v1(0), the only one there is (RFC 2986 section 4.1)");
            }

            var subject = info.ReadEncodedValue();
            var key = info.ReadEncodedValue();
            var attributes = info.HasData ? info.ReadSetOf(skipSortOrderValidation: true, AttributesTag) : null;
            info.ThrowIfNotEmpty();
            if (AuthorityName.Judge(subject) is { } unfit)
            {
                return Refuse(unfit);
            }

            var judged = Keys.Judge(key);
            if (judged.IsRefused)
            {
                return Refuse(judged.Problem.Detail);
            }

            if (CsrSignature.Judge(parts.Value, key, judged.Value) is { } unproven)
            {
                return Refuse(unproven.Detail);
            }

            return attributes is not null && Attributes(attributes) is { } asked ? Refuse(asked) : Parsed<AuthorityRequest>.Ok(new AuthorityRequest(subject.ToArray(), key.ToArray()));
        }
        catch (AsnContentException e)
        {
            return Refuse("it is no PKCS #10 request in DER (RFC 2986): " + e.Message);
        }
    }

    /// <summary>What an authority may do is for those to say who sign its certificate.</summary>
    private static string? Attributes(AsnReader attributes)
    {
        for (var count = 1; attributes.HasData; count++)
        {
            if (count > MaxAttributes)
            {
                return $"it has more than {MaxAttributes} attributes";
            }

            if (attributes.ReadSequence().ReadObjectIdentifier() == Oids.ExtensionRequest)
            {
                return "it asks for extensions; an authority's certificate has those that its signers give it, so make the request without";
            }
        }

        return null;
    }

    private static Parsed<AuthorityRequest> Refuse(string reason) => Parsed<AuthorityRequest>.Refused(reason);
}
