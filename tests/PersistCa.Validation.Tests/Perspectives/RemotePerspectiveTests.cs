using System.Net;
using System.Net.Security;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Perspectives;
using PersistCa.Validation.Tests.Challenges;

namespace PersistCa.Validation.Tests.Perspectives;

/// <summary>Perspectives that are asked by Open MPIC: ours, and others whose opinion is not ours.</summary>
public sealed class RemotePerspectiveTests
{
    private const string NoCaa = """{"check_completed":true,"check_passed":true,"errors":null,"details":{"caa_record_present":false,"found_at":null,"records_seen":null}}""";

    private static readonly IssuerName Issuer = IssuerName.Parse("ca.example").Value!;

    private static readonly PersistPolicy Policy = new([Issuer], ["https://ca.example/hash/"], PersistDialects.All.ToHashSet());

    private static readonly RemoteJudgement Judgement = new(Policy, new CaaPolicy([Issuer]), CaaModes.Enforced, TimeSpan.Zero);

    private static PerspectiveQuestion Question(ChallengeType type, string name = "www.example.com") => new(type, Sample.Attempt(name))
    {
        Account = type == ChallengeType.DnsPersist01 ? Sample.Account.Url : null,
        Caa = Identifier.Of(name) is CertificateName n ? CaaQuestion.For(n, Sample.Account, type) : null,
    };

    private static async Task<PerspectiveReport> LookAsync(ScriptedApi api, PerspectiveQuestion question, RemoteJudgement? judgement = null)
    {
        using var client = new HttpClient(api);
        using var perspective = new RemotePerspective("p", "arin", new OpenMpicClient(client, "https://p.example"), judgement ?? Judgement, TimeProvider.System);
        return await perspective.LookAsync(question, default);
    }

    private static string Dcv(bool passed, params string[] records) => new JsonObject
    {
        ["check_completed"] = true,
        ["check_passed"] = passed,
        ["details"] = new JsonObject { ["records_seen"] = new JsonArray([.. records.Select(r => (JsonNode)r)]), ["response_code"] = 0 },
    }.ToJsonString();

    private static string Caa(string? foundAt, params string[] records) => new JsonObject
    {
        ["check_completed"] = true,
        ["check_passed"] = true,
        ["details"] = new JsonObject { ["caa_record_present"] = true, ["found_at"] = foundAt, ["records_seen"] = new JsonArray([.. records.Select(r => (JsonNode)r)]) },
    }.ToJsonString();

    [Theory]
    [InlineData(true, "ca.example; accounturi=https://CA.example/acct/123", PerspectiveFinding.Differs)]
    [InlineData(true, "ca.example; accounturi=https://ca.example/acct/123; persistUntil=1", PerspectiveFinding.Differs)]
    [InlineData(true, "other.example; accounturi=https://ca.example/acct/123", PerspectiveFinding.Differs)]
    [InlineData(false, "ca.example; accounturi=https://ca.example/acct/123", PerspectiveFinding.Corroborates)]
    public async Task The_records_decide_and_the_opinion_is_only_kept(bool opinion, string record, PerspectiveFinding finding)
    {
        var report = await LookAsync(ScriptedApi.Saying(Dcv(opinion, record), NoCaa), Question(ChallengeType.DnsPersist01));

        Assert.Equal((finding, (bool?)opinion), (report.Verdict.Finding, report.Evidence.OwnOpinion));
        Assert.Equal(finding == PerspectiveFinding.Corroborates ? Sample.Account.Url : null, report.Verdict.Account);
        Assert.Contains(report.Evidence.Lookups!, l => l.Records?[0].Text == record);
    }

    [Theory]
    [InlineData("www.example.com", "0 issue \"ca.example\"", PerspectiveFinding.Corroborates)]
    [InlineData("EXAMPLE.com.", "0 issue \"ca.example\"", PerspectiveFinding.Corroborates)]
    [InlineData("example.com", "0 issue \"ca.example; accounturi=https://ca.example/acct/9\"", PerspectiveFinding.Differs)]
    [InlineData("example.com", "0 issue \"ca.example; validationmethods=http-01\"", PerspectiveFinding.Differs)]
    [InlineData("example.com", "128 unknown \"x\"", PerspectiveFinding.Differs)]
    [InlineData("example.com", "no record", PerspectiveFinding.Failed)]
    [InlineData("other.example", "0 issue \"ca.example\"", PerspectiveFinding.Failed)]
    [InlineData(null, "0 issue \"ca.example\"", PerspectiveFinding.Failed)]
    public async Task Caa_is_judged_here_whatever_the_opinion(string? foundAt, string record, PerspectiveFinding finding)
    {
        var report = await LookAsync(ScriptedApi.Saying(Dcv(true, $"ca.example; accounturi={Sample.Account.Url}"), Caa(foundAt, record)), Question(ChallengeType.DnsPersist01));

        Assert.Equal((finding, true), (report.Verdict.Finding, report.Evidence.OwnOpinionOfCaa));
    }

    [Fact]
    public async Task Records_that_are_said_to_be_there_and_not_shown_permit_nothing() => Assert.Equal(
        PerspectiveFinding.Failed,
        (await LookAsync(ScriptedApi.Saying(Dcv(true, $"ca.example; accounturi={Sample.Account.Url}"), Caa("example.com")), Question(ChallengeType.DnsPersist01))).Verdict.Finding);

    [Fact]
    public async Task Where_caa_is_off_it_is_not_asked()
    {
        var api = ScriptedApi.Saying(Dcv(true, $"ca.example; accounturi={Sample.Account.Url}"), "nothing");
        var off = CaaModes.Create([new("example.com", CaaMode.Off)]).Value!;

        Assert.Equal(PerspectiveFinding.Corroborates, (await LookAsync(api, Question(ChallengeType.DnsPersist01), Judgement with { CaaModes = off })).Verdict.Finding);
        Assert.All(api.Requests, r => Assert.Equal("/dcv", r.Path));
    }

    [Theory]
    [InlineData(HttpStatusCode.OK, "garbage")]
    [InlineData(HttpStatusCode.OK, "{}")]
    [InlineData(HttpStatusCode.OK, """{"check_passed":true,"check_type":"caa"}""")]
    [InlineData(HttpStatusCode.Found, "")]
    [InlineData(HttpStatusCode.InternalServerError, """{"check_passed":true}""")]
    [InlineData(HttpStatusCode.OK, """{"check_completed":false,"check_passed":true,"details":{"response_code":2}}""")]
    public async Task What_is_no_answer_corroborates_nothing(HttpStatusCode status, string dcv)
    {
        foreach (var type in ChallengeTypes.All)
        {
            var report = await LookAsync(ScriptedApi.Saying(dcv, NoCaa, status), Question(type));

            Assert.Equal(PerspectiveFinding.Failed, report.Verdict.Finding);
            Assert.DoesNotContain("p.example", report.Verdict.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read_to_its_end()
    {
        var report = await LookAsync(ScriptedApi.Saying(new string(' ', OpenMpicClient.MaxAnswerOctets + 1), NoCaa), Question(ChallengeType.Dns01));

        Assert.Equal(PerspectiveFinding.Failed, report.Verdict.Finding);
        Assert.Contains("more than", report.Evidence.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_owner_name_is_asked_by_the_method_that_looks_there()
    {
        var api = ScriptedApi.Saying(Dcv(false), NoCaa);
        await LookAsync(api, Question(ChallengeType.DnsPersist01, "*.example.com"));
        await LookAsync(api, Question(ChallengeType.Dns01, "*.example.com"));
        await LookAsync(api, Question(ChallengeType.DnsAccount01));

        var asked = api.Requests.Where(r => r.Path == "/dcv").Select(r => JsonNode.Parse(r.Body)!).ToList();
        Assert.Equal(
            ["dns-persistent example.com ", "dns-change example.com _acme-persist", "acme-dns-01 example.com ", $"dns-change www.example.com {DnsAccount01Validator.Label(Sample.Account.Url)}._acme-challenge"],
            asked.Select(r => $"{r["dcv_check_parameters"]!["validation_method"]} {r["domain_or_ip_target"]} {r["dcv_check_parameters"]!["dns_name_prefix"]}"));
        Assert.Contains("*.example.com", api.Requests.First(r => r.Path == "/caa").Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Sample.KeyAuthorization, PerspectiveFinding.Corroborates)]
    [InlineData("another", PerspectiveFinding.Differs)]
    public async Task A_file_is_fetched_by_the_perspective(string body, PerspectiveFinding finding)
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(body));
        await using var zone = Sample.Zone();
        var checks = Checks(zone, http: server.Port);

        var report = await LookAsync(ScriptedApi.Over(checks), Question(ChallengeType.Http01));

        Assert.Equal(finding, report.Verdict.Finding);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(Sample.KeyAuthorization, PerspectiveFinding.Corroborates)]
    [InlineData("another", PerspectiveFinding.Differs)]
    public async Task A_certificate_is_looked_at_by_the_perspective(string keyAuthorization, PerspectiveFinding finding)
    {
        using var certificate = new TestCertificates { Value = TestCertificates.OctetString(TestCertificates.Digest(keyAuthorization)) }.Create();
        using var server = new ScriptedServer((_, _, _) => Task.CompletedTask, new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [TlsAlpn01Validator.Protocol] });
        await using var zone = Sample.Zone();

        var report = await LookAsync(ScriptedApi.Over(Checks(zone, tls: server.Port)), Question(ChallengeType.TlsAlpn01));

        Assert.Equal(finding, report.Verdict.Finding);
    }

    [Fact]
    public async Task An_address_is_proved_there_too_and_has_no_caa()
    {
        using var server = ScriptedServer.Answering(ScriptedServer.Ok(Sample.KeyAuthorization));
        await using var zone = Sample.Zone();
        var api = ScriptedApi.Over(Checks(zone, http: server.Port));

        Assert.Equal(PerspectiveFinding.Corroborates, (await LookAsync(api, Question(ChallengeType.Http01, "127.0.0.1"))).Verdict.Finding);
        Assert.All(api.Requests, r => Assert.Equal("/dcv", r.Path));
    }

    [Fact]
    public async Task An_address_is_proved_by_a_record_at_its_reverse_name_there_too()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt("_ip-validation-persist.7.2.0.192.in-addr.arpa", $"ca.example; accounturi={Sample.Account.Url}");

        var report = await LookAsync(ScriptedApi.Over(Checks(zone)), Question(ChallengeType.DnsPersist01, "192.0.2.7"));

        Assert.Equal((PerspectiveFinding.Corroborates, Sample.Account.Url), (report.Verdict.Finding, report.Verdict.Account));
    }

    [Theory]
    [InlineData("b\u00FCcher")]
    [InlineData("say \"a\\b\" ; c")]
    public async Task A_record_crosses_as_it_is(string text)
    {
        await using var zone = Sample.Zone();
        var octets = SeenRecord.TxtOctets(text);
        zone.SetTxt("_acme-challenge.www.example.com", octets);

        var report = await LookAsync(ScriptedApi.Over(Checks(zone)), Question(ChallengeType.Dns01));

        Assert.Equal(octets, report.Evidence.Lookups!.Single().Records!.Single().Text);
    }

    private static PerspectiveChecks Checks(PersistCa.Server.Demo.LoopbackZone zone, int http = 80, int tls = 443) => new(
        Sample.Resolver(zone),
        new Http01Options { Port = http, Target = Sample.Targets },
        new TlsAlpn01Options { Port = tls, Target = Sample.Targets },
        new CaaLookupOptions(),
        TimeProvider.System);
}
