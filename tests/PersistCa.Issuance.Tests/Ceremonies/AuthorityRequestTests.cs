using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CsCheck;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Ceremonies;

public sealed class AuthorityRequestTests
{
    private static byte[] Foreign(bool extensions = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("C=CH, O=Foreign, CN=Foreign Issuing", key, HashAlgorithmName.SHA384);
        if (extensions)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        }

        return request.CreateSigningRequest();
    }

    [Fact]
    public async Task A_request_made_here_is_read_as_text_and_as_DER()
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.MlDsa65);
        var der = await AuthorityRequest.MakeAsync(AuthorityName.Of(null, "Example", "Issuing").Value!, key, default);
        Assert.Equal(key.SubjectPublicKeyInfo, AuthorityRequest.Read(der).Value!.Key);
        Assert.Equal(key.SubjectPublicKeyInfo, AuthorityRequest.Read(Encoding.ASCII.GetBytes(AuthorityRequest.Pem(der))).Value!.Key);
    }

    [Fact]
    public void A_foreign_request_is_read() => Assert.Contains("CN=Foreign Issuing", AuthorityName.Show(AuthorityRequest.Read(Foreign()).Value!.Subject), StringComparison.Ordinal);

    [Fact]
    public void A_request_that_asks_for_extensions_is_refused() => Assert.StartsWith("it asks for extensions", AuthorityRequest.Read(Foreign(extensions: true)).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_request_whose_signature_does_not_hold_is_refused()
    {
        var der = Foreign();
        der[^1] ^= 1;
        Assert.Contains("possession of the private key is not proven", AuthorityRequest.Read(der).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_without_a_name_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.StartsWith("the name is empty", AuthorityRequest.Read(new CertificateRequest("", key, HashAlgorithmName.SHA256).CreateSigningRequest()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_above_its_length_is_refused() => Assert.StartsWith("the request has 32769 octets", AuthorityRequest.Read(new byte[AuthorityRequest.MaxOctets + 1]).Reason, StringComparison.Ordinal);

    [Fact]
    public void Any_octets_are_a_request_or_a_reason_and_never_a_failure()
    {
        var der = Foreign();
        Gen.Select(Gen.Int[0, der.Length - 1], Gen.Byte, Gen.Int[0, der.Length]).Sample((at, octet, length) =>
        {
            var changed = der[..length];
            if (at < changed.Length)
            {
                changed[at] = octet;
            }

            _ = AuthorityRequest.Read(changed).IsValid;
        });
    }
}
