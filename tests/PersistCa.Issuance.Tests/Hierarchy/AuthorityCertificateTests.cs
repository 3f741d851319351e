using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Tests.Hierarchy;

public sealed class AuthorityCertificateTests : IDisposable
{
    private readonly FileSigningKey rootKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
    private readonly FileSigningKey issuingKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);

    public void Dispose()
    {
        rootKey.Dispose();
        issuingKey.Dispose();
    }

    private AuthorityCertificate Good() => new()
    {
        Kind = AuthorityKind.Subordinate,
        Serial = SerialNumbers.Next(),
        Issuer = AuthorityName.Of("CH", "Example", "Example Root").Value!,
        Subject = AuthorityName.Of("CH", "Example", "Example Issuing").Value!,
        Algorithm = rootKey.Algorithm.Name,
        NotBefore = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero),
        NotAfter = new DateTimeOffset(2039, 12, 31, 23, 59, 59, TimeSpan.Zero),
        Key = issuingKey.SubjectPublicKeyInfo,
        IssuerKeyIdentifier = CertificateTbs.KeyIdentifier(rootKey.SubjectPublicKeyInfo),
        KeyIdentifier = CertificateTbs.KeyIdentifier(issuingKey.SubjectPublicKeyInfo),
        PathLength = 0,
        Purposes = AuthorityCertificate.ServersAndClients,
        Policies = ["1.3.6.1.4.1.32473.1"],
        CrlUrl = "http://ca.example/root.crl",
        CertificateUrl = "http://ca.example/root.crt",
    };

    [Fact]
    public void The_same_record_makes_the_same_bytes_and_another_serial_number_others()
    {
        var good = Good();
        Assert.Equal(good.Encode().Value, (good with { }).Encode().Value);
        Assert.NotEqual(good.Encode().Value, (good with { Serial = SerialNumbers.Next() }).Encode().Value);
    }

    [Fact]
    public void A_complete_subordinate_passes_the_lints_of_the_Baseline_Requirements()
    {
        var good = Good() with { Regime = Regime.CabfBr, Purposes = ["1.3.6.1.5.5.7.3.1"], Policies = ["2.23.140.1.2.1"] };
        Assert.True(good.Encode().IsValid, good.Encode().Reason);
    }

    [Theory]
    [InlineData("L54: the extension 2.5.29.31 is missing")]
    public void What_the_lints_refuse_is_not_encoded(string reason) =>
        Assert.Contains(reason, (Good() with { Regime = Regime.CabfBr, CrlUrl = null }).Encode().Reason, StringComparison.Ordinal);

    [Fact]
    public void A_record_with_a_value_outside_its_limits_is_refused()
    {
        void Refused(AuthorityCertificate record, string reason) => Assert.Contains(reason, record.Encode().Reason, StringComparison.Ordinal);
        var good = Good();
        Refused(good with { PathLength = 17 }, "the path length is 17; 0 to 16");
        Refused(good with { NotAfter = good.NotBefore }, "does not end after its begin");
        Refused(good with { Serial = "zz" }, "serial number");
        Refused(good with { Algorithm = "none" }, "'none' is nothing that authorities sign with");
        Refused(good with { CrlUrl = "https://ca.example/root.crl" }, "is no http URL");
        Refused(good with { Policies = ["1.2.x"] }, "'1.2.x' is no object identifier");
        Refused(good with { Policies = [.. Enumerable.Range(1, 17).Select(i => $"1.2.{i}")] }, "more than 16");
        Refused(good with { Subject = [0x30, 0x00] }, "the name is empty");
        Refused(good with { Subject = [1, 2, 3] }, "the subject is refused");
        Refused(good with { Names = new NameRestrictions { PermittedNames = ["EXAMPLE.com"] } }, "normal form");
        Refused(good with { Key = [1] }, "it cannot be encoded");
    }

    [Fact]
    public async Task Constraints_are_written_so_that_they_are_read_and_obeyed()
    {
        var names = NameRestrictions.Read(["Example.com", "10.0.0.0/8", "2001:db8::1"], ["secret.example.com", "10.9.0.0/16"]).Value!;
        var root = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = TestAuthority.Now, IssuingNames = names }, rootKey, issuingKey);
        using var certificate = X509CertificateLoader.LoadCertificate(root.IssuingDer);
        Assert.True(certificate.Extensions.Single(e => e.Oid!.Value == "2.5.29.30").Critical);
        var read = Issuer.Load(root.IssuingDer, [root.RootDer], issuingKey, TestAuthority.Now).Value!.Constraints;
        Assert.All(["example.com", "www.example.com", "10.1.2.3", "2001:db8::1"], (string n) => Assert.Null(read.Refuse(TestAuthority.Name(n))));
        Assert.All(["example.org", "a.secret.example.com", "10.9.1.1", "192.0.2.1", "2001:db8::2"], (string n) => Assert.NotNull(read.Refuse(TestAuthority.Name(n))));
    }

    [Theory]
    [InlineData(".example.com")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("exa mple")]
    public void A_constraint_that_is_neither_name_nor_network_is_refused(string text) => Assert.Contains($"'{text}'", NameRestrictions.Read([text], []).Reason, StringComparison.Ordinal);

    [Fact]
    public void More_than_64_constraints_are_refused()
    {
        var names = Enumerable.Range(1, NameRestrictions.MaxSubtrees).Select(i => $"n{i}.example").ToList();
        Assert.True(NameRestrictions.Read(names, []).IsValid);
        Assert.StartsWith("there are 65 names and networks; at most 64", NameRestrictions.Read(names, ["x.example"]).Reason, StringComparison.Ordinal);
    }
}
