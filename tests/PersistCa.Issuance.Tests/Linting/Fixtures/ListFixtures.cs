using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CrlDraft;
using static PersistCa.Issuance.Tests.Linting.Fixtures.ListFixture;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L57 to L59: revocation lists.</summary>
internal static class ListFixtures
{
    private const string First = "http://a.example/1.crl";
    private const string Second = "http://a.example/2.crl";

    public static IEnumerable<ListFixture> All =>
    [
        Pass("L57", d => d, c => c with { NumberBefore = 6, MaxInterval = TimeSpan.FromDays(7), Regime = Regime.CabfBr }),
        Pass("L57", d => d with { Entries = null }),
        Fail("L57", "not v2", d => d with { Version = null }),
        Fail("L57", "not v2", d => d with { Version = 0 }),
        Fail("L57", "not allowed, or not the same", d => d with { SignatureAlgorithm = SigningAlgorithms.EcdsaP384.AlgorithmIdentifier.ToArray() }),
        Fail("L57", "not allowed, or not the same", d => Signed(d, SigningAlgorithms.Ed25519), c => c with { Regime = Regime.CabfBr }),
        Pass("L57", d => Signed(d, SigningAlgorithms.Ed25519)),
        Fail("L57", "issuer name", d => d, c => c with { IssuerSubjectDer = new byte[] { 0x30, 0x01 } }),
        Pass("L57", d => d, c => c with { IssuerSubjectDer = new byte[] { 0x30, 0x00 } }),
        Fail("L57", "authorityKeyIdentifier is missing or critical", d => d.Without(Der.Aki)),
        Fail("L57", "authorityKeyIdentifier is missing or critical", d => d.With(new(Der.Aki, true, new byte[] { 0x30, 0x03, 0x80, 0x01, 0x01 }))),
        Fail("L57", "not the issuer's key identifier", d => d, c => c with { IssuerKeyIdentifier = new byte[] { 2 } }),
        Pass("L57", d => d, c => c with { IssuerKeyIdentifier = new byte[] { 1 } }),
        Fail("L57", "number is missing or critical", d => d.Without(Number)),
        Fail("L57", "number is missing or critical", d => d.With(new(Number, true, new byte[] { 0x02, 0x01, 0x07 }))),
        Fail("L57", "not above 7", d => d, c => c with { NumberBefore = 7 }),
        Fail("L57", "the number is negative", d => d.With(new(Number, false, new byte[] { 0x02, 0x01, 0xff }))),
        Pass("L57", d => d.With(new(Number, false, new byte[] { 0x02, 0x01, 0x00 }))),
        Pass("L57", d => d.With(new(Number, false, new byte[] { 0x02, 0x14, 0x7f }.Concat(new byte[19]).ToArray()))),
        Fail("L57", "longer than 20 octets", d => d.With(new(Number, false, new byte[] { 0x02, 0x15, 0x00, 0x80 }.Concat(new byte[19]).ToArray()))),
        Fail("L57", "nextUpdate is missing", d => d with { NextUpdate = null }),
        Fail("L57", "not later than thisUpdate", d => d with { NextUpdate = "300506070809Z" }),
        Fail("L57", "at most 6 are", d => d, c => c with { MaxInterval = TimeSpan.FromDays(6) }),
        Fail("L57", "is empty", d => d with { Entries = [] }),

        Pass("L58", d => d with { Entries = null }),
        Pass("L58", d => d with { Entries = [(1, "300506070809Z", [Superseded]), (2, "300506070809Z", [])] }),
        Fail("L58", "stands there twice", d => d with { Entries = [.. d.Entries!, .. d.Entries!] }),
        Fail("L58", "later than the list", d => d with { Entries = [(1, "300506070810Z", [Superseded])] }),
        Fail("L58", "critical extension", d => d with { Entries = [(1, "300506070809Z", [Superseded with { Critical = true }])] }),
        .. new byte[][] { [0x0a, 0x01, 0x00], [0x0a, 0x01, 0x06], [0x0a, 0x02, 0x00, 0x04], [0x02, 0x01, 0x04], [0x0a, 0x02, 0x04, 0x04] }
            .Select(r => Fail("L58", "reason that is not accepted", d => Reasoned(d, r))),
        .. new byte[] { 2, 10 }.SelectMany(r => new[]
        {
            Fail("L58", "reason that is not accepted", d => Reasoned(d, 0x0a, 0x01, r), c => c with { OfAuthorities = false }),
            Pass("L58", d => Reasoned(d, 0x0a, 0x01, r), c => c with { OfAuthorities = true }),
            Pass("L58", d => Reasoned(d, 0x0a, 0x01, r)),
        }),
        .. new byte[] { 1, 3, 4, 5, 9 }.Select(r => Pass("L58", d => Reasoned(d, 0x0a, 0x01, r), c => c with { OfAuthorities = false })),
        Fail("L58", "has no reason", d => d with { Entries = [(1, "300506070809Z", [])] }, c => c with { OfAuthorities = true, Regime = Regime.CabfBr }),
        Pass("L58", d => d with { Entries = [(1, "300506070809Z", [])] }, c => c with { OfAuthorities = false, Regime = Regime.CabfBr }),
        Pass("L58", d => d with { Entries = [(1, "300506070809Z", [])] }, c => c with { OfAuthorities = true }),
        Pass("L58", d => d with { Entries = [(1, "300506070809Z", [new TbsExtension("2.5.29.24", false, new byte[] { 0x05, 0x00 })])] }),

        Pass("L59", d => d, Expected(First)),
        Pass("L59", d => d.OfPart(true, [First, Second], 1), Expected(First, Second)),
        Pass("L59", d => d.OfPart(true, [First], 2), Expected(First)),
        Pass("L59", d => d.OfPart(true, [], 1)),
        Pass("L59", d => d.OfPart(true, [])),
        Fail("L59", "not critical", d => d.OfPart(false, [First])),
        Fail("L59", $"not the URI '{First}'", d => d.OfPart(true, [Second]), Expected(First)),
        Fail("L59", "no full name", d => d.With(new(Part, true, Der.Sequence(w => Der.WritePoint(w, 1))))),
        Fail("L59", "of users and of authorities", d => d.OfPart(true, [First], 1, 2)),
        .. new[] { 3, 4, 5 }.Select(flag => Fail("L59", "indirect, of attributes", d => d.OfPart(true, [First], flag))),
    ];

    private static CrlDraft Reasoned(CrlDraft draft, params byte[] reason) => draft with { Entries = [(1, "300506070809Z", [Superseded with { Value = reason }])] };

    private static CrlDraft Signed(CrlDraft draft, SigningAlgorithm algorithm) =>
        draft with { SignatureAlgorithm = algorithm.AlgorithmIdentifier.ToArray(), OuterAlgorithm = algorithm.AlgorithmIdentifier.ToArray() };

    private static Func<CrlLintContext, CrlLintContext> Expected(params string[] uris) => c => c with { DistributionUris = uris };
}
