using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Tests;

/// <summary>A small hierarchy, made once, and what tests ask of it.</summary>
internal static class TestAuthority
{
    public static readonly DateTimeOffset Now = new(2030, 5, 6, 7, 8, 9, TimeSpan.Zero);

    private static readonly Lazy<Task<(Issuer Root, Issuer Issuing)>> Made = new(MakeAsync);

    public static async Task<Issuer> IssuingAsync() => (await Made.Value).Issuing;

    public static async Task<Issuer> RootAsync() => (await Made.Value).Root;

    public static async Task<CertificateIssuer> CertificateIssuerAsync(ServerProfile? profile = null) => new(await IssuingAsync(), profile ?? new ServerProfile());

    public static Identifier Name(string text) => Identifier.Of(text);

    public static ImmutableArray<Identifier> Names(params string[] texts) => [.. texts.Select(Name)];

    public static byte[] NewSpki()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfo();
    }

    public static IssuanceRequest Request(params string[] names) => new()
    {
        SubjectPublicKeyInfo = NewSpki(),
        KeyKind = KeyKind.P256,
        Names = Names(names.Length == 0 ? ["www.example.com"] : names),
        Now = Now.AddDays(1),
    };

    /// <summary>Builds a chain as a client does that trusts the root alone.</summary>
    public static async Task<(bool Holds, string Status)> ChainAsync(byte[] leaf, DateTimeOffset at)
    {
        var issuing = await IssuingAsync();
        using var chain = new X509Chain();
        using var root = X509CertificateLoader.LoadCertificate(issuing.Chain[1]);
        using var between = X509CertificateLoader.LoadCertificate(issuing.Chain[0]);
        using var end = X509CertificateLoader.LoadCertificate(leaf);
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.ExtraStore.Add(between);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = at.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        var holds = chain.Build(end);
        return (holds, string.Join("; ", chain.ChainStatus.Select(s => s.Status)));
    }

    private static async Task<(Issuer Root, Issuer Issuing)> MakeAsync()
    {
        var rootKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
        var issuingKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        var made = await HierarchyCreation.CreateAsync(
            new HierarchyRequest { Organization = "Example Organisation", Now = Now, RootCertificateUrl = "http://ca.example/root.cer", RootCrlUrl = "http://ca.example/root.crl" },
            rootKey,
            issuingKey);
        return (Load(made.RootDer, [], rootKey), Load(made.IssuingDer, [made.RootDer], issuingKey));
    }

    private static Issuer Load(byte[] der, byte[][] above, ISigningKey key)
    {
        var loaded = Issuer.Load(der, above, key, Now);
        return loaded.IsValid ? loaded.Value : throw new InvalidOperationException(loaded.Reason);
    }
}
