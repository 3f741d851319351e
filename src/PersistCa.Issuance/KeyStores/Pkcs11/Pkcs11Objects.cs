using System.Formats.Asn1;
using System.Security.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Signing.PrivateKeys;

namespace PersistCa.Issuance.KeyStores.Pkcs11;

/// <summary>Keys as objects of a token (PKCS #11 v3.0): made, found, read.</summary>
internal static class Pkcs11Objects
{
    // PKCS #11 v3.0 section 2.3.14; the numbers, since libraries name them late.
    public const CKM Eddsa = (CKM)0x1057;
    private const CKM EdwardsKeyPair = (CKM)0x1055;
    private const CKK EdwardsKey = (CKK)0x40;

    /// <summary>What makes a key pair for an algorithm and signs with it; null when tokens have no such thing.</summary>
    public static (CKM Make, CKM Sign)? Mechanisms(SigningAlgorithm algorithm) => algorithm.Key switch
    {
        KeyKind.P256 or KeyKind.P384 => (CKM.CKM_EC_KEY_PAIR_GEN, CKM.CKM_ECDSA),
        KeyKind.Rsa => (CKM.CKM_RSA_PKCS_KEY_PAIR_GEN, CKM.CKM_SHA256_RSA_PKCS),
        KeyKind.Ed25519 => (EdwardsKeyPair, Eddsa),
        _ => null,
    };

    /// <summary>Makes a key pair in the token: the private half never leaves it.</summary>
    public static void Make(ISession session, SigningAlgorithm algorithm, string name)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        var id = RandomNumberGenerator.GetBytes(16);
        var pair = new List<IObjectAttribute> { attributes.Create(CKA.CKA_TOKEN, true), attributes.Create(CKA.CKA_LABEL, name), attributes.Create(CKA.CKA_ID, id) };
        List<IObjectAttribute> open = [.. pair, attributes.Create(CKA.CKA_VERIFY, true)];
        List<IObjectAttribute> secret =
        [
            .. pair,
            attributes.Create(CKA.CKA_PRIVATE, true),
            attributes.Create(CKA.CKA_SENSITIVE, true),
            attributes.Create(CKA.CKA_EXTRACTABLE, false),
            attributes.Create(CKA.CKA_SIGN, true),
        ];
        if (algorithm.Key == KeyKind.Rsa)
        {
            open.Add(attributes.Create(CKA.CKA_MODULUS_BITS, (ulong)algorithm.KeyBits));
            open.Add(attributes.Create(CKA.CKA_PUBLIC_EXPONENT, [1, 0, 1]));
        }
        else
        {
            open.Add(attributes.Create(CKA.CKA_EC_PARAMS, Oid(algorithm.Key == KeyKind.Ed25519 ? KeyKinds.Of(KeyKind.Ed25519).Oid : SigningAlgorithms.CurveOid(algorithm.Key))));
        }

        session.GenerateKeyPair(session.Factories.MechanismFactory.Create(Mechanisms(algorithm)!.Value.Make), open, secret, out _, out _);
    }

    /// <summary>The private keys that fit, by label, id, or both; all when neither is given.</summary>
    public static List<IObjectHandle> Find(ISession session, CKO kind, string? label, byte[]? id)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        var wanted = new List<IObjectAttribute> { attributes.Create(CKA.CKA_CLASS, kind), attributes.Create(CKA.CKA_TOKEN, true) };
        if (label is not null)
        {
            wanted.Add(attributes.Create(CKA.CKA_LABEL, label));
        }

        if (id is not null)
        {
            wanted.Add(attributes.Create(CKA.CKA_ID, id));
        }

        return session.FindAllObjects(wanted);
    }

    /// <summary>The label of an object.</summary>
    public static string Label(ISession session, IObjectHandle handle) => session.GetAttributeValue(handle, [CKA.CKA_LABEL])[0].GetValueAsString() ?? "";

    /// <summary>The id of an object.</summary>
    public static byte[] Id(ISession session, IObjectHandle handle) => session.GetAttributeValue(handle, [CKA.CKA_ID])[0].GetValueAsByteArray() ?? [];

    /// <summary>The public key, SubjectPublicKeyInfo in DER.</summary>
    /// <param name="session">Where.</param>
    /// <param name="handle">The public key object.</param>
    /// <returns>The key; null when it is of no kind that signs here.</returns>
    public static byte[]? PublicKey(ISession session, IObjectHandle handle)
    {
        var kind = (CKK)session.GetAttributeValue(handle, [CKA.CKA_KEY_TYPE])[0].GetValueAsUlong();
        if (kind == CKK.CKK_RSA)
        {
            var numbers = session.GetAttributeValue(handle, [CKA.CKA_MODULUS, CKA.CKA_PUBLIC_EXPONENT]);
            using var rsa = RSA.Create(new RSAParameters { Modulus = Trim(numbers[0].GetValueAsByteArray()), Exponent = Trim(numbers[1].GetValueAsByteArray()) });
            return rsa.ExportSubjectPublicKeyInfo();
        }

        if (kind is not (CKK.CKK_EC or EdwardsKey))
        {
            return null;
        }

        var values = session.GetAttributeValue(handle, [CKA.CKA_EC_PARAMS, CKA.CKA_EC_POINT]);
        var parameters = values[0].GetValueAsByteArray();
        var row = KeyKinds.All.FirstOrDefault(k => kind == EdwardsKey
            ? k.Kind == KeyKind.Ed25519
            : k.Kind is KeyKind.P256 or KeyKind.P384 && Oid(SigningAlgorithms.CurveOid(k.Kind)).AsSpan().SequenceEqual(parameters));
        return row is null ? null : SignatureScheme.PublicKeyInfo(row.AlgorithmIdentifier.Span, Point(values[1].GetValueAsByteArray()));
    }

    /// <summary>r and s side by side (PKCS #11 v3.0 section 2.3.1) as an ECDSA-Sig-Value (RFC 3279 section 2.2.3).</summary>
    public static byte[] EcdsaSignature(ReadOnlySpan<byte> raw)
    {
        var half = raw.Length / 2;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteIntegerUnsigned(Minimal(raw[..half]));
            writer.WriteIntegerUnsigned(Minimal(raw[half..]));
        }

        return writer.Encode();
    }

    private static ReadOnlySpan<byte> Minimal(ReadOnlySpan<byte> number)
    {
        var trimmed = number.TrimStart((byte)0);
        return trimmed.IsEmpty ? [0] : trimmed;
    }

    /// <summary>The point is to be an OCTET STRING (PKCS #11 v3.0 section 2.3.3); some modules give it bare.</summary>
    private static byte[] Point(byte[] value)
    {
        try
        {
            var reader = new AsnReader(value, AsnEncodingRules.DER);
            var point = reader.ReadOctetString();
            reader.ThrowIfNotEmpty();
            return point;
        }
        catch (AsnContentException)
        {
            return value;
        }
    }

    private static byte[] Trim(byte[] number) => number.AsSpan().TrimStart((byte)0).ToArray();

    private static byte[] Oid(string oid)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(oid);
        return writer.Encode();
    }
}
