using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Caa;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Perspectives;

/// <summary>The door of the role perspective: who is admitted, what is answered, what is refused.</summary>
public sealed class PerspectiveApiTests(PerspectiveBed bed) : IClassFixture<PerspectiveBed>
{
    private string Url => bed.Urls[0];

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Without_a_client_certificate_the_handshake_is_refused()
    {
        using var http = bed.Http(null);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(new Uri(Url + "/healthz"), None));
    }

    [Theory]
    [InlineData("stranger", PeerTrust.ClientUsage, true, 10)]
    [InlineData("for-servers", PeerTrust.ServerUsage, false, 10)]
    [InlineData("expired", PeerTrust.ClientUsage, false, -1)]
    public async Task A_certificate_that_is_not_known_is_refused(string name, string usage, bool strange, int years)
    {
        using var http = bed.Http(bed.Make(name, usage, strange, years));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(new Uri(Url + "/healthz"), None));
    }

    [Fact]
    public async Task A_fingerprint_admits_one_certificate_and_not_its_siblings()
    {
        var (listed, sibling) = (bed.Make("listed", PeerTrust.ClientUsage, strange: true), bed.Make("sibling", PeerTrust.ClientUsage));
        var options = bed.Options(bed.Zones[0]);
        options.Perspective.ClientTrustFile = "";
        options.Perspective.ClientFingerprints = [PerspectiveBed.Fingerprint(listed).ToUpperInvariant()];
        await using var server = await ServerHost.StartAsync(options, bed.Clock, None);
        using var known = bed.Http(listed);
        using var unknown = bed.Http(sibling);
        var health = new Uri($"https://{options.Perspective.Listen}/healthz");

        Assert.Equal("""{"status":"OK"}""", await known.GetStringAsync(health, None));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => unknown.GetAsync(health, None));
    }

    [Fact]
    public async Task A_file_that_is_not_there_refuses_the_start_and_names_its_key()
    {
        var (untrusting, nameless) = (bed.Options(bed.Zones[0]), bed.Options(bed.Zones[0]));
        untrusting.Perspective.ClientTrustFile = "nowhere.pem";
        nameless.Perspective.TlsCertificateFile = "nowhere.pem";

        foreach (var (options, key) in new[] { (untrusting, "Perspective:ClientTrustFile"), (nameless, "Perspective:TlsCertificateFile") })
        {
            var refused = await Assert.ThrowsAsync<StartRefusedException>(() => ServerHost.StartAsync(options, bed.Clock, None));
            Assert.StartsWith(key + ": ", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_would_admit_nobody_is_not_started()
    {
        var options = bed.Options(bed.Zones[0]);
        options.Perspective.ClientTrustFile = "";

        Assert.Contains("nobody would be admitted", (await Assert.ThrowsAsync<StartRefusedException>(() => ServerHost.StartAsync(options, bed.Clock, None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_with_this_role_alone_makes_neither_database_nor_keys()
    {
        var folder = bed.Options(bed.Zones[0]).Server.DataDirectory;
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task What_is_seen_is_told_and_nothing_is_kept()
    {
        var name = bed.Fresh();
        bed.Zones[0].SetTxt("_validation-persist." + name, "ca.example; accounturi=https://ca.example/1", "foreign");
        var body = $$$"""{"domain_or_ip_target":"{{{name}}}","dcv_check_parameters":{"validation_method":"dns-persistent","issuer_domain_names":["CA.example."],"expected_account_uri":"https://ca.example/1"}}""";

        var seen = await PostAsync("/dcv", body);
        Assert.True(seen["check_completed"]!.GetValue<bool>() && seen["check_passed"]!.GetValue<bool>());
        Assert.Equal("dcv", seen["check_type"]!.GetValue<string>());
        Assert.Equal(["ca.example; accounturi=https://ca.example/1", "foreign"], seen["details"]!["records_seen"]!.AsArray().Select(r => r!.GetValue<string>()).Order());
        Assert.Equal((0, "_validation-persist." + name), (seen["details"]!["response_code"]!.GetValue<int>(), seen["details"]!["found_at"]!.GetValue<string>()));

        bed.Zones[0].ClearTxt("_validation-persist." + name);
        var gone = await PostAsync("/dcv", body);
        Assert.True(gone["check_completed"]!.GetValue<bool>());
        Assert.False(gone["check_passed"]!.GetValue<bool>());
        Assert.Equal(3, gone["details"]!["response_code"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("ca.example; accounturi=https://ca.example/1; persistUntil=1", false)]
    [InlineData("ca.example; accounturi=https://ca.example/1; persistUntil=4102444800", true)]
    [InlineData("ca.example; accounturi=https://CA.example/1", false)]
    [InlineData("other.example; accounturi=https://ca.example/1", false)]
    public async Task Its_own_opinion_of_a_persistent_record_is_strict(string record, bool passes)
    {
        var name = bed.Fresh();
        bed.Zones[0].SetTxt("_validation-persist." + name, record);
        var seen = await PostAsync("/dcv", $$$"""{"domain_or_ip_target":"{{{name}}}","dcv_check_parameters":{"validation_method":"dns-persistent","issuer_domain_names":["ca.example"],"expected_account_uri":"https://ca.example/1"}}""");
        Assert.Equal(passes, seen["check_passed"]!.GetValue<bool>());
    }

    [Fact]
    public async Task A_look_up_that_failed_is_not_completed()
    {
        var name = bed.Fresh();
        bed.Zones[0].Fail("_acme-challenge." + name, 2);
        var seen = await PostAsync("/dcv", $$$"""{"domain_or_ip_target":"{{{name}}}","dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":"x"}}""");
        Assert.False(seen["check_completed"]!.GetValue<bool>());
        Assert.Contains("SERVFAIL", seen["errors"]![0]!["error_message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tls-server", "ca.example", true)]
    [InlineData("tls-server", "other.example", false)]
    [InlineData("tls-server-wildcard", "ca.example", false)]
    public async Task Caa_is_climbed_and_told(string type, string issuer, bool passes)
    {
        var name = bed.Fresh();
        bed.Zones[0].SetCaa(name, new CaaRecord(0, "issue", "ca.example").ToRdata(), new CaaRecord(0, "issuewild", ";").ToRdata());
        var seen = await PostAsync("/caa", $$$"""{"domain_or_ip_target":"deep.{{{name}}}","caa_check_parameters":{"certificate_type":"{{{type}}}","caa_domains":["{{{issuer}}}"]}}""");
        Assert.Equal(passes, seen["check_passed"]!.GetValue<bool>());
        Assert.Equal((true, name), (seen["details"]!["caa_record_present"]!.GetValue<bool>(), seen["details"]!["found_at"]!.GetValue<string>()));
        Assert.Contains("0 issue \"ca.example\"", seen["details"]!["records_seen"]!.AsArray().Select(r => r!.GetValue<string>()));
    }

    [Theory]
    [InlineData("/dcv", "{", HttpStatusCode.BadRequest, "strict JSON")]
    [InlineData("/dcv", """{"domain_or_ip_target":"a.example","domain_or_ip_target":"b.example"}""", HttpStatusCode.BadRequest, "strict JSON")]
    [InlineData("/dcv", """{"domain_or_ip_target":"not a name","dcv_check_parameters":{"validation_method":"acme-dns-01","key_authorization_hash":"x"}}""", HttpStatusCode.BadRequest, "is no name")]
    [InlineData("/dcv", """{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"dns-change","challenge_value":"x","dns_name_prefix":"_a b"}}""", HttpStatusCode.BadRequest, "dns_name_prefix")]
    [InlineData("/dcv", """{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"acme-http-01","token":"../x","key_authorization":"../x.k"}}""", HttpStatusCode.BadRequest, "base64url")]
    [InlineData("/dcv", """{"domain_or_ip_target":"a.example","dcv_check_parameters":{"validation_method":"acme-tls-alpn-01","key_authorization_hash":"zz"}}""", HttpStatusCode.BadRequest, "hexadecimal")]
    [InlineData("/caa", """{"domain_or_ip_target":"192.0.2.1"}""", HttpStatusCode.BadRequest, "is no name")]
    [InlineData("/caa", """{"domain_or_ip_target":"a.example","caa_check_parameters":{"caa_domains":["a b"]}}""", HttpStatusCode.BadRequest, "caa_domains")]
    [InlineData("/mpic", "{}", HttpStatusCode.NotFound, "")]
    public async Task What_is_not_understood_is_refused_with_its_reason(string path, string body, HttpStatusCode status, string reason)
    {
        using var http = bed.Http(bed.ClientFile);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(Url + path), content, None);
        Assert.Equal(status, response.StatusCode);
        Assert.Contains(reason, await response.Content.ReadAsStringAsync(None), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_much_or_another_kind_of_body_or_method_is_refused()
    {
        using var http = bed.Http(bed.ClientFile);
        using var big = new StringContent(new string(' ', 17 * 1024), Encoding.UTF8, "application/json");
        using var text = new StringContent("{}", Encoding.UTF8, "text/plain");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await http.PostAsync(new Uri(Url + "/dcv"), big, None)).StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await http.PostAsync(new Uri(Url + "/caa"), text, None)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.GetAsync(new Uri(Url + "/dcv"), None)).StatusCode);
    }

    private async Task<JsonNode> PostAsync(string path, string body)
    {
        using var http = bed.Http(bed.ClientFile);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(Url + path), content, None);
        return response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<JsonNode>(None))! : throw new InvalidOperationException(await response.Content.ReadAsStringAsync(None));
    }
}
