using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Tests.Hierarchy;

/// <summary>RFC 5280 section 4.2.1.10: an issuer signs for no name that clients would refuse because of its own certificate.</summary>
public sealed class NameConstraintsTests
{
    [Theory]
    [InlineData("corp.example", true)]
    [InlineData("a.b.corp.example", true)]
    [InlineData("*.corp.example", false)] // it would stand for secret.corp.example too
    [InlineData("*.a.corp.example", true)]
    [InlineData("xcorp.example", false)]
    [InlineData("example", false)]
    [InlineData("other.test", false)]
    [InlineData("*.example", false)]
    [InlineData("secret.corp.example", false)]
    [InlineData("x.secret.corp.example", false)]
    [InlineData("*.secret.corp.example", false)]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.9.2.3", false)]
    [InlineData("11.1.2.3", false)]
    [InlineData("2001:db8::1", false)]
    public async Task What_permitted_and_excluded_subtrees_leave_is_signed_and_nothing_else(string identifier, bool inside)
    {
        var issuer = await IssuerAsync(new NameConstraintsParts(["corp.example", "10.0.0.0/8"], ["secret.corp.example", "10.9.0.0/16"]));
        Assert.Equal(inside, issuer.Constraints.Refuse(Identifier.Of(identifier)) is null);
        var prepared = new CertificateIssuer(issuer, new ServerProfile()).Prepare(TestAuthority.Request(identifier));
        Assert.Equal(inside, prepared.TryGet(out _, out var problem));
        if (!inside)
        {
            Assert.Equal("rejectedIdentifier", problem!.Type.Name);
        }
    }

    [Fact]
    public async Task A_wildcard_over_an_excluded_name_is_refused()
    {
        var issuer = await IssuerAsync(new NameConstraintsParts([], ["secret.corp.example"]));
        Assert.NotNull(issuer.Constraints.Refuse(Identifier.Of("*.corp.example")));
        Assert.Null(issuer.Constraints.Refuse(Identifier.Of("corp.example")));
    }

    [Fact]
    public async Task A_leading_dot_asks_for_a_label_more()
    {
        var issuer = await IssuerAsync(new NameConstraintsParts([".corp.example"], []));
        Assert.Null(issuer.Constraints.Refuse(Identifier.Of("a.corp.example")));
        Assert.Null(issuer.Constraints.Refuse(Identifier.Of("*.corp.example")));
        Assert.NotNull(issuer.Constraints.Refuse(Identifier.Of("corp.example")));
    }

    [Fact]
    public async Task Names_are_free_where_only_addresses_are_permitted()
    {
        var issuer = await IssuerAsync(new NameConstraintsParts(["10.0.0.0/8"], []));
        Assert.Null(issuer.Constraints.Refuse(Identifier.Of("any.test")));
    }

    [Fact]
    public async Task Constraints_of_every_certificate_above_hold_together()
    {
        var issuer = await IssuerAsync(new NameConstraintsParts(["corp.example"], []), new NameConstraintsParts(["a.corp.example", "b.test"], []));
        Assert.Null(issuer.Constraints.Refuse(Identifier.Of("x.a.corp.example")));
        Assert.NotNull(issuer.Constraints.Refuse(Identifier.Of("b.test")));
        Assert.NotNull(issuer.Constraints.Refuse(Identifier.Of("c.corp.example")));
    }

    [Fact]
    public async Task A_constraint_that_cannot_be_obeyed_refuses_the_issuer()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => IssuerAsync(new NameConstraintsParts([], [], Raw: [0x30, 0x08, 0xa0, 0x06, 0x30, 0x04, 0x87, 0x02, 1, 2])));
        Assert.Contains("nameConstraints that cannot be obeyed", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>An issuer below a root, each with the constraints given; the issuer's first.</summary>
    internal static Task<Issuer> IssuerAsync(params NameConstraintsParts[] parts)
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        var root = Request("CN=Root", PublicKey.CreateFromSubjectPublicKeyInfo(rootKey.ExportSubjectPublicKeyInfo(), out _), parts.ElementAtOrDefault(1));
        var generator = X509SignatureGenerator.CreateForECDsa(rootKey);
        var from = TestAuthority.Now.AddDays(-1);
        using var rootCertificate = root.Create(root.SubjectName, generator, from, from.AddYears(9), [1]);
        var below = Request("CN=Below", PublicKey.CreateFromSubjectPublicKeyInfo(key.SubjectPublicKeyInfo, out _), parts[0]);
        using var certificate = below.Create(root.SubjectName, generator, from, from.AddYears(5), [2]);
        var loaded = Issuer.Load(certificate.RawData, [rootCertificate.RawData], key, TestAuthority.Now);
        return loaded.IsValid ? Task.FromResult(loaded.Value) : throw new InvalidOperationException(loaded.Reason);
    }

    private static CertificateRequest Request(string name, PublicKey key, NameConstraintsParts? parts)
    {
        var request = new CertificateRequest(new X500DistinguishedName(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, false));
        if (parts is not null)
        {
            request.CertificateExtensions.Add(new System.Security.Cryptography.X509Certificates.X509Extension("2.5.29.30", parts.Encode(), true));
        }

        return request;
    }

    internal sealed record NameConstraintsParts(string[] Permitted, string[] Excluded, byte[]? Raw = null)
    {
        public byte[] Encode()
        {
            if (Raw is not null)
            {
                return Raw;
            }

            var body = new Asn1EncodableVector();
            foreach (var (tag, texts) in new[] { (0, Permitted), (1, Excluded) })
            {
                if (texts.Length > 0)
                {
                    body.Add(new DerTaggedObject(false, tag, new DerSequence(texts.Select(Subtree).ToArray())));
                }
            }

            return new DerSequence(body).GetEncoded();
        }

        private static Asn1Encodable Subtree(string text)
        {
            if (!System.Net.IPNetwork.TryParse(text, out var network))
            {
                return new DerSequence(new GeneralName(GeneralName.DnsName, text));
            }

            var mask = new byte[network.BaseAddress.GetAddressBytes().Length];
            for (var i = 0; i < network.PrefixLength; i++)
            {
                mask[i / 8] |= (byte)(0x80 >> (i % 8));
            }

            return new DerSequence(new GeneralName(GeneralName.IPAddress, new DerOctetString([.. network.BaseAddress.GetAddressBytes(), .. mask])));
        }
    }
}
