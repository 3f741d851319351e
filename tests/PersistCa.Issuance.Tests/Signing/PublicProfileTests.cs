using System.Formats.Asn1;
using System.Security.Cryptography;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Linting.Rules;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Signing;

/// <summary>Baseline Requirements sections 7.1.2.7, 7.1.3 and 7.1.4: what a certificate of the public regime looks like, written down a second time from the text alone.</summary>
public sealed class PublicProfileTests
{
    private const string Issuer = "http://ca.example/issuer.crt";
    private const string List = "http://ca.example/list.crl";

    private static readonly ServerProfile Profile = new()
    {
        Regime = Regime.CabfBr,
        Policies = ["2.23.140.1.2.1"],
        Validity = TimeSpan.FromDays(90),
        CaIssuersUrl = Issuer,
        CrlUrl = List,
    };

    [Theory]
    [InlineData("p256", 0x07, "80")]
    [InlineData("p384", 0x07, "80")]
    [InlineData("rsa", 0x05, "a0")]
    public async Task A_leaf_of_the_public_regime_is_byte_for_byte_what_the_requirements_say(string kind, int unused, string usage)
    {
        using AsymmetricAlgorithm key = kind switch
        {
            "rsa" => RSA.Create(2048),
            "p384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            _ => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        };
        var issuer = await TestAuthority.CertificateIssuerAsync(Profile);
        var request = TestAuthority.Request("www.example.com", "example.com") with
        {
            SubjectPublicKeyInfo = key.ExportSubjectPublicKeyInfo(),
            KeyKind = kind switch { "rsa" => KeyKind.Rsa, "p384" => KeyKind.P384, _ => KeyKind.P256 },
        };
        var intent = issuer.Prepare(request).Value;
        Assert.Empty(intent.Findings);

        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        {
            using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                w.WriteInteger(2);
            }

            w.WriteInteger(Convert.FromHexString(intent.Serial));
            w.WriteEncodedValue(Convert.FromHexString("300a06082a8648ce3d040302")); // 7.1.3.2.2: ecdsa-with-SHA256, no parameters
            w.WriteEncodedValue(issuer.Issuer.SubjectDer.Span); // 7.1.4.1: octet for octet
            using (w.PushSequence())
            {
                w.WriteUtcTime(intent.NotBefore);
                w.WriteUtcTime(intent.NotAfter);
            }

            using (w.PushSequence())
            {
                // 7.1.2.7.2: a domain-validated subject may be empty
            }

            w.WriteEncodedValue(Spki(key));
            using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
            {
                using (w.PushSequence())
                {
                    Extension(w, "2.5.29.15", true, Convert.FromHexString($"0302{unused:x2}{usage}"));
                    Extension(w, "2.5.29.37", false, Convert.FromHexString("300a06082b06010505070301"));
                    Extension(w, "2.5.29.35", false, [0x30, 0x16, 0x80, 0x14, .. issuer.Issuer.KeyIdentifier]);
                    Extension(w, "1.3.6.1.5.5.7.1.1", false, Access());
                    Extension(w, "2.5.29.17", true, Names("www.example.com", "example.com")); // critical, since the subject is empty
                    Extension(w, "2.5.29.32", false, Convert.FromHexString("300a3008060667810c010201"));
                    Extension(w, "2.5.29.31", false, Points());
                }
            }
        }

        Assert.Equal(Convert.ToHexString(w.Encode()), Convert.ToHexString(intent.TbsDer));
    }

    [Theory]
    [InlineData("2026-03-14", 398)]
    [InlineData("2026-03-15", 200)]
    [InlineData("2027-03-15", 100)]
    [InlineData("2029-03-14", 100)]
    [InlineData("2029-03-15", 47)]
    public void The_longest_life_under_the_public_regime_is_that_of_the_day(string day, int days) =>
        Assert.Equal(TimeSpan.FromDays(days), Validities.BaselineLimit(DateTimeOffset.Parse(day + "T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public async Task A_profile_that_allows_more_than_the_day_does_is_cut_to_a_day_less()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync(Profile with { Validity = TimeSpan.FromDays(398) });
        var times = issuer.Validity(null, null, TestAuthority.Now.AddDays(1)).Value;
        Assert.Equal(TimeSpan.FromDays(46), times.NotAfter - times.NotBefore + TimeSpan.FromSeconds(1));
    }

    /// <summary>BR 7.1.3.1: the key's algorithm is spelled in one way each.</summary>
    private static byte[] Spki(AsymmetricAlgorithm key)
    {
        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        {
            if (key is RSA rsa)
            {
                w.WriteEncodedValue(Convert.FromHexString("300d06092a864886f70d0101010500"));
                w.WriteBitString(rsa.ExportRSAPublicKey());
            }
            else
            {
                var p = ((ECDsa)key).ExportParameters(false);
                w.WriteEncodedValue(Convert.FromHexString(key.KeySize == 384 ? "301006072a8648ce3d020106052b81040022" : "301306072a8648ce3d020106082a8648ce3d030107"));
                w.WriteBitString([0x04, .. p.Q.X!, .. p.Q.Y!]);
            }
        }

        return w.Encode();
    }

    private static void Extension(AsnWriter w, string oid, bool critical, byte[] value)
    {
        using (w.PushSequence())
        {
            w.WriteObjectIdentifier(oid);
            if (critical)
            {
                w.WriteBoolean(true);
            }

            w.WriteOctetString(value);
        }
    }

    private static byte[] Access()
    {
        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        using (w.PushSequence())
        {
            w.WriteObjectIdentifier("1.3.6.1.5.5.7.48.2");
            w.WriteCharacterString(UniversalTagNumber.IA5String, Issuer, new Asn1Tag(TagClass.ContextSpecific, 6));
        }

        return w.Encode();
    }

    private static byte[] Names(params string[] names)
    {
        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        {
            foreach (var name in names)
            {
                w.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, 2));
            }
        }

        return w.Encode();
    }

    private static byte[] Points()
    {
        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        using (w.PushSequence())
        using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            w.WriteCharacterString(UniversalTagNumber.IA5String, List, new Asn1Tag(TagClass.ContextSpecific, 6));
        }

        return w.Encode();
    }
}
