using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Tests.Csr;

public sealed class CsrReaderTests
{
    private const string Cn = "2.5.4.3";
    private static readonly CsrReader Reader = new(new KeyPolicy());

    private static Outcome<SigningRequest> Read(CsrDraft draft, CsrLimits? limits = null) => Reader.Read(draft.Encode(), limits);

    private static void Refused(CsrDraft draft, string reason, CsrLimits? limits = null)
    {
        var read = Read(draft, limits);
        Assert.True(read.IsRefused, "a refusal is expected");
        Assert.Equal(ProblemCatalog.BadCsr, read.Problem.Type);
        Assert.Contains(reason, read.Problem.Detail, StringComparison.Ordinal);
    }

    private static string[] NamesOf(CsrDraft draft) => [.. Read(draft).Value.Names.Select(n => n.Text)];

    [Fact]
    public void A_sound_request_gives_its_key_and_its_names()
    {
        var read = Read(new CsrDraft { Alternatives = [CsrDraft.Dns("WWW.example.com"), CsrDraft.Dns("*.example.org"), CsrDraft.Dns("www.example.com")] }).Value;
        Assert.Equal(["www.example.com", "*.example.org"], read.Names.Select(n => n.Text));
        Assert.Equal(CsrDraft.Key.ExportSubjectPublicKeyInfo(), read.SubjectPublicKeyInfo.ToArray());
        Assert.Equal(KeyKind.P256, read.KeyKind);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(CsrDraft.Key.ExportSubjectPublicKeyInfo())), read.KeyFingerprint);
    }

    [Fact]
    public void A_request_written_by_the_platform_is_read()
    {
        var request = new CertificateRequest("CN=www.example.com, O=Somebody", CsrDraft.RsaKey, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("www.example.com");
        request.CertificateExtensions.Add(names.Build());
        var read = Reader.Read(request.CreateSigningRequest());
        Assert.Null(read.Problem);
        Assert.Equal("www.example.com", Assert.Single(read.Value.Names).Text);
        Assert.Equal(KeyKind.Rsa, read.Value.KeyKind);
    }

    [Fact]
    public void An_Ed25519_request_is_read_and_its_signature_counts()
    {
        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        var pair = generator.GenerateKeyPair();
        var draft = new CsrDraft
        {
            SubjectPublicKeyInfo = SubjectPublicKeyInfoFactory.CreateSubjectPublicKeyInfo(pair.Public).GetEncoded(),
            SignatureOid = "1.3.101.112",
            Sign = info =>
            {
                var signer = new Ed25519Signer();
                signer.Init(true, pair.Private);
                signer.BlockUpdate(info, 0, info.Length);
                return signer.GenerateSignature();
            },
        };
        Assert.Equal(KeyKind.Ed25519, Read(draft).Value.KeyKind);
        Refused(draft with { BreakSignature = true }, "signature does not hold");
    }

    [Theory]
    [InlineData(0, true, "otherName")]
    [InlineData(1, false, "rfc822Name (email)")]
    [InlineData(3, true, "x400Address")]
    [InlineData(4, true, "directoryName")]
    [InlineData(5, true, "ediPartyName")]
    [InlineData(6, false, "uniformResourceIdentifier")]
    [InlineData(8, false, "registeredID")]
    [InlineData(9, false, "unknown")]
    public void A_name_of_another_type_is_refused_by_its_type(int tag, bool constructed, string type) =>
        Refused(new CsrDraft { Alternatives = [CsrDraft.Dns("www.example.com"), (tag, constructed, [0x2a, 0x03, 0x04, 0x05])] }, $"a name of the type {type};");

    [Fact]
    public void An_iPAddress_is_a_name_like_a_dNSName() =>
        Assert.Equal(
            ["www.example.com", "10.0.0.1", "2001:db8::1"],
            NamesOf(new CsrDraft { Alternatives = [CsrDraft.Dns("www.example.com"), Ip("0a000001"), Ip("20010db8000000000000000000000001"), Ip("0a000001")] }));

    [Theory]
    [InlineData("", "has 0 octets")]
    [InlineData("0a0000", "has 3 octets")]
    [InlineData("0a000000ff000000", "has 8 octets where 4 or 16")] // with a mask, as in name constraints
    [InlineData("00000000000000000000ffff0a000001", "10.0.0.1 is expected")]
    public void An_iPAddress_that_is_no_single_address_is_refused(string octets, string reason) =>
        Refused(new CsrDraft { Alternatives = [Ip(octets)] }, reason);

    [Fact]
    public void A_common_name_that_is_an_address_is_no_name() =>
        Assert.Equal(["10.0.0.1"], NamesOf(new CsrDraft { Alternatives = [Ip("0a000001")], Subject = [(Cn, UniversalTagNumber.UTF8String, "10.0.0.2")] }));

    [Theory]
    [InlineData("www_1.example.com", "underscore")]
    [InlineData("www.example.com.", "ends with a dot")]
    [InlineData("", "it is empty")]
    [InlineData("a.*.example.com", "'*' elsewhere")]
    [InlineData("127.0.0.1", "reads as an IP address")]
    [InlineData("www.exa\0mple.com", "U+0000")]
    public void A_dNSName_that_no_certificate_can_have_is_refused(string name, string reason) =>
        Refused(new CsrDraft { Alternatives = [CsrDraft.Dns(name)] }, reason);

    [Fact]
    public void A_common_name_that_is_a_domain_name_counts_as_a_name() =>
        Assert.Equal(
            ["www.example.com", "mail.example.com"],
            NamesOf(new CsrDraft { Subject = [(Cn, UniversalTagNumber.UTF8String, "Mail.example.com")] }));

    [Fact]
    public void A_request_with_the_name_in_the_subject_alone_is_read() =>
        Assert.Equal(
            ["mail.example.com"],
            NamesOf(new CsrDraft { ExtensionRequests = 0, Subject = [(Cn, UniversalTagNumber.PrintableString, "mail.example.com")] }));

    [Theory]
    [InlineData(Cn, UniversalTagNumber.UTF8String, "Example Organisation")]
    [InlineData(Cn, UniversalTagNumber.BMPString, "mail.example.com")]
    [InlineData("2.5.4.10", UniversalTagNumber.UTF8String, "mail.example.com")]
    [InlineData("1.2.840.113549.1.9.1", UniversalTagNumber.IA5String, "a@example.com")]
    public void Every_other_subject_attribute_is_ignored(string oid, UniversalTagNumber type, string value) =>
        Assert.Equal(["www.example.com"], NamesOf(new CsrDraft { Subject = [(oid, type, value)] }));

    [Fact]
    public void Other_extensions_and_attributes_are_ignored()
    {
        var draft = new CsrDraft
        {
            OtherAttributes = 1,
            OtherExtensions = [("2.5.29.19", true, [0x30, 0x03, 0x01, 0x01, 0xff]), ("1.3.6.1.5.5.7.1.24", false, [0x30, 0x03, 0x02, 0x01, 0x05])],
        };
        Assert.Equal(["www.example.com"], NamesOf(draft));
    }

    [Fact]
    public void A_signature_that_does_not_hold_is_refused()
    {
        Refused(new CsrDraft { BreakSignature = true }, "signature does not hold");
        Refused(new CsrDraft { Signer = CsrDraft.RsaKey, BreakSignature = true }, "signature does not hold");
    }

    [Fact]
    public void A_request_signed_by_another_key_is_refused() =>
        Refused(new CsrDraft { SubjectPublicKeyInfo = TestAuthority.NewSpki() }, "signature does not hold");

    [Fact]
    public void An_ECDSA_signature_that_is_no_DER_is_refused() =>
        Refused(new CsrDraft { Sign = _ => [1, 2, 3] }, "signature does not hold");

    [Fact]
    public void A_SHA1_signature_is_refused()
    {
        Refused(new CsrDraft { Hash = HashAlgorithmName.SHA1, SignatureOid = "1.2.840.10045.4.1" }, "signed with SHA-1");
        Refused(new CsrDraft { Signer = CsrDraft.RsaKey, Hash = HashAlgorithmName.SHA1, SignatureOid = "1.2.840.113549.1.1.5" }, "signed with SHA-1");
    }

    [Fact]
    public void An_MD5_signature_is_refused() =>
        Refused(new CsrDraft { Signer = CsrDraft.RsaKey, Hash = HashAlgorithmName.MD5, SignatureOid = "1.2.840.113549.1.1.4" }, "signed with MD5");

    [Fact]
    public void An_unknown_signature_algorithm_is_refused_with_the_accepted_ones() =>
        Refused(new CsrDraft { SignatureOid = "1.2.840.113549.1.1.10" }, "1.2.840.113549.1.1.10 is not accepted; accepted are sha256WithRSAEncryption, ");

    [Fact]
    public void A_signature_algorithm_of_another_kind_of_key_is_refused() =>
        Refused(new CsrDraft { SignatureOid = "1.2.840.113549.1.1.11" }, "sha256WithRSAEncryption does not go with its key");

    [Fact]
    public void Parameters_of_an_ECDSA_algorithm_are_refused() =>
        Refused(new CsrDraft { SignatureParameters = [0x05, 0x00] }, "no PKCS #10 request in DER");

    [Fact]
    public void A_weak_key_is_refused_as_a_key_and_before_the_signature()
    {
        using var weak = RSA.Create(1024);
        var read = Read(new CsrDraft { Signer = weak, BreakSignature = true });
        Assert.Equal(ProblemCatalog.BadPublicKey, read.Problem?.Type);
        Assert.Contains("1024 bits", read.Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_version_is_refused() => Refused(new CsrDraft { Version = 3 }, "version is neither v1(0)");

    [Fact]
    public void A_request_without_the_attributes_field_is_refused() => Refused(new CsrDraft { OmitAttributes = true }, "no attributes field");

    [Fact]
    public void Two_subjectAltNames_are_refused() => Refused(new CsrDraft { AlternativesTimes = 2 }, "two subjectAltName extensions");

    [Fact]
    public void Two_extension_requests_are_refused() => Refused(new CsrDraft { ExtensionRequests = 2 }, "two extensionRequest attributes");

    [Fact]
    public void An_octet_behind_the_request_is_refused()
    {
        byte[] longer = [.. new CsrDraft().Encode(), 0];
        Assert.Contains("no PKCS #10 request", Reader.Read(longer).Problem?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var der = new CsrDraft().Encode();
        for (var length = 0; length < der.Length; length++)
        {
            Assert.True(Reader.Read(der.AsSpan(0, length)).IsRefused);
        }
    }

    [Fact]
    public void Every_single_changed_octet_is_refused()
    {
        var der = new CsrDraft().Encode();
        for (var i = 0; i < der.Length; i++)
        {
            der[i] ^= 1;
            Assert.True(Reader.Read(der).IsRefused, $"octet {i}");
            der[i] ^= 1;
        }
    }

    [Fact]
    public void The_limits_hold_to_the_last_one()
    {
        var draft = new CsrDraft { Alternatives = [CsrDraft.Dns("a.example"), CsrDraft.Dns("b.example")] };
        var size = draft.Encode().Length;
        Refused(draft, "more than 1 names", new CsrLimits { MaxNames = 1 });
        Assert.False(Read(draft, new CsrLimits { MaxNames = 2 }).IsRefused);

        var attributes = new CsrDraft { OtherAttributes = 3 };
        Refused(attributes, "more than 3 attributes", new CsrLimits { MaxItems = 3 });
        Assert.False(Read(attributes, new CsrLimits { MaxItems = 4 }).IsRefused);

        var extensions = new CsrDraft { OtherExtensions = [("1.2.3", false, []), ("1.2.4", false, [])] };
        Refused(extensions, "more than 2 extensions", new CsrLimits { MaxItems = 2 });
        Assert.False(Read(extensions, new CsrLimits { MaxItems = 3 }).IsRefused);

        var subject = new CsrDraft { Subject = [("2.5.4.10", UniversalTagNumber.UTF8String, "a"), ("2.5.4.10", UniversalTagNumber.UTF8String, "b")] };
        Refused(subject, "more than 1 subject attributes", new CsrLimits { MaxItems = 1 });
        Assert.False(Read(subject, new CsrLimits { MaxItems = 2 }).IsRefused);

        var exact = new CsrDraft { Signer = CsrDraft.RsaKey };
        size = exact.Encode().Length;
        Refused(exact, $"has {size} octets; 1 to {size - 1}", new CsrLimits { MaxBytes = size - 1 });
        Assert.False(Read(exact, new CsrLimits { MaxBytes = size }).IsRefused);
    }

    [Fact]
    public void Names_are_compared_as_a_set()
    {
        var read = Read(new CsrDraft { Alternatives = [CsrDraft.Dns("B.example.com"), CsrDraft.Dns("a.example.com")] }).Value;
        Assert.Null(read.NamesDiffer(TestAuthority.Names("a.example.com", "b.example.com")));
        Assert.Equal(
            "The names of the CSR are not those of the order; missing in the CSR: *.a.example.com, c.example.com; not in the order: a.example.com.",
            read.NamesDiffer(TestAuthority.Names("b.example.com", "c.example.com", "*.a.example.com"))?.Detail);
    }

    [Fact]
    public void A_long_list_of_differing_names_is_cut()
    {
        var wanted = Enumerable.Range(0, SigningRequest.MaxListedNames + 3).Select(i => $"n{i:00}.example.com").ToArray();
        var detail = Read(new CsrDraft()).Value.NamesDiffer(TestAuthority.Names([.. wanted, "www.example.com"]))?.Detail;
        Assert.EndsWith("n09.example.com and 3 more.", detail, StringComparison.Ordinal);
    }

    private static (int Tag, bool Constructed, byte[] Content) Ip(string octets) => (7, false, Convert.FromHexString(octets));
}
