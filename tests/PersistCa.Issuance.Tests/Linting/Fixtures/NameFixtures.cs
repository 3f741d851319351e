using System.Net;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Identifiers;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CertificateFixture;
using static PersistCa.Issuance.Tests.Linting.Fixtures.Der;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L26 to L36: the names.</summary>
internal static class NameFixtures
{
    // [2] "www.example.com"
    private const string GoodName = "820f7777772e6578616d706c652e636f6d";

    public static IEnumerable<CertificateFixture> All =>
    [
        Fail("L26", "missing", d => d.Without(San)),
        Pass("L26", d => d.Without(San), Authority),
        Fail("L26", "empty", d => d.With(San, true, Hex("3000"))),
        Fail("L26", "type [1]", d => d.With(San, true, Hex("3016" + GoodName + "8103614062"))),
        Pass("L26", Addressed(10, 0, 0, 1)),

        Fail("L27", "not critical while the subject is empty", d => d.Criticality(San, false)),
        Fail("L27", "critical while the subject is not empty", Subject((CommonName, "a"))),
        Pass("L27", d => Subject((CommonName, "a"))(d).Criticality(San, false)),

        Pass("L28", Named("a-b.example.com", "*.example.com")),
        Fail("L28", "'a..example.com'", Named("a..example.com")),
        Fail("L28", "underscore", Named("a_b.example.com")),

        Pass("L29", Named("a-b.example.com")),
        Fail("L29", "has an underscore", Named("a_b.example.com")),

        Pass("L30", Named("*.example.com"), Public),
        Pass("L30", Named("www.co.uk"), Public),
        Fail("L30", "not its whole left-most label", Named("w*.example.com")),
        Fail("L30", "not its whole left-most label", Named("*w.example.com")),
        Fail("L30", "not its whole left-most label", Named("*.*.example.com")),
        Fail("L30", "public suffix", Named("*.co.uk"), Public),
        Pass("L30", Named("*.co.uk")),
        Pass("L30", Named("*.co..uk"), Public),

        Pass("L31", Named("xn--bcher-kva.example", "XN--BCHER-KVA.example", "ab-c.example", "abc-d.example", "ab-.example")),
        Fail("L31", "'ab--cd' is reserved", Named("ab--cd.example.com")),
        Fail("L31", "'ab--' is reserved", Named("ab--.example.com")),
        Fail("L31", "'xn--abc-' is no A-label", Named("xn--abc-.example.com")),
        Fail("L31", "'xn--99999999' is no A-label", Named("xn--99999999.example.com")),

        Pass("L32", Named("www.example.com", "example.com"), Public),
        Fail("L32", "internal", Named("db01.corp"), Public),
        Fail("L32", "internal", Named("com"), Public),
        Pass("L32", Named("db01.corp")),
        Pass("L32", Named("a..corp"), Public),
        Pass("L32", Named("db01.corp", "corp"), InCorp),
        Fail("L32", "no configured zone", Named("db01.lan"), InCorp),

        Pass("L33", Addressed(10, 0, 0, 1)),
        Fail("L33", "has 5 octets", Addressed(10, 0, 0, 1, 0)),
        Fail("L33", "127.0.0.1 is expected", Addressed([.. IPAddress.Parse("127.0.0.1").MapToIPv6().GetAddressBytes()])),
        Pass("L33", Addressed(8, 8, 8, 8), Public),
        Pass("L33", Addressed([.. IPAddress.Parse("2606:4700::1111").GetAddressBytes()]), Public),
        .. Reserved.Select(a => Fail("L33", "is reserved", Addressed(IPAddress.Parse(a).GetAddressBytes()), Public)),

        Pass("L34", Named("arpa.example.com")),
        Fail("L34", "reverse zone", Named("1.0.0.10.in-addr.arpa")),
        Fail("L34", "reverse zone", Named("1.0.8.b.d.0.1.0.0.2.IP6.arpa")),

        Fail("L35", "www.example.com, 127.0.0.1;", d => d.With(San, true, Hex("3017" + GoodName + "87047f000001"))),
        Fail("L35", "the order has www.example.com", d => d.With(San, true, Hex("3011820f5777772e6578616d706c652e636f6d"))),
        Fail("L35", "subjectAltName has a.b;", Named("a.b")),
        Fail("L35", "www.example.com, www.example.com;", Named("www.example.com", "www.example.com")),
        Fail("L35", "subjectAltName has 10.0.0.1;", Named("10.0.0.1"), c => c with { Names = [Identifier.Of("10.0.0.1")] }),
        Pass("L35", Addressed(10, 0, 0, 1), c => c with { Names = [Identifier.Of("10.0.0.1")] }),
        Fail("L35", "subjectAltName has 0a000001ff;", Addressed(10, 0, 0, 1, 255), c => c with { Names = [Identifier.Of("10.0.0.1")] }),
        Pass("L35", Named("a.b"), c => c with { Names = null }),

        Pass("L36", Named("a.example.com"), c => c with { MaxNames = 1 }),
        Fail("L36", "2 names; at most 1", Named("a.example.com", "b.example.com"), c => c with { MaxNames = 1 }),
    ];

    /// <summary>One address of each network in the special-purpose registries of IANA, and one of multicast.</summary>
    private static string[] Reserved =>
    [
        "0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1",
        "::1", "64:ff9b:1::1", "100::1", "2001:2::1", "2001:db8::1", "2002::1", "3fff::1", "5f00::1", "fd00::1", "fe80::1", "ff02::1",
    ];

    private static LintContext InCorp(LintContext context) => context with { Zones = [DnsName.Parse("corp").Value!] };
}
