using System.Formats.Asn1;
using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Linting;

public sealed class CrlLintTests
{
    private const string Aki = "2.5.29.35";
    private const string Number = "2.5.29.20";
    private const string Idp = "2.5.29.28";
    private const string Reason = "2.5.29.21";

    private static readonly TbsExtension Superseded = new(Reason, false, new byte[] { 0x0a, 0x01, 0x04 });

    /// <summary>For each lint one thing that is against it.</summary>
    private static readonly (string Name, string Id, Func<CrlDraft, CrlDraft> Bend, Func<CrlLintContext, CrlLintContext> Context)[] Cases =
    [
        ("the list is v1", "L57", d => d with { Version = null }, c => c),
        ("there is no key identifier", "L57", d => d with { Extensions = [.. d.Extensions.Where(e => e.Oid != Aki)] }, c => c),
        ("the number does not rise", "L57", d => d, c => c with { NumberBefore = 7 }),
        ("there is no number", "L57", d => d with { Extensions = [.. d.Extensions.Where(e => e.Oid != Number)] }, c => c),
        ("the next update is too late", "L57", d => d, c => c with { MaxInterval = TimeSpan.FromDays(6) }),
        ("there is no next update", "L57", d => d with { NextUpdate = null }, c => c),
        ("the list of entries is empty", "L57", d => d with { Entries = [] }, c => c),
        ("the issuer is another", "L57", d => d, c => c with { IssuerSubjectDer = new byte[] { 0x30, 0x01 } }),
        ("a serial number stands there twice", "L58", d => d with { Entries = [.. d.Entries!, .. d.Entries!] }, c => c),
        ("an entry is later than the list", "L58", d => d with { Entries = [(1, "300507070809Z", Superseded)] }, c => c),
        ("a reason is unspecified", "L58", d => d with { Entries = [(1, "300506070809Z", Superseded with { Value = new byte[] { 0x0a, 0x01, 0x00 } })] }, c => c),
        ("a reason is critical", "L58", d => d with { Entries = [(1, "300506070809Z", Superseded with { Critical = true })] }, c => c),
        ("the part is not critical", "L59", d => d.WithPart(false, "http://a.example/1.crl"), c => c),
        ("the URI of the part is not that of the certificates", "L59", d => d.WithPart(true, "http://a.example/2.crl"), c => c with { DistributionUris = ["http://a.example/1.crl"] }),
        ("the part is of users and of authorities", "L59", d => d.WithPart(true, "http://a.example/1.crl", 1, 2), c => c),
        ("the part is indirect", "L59", d => d.WithPart(true, "http://a.example/1.crl", 4), c => c),
    ];

    public static TheoryData<string> CaseNames => [.. Cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void A_list_bent_in_one_thing_has_that_one_finding(string name)
    {
        var (_, id, bend, change) = Cases.Single(c => c.Name == name);
        Assert.Equal(id, Assert.Single(CrlLint.Check(bend(CrlDraft.Sound).Encode(), change(new CrlLintContext()))).Id);
    }

    [Fact]
    public void Sound_lists_whole_and_of_a_part_have_no_finding()
    {
        var context = new CrlLintContext { NumberBefore = 6, MaxInterval = TimeSpan.FromDays(7), DistributionUris = ["http://a.example/1.crl"], Regime = Regime.CabfBr };
        Assert.Empty(CrlLint.Check(CrlDraft.Sound.Encode(), context));
        Assert.Empty(CrlLint.Check(CrlDraft.Sound.WithPart(true, "http://a.example/1.crl", 1).Encode(), context));
    }

    [Fact]
    public void Each_lint_of_lists_has_a_case() => Assert.Equal(Lints.Crl.Select(l => l.Id), Cases.Select(c => c.Id).Distinct());

    [Fact]
    public async Task A_file_with_the_authoritys_own_certificates_and_list_has_no_error()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var list = await CrlBuilder.BuildAsync(issuing, 1, [new RevokedCertificate("0102030405060708", TestAuthority.Now, 4)], TestAuthority.Now, TestAuthority.Now.AddDays(7));
        var text = string.Concat(issuing.Chain.Select(c => Pem.Certificate(c))) + Pem.RevocationList(list);

        var findings = FileLint.Check(Encoding.ASCII.GetBytes(text), Regime.Private).Value;
        Assert.DoesNotContain(findings, f => f.Severity >= LintSeverity.Warning);
        Assert.Empty(FileLint.Check(list, Regime.CabfBr).Value);
    }

    [Fact]
    public async Task A_file_with_a_subscribers_certificate_is_held_against_the_regime()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var (tbs, _) = await TbsLintTests.SoundAsync();
        var leaf = LintFixtures.Sequence(w =>
        {
            w.WriteEncodedValue(tbs);
            w.WriteEncodedValue(issuing.Key.Algorithm.AlgorithmIdentifier.Span);
            w.WriteBitString([0]);
        });
        Assert.Empty(FileLint.Check(leaf, Regime.Private).Value);
        Assert.Equal(["L06", "L44", "L45"], FileLint.Check(leaf, Regime.CabfBr).Value.Where(f => f.Severity == LintSeverity.Error).Select(f => f.Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing")]
    [InlineData("0\0")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")]
    public void A_file_that_holds_neither_is_refused(string text) => Assert.False(FileLint.Check(Encoding.ASCII.GetBytes(text), Regime.Private).IsValid);

    private sealed record CrlDraft
    {
        public static CrlDraft Sound { get; } = new()
        {
            Entries = [(1, "300506070809Z", Superseded)],
            Extensions = [new(Aki, false, new byte[] { 0x30, 0x03, 0x80, 0x01, 0x01 }), new(Number, false, new byte[] { 0x02, 0x01, 0x07 })],
        };

        public int? Version { get; init; } = 1;

        public string? NextUpdate { get; init; } = "300513070809Z";

        public (int Serial, string At, TbsExtension Reason)[]? Entries { get; init; }

        public required IReadOnlyList<TbsExtension> Extensions { get; init; }

        public CrlDraft WithPart(bool critical, string uri, params int[] flags) => this with
        {
            Extensions =
            [
                .. Extensions,
                new(Idp, critical, LintFixtures.Sequence(w =>
                {
                    w.WriteEncodedValue(new AsnReader(ExtensionFixtures.Point(uri, null), AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadEncodedValue().Span);
                    Array.ForEach(flags, f => w.WriteBoolean(true, new Asn1Tag(TagClass.ContextSpecific, f)));
                })),
            ],
        };

        public byte[] Encode() => LintFixtures.Sequence(whole =>
        {
            var algorithm = SigningAlgorithms.EcdsaP256.AlgorithmIdentifier.Span;
            using (whole.PushSequence())
            {
                if (Version is { } version)
                {
                    whole.WriteInteger(version);
                }

                whole.WriteEncodedValue(algorithm);
                whole.WriteEncodedValue([0x30, 0x00]);
                whole.WriteEncodedValue(TbsDraft.Utc("300506070809Z"));
                if (NextUpdate is not null)
                {
                    whole.WriteEncodedValue(TbsDraft.Utc(NextUpdate));
                }

                WriteEntries(whole);
                using var tagged = whole.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
                using var list = whole.PushSequence();
                foreach (var extension in Extensions)
                {
                    WriteExtension(whole, extension);
                }
            }

            whole.WriteEncodedValue(algorithm);
            whole.WriteBitString([0]);
        });

        private void WriteEntries(AsnWriter writer)
        {
            if (Entries is null)
            {
                return;
            }

            using var list = writer.PushSequence();
            foreach (var (serial, at, reason) in Entries)
            {
                using var entry = writer.PushSequence();
                writer.WriteInteger(serial);
                writer.WriteEncodedValue(TbsDraft.Utc(at));
                using var extensions = writer.PushSequence();
                WriteExtension(writer, reason);
            }
        }

        private static void WriteExtension(AsnWriter writer, TbsExtension extension)
        {
            using var sequence = writer.PushSequence();
            writer.WriteObjectIdentifier(extension.Oid);
            if (extension.Critical)
            {
                writer.WriteBoolean(true);
            }

            writer.WriteOctetString(extension.Value.Span);
        }
    }
}
