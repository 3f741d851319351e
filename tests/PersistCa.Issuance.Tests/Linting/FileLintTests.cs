using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Publication;
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

    [Theory]
    [InlineData("")]
    [InlineData("nothing")]
    [InlineData("0\0")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")]
    public void A_file_that_holds_neither_is_refused(string text) => Assert.False(FileLint.Check(Encoding.ASCII.GetBytes(text), Regime.Private).IsValid);
}
