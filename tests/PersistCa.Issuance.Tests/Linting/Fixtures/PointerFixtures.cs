using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CertificateFixture;
using static PersistCa.Issuance.Tests.Linting.Fixtures.Der;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L43 to L51: pointers, policies and the rarer extensions.</summary>
internal static class PointerFixtures
{
    private const string NoRevocation = "2.5.29.56";
    private const string TlsFeature = "1.3.6.1.5.5.7.1.24";
    private const string Poison = "1.3.6.1.4.1.11129.2.4.3";
    private const string Timestamps = "1.3.6.1.4.1.11129.2.4.2";
    private const string Cps = "1.3.6.1.5.5.7.2.1";
    private const string UserNotice = "1.3.6.1.5.5.7.2.2";
    private const string DomainValidated = "2.23.140.1.2.1";
    private const string AnyPolicy = "2.5.29.32.0";
    private const string Uri = "http://a.example/1";

    private static readonly DateTimeOffset From = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    public static IEnumerable<CertificateFixture> All =>
    [
        Pass("L43", AccessTo((OcspMethod, Uri), (IssuersMethod, Uri), (OcspMethod, Uri + "/2"))),
        Fail("L43", "is critical", d => AccessTo((OcspMethod, Uri))(d).Criticality(Access, true)),
        Fail("L43", "method 1.3.6.1.5.5.7.48.3", AccessTo(("1.3.6.1.5.5.7.48.3", Uri))),
        Fail("L43", "or one twice", AccessTo((OcspMethod, Uri), (OcspMethod, Uri))),
        Fail("L43", "no URI, or", d => d.With(Access, false, Sequence(w =>
        {
            using var description = w.PushSequence();
            w.WriteObjectIdentifier(OcspMethod);
            WriteTagged(w, 2, "a.example"u8);
        }))),
        Fail("L43", "'ldap://a.example/' is no http URI", AccessTo((OcspMethod, "ldap://a.example/")), weight: LintSeverity.Warning),
        Fail("L43", "'https://a.example/' is no http URI", AccessTo((OcspMethod, "https://a.example/")), Public, LintSeverity.Error),
        Fail("L43", "'a.example' is no http URI", AccessTo((OcspMethod, "a.example")), Public, LintSeverity.Error),

        Pass("L44", PointsTo(FullName(Uri))),
        Pass("L44", Life(From, TimeSpan.FromDays(7)), Public),
        Fail("L44", "neither a CRL nor an OCSP pointer", Life(From, TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1)), Public),
        Fail("L44", "neither a CRL nor an OCSP pointer", AccessTo((IssuersMethod, Uri)), Public),
        Pass("L44", AccessTo((IssuersMethod, Uri), (OcspMethod, Uri)), Public),
        Pass("L44", d => d, c => Authority(Public(c))),
        Fail("L44", "is critical", d => PointsTo(FullName(Uri))(d).Criticality(Points, true)),
        Fail("L44", "has no name", PointsTo(_ => { })),
        Fail("L44", "has no name", PointsTo(w => WriteTagged(w, 1, [1, 2]))),
        Fail("L44", "no full name", PointsTo(w => WritePoint(w, 1, (6, Uri)))),
        Fail("L44", "no full name", PointsTo(w =>
        {
            using var name = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        })),
        Fail("L44", "a name that is no URI", PointsTo(w => WritePoint(w, 0, (2, "a.example")))),
        Fail("L44", "reasons or a cRLIssuer", PointsTo(w =>
        {
            FullName(Uri)(w);
            WriteTagged(w, 1, [1, 2]);
        })),
        Fail("L44", "no http URI", PointsTo(FullName("ldap://a.example/")), weight: LintSeverity.Warning),
        Fail("L44", "no http URI", PointsTo(FullName("ldap://a.example/")), Public, LintSeverity.Error),
        Fail("L44", "there are 2 distribution points", PointsTo(FullName(Uri), FullName(Uri))),
        Fail("L44", "there are 0 distribution points", PointsTo()),

        Pass("L45", Policy("1.2.3")),
        Fail("L45", "has 1 policies of the CA/Browser Forum; none is", Policy(DomainValidated)),
        Pass("L45", Policy(DomainValidated), Authority),
        Pass("L45", Policy(DomainValidated, "1.2.3"), Public),
        Fail("L45", "has 0 policies of the CA/Browser Forum; exactly one is", Policy("1.2.3"), Public),
        Fail("L45", "has 2 policies", Policy(DomainValidated, "2.23.140.1.2.2"), Public),
        Fail("L45", "has anyPolicy", Policy(AnyPolicy)),
        Pass("L45", Policy(AnyPolicy), Authority),
        Fail("L45", "a policy twice", Policy("1.2.3", "1.2.3")),

        Pass("L46", Policy("1.2.3")),
        Fail("L46", "not recommended", Qualified(Cps, w => Ia5(w, "http://a.example/cps")), weight: LintSeverity.Notice),
        Fail("L46", "not recommended", Qualified(Cps, w => Ia5(w, "https://a.example/cps")), Public, LintSeverity.Warning),
        Fail("L46", "no http or https URI", Qualified(Cps, w => Ia5(w, "ftp://a.example/"))),
        Fail("L46", "no http or https URI", Qualified(Cps, w => Ia5(w, "cps"))),
        Fail("L46", "no http or https URI", Qualified(Cps, w => w.WriteCharacterString(UniversalTagNumber.UTF8String, "http://a.example/"))),
        Fail("L46", "no http or https URI", Qualified(Cps, _ => { })),
        Fail("L46", "no http or https URI", Qualified(UserNotice, w => Ia5(w, "http://a.example/cps"))),

        Pass("L47", d => d.With(Constraints, true, AuthorityFixtures.Constrained()), Authority),
        Pass("L47", d => d.With(Constraints, true, AuthorityFixtures.Constrained()), Root),
        Fail("L47", "is not critical", d => d.With(Constraints, false, AuthorityFixtures.Constrained()), Authority),
        Fail("L47", "certificate of no authority", d => d.With(Constraints, true, AuthorityFixtures.Constrained())),

        Pass("L48", d => d, ForServers),
        Fail("L48", "has 1.3.6.1.5.5.7.3.2, which", Purposes(ServerAuth, ClientAuth), ForServers),
        Pass("L48", Purposes(ServerAuth, ClientAuth), c => c with { IssuerPurposes = ["2.5.29.37.0"] }),
        Pass("L48", Purposes(ServerAuth, ClientAuth)),
        Pass("L48", d => d.Without(Eku), ForServers),
        Pass("L48", Purposes(OcspSigning), c => Signer(ForServers(c))),

        Pass("L49", d => d.With(Poison, true, Null)),
        Fail("L49", "not critical or not NULL", d => d.With(Poison, false, Null)),
        Fail("L49", "not critical or not NULL", d => d.With(Poison, true, Hex("0101ff"))),
        Fail("L49", "signed timestamps", d => d.With(Poison, true, Null).With(Timestamps, false, Hex("0400"))),

        Pass("L50", d => d.With(NoRevocation, false, Null)),
        Fail("L50", "noRevAvail", d => d.With(NoRevocation, true, Null)),
        Fail("L50", "noRevAvail", d => d.With(NoRevocation, false, Hex("0101ff"))),
        Fail("L50", "noRevAvail", d => d.With(NoRevocation, false, Null), Authority),
        Fail("L50", "noRevAvail", d => AccessTo((OcspMethod, Uri))(d).With(NoRevocation, false, Null)),
        Pass("L50", d => AccessTo((IssuersMethod, Uri))(d).With(NoRevocation, false, Null)),
        Fail("L50", "noRevAvail", d => PointsTo(FullName(Uri))(d).With(NoRevocation, false, Null)),
        Pass("L50", d => d.With(TlsFeature, false, Hex("3003020105"))),
        Fail("L50", "TLS feature", d => d.With(TlsFeature, false, Hex("3003020111"))),
        Fail("L50", "TLS feature", d => d.With(TlsFeature, true, Hex("3003020105"))),

        .. Known.Select(oid => Pass("L51", d => d.With(oid, false, Null))),
        .. Known.Select(oid => Pass("L51", d => d.With(oid, false, Null), Authority)),
        Fail("L51", "1.2.3.4 is in no profile", d => d.With("1.2.3.4", false, Null)),
        .. new[] { Constraints, NoCheck }.SelectMany(oid => new[]
        {
            Pass("L51", d => d.With(oid, false, Null), Authority),
            Fail("L51", oid + " is in no profile", d => d.With(oid, false, Null)),
        }),
    ];

    private static string[] Known => [Ski, Ku, San, Bc, Points, Policies, Aki, Eku, Access, NoRevocation, TlsFeature, Poison, Timestamps];

    private static LintContext ForServers(LintContext context) => context with { IssuerPurposes = [ServerAuth] };

    private static void Ia5(AsnWriter writer, string text) => writer.WriteCharacterString(UniversalTagNumber.IA5String, text);
}
