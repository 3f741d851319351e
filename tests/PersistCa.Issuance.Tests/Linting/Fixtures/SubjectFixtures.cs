using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CertificateFixture;
using static PersistCa.Issuance.Tests.Linting.Fixtures.Der;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L20 to L25: the subject.</summary>
internal static class SubjectFixtures
{
    private const string Street = "2.5.4.9";
    private const string DomainComponent = "0.9.2342.19200300.100.1.25";

    /// <summary>The order of the Baseline Requirements, section 7.1.4.2.</summary>
    private static readonly string[] Order =
        [DomainComponent, Country, "2.5.4.8", "2.5.4.7", "2.5.4.17", Street, Organization, "2.5.4.4", "2.5.4.42", Unit, CommonName];

    /// <summary>RFC 5280 appendix A.1: upper bounds.</summary>
    private static readonly (string Oid, int Limit)[] Bounds =
        [(CommonName, 64), ("2.5.4.5", 64), (Country, 2), ("2.5.4.7", 128), ("2.5.4.8", 128), (Organization, 64), (Unit, 64)];

    public static IEnumerable<CertificateFixture> All =>
    [
        Pass("L20", Subject((Country, "DE"), (CommonName, "www.example.com"))),
        Fail("L20", "attribute 2.5.4.11", Subject((Unit, "Fleet"))),
        Pass("L20", Subject((Unit, "Fleet")), Authority),

        Pass("L21", Subject((Organization, "A"), (CommonName, "www.example.com"))),
        Fail("L21", "'WWW.example.com'", Subject((CommonName, "WWW.example.com"))),
        Pass("L21", Addressed(10, 0, 0, 1).Then(Subject((CommonName, "10.0.0.1")))),
        Pass("L21", Called(64)),
        Fail("L21", "longer than 64", Called(65)),
        Pass("L21", Subject((CommonName, "Example")), Authority),
        Fail("L21", "not recommended", Subject((CommonName, "www.example.com")), Public, LintSeverity.Warning),

        Pass("L22", Subject([.. Order.Select(o => (o, "AA"))])),
        .. Order.Zip(Order.Skip(1)).Select(pair => Fail("L22", "not in the order", Subject((pair.Second, "AA"), (pair.First, "AA")))),
        Pass("L22", Subject((Organization, "A"), ("2.5.4.65", "A"), (CommonName, "A"))),
        Fail("L22", "more than one attribute", d => d with { Subject = Name([(Organization, UniversalTagNumber.UTF8String, "A"), (Unit, UniversalTagNumber.UTF8String, "A")]) }),
        Fail("L22", "2.5.4.10 stands there 2 times", Subject((Organization, "A"), (Organization, "B"))),
        Pass("L22", Subject((DomainComponent, "com"), (DomainComponent, "example"), (Street, "A"), (Street, "B"))),

        Pass("L23", Subject((Country, "DE"), (Organization, "de"))),
        Fail("L23", "'de'", Subject((Country, "de"))),
        Fail("L23", "'AB'", Subject((Country, "AB"))),
        Fail("L23", "'DE'", Subject(Country, UniversalTagNumber.UTF8String, "DE")),

        .. Bounds.SelectMany(b => new[]
        {
            Pass("L24", Subject((b.Oid, new string('A', b.Limit)))),
            Fail("L24", $"1 to {b.Limit} are", Subject((b.Oid, new string('A', b.Limit + 1)))),
        }),
        Pass("L24", Subject((Organization, string.Concat(Enumerable.Repeat("\U0001F511", 64))))),
        Pass("L24", Subject(("2.5.4.65", new string('A', 200)))),
        Pass("L24", Subject(Organization, UniversalTagNumber.PrintableString, "A")),
        Fail("L24", "has 0 characters", Subject((Organization, ""))),
        Fail("L24", "is a IA5String", Subject(Organization, UniversalTagNumber.IA5String, "A")),

        Pass("L25", Subject((Organization, "A - B & C"))),
        Fail("L25", "'-'", Subject((Organization, "-"))),
        Fail("L25", "' A'", Subject((Organization, " A"))),
        Fail("L25", "'A '", Subject((Organization, "A "))),
        .. new[] { "&amp;", "&LT;", "&gt;", "&quot;", "&#39;" }.Select(e => Fail("L25", "HTML entity", Subject((Organization, "A" + e + "B")))),
    ];

    /// <summary>A name of so many characters, in subjectAltName and as common name.</summary>
    private static Func<TbsDraft, TbsDraft> Called(int length)
    {
        var name = new string('a', length - 12) + ".example.com";
        return Named(name).Then(Subject((CommonName, name)));
    }
}
