using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Ocsp;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>persistca lint, as an operator runs it: what it prints, and its exit status.</summary>
public sealed class LintCommandTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2030, 5, 6, 7, 8, 9, TimeSpan.Zero);
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-lint-").FullName;
    private readonly FileSigningKey rootKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
    private readonly FileSigningKey issuingKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
    private readonly FileSigningKey signerKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
    private Issuer issuer = null!;

    public async Task InitializeAsync()
    {
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = Now }, rootKey, issuingKey);
        issuer = Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, Now).Value!;
    }

    public Task DisposeAsync()
    {
        rootKey.Dispose();
        issuingKey.Dispose();
        signerKey.Dispose();
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }

    private async Task<string> LintAsync(int exit, byte[] file, params string[] more)
    {
        await File.WriteAllBytesAsync(Path.Combine(folder, "file"), file);
        var (found, output) = await CommandLine.PersistCaAsync(folder, new Dictionary<string, string>(), ["lint", "file", .. more]);
        Assert.True(found == exit, $"it ended with {found}: {output}");
        return output;
    }

    [Fact]
    public async Task A_certificate_has_a_line_for_each_finding_and_errors_are_status_1()
    {
        Assert.Contains("L54 notice [BR section 7.1.2.6]", await LintAsync(0, issuer.CertificateDer), StringComparison.Ordinal);
        Assert.Contains("L54 error", await LintAsync(1, System.Text.Encoding.ASCII.GetBytes(Pem.Certificate(issuer.CertificateDer)), "--regime", "cabf-br"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sound_list_has_no_line_and_one_with_a_wrong_byte_is_an_error()
    {
        var list = await CrlBuilder.BuildAsync(issuer, 1, [new RevokedCertificate("4001020304050607", Now, 4)], Now, Now.AddDays(7));
        Assert.Equal("", await LintAsync(0, list));

        // superseded becomes certificateHold
        var at = list.AsSpan().IndexOf(Convert.FromHexString("0603551d1504030a0104"));
        list[at + 9] = 6;
        Assert.Contains("L58 error [RFC 5280 section 5.3", await LintAsync(1, list), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(11, 1)]
    public async Task An_OCSP_answer_that_lives_too_long_for_the_public_regime_is_an_error(int days, int exit)
    {
        var signer = await OcspSigner.CreateAsync(issuer, signerKey, Now, OcspSigner.MaxValidity);
        var single = new OcspSingle(OcspCertId.Of(issuer, OcspHash.Sha1, "4001020304050607"), OcspStatus.Good);
        var answer = await OcspAnswer.SignAsync(signer, [single], new OcspTimes(Now, Now.AddDays(days), Now));
        Assert.Equal(exit == 1, (await LintAsync(exit, answer, "--regime", "cabf-br")).Contains("L60 error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_none_of_them_is_status_2_with_a_reason()
    {
        Assert.Contains("neither DER nor PEM", await LintAsync(2, "garbage"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("it is not successful", await LintAsync(2, OcspAnswer.Refuse(OcspRefusal.TryLater)), StringComparison.Ordinal);
        Assert.Contains("'PRIVATE KEY'", await LintAsync(2, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"u8.ToArray()), StringComparison.Ordinal);
        Assert.NotEqual("", await LintAsync(2, [0x30, 0x80, 0, 0]));
        await LintAsync(2, issuer.CertificateDer[..100]);
        var (exit, output) = await CommandLine.PersistCaAsync(folder, new Dictionary<string, string>(), "lint", "nowhere");
        Assert.True(exit == 2 && output.Contains("there is no such file", StringComparison.Ordinal), output);
    }
}
