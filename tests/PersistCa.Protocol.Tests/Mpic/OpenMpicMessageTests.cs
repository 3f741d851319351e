using System.Text;
using CsCheck;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Mpic;

namespace PersistCa.Protocol.Tests.Mpic;

/// <summary>The messages of Open MPIC, ours and those of other implementations.</summary>
public sealed class OpenMpicMessageTests
{
    public static TheoryData<DcvRequest> Requests =>
    [
        new DcvRequest("example.com", DcvMethod.AcmeHttp01) { Token = "t", KeyAuthorization = "t.k" },
        new DcvRequest("192.0.2.1", DcvMethod.AcmeTlsAlpn01) { KeyAuthorizationHash = new string('a', 64), TraceIdentifier = "7" },
        new DcvRequest("example.com", DcvMethod.AcmeDns01) { KeyAuthorizationHash = "x" },
        new DcvRequest("example.com", DcvMethod.DnsChange) { DnsNamePrefix = "_a._acme-challenge", ChallengeValue = "x", RequireExactMatch = true },
        new DcvRequest("example.com", DcvMethod.DnsPersistent) { IssuerDomainNames = ["ca.example", "old.example"], ExpectedAccountUri = "https://ca.example/1" },
    ];

    [Theory]
    [MemberData(nameof(Requests))]
    public void A_request_is_read_as_it_was_written(DcvRequest request)
    {
        var read = DcvRequest.Read(Json(request.ToJson()));

        Assert.True(read.IsValid, read.Reason);
        Assert.Equal(Encoding.UTF8.GetString(request.ToJson()), Encoding.UTF8.GetString(read.Value.ToJson()));
    }

    [Theory]
    [InlineData("[]", "is no object")]
    [InlineData("{}", "no dcv_check_parameters")]
    [InlineData("""{"dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":"x"}}""", "no domain_or_ip_target")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{}}""", "no validation_method")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"contact-email-txt"}}""", "none of acme-http-01")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"acme-dns-01"}}""", "key_authorization_hash is missing")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":7}}""", "key_authorization_hash is missing")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":"x","token":"t"}}""", "a member that is not understood")]
    [InlineData("""{"domain_or_ip_target":"a.example","extra":1,"dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":"x"}}""", "a member that is not understood")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"dns-change","challenge_value":"x","dns_name_prefix":"_a","dns_record_type":"CNAME"}}""", "not TXT")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"dns-persistent","expected_account_uri":"x","issuer_domain_names":[]}}""", "issuer_domain_names is missing")]
    [InlineData("""{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"dns-persistent","expected_account_uri":"x","issuer_domain_names":"ca"}}""", "no list")]
    public void What_is_not_understood_is_refused_with_its_reason(string body, string reason) =>
        Assert.Contains(reason, DcvRequest.Read(Json(body)).Reason, StringComparison.Ordinal);

    [Fact]
    public void Nulls_are_how_others_say_not_set()
    {
        var read = DcvRequest.Read(Json(
            """{"domain_or_ip_target":"*.a.example","trace_identifier":null,"dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":"x","dns_record_type":"TXT","dns_name_prefix":"_acme-challenge","http_headers":null}}"""));

        Assert.True(read.IsValid, read.Reason);
        Assert.Equal("a.example", read.Value.Target);
    }

    [Theory]
    [InlineData("*.a.example", "*.a.example")]
    [InlineData("a.example", "a.example")]
    public void Caa_is_asked_with_the_name_and_its_kind(string target, string read) =>
        Assert.Equal(read, CaaRequest.Read(Json(new CaaRequest(target) { CaaDomains = ["ca.example"] }.ToJson())).Value?.Target);

    [Theory]
    [InlineData("""{"domain_or_ip_target":"a.example","caa_check_parameters":{"certificate_type":"s-mime"}}""", "certificate_type")]
    [InlineData("""{"domain_or_ip_target":"a.example","caa_check_parameters":{"allow_lookup_failure":true}}""", "permits nothing here")]
    [InlineData("""{"caa_check_parameters":{}}""", "no domain_or_ip_target")]
    public void A_caa_request_that_is_not_understood_is_refused(string body, string reason) =>
        Assert.Contains(reason, CaaRequest.Read(Json(body)).Reason, StringComparison.Ordinal);

    [Fact]
    public void The_wildcard_of_a_caa_request_may_stand_in_its_type_alone() => Assert.Equal(
        "*.a.example",
        CaaRequest.Read(Json("""{"domain_or_ip_target":"a.example","caa_check_parameters":{"certificate_type":"tls-server-wildcard","caa_domains":null}}""")).Value?.Target);

    [Fact]
    public void An_answer_is_read_as_it_was_written()
    {
        var answer = new CheckAnswer(IsCaa: false, Completed: true, Passed: true)
        {
            ValidationMethod = "dns-persistent",
            RecordsSeen = ["ca.example; accounturi=x"],
            ResponseCode = 0,
            AuthenticData = true,
            FoundAt = "_validation-persist.example.com",
            CnameChain = ["b.example"],
            At = new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero),
        };

        var read = CheckAnswer.Read(Json(answer.ToJson()), isCaa: false).Value!;

        Assert.Equal(Encoding.UTF8.GetString((answer with { At = null }).ToJson()), Encoding.UTF8.GetString(read.ToJson()));
        Assert.Equal("its check_type is another than was asked for", CheckAnswer.Read(Json(answer.ToJson()), isCaa: true).Reason);
    }

    [Theory]
    [InlineData("""{"check_passed":true,"errors":null,"details":{"caa_record_present":true,"found_at":"a.example","records_seen":["0 issue \"ca.example\""],"extra":{}}}""", true, 1)]
    [InlineData("""{"check_passed":false,"errors":[{"error_type":"caa","error_message":"lookup"}],"details":{"caa_record_present":null}}""", false, 0)]
    [InlineData("""{"check_completed":true,"check_passed":false,"errors":[{"error_type":"nx","error_message":"none"}],"details":{"records_seen":null}}""", true, 0)]
    [InlineData("""{"check_completed":true,"check_passed":true,"details":{"records_seen":"0 issue \"a\"\n0 iodef \"mailto:x@y\"\n"}}""", true, 2)]
    public void Answers_of_other_implementations_are_read(string body, bool completed, int records)
    {
        var read = CheckAnswer.Read(Json(body), isCaa: true);

        Assert.True(read.IsValid, read.Reason);
        Assert.Equal((completed, records), (read.Value.Completed, read.Value.RecordsSeen.Length));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"check_passed":"yes"}""")]
    [InlineData("""{"check_passed":true,"details":{"records_seen":[7]}}""")]
    [InlineData("""{"check_passed":true,"details":{"records_seen":{}}}""")]
    public void Answers_that_say_nothing_are_refused(string body) => Assert.False(CheckAnswer.Read(Json(body), isCaa: false).IsValid);

    [Fact]
    public void A_caa_record_in_zone_file_form_is_read_back_octet_for_octet() => Gen.Select(Gen.Byte, Gen.Char.AlphaNumeric.Array[1, 15].Select(c => new string(c)), Gen.Byte.Array[0, 60]).Sample((flags, tag, value) =>
    {
        var rdata = $"{(char)flags}{(char)tag.Length}{tag}{Encoding.Latin1.GetString(value)}";
        Assert.Equal(rdata, SeenRecord.CaaRdata(CaaRecord.Present(rdata)).Value);
    });

    [Fact]
    public void Rdata_that_no_record_has_is_read_back_too() => Gen.Byte.Array[0, 12].Sample(octets =>
    {
        var rdata = Encoding.Latin1.GetString(octets);
        Assert.Equal(rdata, SeenRecord.CaaRdata(CaaRecord.Present(rdata)).Value);
    });

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("256 issue \"a\"")]
    [InlineData("0 issue \"a\"b\"")]
    [InlineData("0 issue \"a\\1\"")]
    [InlineData("\\# 3 00ff")]
    [InlineData("\\# 1 zz")]
    public void Text_that_is_no_caa_record_is_refused(string text) => Assert.False(SeenRecord.CaaRdata(text).IsValid);

    [Fact]
    public void Text_records_cross_as_utf8()
    {
        Assert.Equal("b\u00C3\u00BCcher", SeenRecord.TxtOctets("b\u00FCcher"));
        Assert.Equal("b\u00FCcher", SeenRecord.TxtText("b\u00C3\u00BCcher"));
    }

    private static System.Text.Json.JsonElement Json(string text) => Json(Encoding.UTF8.GetBytes(text));

    private static System.Text.Json.JsonElement Json(byte[] utf8)
    {
        var read = StrictJson.Read(utf8, 8);
        return read.IsValid ? read.Value : throw new ArgumentException(read.Reason, nameof(utf8));
    }
}
