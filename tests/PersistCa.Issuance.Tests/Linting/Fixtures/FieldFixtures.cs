using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CertificateFixture;
using static PersistCa.Issuance.Tests.Linting.Fixtures.Der;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L01 to L12: the fields, times and the encoding of extensions.</summary>
internal static class FieldFixtures
{
    private const string Unknown = "1.2.3.4";

    /// <summary>Baseline Requirements section 6.3.2: from when on, how many days, and how many before.</summary>
    private static readonly (DateTimeOffset From, int Days, int Before)[] Limits =
    [
        (At(2026, 3, 15), 200, 398),
        (At(2027, 3, 15), 100, 200),
        (At(2029, 3, 15), 47, 100),
    ];

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly DateTimeOffset Signed = new(2030, 6, 10, 12, 0, 0, TimeSpan.Zero);

    public static IEnumerable<CertificateFixture> All =>
    [
        Fail("L01", "version is 1; v3", d => d with { Version = null }),
        Fail("L01", "version is 2; v3", d => d with { Version = 1 }),

        Fail("L02", "not positive", d => d with { Serial = [0x80, .. d.Serial[1..]] }),
        Fail("L02", "not positive", d => d with { Serial = [0] }),
        Fail("L02", "has 7 octets", d => d with { Serial = [1, 2, 3, 4, 5, 6, 7] }),
        Fail("L02", "has 21 octets", d => d with { Serial = [.. Enumerable.Repeat((byte)1, 21)] }),
        Pass("L02", d => d with { Serial = [.. Enumerable.Repeat((byte)1, 8)] }),
        Pass("L02", d => d with { Serial = [.. Enumerable.Repeat((byte)1, 20)] }),

        Fail("L03", "the issuer's is", d => d with { SignatureAlgorithm = SigningAlgorithms.EcdsaP384.AlgorithmIdentifier.ToArray() }),
        Fail("L03", "not one of those allowed", d => d with { SignatureAlgorithm = Hex("300906072a8648ce3d0401") }, AnyIssuer),
        Fail("L03", "not one of those allowed", d => d with { SignatureAlgorithm = SigningAlgorithms.Ed25519.AlgorithmIdentifier.ToArray() }, c => Public(AnyIssuer(c))),
        Pass("L03", d => d with { SignatureAlgorithm = SigningAlgorithms.Ed25519.AlgorithmIdentifier.ToArray() }, AnyIssuer),
        .. new[] { "300d06092a864886f70d01010b0500", "300d06092a864886f70d01010c0500", "300d06092a864886f70d01010d0500", "300a06082a8648ce3d040302", "300a06082a8648ce3d040303", "300a06082a8648ce3d040304" }
            .Select(a => Pass("L03", d => d with { SignatureAlgorithm = Hex(a) }, c => Public(AnyIssuer(c)))),
        Fail("L03", "beside the signature", d => d with { OuterAlgorithm = SigningAlgorithms.EcdsaP384.AlgorithmIdentifier.ToArray() }),
        Pass("L03", d => d with { OuterAlgorithm = d.SignatureAlgorithm }),

        Fail("L04", "octet for octet", d => d with { Issuer = [0x30, 0x00] }),
        Pass("L04", d => d with { Issuer = [0x30, 0x00] }, c => c with { IssuerSubjectDer = null }),

        .. NotBefore(TimeSpan.FromHours(-48), TimeSpan.FromHours(48), c => c),
        .. NotBefore(TimeSpan.FromHours(-24), TimeSpan.Zero, Authority),

        Fail("L06", "is 7776001 seconds; at most 7776000", d => d with { NotAfter = Utc("300805070709Z") }),
        Pass("L06", d => d with { NotAfter = Utc("300805070708Z") }),
        Fail("L06", "not later than notBefore", d => d with { NotAfter = d.NotBefore }),
        Pass("L06", Life(Signed, Second * 2)),
        Fail("L06", "later than the issuer's", Life(Signed, Second * 10), c => c with { IssuerNotAfter = Signed + (Second * 8) }),
        Pass("L06", Life(Signed, Second * 10), c => c with { IssuerNotAfter = Signed + (Second * 9) }),
        Pass("L06", Life(Signed, TimeSpan.FromDays(900)), c => c with { MaxValidity = null }),
        .. Limits.SelectMany(l => new[]
        {
            Pass("L06", Life(l.From, TimeSpan.FromDays(l.Days)), Unlimited),
            Fail("L06", $"at most {l.Days * 86400} are", Life(l.From, TimeSpan.FromDays(l.Days) + Second), Unlimited),
            Pass("L06", Life(l.From - Second, TimeSpan.FromDays(l.Before)), Unlimited),
            Fail("L06", $"at most {l.Before * 86400} are", Life(l.From - Second, TimeSpan.FromDays(l.Before) + Second), Unlimited),
        }),
        Fail("L06", "at most 864000 are", Life(At(2026, 4, 1), TimeSpan.FromDays(11)), c => Public(c) with { MaxValidity = TimeSpan.FromDays(10) }),
        Fail("L06", $"at most {200 * 86400} are", Life(At(2026, 4, 1), TimeSpan.FromDays(201)), c => Public(c) with { MaxValidity = TimeSpan.FromDays(398) }),
        Pass("L06", Life(At(2026, 4, 1), TimeSpan.FromDays(398)), c => Unlimited(c) with { SignedAt = At(2026, 3, 14) }),
        Pass("L06", Life(At(2026, 4, 1), TimeSpan.FromDays(3652)), c => Authority(Unlimited(c))),
        Pass("L06", Life(At(2026, 4, 1), TimeSpan.FromDays(899)), c => c with { MaxValidity = TimeSpan.FromDays(900) }),

        Fail("L07", "no whole number of minutes", Life(At(2026, 4, 1), TimeSpan.FromDays(60) - Second), Public),
        Pass("L07", Life(At(2026, 4, 1), TimeSpan.FromDays(60)), Public),
        Pass("L07", Life(At(2026, 4, 1), TimeSpan.FromDays(199)), Public),
        Fail("L07", "less than a day below", Life(At(2026, 4, 1), TimeSpan.FromDays(199) + TimeSpan.FromMinutes(1)), Public),
        Fail("L07", "less than a day below", Life(At(2026, 4, 1), TimeSpan.FromDays(200)), Public),
        Pass("L07", Life(At(2026, 4, 1), TimeSpan.FromDays(200) + TimeSpan.FromMinutes(1)), Public),
        Pass("L07", Life(At(2026, 4, 1), TimeSpan.FromDays(60) - Second), c => Authority(Public(c))),

        Fail("L08", "notBefore 2030-05-07 07:07:09Z is a GeneralizedTime; UTCTime", d => d with { NotBefore = TbsDraft.Generalized("20300507070709Z") }),
        Fail("L08", "notAfter 2049-12-31 23:59:59Z is a GeneralizedTime; UTCTime", d => d with { NotAfter = TbsDraft.Generalized("20491231235959Z") }),
        Pass("L08", d => d with { NotAfter = TbsDraft.Generalized("20500101000000Z") }),
        Pass("L08", d => d with { NotAfter = TbsDraft.Utc("491231235959Z") }),
        Fail("L08", "notAfter is written '20500101000000.5Z'; 14 digits", d => d with { NotAfter = TbsDraft.Generalized("20500101000000.5Z") }),

        Fail("L09", "subjectUniqueID", d => d with { SubjectUniqueId = [1] }),

        Fail("L10", "2.5.29.37 stands there 2 times", d => d.Twice(Eku)),

        .. NotDer.Select(hex => Fail("L11", "1.2.3.4 is no DER", d => d.With(Unknown, false, Hex(hex)))),
        .. IsDer.Select(hex => Pass("L11", d => d.With(Unknown, false, Hex(hex)))),
        Pass("L11", d => d.With(Unknown, false, Nested(16))),
        Fail("L11", "deeper than 16", d => d.With(Unknown, false, Nested(17))),
        Fail("L11", "trailing zero bits", d => d.With(Ku, true, Hex("03020480"))),
        Pass("L11", d => d.With(Ku, true, Hex("030100"))),
        Pass("L11", d => d.With(Ku, true, Hex("030205a0"))),
        Pass("L11", d => d.With(Unknown, true, Hex("03020480"))),
        Fail("L11", "default of cA", d => d.With(Bc, true, Hex("3003010100"))),
        Pass("L11", d => d.With(Unknown, true, Hex("3003010100"))),
        Pass("L11", d => d.With(Bc, true, Hex("30080101ff0203010100"))),

        Fail("L12", "2.5.29.37 is an empty list", d => d.With(Eku, false, Hex("3000"))),
        Pass("L12", d => d.With(Bc, true, Hex("3000"))),
        Fail("L12", "empty name", Named("a.example.com", "")),
        Fail("L12", "empty name", Addressed()),
        Pass("L12", Addressed(10, 0, 0, 1)),
    ];

    // Trailing octets; TRUE but not ff; a padded integer; unused bits that are set; content of NULL; a broken identifier; strings with characters that are not theirs;
    // the same one and two levels down; a set out of order.
    private static string[] NotDer =>
    [
        "050000", "010101", "02020001", "0302048f", "050100", "060180", "0c01ff", "13012a", "160180", "3003010101", "a003010101", "30053003010101", "3106020102020101",
    ];

    private static string[] IsDer => ["0500", "0101ff", "020101", "03020480", "06032a0304", "0c0141", "130141", "160141", "3006020102020101", "3106020101020102", "8101ff", "800105", "a203020105", "0401ff"];

    private static DateTimeOffset At(int year, int month, int day) => new(year, month, day, 0, 0, 0, TimeSpan.Zero);

    private static byte[] Utc(string text) => TbsDraft.Utc(text);

    private static LintContext AnyIssuer(LintContext context) => context with { SignatureAlgorithm = null };

    private static LintContext Unlimited(LintContext context) => Public(context) with { MaxValidity = null };

    private static byte[] Nested(int depth)
    {
        byte[] value = Null;
        for (var i = 0; i < depth; i++)
        {
            value = Sequence(w => w.WriteEncodedValue(value));
        }

        return value;
    }

    private static IEnumerable<CertificateFixture> NotBefore(TimeSpan earliest, TimeSpan latest, Func<LintContext, LintContext> kind)
    {
        LintContext Change(LintContext c) => kind(c) with { SignedAt = Signed };
        Func<TbsDraft, TbsDraft> At(TimeSpan ahead) => Life(Signed + ahead, TimeSpan.FromDays(10));
        yield return Pass("L05", At(earliest), Change);
        yield return Fail("L05", "hours from the signing", At(earliest - Second), Change);
        yield return Pass("L05", At(latest), Change);
        yield return Fail("L05", "hours from the signing", At(latest + Second), Change);
    }
}
