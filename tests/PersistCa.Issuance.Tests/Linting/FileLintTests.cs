using System.Security.Cryptography;
using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Linting.Fixtures;

namespace PersistCa.Issuance.Tests.Linting;

/// <summary>Whole files.</summary>
public sealed class FileLintTests
{
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
        var leaf = Der.Sequence(w =>
        {
            w.WriteEncodedValue(tbs);
            w.WriteEncodedValue(issuing.Key.Algorithm.AlgorithmIdentifier.Span);
            w.WriteBitString([0]);
        });
        Assert.Empty(FileLint.Check(leaf, Regime.Private).Value);
        Assert.Equal(["L06", "L44", "L45"], FileLint.Check(leaf, Regime.CabfBr).Value.Where(f => f.Severity == LintSeverity.Error).Select(f => f.Id));
    }

    [Fact]
    public async Task A_file_with_an_answer_is_held_against_the_rules_and_so_is_the_certificate_in_it()
    {
        var issuing = await TestAuthority.IssuingAsync();
        using var key = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        var signer = await OcspSigner.CreateAsync(issuing, key, TestAuthority.Now, TimeSpan.FromDays(30));
        var times = new OcspTimes(TestAuthority.Now, TestAuthority.Now.AddDays(4), TestAuthority.Now);
        OcspSingle[] singles = [new(OcspCertId.Of(issuing, OcspHash.Sha1, "0102030405060708"), OcspStatus.Good)];
        var answer = await OcspAnswer.SignAsync(signer, singles, times);
        Assert.Empty(FileLint.Check(answer, Regime.Private).Value);
        Assert.Empty(FileLint.Check(Encoding.ASCII.GetBytes(PemEncoding.WriteString("OCSP RESPONSE", answer)), Regime.CabfBr).Value);

        var tooLong = await OcspAnswer.SignAsync(signer, singles, times with { NextUpdate = TestAuthority.Now.AddDays(11) });
        Assert.Equal(("L60", LintSeverity.Error), FileLint.Check(tooLong, Regime.CabfBr).Value.Select(f => (f.Id, f.Severity)).Single());
        Assert.Contains("not successful", FileLint.Check(OcspAnswer.Refuse(OcspRefusal.TryLater), Regime.Private).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing")]
    [InlineData("0\0")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")]
    public void A_file_that_holds_neither_is_refused(string text) => Assert.False(FileLint.Check(Encoding.ASCII.GetBytes(text), Regime.Private).IsValid);
}
