using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.X509;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Csr;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Tests.Signing;

public sealed class CertificateIssuerTests
{
    private static async Task<X509Certificate2> IssueAsync(ServerProfile profile, IssuanceRequest request)
    {
        var issuer = await TestAuthority.CertificateIssuerAsync(profile);
        var prepared = issuer.Prepare(request);
        Assert.Null(prepared.Problem);
        return X509CertificateLoader.LoadCertificate(await issuer.IssueAsync(IssuanceTicket.FromIntent(prepared.Value)));
    }

    private static string[] Oids(X509Certificate2 certificate) => [.. certificate.Extensions.Select(e => e.Oid!.Value!)];

    [Fact]
    public async Task A_certificate_chains_to_the_root_for_its_name()
    {
        var request = TestAuthority.Request("www.example.com", "*.example.org");
        using var certificate = await IssueAsync(new ServerProfile(), request);
        var (holds, status) = await TestAuthority.ChainAsync(certificate.RawData, request.Now);
        Assert.True(holds, status);
        Assert.True(certificate.MatchesHostname("www.example.com"));
        Assert.True(certificate.MatchesHostname("a.example.org"));
        Assert.False(certificate.MatchesHostname("example.org"));
        Assert.Equal(request.SubjectPublicKeyInfo.ToArray(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public async Task A_certificate_does_not_chain_after_its_end()
    {
        var request = TestAuthority.Request();
        using var certificate = await IssueAsync(new ServerProfile(), request);
        var (holds, status) = await TestAuthority.ChainAsync(certificate.RawData, new DateTimeOffset(certificate.NotAfter).AddSeconds(1));
        Assert.False(holds);
        Assert.Contains("NotTimeValid", status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_other_library_reads_the_same_and_verifies_it()
    {
        var issuing = await TestAuthority.IssuingAsync();
        using var certificate = await IssueAsync(new ServerProfile(), TestAuthority.Request());
        var parsed = new X509CertificateParser().ReadCertificate(certificate.RawData);
        parsed.Verify(new X509CertificateParser().ReadCertificate(issuing.CertificateDer).GetPublicKey());
        Assert.Equal("www.example.com", Assert.Single(parsed.GetSubjectAlternativeNames())[1]);
        Assert.Equal(certificate.RawData, parsed.GetEncoded());
    }

    [Fact]
    public async Task The_extensions_stand_in_their_fixed_order()
    {
        using var plain = await IssueAsync(new ServerProfile(), TestAuthority.Request());
        Assert.Equal(["2.5.29.15", "2.5.29.37", "2.5.29.35", "2.5.29.17"], Oids(plain));
        var full = new ServerProfile { SubjectKeyIdentifier = true, CaIssuersUrl = "http://ca.example/i.cer", CrlUrl = "http://ca.example/i.crl" };
        using var rich = await IssueAsync(full, TestAuthority.Request());
        Assert.Equal(["2.5.29.15", "2.5.29.37", "2.5.29.35", "2.5.29.14", "1.3.6.1.5.5.7.1.1", "2.5.29.17", "2.5.29.31"], Oids(rich));
        Assert.Equal(["http://ca.example/i.cer"], rich.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single().EnumerateCAIssuersUris());
    }

    [Fact]
    public async Task The_subject_is_empty_and_subjectAltName_critical_unless_a_common_name_is_wanted()
    {
        using var empty = await IssueAsync(new ServerProfile(), TestAuthority.Request());
        Assert.Equal("", empty.Subject);
        Assert.True(empty.Extensions["2.5.29.17"]!.Critical);
        using var named = await IssueAsync(new ServerProfile { CommonName = true }, TestAuthority.Request());
        Assert.Equal("CN=www.example.com", named.Subject);
        Assert.False(named.Extensions["2.5.29.17"]!.Critical);
    }

    [Fact]
    public async Task The_common_name_is_the_first_name_of_at_most_64_characters()
    {
        var tooLong = new string('a', 57) + ".example"; // 65
        var fits = new string('a', 56) + ".example"; // 64
        using var named = await IssueAsync(new ServerProfile { CommonName = true }, TestAuthority.Request(tooLong, fits));
        Assert.Equal("CN=" + fits, named.Subject);
        using var unnamed = await IssueAsync(new ServerProfile { CommonName = true }, TestAuthority.Request(tooLong));
        Assert.Equal("", unnamed.Subject);
        Assert.True(unnamed.Extensions["2.5.29.17"]!.Critical);
    }

    [Fact]
    public async Task An_address_stands_there_as_iPAddress_and_chains()
    {
        var request = TestAuthority.Request("10.0.0.1", "www.example.com", "2001:db8::1");
        using var certificate = await IssueAsync(new ServerProfile(), request);
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["10.0.0.1", "2001:db8::1"], names.EnumerateIPAddresses().Select(a => a.ToString()));
        Assert.Equal(["www.example.com"], names.EnumerateDnsNames());
        Assert.True(certificate.MatchesHostname("2001:db8::1"));
        Assert.False(certificate.MatchesHostname("10.0.0.2"));
        var (holds, status) = await TestAuthority.ChainAsync(certificate.RawData, request.Now);
        Assert.True(holds, status);
    }

    [Fact]
    public async Task An_address_is_never_the_common_name()
    {
        using var named = await IssueAsync(new ServerProfile { CommonName = true }, TestAuthority.Request("10.0.0.1", "www.example.com"));
        Assert.Equal("CN=www.example.com", named.Subject);
        using var unnamed = await IssueAsync(new ServerProfile { CommonName = true }, TestAuthority.Request("10.0.0.1"));
        Assert.Equal("", unnamed.Subject);
        Assert.True(unnamed.Extensions["2.5.29.17"]!.Critical);
    }

    [Fact]
    public async Task Key_encipherment_is_for_RSA_alone()
    {
        var rsa = TestAuthority.Request() with { SubjectPublicKeyInfo = CsrDraft.RsaKey.ExportSubjectPublicKeyInfo(), KeyKind = KeyKind.Rsa };
        using var forRsa = await IssueAsync(new ServerProfile(), rsa);
        using var forEc = await IssueAsync(new ServerProfile(), TestAuthority.Request());
        Assert.Equal(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, forRsa.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, forEc.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.True(forEc.Extensions.OfType<X509KeyUsageExtension>().Single().Critical);
    }

    [Fact]
    public async Task Nothing_of_a_request_but_its_key_reaches_the_certificate()
    {
        var csr = new CsrDraft
        {
            Subject = [("2.5.4.10", UniversalTagNumber.UTF8String, "Somebody"), ("2.5.4.3", UniversalTagNumber.UTF8String, "Somebody Else")],
            OtherExtensions = [("2.5.29.19", true, [0x30, 0x03, 0x01, 0x01, 0xff]), ("2.5.29.15", true, [0x03, 0x02, 0x01, 0x06]), ("1.3.6.1.5.5.7.1.24", false, [0x30, 0x03, 0x02, 0x01, 0x05])],
        };
        var read = new CsrReader(new KeyPolicy()).Read(csr.Encode()).Value;
        using var certificate = await IssueAsync(
            new ServerProfile { CommonName = true },
            TestAuthority.Request() with { SubjectPublicKeyInfo = read.SubjectPublicKeyInfo, KeyKind = read.KeyKind });
        Assert.Equal("CN=www.example.com", certificate.Subject);
        Assert.Equal(["2.5.29.15", "2.5.29.37", "2.5.29.35", "2.5.29.17"], Oids(certificate));
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
    }

    [Fact]
    public async Task The_signed_bytes_are_those_of_the_intent()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var intent = issuer.Prepare(TestAuthority.Request()).Value;
        var der = await issuer.IssueAsync(IssuanceTicket.Resume(intent.TbsDer, intent.Serial));
        Assert.Equal(intent.TbsDer, new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray());
        using var certificate = X509CertificateLoader.LoadCertificate(der);
        Assert.Equal(intent.Serial, Convert.ToHexStringLower(certificate.SerialNumberBytes.Span));
        Assert.Equal(intent.NotBefore.UtcDateTime, certificate.NotBefore.ToUniversalTime());
        Assert.Equal(intent.NotAfter.UtcDateTime, certificate.NotAfter.ToUniversalTime());
    }

    [Fact]
    public async Task The_serial_number_has_16_octets_is_positive_and_does_not_repeat()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var serials = Enumerable.Range(0, 200).Select(_ => issuer.Prepare(TestAuthority.Request()).Value.Serial).ToList();
        Assert.Equal(200, serials.Distinct().Count());
        Assert.All(serials, s => Assert.Equal(127, new BigInteger(Convert.FromHexString(s), isBigEndian: true).GetBitLength()));
        // A bit that never changes in 200 numbers is no random bit; only the upper two are fixed.
        var seen = serials.Select(s => new BigInteger(Convert.FromHexString(s), isUnsigned: true, isBigEndian: true)).ToList();
        for (var bit = 0; bit < 126; bit++)
        {
            Assert.Contains(seen, s => ((s >> bit) & 1) == 1);
            Assert.Contains(seen, s => ((s >> bit) & 1) == 0);
        }
    }

    [Fact]
    public async Task A_ticket_signs_once()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var ticket = IssuanceTicket.FromIntent(issuer.Prepare(TestAuthority.Request()).Value);
        await issuer.IssueAsync(ticket);
        var second = await Assert.ThrowsAsync<InvalidOperationException>(() => issuer.IssueAsync(ticket).AsTask());
        Assert.Contains("has been used", second.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ticket_is_used_up_by_a_failed_signature_too()
    {
        var issuing = await TestAuthority.IssuingAsync();
        using var broken = new WrongKey(issuing.Key);
        var issuer = new CertificateIssuer(Issuer.Load(issuing.CertificateDer, [issuing.Chain[1]], broken, TestAuthority.Now).Value!, new ServerProfile());
        var ticket = IssuanceTicket.FromIntent(issuer.Prepare(TestAuthority.Request()).Value);
        var first = await Assert.ThrowsAsync<InvalidOperationException>(() => issuer.IssueAsync(ticket).AsTask());
        Assert.Contains("signature that does not hold", first.Message, StringComparison.Ordinal);
        var second = await Assert.ThrowsAsync<InvalidOperationException>(() => issuer.IssueAsync(ticket).AsTask());
        Assert.Contains("has been used", second.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ticket_of_mixed_up_bytes_is_not_made()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var one = issuer.Prepare(TestAuthority.Request()).Value;
        var other = issuer.Prepare(TestAuthority.Request()).Value;
        Assert.Throws<ArgumentException>(() => IssuanceTicket.Resume(one.TbsDer, other.Serial));
        Assert.Throws<ArgumentException>(() => IssuanceTicket.Resume([1, 2, 3], one.Serial));
    }

    [Fact]
    public async Task An_intent_of_another_issuer_is_not_signed()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var intent = issuer.Prepare(TestAuthority.Request()).Value;
        var other = new CertificateIssuer(await TestAuthority.RootAsync(), new ServerProfile());
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => other.IssueAsync(IssuanceTicket.FromIntent(intent)).AsTask());
        Assert.Contains("another issuer", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_number_of_names_is_limited()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync(new ServerProfile { MaxNames = 2 });
        Assert.False(issuer.Prepare(TestAuthority.Request("a.example", "b.example")).IsRefused);
        Assert.Contains("3 names; a certificate has 1 to 2", issuer.Prepare(TestAuthority.Request("a.example", "b.example", "c.example")).Problem?.Detail, StringComparison.Ordinal);
        Assert.True(issuer.Prepare(TestAuthority.Request() with { Names = [] }).IsRefused);
    }

    [Fact]
    public async Task What_the_lint_finds_is_not_prepared()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();

        // An EC key taken for an RSA key would get keyEncipherment.
        var refused = issuer.Prepare(TestAuthority.Request() with { KeyKind = KeyKind.Rsa });
        Assert.Equal(ProblemCatalog.ServerInternal, refused.Problem?.Type);
        Assert.Contains("its lint found: L37: keyUsage is a0", refused.Problem!.Detail, StringComparison.Ordinal);
    }

    /// <summary>A key module that answers with the signature of something else.</summary>
    private sealed class WrongKey(ISigningKey real) : ISigningKey
    {
        public SigningAlgorithm Algorithm => real.Algorithm;

        public byte[] SubjectPublicKeyInfo => real.SubjectPublicKeyInfo;

        public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => real.SignAsync(message[1..], cancellationToken);

        public void Dispose()
        {
        }
    }
}
