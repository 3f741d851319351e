using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Tests.Csr;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CertificateFixture;
using static PersistCa.Issuance.Tests.Linting.Fixtures.Der;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L37 to L42: usages, constraints and key identifiers.</summary>
internal static class UsageFixtures
{
    public static IEnumerable<CertificateFixture> All =>
    [
        Fail("L37", "missing", d => d.Without(Ku)),
        Pass("L37", d => d.Without(Ku), Authority),
        Fail("L37", "not critical", d => d.Criticality(Ku, false)),
        Fail("L37", "digitalSignature alone", Usage(0xa0)),
        Fail("L37", "digitalSignature alone", Usage(0x81)),
        Fail("L37", "digitalSignature alone", Usage(0x08)),
        Fail("L37", "digitalSignature alone", Usage(0x84)),
        Fail("L37", "digitalSignature alone", Usage(0x80, 0x80)),
        Pass("L37", WithRsa(Usage(0xa0))),
        Pass("L37", WithRsa(Usage(0x80))),
        Fail("L37", "with or without keyEncipherment", WithRsa(Usage(0x20))),
        Fail("L37", "with or without keyEncipherment", WithRsa(Usage(0xb0))),
        Fail("L37", "with or without keyEncipherment", WithRsa(Usage(0xa1))),

        Fail("L38", "missing or critical", d => d.Criticality(Eku, true)),
        Fail("L38", "missing or critical", d => d.Without(Eku)),
        Pass("L38", d => d.Without(Eku), Authority),
        Fail("L38", "is not serverAuth alone", Purposes(ServerAuth, ClientAuth)),
        Pass("L38", Purposes(ClientAuth, ServerAuth), Both),
        Fail("L38", "is not 1.3.6.1.5.5.7.3.1, 1.3.6.1.5.5.7.3.2", Purposes(ServerAuth), Both),
        Pass("L38", Purposes(ServerAuth, ClientAuth), AnyPurposes),
        Fail("L38", "lacks serverAuth", Purposes(ClientAuth), AnyPurposes),
        .. ForeignPurposes.Select(p => Fail("L38", "lacks serverAuth, or has", Purposes(ServerAuth, p), AnyPurposes)),

        Pass("L39", Purposes(ClientAuth), Public),
        Pass("L39", Purposes(ServerAuth), Public),
        Pass("L39", Purposes(ServerAuth, ClientAuth), c => Authority(Public(c))),
        Fail("L39", "beside serverAuth", BothFrom("270314235959Z"), Public, LintSeverity.Warning),
        Fail("L39", "beside serverAuth", BothFrom("270315000000Z"), Public, LintSeverity.Error),

        Pass("L40", d => d.With(Bc, true, Hex("3000"))),
        Fail("L40", "expected to be absent", d => d.With(Bc, false, Hex("3000"))),
        Fail("L40", "expected to be absent", d => d.With(Bc, true, Hex("30030101ff"))),
        Pass("L40", d => d.With(Bc, false, Hex("30030101ff")), Authority),
        Fail("L40", "without cA or keyCertSign", Limited("3003020100", 0x06), Authority),
        Fail("L40", "without cA or keyCertSign", Limited("30060101ff020100", 0x02), Authority),
        Fail("L40", "without cA or keyCertSign", Limited("30060101ff020100", 0x01), Authority),
        Fail("L40", "without cA or keyCertSign", d => d.Without(Ku).With(Bc, true, Hex("30060101ff020100")), Authority),
        Fail("L40", "or a negative one", Limited("30060101ff0201ff", 0x06), Authority),
        Pass("L40", Limited("30060101ff020100", 0x04), Authority),
        Pass("L40", Limited("30060101ff020103", 0x06), Authority),

        Fail("L41", "missing", d => d.Without(Aki)),
        Pass("L41", d => d.Without(Aki), Root),
        Fail("L41", "critical", d => d.Criticality(Aki, true)),
        Fail("L41", "not the issuer's key identifier", Identified("800401020304")),
        Fail("L41", "not the issuer's key identifier", Identified("")),
        Fail("L41", "not the issuer's key identifier", Identified("820101")),
        Pass("L41", Identified("800401020304"), c => c with { IssuerKeyIdentifier = null }),
        Fail("L41", "issuer and serial form", Identified("800401020304a100820101"), c => c with { IssuerKeyIdentifier = null }),

        Pass("L42", d => d.With(Ski, false, Hex("040101")), Authority),
        Fail("L42", "missing in an authority's", d => d.Without(Ski), Authority),
        Fail("L42", "missing in an authority's", d => d.Without(Ski), Root),
        Pass("L42", d => d.Without(Ski), Signer),
        Pass("L42", d => d.Without(Ski), Public),
        Pass("L42", d => d.With(Ski, false, Hex("040101"))),
        Pass("L42", d => d.With(Ski, false, Hex("040101")), c => Authority(Public(c))),
        Fail("L42", "not recommended", d => d.With(Ski, false, Hex("040101")), Public, LintSeverity.Warning),
    ];

    private static LintContext Both(LintContext context) => context with { Purposes = [ServerAuth, ClientAuth] };

    private static LintContext AnyPurposes(LintContext context) => context with { Purposes = null };

    private static Func<TbsDraft, TbsDraft> WithRsa(Func<TbsDraft, TbsDraft> other) => d => other(d) with { SubjectPublicKeyInfo = CsrDraft.RsaKey.ExportSubjectPublicKeyInfo() };

    private static Func<TbsDraft, TbsDraft> BothFrom(string notBefore) => Purposes(ServerAuth, ClientAuth).Then(Life(notBefore, "270320000000Z"));

    private static Func<TbsDraft, TbsDraft> Limited(string constraints, byte usage) => d => Usage(usage)(d).With(Bc, true, Hex(constraints));

    private static Func<TbsDraft, TbsDraft> Identified(string content) => d => d.With(Aki, false, Sequence(w =>
    {
        if (content.Length > 0)
        {
            foreach (var part in Parts(Hex(content)))
            {
                w.WriteEncodedValue(part);
            }
        }
    }));

    private static IEnumerable<byte[]> Parts(byte[] values)
    {
        for (var at = 0; at < values.Length; at += 2 + values[at + 1])
        {
            yield return values[at..(at + 2 + values[at + 1])];
        }
    }
}
