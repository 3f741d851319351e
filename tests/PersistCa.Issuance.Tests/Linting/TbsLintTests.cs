using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Csr;
using PersistCa.Issuance.Tests.Linting.Fixtures;

namespace PersistCa.Issuance.Tests.Linting;

public sealed class TbsLintTests
{
    private const string Ku = "2.5.29.15";
    private const string San = "2.5.29.17";
    private const string Aki = "2.5.29.35";

    private static readonly IssuanceRequest Request = TestAuthority.Request("www.example.com");

    [Fact]
    public async Task A_sound_certificate_has_no_finding()
    {
        var (tbs, context) = await SoundAsync();
        Assert.Empty(TbsLint.Check(tbs, context));
        Assert.Equal(tbs, TbsDraft.Of(tbs).Encode());
    }

    [Fact]
    public async Task A_dNSName_that_spells_an_address_of_the_order_is_not_that_address()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var request = TestAuthority.Request("10.0.0.1");
        var (_, sound) = await SoundAsync();
        var context = sound with { Names = request.Names };
        var tbs = issuer.Prepare(request).Value.TbsDer;

        Assert.Empty(TbsLint.Check(tbs, context));
        var bent = TbsDraft.Of(tbs).With(San, true, Hex("300a820831302e302e302e31"));
        Assert.Equal(["L28", "L35"], TbsLint.Check(bent.Encode(), context).Select(f => f.Id));
    }

    [Fact]
    public async Task Bytes_that_cannot_be_read_are_a_finding()
    {
        var (tbs, context) = await SoundAsync();
        Assert.Equal("L00", Assert.Single(TbsLint.Check(tbs.AsMemory(1), context)).Id);
        byte[] longer = [.. tbs, 0];
        Assert.Equal("L00", Assert.Single(TbsLint.Check(longer, context)).Id);
    }

    [Fact]
    public async Task An_extension_that_cannot_be_read_is_a_finding_of_the_rules_that_need_it()
    {
        var (tbs, context) = await SoundAsync();
        var finding = Assert.Single(TbsLint.Check(TbsDraft.Of(tbs).With(Aki, false, [0x30, 0x05]).Encode(), context), f => f.Id == "L41");
        Assert.Contains("cannot be read", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_without_seconds_is_a_finding()
    {
        var (tbs, context) = await SoundAsync();
        var bent = TbsDraft.Of(tbs) with { NotBefore = TbsDraft.Utc("3005070707Z") };
        Assert.Equal("L00", Assert.Single(TbsLint.Check(bent.Encode(), context)).Id);
    }

    [Fact]
    public async Task RSA_may_have_key_encipherment()
    {
        var (tbs, context) = await SoundAsync();
        var rsa = TbsDraft.Of(tbs).With(Ku, true, Hex("030205a0")) with { SubjectPublicKeyInfo = CsrDraft.RsaKey.ExportSubjectPublicKeyInfo() };
        Assert.Empty(TbsLint.Check(rsa.Encode(), context));
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    internal static async Task<(byte[] Tbs, LintContext Context)> SoundAsync()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var intent = issuer.Prepare(Request).Value;
        return (intent.TbsDer, new LintContext
        {
            IssuerSubjectDer = issuer.Issuer.SubjectDer,
            IssuerKeyIdentifier = issuer.Issuer.KeyIdentifier,
            IssuerNotAfter = issuer.Issuer.NotAfter,
            SignatureAlgorithm = issuer.Issuer.Key.Algorithm.AlgorithmIdentifier,
            Names = Request.Names,
            MaxValidity = issuer.Profile.Validity,
        });
    }
}
