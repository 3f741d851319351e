using System.Formats.Asn1;
using System.Numerics;
using System.Text;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Csr;

namespace PersistCa.Issuance.Tests.Linting;

/// <summary>The fixtures of the lints about subscribers' certificates, by small changes of a sound one.</summary>
internal static class LintFixtures
{
    private const string Ku = "2.5.29.15";
    private const string San = "2.5.29.17";
    private const string Bc = "2.5.29.19";
    private const string Eku = "2.5.29.37";

    public static IEnumerable<LintFixture> All { get; } =
    [
        LintFixture.Of("L01", d => d with { Version = 1 }),
        LintFixture.Of("L02", d => d with { Serial = d.Serial[..7] }),
        LintFixture.Of("L03", d => d with { SignatureAlgorithm = SigningAlgorithms.EcdsaP384.AlgorithmIdentifier.ToArray() }),
        LintFixture.Of("L04", d => d with { Issuer = d.Subject }),
        LintFixture.Of("L05", d => d with { NotBefore = TbsDraft.Utc("300504070809Z") }, c => c with { SignedAt = TestAuthority.Now.AddDays(1) }),
        LintFixture.Of("L06", d => d with { NotAfter = TbsDraft.Utc("300805070709Z") }),
        LintFixture.Of("L07", d => Life(d, "260401000000Z", "260531235959Z"), d => Life(d, "260401000000Z", "261017235959Z"), Public),
        LintFixture.Of("L08", d => d with { NotBefore = TbsDraft.Generalized("20300507070709Z") }),
        LintFixture.Of("L09", d => d with { SubjectUniqueId = [1] }),
        LintFixture.Of("L10", d => d.Twice(Eku)),
        LintFixture.Of("L11", d => d.With(Ku, true, [0x03, 0x02, 0x04, 0x80])),
        LintFixture.Of("L12", d => d.With(Eku, false, [0x30, 0x00])),
        LintFixture.Of("L13", Rsa(TestModulus), d => d with { SubjectPublicKeyInfo = WithoutParameters(CsrDraft.RsaKey.ExportSubjectPublicKeyInfo()) }),
        LintFixture.Of("L14", Rsa(TestModulus), Rsa(TestModulus * 3)),
        LintFixture.Of("L15", d => d with { SubjectPublicKeyInfo = [.. d.SubjectPublicKeyInfo[..^1], (byte)(d.SubjectPublicKeyInfo[^1] ^ 1)] }),
        LintFixture.Of("L16", Rsa(TestModulus), Rsa(BigInteger.Pow((BigInteger.One << 1023) + 1, 2))),
        LintFixture.Of("L17", Rsa(TestModulus), Rsa(BigInteger.Pow(65537, 128))),
        LintFixture.Of("L18", d => d with { SubjectPublicKeyInfo = CsrDraft.RsaKey.ExportSubjectPublicKeyInfo() }, c => c with { BlockedKeys = OneKey }),
        LintFixture.Of("L19", d => d with { SubjectPublicKeyInfo = CsrDraft.RsaKey.ExportSubjectPublicKeyInfo() }, c => c with { GeneratedKeys = OneKey }),
        LintFixture.Of("L20", Subject(("2.5.4.3", "www.example.com")), Subject(("2.5.4.11", "Fleet"))),
        LintFixture.Of("L21", Subject(("2.5.4.3", "www.example.com")), Subject(("2.5.4.3", "WWW.example.com"))),
        LintFixture.Of("L22", Subject(("2.5.4.10", "A"), ("2.5.4.3", "B")), Subject(("2.5.4.3", "B"), ("2.5.4.10", "A"))),
        LintFixture.Of("L23", Subject(("2.5.4.6", "DE")), Subject(("2.5.4.6", "de"))),
        LintFixture.Of("L24", Subject(("2.5.4.10", new string('a', 64))), Subject(("2.5.4.10", new string('a', 65)))),
        LintFixture.Of("L25", Subject(("2.5.4.10", "A - B")), Subject(("2.5.4.10", " - "))),
        LintFixture.Of("L26", d => d.Without(San)),
        LintFixture.Of("L27", d => d.Criticality(San, false)),
        LintFixture.Of("L28", Named("a-b.example.com"), Named("a..example.com")),
        LintFixture.Of("L29", Named("a-b.example.com"), Named("a_b.example.com")),
        LintFixture.Of("L30", Named("*.example.com"), Named("w*.example.com")),
        LintFixture.Of("L30", Named("*.example.com"), Named("*.co.uk"), Public),
        LintFixture.Of("L31", Named("xn--bcher-kva.example"), Named("ab--cd.example.com")),
        LintFixture.Of("L32", Named("www.example.com"), Named("db01.corp"), Public),
        LintFixture.Of("L32", Named("db01.corp"), Named("db01.lan"), c => c with { Zones = [Protocol.Identifiers.DnsName.Parse("corp").Value!] }),
        LintFixture.Of("L33", Addressed(10, 0, 0, 1), Addressed(10, 0, 0, 1, 0)),
        LintFixture.Of("L33", Addressed(8, 8, 8, 8), Addressed(10, 0, 0, 1), Public),
        LintFixture.Of("L34", Named("arpa.example.com"), Named("1.0.0.10.in-addr.arpa")),
        LintFixture.Of("L35", Named("www.example.com"), Named("www.example.com", "a.b")),
        LintFixture.Of("L36", Named("a.example.com"), Named("a.example.com", "b.example.com"), c => c with { MaxNames = 1 }),
        LintFixture.Of("L37", d => d.Criticality(Ku, false)),
        LintFixture.Of("L38", d => d.Criticality(Eku, true)),
        LintFixture.Of("L38", Purposes("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"), Purposes("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3"), c => c with { Purposes = null }),
        LintFixture.Of("L39", Purposes("1.3.6.1.5.5.7.3.2"), Purposes("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"), Public),
        LintFixture.Of("L40", d => d.With(Bc, true, [0x30, 0x00]), d => d.With(Bc, false, [0x30, 0x00])),
        LintFixture.Of("L41", d => d.Without("2.5.29.35")),
        LintFixture.Of("L42", d => d.With("2.5.29.14", false, [0x04, 0x01, 0x01]), d => d.Without("2.5.29.14"), c => c with { Kind = CertificateKind.SubordinateAuthority }),
        .. ExtensionFixtures.All,
    ];

    private static BigInteger TestModulus => new(CsrDraft.RsaKey.ExportParameters(false).Modulus, isUnsigned: true, isBigEndian: true);

    private static HashSet<string> OneKey => [PublicKeyFingerprint.Of(CsrDraft.RsaKey.ExportSubjectPublicKeyInfo())];

    public static LintContext Public(LintContext context) => context with { Regime = Regime.CabfBr };

    /// <summary>A dNSName for each.</summary>
    public static Func<TbsDraft, TbsDraft> Named(params string[] names) =>
        d => d.With(San, true, Sequence(w => Array.ForEach(names, n => w.WriteOctetString(Encoding.ASCII.GetBytes(n), new Asn1Tag(TagClass.ContextSpecific, 2)))));

    public static byte[] Sequence(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            write(writer);
        }

        return writer.Encode();
    }

    private static Func<TbsDraft, TbsDraft> Addressed(params byte[] octets) =>
        d => d.With(San, true, Sequence(w => w.WriteOctetString(octets, new Asn1Tag(TagClass.ContextSpecific, 7))));

    private static Func<TbsDraft, TbsDraft> Purposes(params string[] oids) => d => d.With(Eku, false, Sequence(w => Array.ForEach(oids, o => w.WriteObjectIdentifier(o))));

    private static TbsDraft Life(TbsDraft draft, string from, string to) => draft with { NotBefore = TbsDraft.Utc(from), NotAfter = TbsDraft.Utc(to) };

    private static Func<TbsDraft, TbsDraft> Subject(params (string Oid, string Text)[] attributes) => d => d with
    {
        Subject = Sequence(names => Array.ForEach(attributes, a =>
        {
            using var rdn = names.PushSetOf();
            using var attribute = names.PushSequence();
            names.WriteObjectIdentifier(a.Oid);
            names.WriteCharacterString(a.Oid == "2.5.4.6" ? UniversalTagNumber.PrintableString : UniversalTagNumber.UTF8String, a.Text);
        })),
    };

    private static Func<TbsDraft, TbsDraft> Rsa(BigInteger modulus) => d => d with
    {
        SubjectPublicKeyInfo = Sequence(w =>
        {
            using (w.PushSequence())
            {
                w.WriteObjectIdentifier("1.2.840.113549.1.1.1");
                w.WriteNull();
            }

            w.WriteBitString(Sequence(numbers =>
            {
                numbers.WriteInteger(modulus);
                numbers.WriteInteger(65537);
            }));
        }),
    };

    private static byte[] WithoutParameters(byte[] spki) => Sequence(w =>
    {
        var info = new AsnReader(spki, AsnEncodingRules.DER).ReadSequence();
        info.ReadEncodedValue();
        using (w.PushSequence())
        {
            w.WriteObjectIdentifier("1.2.840.113549.1.1.1");
        }

        w.WriteEncodedValue(info.ReadEncodedValue().Span);
    });
}
