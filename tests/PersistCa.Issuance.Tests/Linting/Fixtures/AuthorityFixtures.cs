using System.Formats.Asn1;
using PersistCa.Issuance.Linting;
using static PersistCa.Issuance.Tests.Linting.Fixtures.CertificateFixture;
using static PersistCa.Issuance.Tests.Linting.Fixtures.Der;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L52 to L56: authorities and signers of OCSP answers.</summary>
internal static class AuthorityFixtures
{
    private static readonly DateTimeOffset From = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static IEnumerable<CertificateFixture> All =>
    [
        Pass("L52", AsAuthority, Authority),
        Pass("L52", AsAuthority, Root),
        Pass("L52", d => Usage(0x86)(AsAuthority(d)), Authority),
        Pass("L52", d => d, Signer),
        .. new Func<TbsDraft, TbsDraft>[] { d => d.Without(Bc), d => d.Criticality(Bc, false), d => d.With(Bc, true, Hex("3000")) }
            .SelectMany(bend => new[] { Fail("L52", "basicConstraints is", d => bend(AsAuthority(d)), Authority), Fail("L52", "basicConstraints is", d => bend(AsAuthority(d)), Root) }),
        .. new Func<TbsDraft, TbsDraft>[] { d => d.Without(Ku), d => d.Criticality(Ku, false), Usage(0x02), Usage(0x04), Usage(0x07), Usage(0x46) }
            .Select(bend => Fail("L52", "keyUsage is", d => bend(AsAuthority(d)), Authority)),

        Pass("L53", AsRoot, Root),
        Pass("L53", AsRoot, c => Root(Public(c))),
        Pass("L53", d => d),
        .. new[] { Named("", "A", "A"), Named("DE", "", "A"), Named("DE", "A", ""), Named("DE", "A", "A", "A") }.SelectMany(name => new[]
        {
            Fail("L53", "lacks C, O or CN, or has an OU", d => AsRoot(d) with { Subject = name, Issuer = name }, Root, LintSeverity.Notice),
            Fail("L53", "lacks C, O or CN, or has an OU", d => AsRoot(d) with { Subject = name }, c => Authority(Public(c)), LintSeverity.Error),
        }),
        Pass("L53", d => AsRoot(d) with { Issuer = [0x30, 0x00] }, Authority),
        Fail("L53", "issuer of a root", d => AsRoot(d) with { Issuer = [0x30, 0x00] }, Root),
        Fail("L53", "not its subjectKeyIdentifier", d => AsRoot(d).With(Aki, false, Hex("3003800102")), Root),
        Pass("L53", d => AsRoot(d).Without(Aki), Root),
        Pass("L53", d => AsRoot(d).Without(Ski), Root),
        Fail("L53", "has extKeyUsage", d => Purposes(ServerAuth)(AsRoot(d)), Root, LintSeverity.Notice),
        Fail("L53", "has extKeyUsage", d => Purposes(ServerAuth)(AsRoot(d)), c => Root(Public(c)), LintSeverity.Error),
        Pass("L53", d => Life(From, TimeSpan.FromDays(2922))(AsRoot(d)), Root),
        Fail("L53", "2922 to 9132", d => Life(From, TimeSpan.FromDays(2922) - Second)(AsRoot(d)), Root, LintSeverity.Notice),
        Pass("L53", d => Life(From - TimeSpan.FromDays(1000), TimeSpan.FromDays(9132))(AsRoot(d)), Root),
        Fail("L53", "2922 to 9132", d => Life(From - TimeSpan.FromDays(1000), TimeSpan.FromDays(9132) + Second)(AsRoot(d)), c => Root(Public(c)), LintSeverity.Error),

        Pass("L54", AsSubordinate, Authority),
        Pass("L54", d => d, Root),
        .. new[] { Eku, Policies, Points, Aki, Ski }.Select(oid => Fail("L54", oid + " is missing", d => AsSubordinate(d).Without(oid), Authority)),
        .. ForeignPurposes.Select(p => Fail("L54", "does not fit TLS servers", d => Purposes(ServerAuth, p)(AsSubordinate(d)), Authority)),

        Pass("L55", d => d.With(Constraints, true, Constrained()), Authority),
        Pass("L55", d => d.With(Constraints, true, Constrained(network: [.. new byte[16], .. Mask(16, 20)])), Authority),
        Pass("L55", d => d.With(Constraints, true, Constrained(network: [10, 0, 0, 0, 0, 0, 0, 0])), Authority),
        Pass("L55", d => d.With(Constraints, true, Constrained(network: [10, 0, 0, 1, 255, 255, 255, 255])), Authority),
        Fail("L55", "contiguous mask", d => d.With(Constraints, true, Constrained(network: [10, 0, 0, 0, 255, 0, 255, 0])), Authority),
        Fail("L55", "contiguous mask", d => d.With(Constraints, true, Constrained(network: [10, 0, 0, 255, 255])), Authority),
        Fail("L55", "contiguous mask", d => d.With(Constraints, true, Constrained(network: [10, 0, 0, 0, 255, 255, 255, 255, 255, 255])), Authority),
        Fail("L55", "contiguous mask", d => d.With(Constraints, true, Constrained(network: [.. new byte[16], .. Mask(16, 20)[..15], 1])), Authority),
        Fail("L55", "minimum or maximum", d => d.With(Constraints, true, Constrained(minimum: true)), Authority),
        .. new[] { 2, 7, 4 }.Select(left => Fail("L55", "do not cover", d => d.With(Constraints, true, Constrained(without: left)), Authority)),
        Fail("L55", "do not cover", d => d.With(Constraints, true, Constrained(without: 7, other: [0x07, 0x01, 0x41])), Authority),

        Pass("L56", AsSigner, Signer),
        Pass("L56", d => d),
        Fail("L56", "OCSPSigning alone", d => Purposes(OcspSigning, ServerAuth)(AsSigner(d)), Signer),
        Fail("L56", "OCSPSigning alone", d => AsSigner(d).Without(Eku), Signer),
        .. new Func<TbsDraft, TbsDraft>[] { d => d.Without(NoCheck), d => d.Criticality(NoCheck, true), d => d.With(NoCheck, false, Hex("3000")) }
            .Select(bend => Fail("L56", "nocheck is", d => bend(AsSigner(d)), Signer)),
        .. new Func<TbsDraft, TbsDraft>[] { d => d.Without(Ku), Usage(0xc0), Usage(0x40), Usage(0x81) }.Select(bend => Fail("L56", "keyUsage is", d => bend(AsSigner(d)), Signer)),
        .. new[] { Points, San, Constraints }.Select(oid => Fail("L56", oid + " is there", d => AsSigner(d).With(oid, false, Hex("3000")), Signer)),
        Pass("L56", d => AsSigner(d).With(Bc, true, Hex("3000")), Signer),
        Fail("L56", "is an authority", d => AsSigner(d).With(Bc, true, Hex("30030101ff")), Signer),
    ];

    /// <summary>Permits a domain, the network 10.0.0.0/16 unless another is given, and a directory name.</summary>
    public static byte[] Constrained(byte[]? network = null, bool minimum = false, int without = -1, byte[]? other = null) => Sequence(w =>
    {
        using var permitted = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        if (without != 2)
        {
            using var tree = w.PushSequence();
            WriteTagged(w, 2, "corp"u8);
            if (minimum)
            {
                WriteTagged(w, 0, [1]);
            }
        }

        if (without != 7)
        {
            using var tree = w.PushSequence();
            WriteTagged(w, 7, network ?? [10, 0, 0, 0, 255, 255, 0, 0]);
        }

        if (without != 4)
        {
            using var tree = w.PushSequence();
            using var name = w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4));
            w.WriteEncodedValue([0x30, 0x00]);
        }

        if (other is not null)
        {
            using var tree = w.PushSequence();
            w.WriteEncodedValue(other);
        }
    });

    private static byte[] Mask(int octets, int bits) => [.. Enumerable.Range(0, octets).Select(i => (byte)(0xff00 >> Math.Clamp(bits - (8 * i), 0, 8)))];

    private static byte[] Named(string country, string organization, string commonName, string unit = "") => Name(
        [.. new[] { (Country, country), (Organization, organization), (Unit, unit), (CommonName, commonName) }.Where(a => a.Item2.Length > 0)]);

    private static TbsDraft AsAuthority(TbsDraft draft) =>
        draft.Without(San).With(Bc, true, Hex("30030101ff")).With(Ku, true, UsageBits(0x06)).With(Ski, false, Hex("040101"));

    private static TbsDraft AsSubordinate(TbsDraft draft) => PointsTo(FullName("http://a.example/1.crl"))(Policy("1.2.3")(AsAuthority(draft)));

    private static TbsDraft AsRoot(TbsDraft draft)
    {
        var name = Named("DE", "A", "A");
        return AsAuthority(draft).Without(Eku).With(Aki, false, Hex("3003800101")) with { Issuer = name, Subject = name, NotAfter = TbsDraft.Utc("450507070809Z") };
    }

    private static TbsDraft AsSigner(TbsDraft draft) => Purposes(OcspSigning)(draft.Without(San)).With(NoCheck, false, Null);
}
