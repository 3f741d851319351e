using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Csr;

namespace PersistCa.Issuance.Tests.Signing;

/// <summary>Hierarchies of every algorithm, from CSR to revocation list.</summary>
public sealed class SigningAlgorithmsTests
{
    private static readonly CsrReader Reader = new(new KeyPolicy(new KeyPolicyOptions { AcceptMlDsa = true }));

    public static TheoryData<string, string, string> Hierarchies => new()
    {
        { "ML-DSA-87", "ML-DSA-65", "ML-DSA-44" },
        { "ML-DSA-87", "ML-DSA-87", "ML-DSA-87" },
        { "ML-DSA-65", "ML-DSA-44", "ML-DSA-65" },
        { "Ed25519", "Ed25519", "Ed25519" },
        { "ECDSA-P384-SHA384", "RSA-3072-SHA256", "ML-DSA-65" },
    };

    [Theory]
    [MemberData(nameof(Hierarchies))]
    public async Task A_hierarchy_issues_and_lists_with_every_algorithm(string root, string issuing, string leaf)
    {
        using var rootKey = FileSigningKey.Generate(SigningAlgorithms.Find(root)!);
        using var issuingKey = FileSigningKey.Generate(SigningAlgorithms.Find(issuing)!);
        using var leafKey = FileSigningKey.Generate(SigningAlgorithms.Find(leaf)!);
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = TestAuthority.Now }, rootKey, issuingKey);
        var loaded = Issuer.Load(made.IssuingDer, [made.RootDer], issuingKey, TestAuthority.Now);
        Assert.True(loaded.IsValid, loaded.Reason);
        var issuer = new CertificateIssuer(loaded.Value, new ServerProfile { SubjectKeyIdentifier = true });

        var csr = Reader.Read(await RequestAsync(leafKey)).Value;
        Assert.Equal(leafKey.Algorithm.Key, csr.KeyKind);
        var intent = issuer.Prepare(TestAuthority.Request() with { SubjectPublicKeyInfo = csr.SubjectPublicKeyInfo, KeyKind = csr.KeyKind }).Value;
        var certificate = await issuer.IssueAsync(IssuanceTicket.FromIntent(intent));

        var facts = CertificateFacts.OfCertificate(certificate).Value!;
        Assert.Equal(0x80, facts.KeyUsage);
        Assert.DoesNotContain(TbsLint.Check(facts, new LintContext()), f => f.Severity == LintSeverity.Error);
        var parts = SignedParts.Read(certificate).Value!;
        Assert.True(SigningAlgorithms.Verify(issuingKey.SubjectPublicKeyInfo, issuingKey.Algorithm, parts.ToBeSigned.Span, parts.Signature.Span));
        Assert.False(SigningAlgorithms.Verify(issuingKey.SubjectPublicKeyInfo, issuingKey.Algorithm, parts.ToBeSigned.Span[1..], parts.Signature.Span));

        var list = await CrlBuilder.BuildAsync(loaded.Value, 1, [], TestAuthority.Now, TestAuthority.Now.AddDays(1));
        var listParts = SignedParts.Read(list).Value!;
        Assert.True(SigningAlgorithms.Verify(issuingKey.SubjectPublicKeyInfo, issuingKey.Algorithm, listParts.ToBeSigned.Span, listParts.Signature.Span));
    }

    [Theory]
    [InlineData("Ed25519")]
    [InlineData("ML-DSA-44")]
    [InlineData("ML-DSA-65")]
    [InlineData("ML-DSA-87")]
    public async Task Under_the_Baseline_Requirements_neither_key_nor_signature_of_a_private_algorithm_passes(string name)
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.Find(name)!);
        using var root = FileSigningKey.Generate(key.Algorithm);
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = TestAuthority.Now }, root, key);
        var issuer = new CertificateIssuer(Issuer.Load(made.IssuingDer, [made.RootDer], key, TestAuthority.Now).Value!, new ServerProfile());
        using var leaf = FileSigningKey.Generate(key.Algorithm);
        var intent = issuer.Prepare(TestAuthority.Request() with { SubjectPublicKeyInfo = leaf.SubjectPublicKeyInfo, KeyKind = key.Algorithm.Key }).Value;
        var found = TbsLint.Check(intent.TbsDer, new LintContext { Regime = Regime.CabfBr }).Where(f => f.Severity == LintSeverity.Error).Select(f => f.Id).ToList();
        Assert.Contains("L03", found);
        Assert.Contains("L13", found);

        var list = await CrlBuilder.BuildAsync(issuer.Issuer, 1, [], TestAuthority.Now, TestAuthority.Now.AddDays(1));
        Assert.Contains("L57", CrlLint.Check(list, new CrlLintContext { Regime = Regime.CabfBr }).Select(f => f.Id));
    }

    [Fact]
    public async Task An_ML_DSA_request_is_refused_unless_such_keys_are_accepted()
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.MlDsa44);
        Assert.Contains("ML-DSA-44 keys are not accepted here", new CsrReader(new KeyPolicy()).Read(await RequestAsync(key)).Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ML_DSA_request_whose_signature_is_another_ones_is_refused()
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.MlDsa65);
        using var other = FileSigningKey.Generate(SigningAlgorithms.MlDsa65);
        Assert.Contains("signature does not hold", Reader.Read(await RequestAsync(key, other)).Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_ML_DSA_key_of_another_length_is_refused()
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.MlDsa44);
        var octets = key.SubjectPublicKeyInfo[^1311..];
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(KeyKinds.Of(KeyKind.MlDsa44).AlgorithmIdentifier.Span);
            writer.WriteBitString(octets);
        }

        var judged = new KeyPolicy(new KeyPolicyOptions { AcceptMlDsa = true }).Judge(writer.Encode());
        Assert.Contains("has 1311 octets; 1312 are expected", judged.Problem!.Detail, StringComparison.Ordinal);
    }

    /// <summary>A request for a key, signed by it or by another.</summary>
    private static async Task<byte[]> RequestAsync(FileSigningKey key, FileSigningKey? signer = null)
    {
        byte[]? unsigned = null;
        var draft = new CsrDraft
        {
            SubjectPublicKeyInfo = key.SubjectPublicKeyInfo,
            SignatureOid = KeyKinds.Of(key.Algorithm.Key).Oid,
            Sign = info =>
            {
                unsigned = info;
                return [0];
            },
        };
        draft.Encode();
        var signature = await (signer ?? key).SignAsync(unsigned!, CancellationToken.None);
        return (draft with { Sign = _ => signature }).Encode();
    }
}
