using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace PersistCa.Issuance.Tests.Csr;

/// <summary>A certificate request written field by field, so that a test can bend any one of them.</summary>
internal sealed record CsrDraft
{
    public static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public static readonly RSA RsaKey = RSA.Create(2048);

    public int Version { get; init; }

    public IReadOnlyList<(string Oid, UniversalTagNumber Type, string Value)> Subject { get; init; } = [];

    /// <summary>GeneralNames: context tag, whether constructed, content.</summary>
    public IReadOnlyList<(int Tag, bool Constructed, byte[] Content)> Alternatives { get; init; } = [Dns("www.example.com")];

    /// <summary>How often the subjectAltName extension stands there.</summary>
    public int AlternativesTimes { get; init; } = 1;

    /// <summary>How often the extensionRequest attribute stands there.</summary>
    public int ExtensionRequests { get; init; } = 1;

    public IReadOnlyList<(string Oid, bool Critical, byte[] Value)> OtherExtensions { get; init; } = [];

    public int OtherAttributes { get; init; }

    public bool OmitAttributes { get; init; }

    public AsymmetricAlgorithm Signer { get; init; } = Key;

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    public string? SignatureOid { get; init; }

    public byte[]? SignatureParameters { get; init; }

    public byte[]? SubjectPublicKeyInfo { get; init; }

    /// <summary>Signs where the signer is of no kind that .NET has.</summary>
    public Func<byte[], byte[]>? Sign { get; init; }

    public bool BreakSignature { get; init; }

    public static (int Tag, bool Constructed, byte[] Content) Dns(string name) => (2, false, Encoding.Latin1.GetBytes(name));

    public byte[] Encode()
    {
        var info = Info();
        var signature = Sign?.Invoke(info) ?? Signer switch
        {
            ECDsa ec => ec.SignData(info, Hash, DSASignatureFormat.Rfc3279DerSequence),
            RSA rsa => rsa.SignData(info, Hash, RSASignaturePadding.Pkcs1),
            _ => throw new InvalidOperationException(),
        };
        if (BreakSignature)
        {
            signature[^1] ^= 1;
        }

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(info);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(SignatureOid ?? (Signer is RSA ? "1.2.840.113549.1.1.11" : "1.2.840.10045.4.3.2"));
                if (SignatureParameters is not null)
                {
                    writer.WriteEncodedValue(SignatureParameters);
                }
                else if (Signer is RSA)
                {
                    writer.WriteNull();
                }
            }

            writer.WriteBitString(signature);
        }

        return writer.Encode();
    }

    private byte[] Info()
    {
        // BER, because tests also write things that DER does not allow; what is well-formed comes out as DER all the same.
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(Version);
            using (writer.PushSequence())
            {
                foreach (var (oid, type, value) in Subject)
                {
                    using (writer.PushSetOf())
                    using (writer.PushSequence())
                    {
                        writer.WriteObjectIdentifier(oid);
                        writer.WriteCharacterString(type, value);
                    }
                }
            }

            writer.WriteEncodedValue(SubjectPublicKeyInfo ?? Signer.ExportSubjectPublicKeyInfo());
            if (!OmitAttributes)
            {
                WriteAttributes(writer);
            }
        }

        return writer.Encode();
    }

    private void WriteAttributes(AsnWriter writer)
    {
        using (writer.PushSetOf(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            for (var i = 0; i < OtherAttributes; i++)
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.2.840.113549.1.9.7"); // challengePassword
                    using (writer.PushSetOf())
                    {
                        writer.WriteCharacterString(UniversalTagNumber.UTF8String, "secret");
                    }
                }
            }

            for (var i = 0; i < ExtensionRequests; i++)
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.2.840.113549.1.9.14");
                    using (writer.PushSetOf())
                    using (writer.PushSequence())
                    {
                        WriteExtensions(writer);
                    }
                }
            }
        }
    }

    private void WriteExtensions(AsnWriter writer)
    {
        foreach (var (oid, critical, value) in OtherExtensions)
        {
            Extension(writer, oid, critical, value);
        }

        for (var i = 0; i < AlternativesTimes; i++)
        {
            var names = new AsnWriter(AsnEncodingRules.DER);
            using (names.PushSequence())
            {
                foreach (var (tag, constructed, content) in Alternatives)
                {
                    // Content is short in every test: one length octet suffices but for long names.
                    byte[] length = content.Length < 128 ? [(byte)content.Length] : content.Length < 256 ? [0x81, (byte)content.Length] : [0x82, (byte)(content.Length >> 8), (byte)content.Length];
                    names.WriteEncodedValue([(byte)(0x80 | (constructed ? 0x20 : 0) | tag), .. length, .. content]);
                }
            }

            Extension(writer, "2.5.29.17", false, names.Encode());
        }
    }

    private static void Extension(AsnWriter writer, string oid, bool critical, byte[] value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            if (critical)
            {
                writer.WriteBoolean(true);
            }

            writer.WriteOctetString(value);
        }
    }
}
