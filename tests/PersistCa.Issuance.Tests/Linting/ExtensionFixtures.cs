using System.Formats.Asn1;
using System.Text;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting;

/// <summary>The fixtures of the lints about further extensions and about authorities.</summary>
internal static class ExtensionFixtures
{
    private const string Ski = "2.5.29.14";
    private const string Ku = "2.5.29.15";
    private const string San = "2.5.29.17";
    private const string Bc = "2.5.29.19";
    private const string Constraints = "2.5.29.30";
    private const string Points = "2.5.29.31";
    private const string Policies = "2.5.29.32";
    private const string Aki = "2.5.29.35";
    private const string Eku = "2.5.29.37";
    private const string Access = "1.3.6.1.5.5.7.1.1";
    private const string OcspMethod = "1.3.6.1.5.5.7.48.1";
    private const string Poison = "1.3.6.1.4.1.11129.2.4.3";

    // keyCertSign and cRLSign; OCSPSigning alone; NULL.
    private static readonly byte[] AuthorityUsage = [0x03, 0x02, 0x01, 0x06];
    private static readonly byte[] OcspPurpose = Convert.FromHexString("300a06082b06010505070309");
    private static readonly byte[] Null = [0x05, 0x00];

    public static IEnumerable<LintFixture> All { get; } =
    [
        LintFixture.Of("L41", d => AsRoot(d).Without(Aki), d => AsRoot(d).Criticality(Aki, true), c => c with { Kind = CertificateKind.Root }),
        LintFixture.Of("L43", AccessTo(OcspMethod, "http://a.example/"), AccessTo("1.3.6.1.5.5.7.48.3", "http://a.example/")),
        LintFixture.Of("L43", AccessTo(OcspMethod, "http://a.example/"), AccessTo(OcspMethod, "ldap://a.example/"), LintFixtures.Public),
        LintFixture.Of("L44", d => d.With(Points, false, Point("http://a.example/1.crl", null)), d => d.With(Points, false, Point("http://a.example/1.crl", [0x81, 0x02, 0x01, 0x02]))),
        LintFixture.Of("L44", AccessTo(OcspMethod, "http://a.example/"), d => d, LintFixtures.Public),
        LintFixture.Of("L45", Policy("1.2.3"), Policy("2.23.140.1.2.1")),
        LintFixture.Of("L45", Policy("2.23.140.1.2.1", "1.2.3"), Policy("1.2.3"), LintFixtures.Public),
        LintFixture.Of("L46", Policy("1.2.3"), d => d.With(Policies, false, Qualified("1.2.3", "ftp://a.example/"))),
        LintFixture.Of("L47", d => d.With(Constraints, true, ConstrainedTo(0xff, 0xff, 0, 0)), d => d.With(Constraints, false, ConstrainedTo(0xff, 0xff, 0, 0)), Authority),
        LintFixture.Of("L48", d => d, d => d.With(Eku, false, Convert.FromHexString("301406082b0601050507030106082b06010505070302")), c => c with { IssuerPurposes = ["1.3.6.1.5.5.7.3.1"] }),
        LintFixture.Of("L49", d => d.With(Poison, true, Null), d => d.With(Poison, false, Null)),
        LintFixture.Of("L50", d => d.With("2.5.29.56", false, Null), d => AccessTo(OcspMethod, "http://a.example/")(d).With("2.5.29.56", false, Null)),
        LintFixture.Of("L50", d => d.With("1.3.6.1.5.5.7.1.24", false, [0x30, 0x03, 0x02, 0x01, 0x05]), d => d.With("1.3.6.1.5.5.7.1.24", false, [0x30, 0x03, 0x02, 0x01, 0x11])),
        LintFixture.Of("L51", d => d.With("1.2.3.4", false, Null)),
        LintFixture.Of("L52", AsAuthority, d => AsAuthority(d).Criticality(Ku, false), Authority),
        LintFixture.Of("L53", AsRoot, d => AsRoot(d).With(Aki, false, [0x30, 0x03, 0x80, 0x01, 0x02]), c => c with { Kind = CertificateKind.Root }),
        LintFixture.Of("L53", AsRoot, d => AsRoot(d) with { NotAfter = TbsDraft.Utc("310507070809Z") }, c => c with { Kind = CertificateKind.Root, Regime = Regime.CabfBr }),
        LintFixture.Of("L54", d => Policy("1.2.3")(AsAuthority(d)).With(Points, false, Point("http://a.example/1.crl", null)), AsAuthority, Authority),
        LintFixture.Of("L55", d => d.With(Constraints, true, ConstrainedTo(0xff, 0xff, 0, 0)), d => d.With(Constraints, true, ConstrainedTo(0xff, 0, 0xff, 0)), Authority),
        LintFixture.Of("L56", AsOcspSigner, d => AsOcspSigner(d).Without("1.3.6.1.5.5.7.48.1.5"), c => c with { Kind = CertificateKind.OcspSigner }),
    ];

    private static LintContext Authority(LintContext context) => context with { Kind = CertificateKind.SubordinateAuthority };

    private static TbsDraft AsAuthority(TbsDraft draft) =>
        draft.Without(San).With(Bc, true, [0x30, 0x03, 0x01, 0x01, 0xff]).With(Ku, true, AuthorityUsage).With(Ski, false, [0x04, 0x01, 0x01]);

    private static TbsDraft AsRoot(TbsDraft draft)
    {
        var name = Convert.FromHexString("3026310b3009060355040613024445310a3008060355040a0c0141310b300906035504030c024141");
        return AsAuthority(draft).Without(Eku).With(Aki, false, [0x30, 0x03, 0x80, 0x01, 0x01]) with { Issuer = name, Subject = name, NotAfter = TbsDraft.Utc("450507070809Z") };
    }

    private static TbsDraft AsOcspSigner(TbsDraft draft) => draft.Without(San).With(Eku, false, OcspPurpose).With("1.3.6.1.5.5.7.48.1.5", false, Null);

    private static Func<TbsDraft, TbsDraft> AccessTo(string method, string uri) => d => d.With(Access, false, LintFixtures.Sequence(w =>
    {
        using var description = w.PushSequence();
        w.WriteObjectIdentifier(method);
        WriteUri(w, uri);
    }));

    private static Func<TbsDraft, TbsDraft> Policy(params string[] oids) => d => d.With(Policies, false, LintFixtures.Sequence(w => Array.ForEach(oids, o =>
    {
        using var policy = w.PushSequence();
        w.WriteObjectIdentifier(o);
    })));

    private static byte[] Qualified(string oid, string uri) => LintFixtures.Sequence(w =>
    {
        using var policy = w.PushSequence();
        w.WriteObjectIdentifier(oid);
        using var qualifiers = w.PushSequence();
        using var qualifier = w.PushSequence();
        w.WriteObjectIdentifier("1.3.6.1.5.5.7.2.1");
        w.WriteCharacterString(UniversalTagNumber.IA5String, uri);
    });

    public static byte[] Point(string uri, byte[]? reasons) => LintFixtures.Sequence(w =>
    {
        using var point = w.PushSequence();
        using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            WriteUri(w, uri);
        }

        if (reasons is not null)
        {
            w.WriteEncodedValue(reasons);
        }
    });

    private static void WriteUri(AsnWriter writer, string uri) => writer.WriteOctetString(Encoding.ASCII.GetBytes(uri), new Asn1Tag(TagClass.ContextSpecific, 6));

    /// <summary>Permits a domain, the network 10.0.0.0 with a mask, and a directory name.</summary>
    private static byte[] ConstrainedTo(params byte[] mask) => LintFixtures.Sequence(w =>
    {
        using var permitted = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        using (w.PushSequence())
        {
            w.WriteOctetString("corp"u8, new Asn1Tag(TagClass.ContextSpecific, 2));
        }

        using (w.PushSequence())
        {
            w.WriteOctetString([10, 0, 0, 0, .. mask], new Asn1Tag(TagClass.ContextSpecific, 7));
        }

        using (w.PushSequence())
        using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4)))
        {
            w.WriteEncodedValue([0x30, 0x00]);
        }
    });
}
