using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>What a request may bring through the door: a key that is its own, and nothing else of it reaches a certificate.</summary>
public sealed class SubscriberKeyTests
{
    /// <summary>Each type of GeneralName besides dNSName and iPAddress (RFC 5280 section 4.2.1.6).</summary>
    public static TheoryData<string, byte[]> OtherNames => new()
    {
        { "otherName", Tagged(0, w => { w.WriteObjectIdentifier("1.3.6.1.4.1.311.20.2.3"); using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0))) { w.WriteCharacterString(UniversalTagNumber.UTF8String, "admin@a.test"); } }) },
        { "rfc822Name", Plain(1, "admin@a.test") },
        { "x400Address", Tagged(3, w => { using (w.PushSequence()) { } }) },
        { "directoryName", Tagged(4, w => { using (w.PushSequence()) { } }) },
        { "ediPartyName", Tagged(5, w => w.WriteCharacterString(UniversalTagNumber.UTF8String, "x", new Asn1Tag(TagClass.ContextSpecific, 1))) },
        { "uniformResourceIdentifier", Plain(6, "https://a.test/") },
        { "registeredID", RegisteredId() },
    };

    [Theory]
    [MemberData(nameof(OtherNames))]
    public async Task A_name_of_any_other_type_in_the_request_is_refused(string type, byte[] name)
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, Request(key, name)));
        Assert.Equal("badCSR", refused.Answer.Problem);
        Assert.Contains(type, refused.Answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subject_and_extensions_of_the_request_reach_no_certificate()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(
            "C=XX, S=State, L=Place, O=Somebody, OU=Unit, SERIALNUMBER=1, STREET=Street, T=Title, G=Given, SN=Family, CN=a.test, E=admin@a.test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3"), new Oid("2.5.29.37.0")], true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension("00112233", false));
        foreach (var oid in new[] { "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54", "2.5.29.56", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.24", "1.3.6.1.4.1.11129.2.4.2", "1.3.6.1.4.1.11129.2.4.3", "1.2.3.4" })
        {
            request.CertificateExtensions.Add(new X509Extension(oid, [0x30, 0x00], true));
        }

        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("a.test");
        request.CertificateExtensions.Add(names.Build());
        var final = await client.FinalizeAsync(order, request.CreateSigningRequest());
        using var leaf = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), CancellationToken.None)).Body);
        Assert.Equal("", leaf.Subject);
        Assert.Equal(["2.5.29.15", "2.5.29.37", "2.5.29.35", "1.3.6.1.5.5.7.1.1", "2.5.29.17", "2.5.29.31"], leaf.Extensions.Select(e => e.Oid!.Value));
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, leaf.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal("1.3.6.1.5.5.7.3.1", Assert.Single(leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>()).Value);
        Assert.DoesNotContain("2.5.29.19", leaf.Extensions.Select(e => e.Oid!.Value));
    }

    [Fact]
    public async Task The_key_of_an_authority_is_no_subscribers_key()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        using var key = ECDsa.Create();
        key.ImportFromEncryptedPem(await File.ReadAllTextAsync(AuthorityFiles.IssuingKey(authority.Options)), Passphrase.Find(authority.Options));
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(order, RunningAuthority.Csr(key, "a.test")));
        Assert.Equal("badPublicKey", refused.Answer.Problem);
        Assert.Contains("a key of this authority", refused.Answer.Body, StringComparison.Ordinal);
        Assert.Contains("L18", refused.Answer.Body, StringComparison.Ordinal);
    }

    private static byte[] Request(ECDsa key, byte[] name)
    {
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var names = new AsnWriter(AsnEncodingRules.DER);
        using (names.PushSequence())
        {
            names.WriteCharacterString(UniversalTagNumber.IA5String, "a.test", new Asn1Tag(TagClass.ContextSpecific, 2));
            names.WriteEncodedValue(name);
        }

        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", names.Encode(), false));
        return request.CreateSigningRequest();
    }

    private static byte[] Plain(int tag, string text)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.IA5String, text, new Asn1Tag(TagClass.ContextSpecific, tag));
        return writer.Encode();
    }

    private static byte[] Tagged(int tag, Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, tag)))
        {
            write(writer);
        }

        return writer.Encode();
    }

    private static byte[] RegisteredId()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier("1.2.3.4", new Asn1Tag(TagClass.ContextSpecific, 8));
        return writer.Encode();
    }
}
