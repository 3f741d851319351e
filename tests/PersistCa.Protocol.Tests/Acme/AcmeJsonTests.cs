using System.Text.Json;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Tests.Acme;

/// <summary>What clients that read with text tools rest on.</summary>
public sealed class AcmeJsonTests
{
    private const string Url = "https://ca.example/a?b=1&c='2'+<3>";

    private static string Write(ChallengeResource challenge) => JsonSerializer.Serialize(challenge, AcmeJson.Wire.ChallengeResource);

    private static ChallengeResource Challenge() => new() { Type = "dns-persist-01", Url = Url, Status = "pending", Token = "t" };

    [Fact]
    public void Absent_members_are_left_out_and_never_null()
    {
        string[] written =
        [
            Write(Challenge()),
            JsonSerializer.Serialize(new AccountResource { Status = "valid", Orders = Url }, AcmeJson.Wire.AccountResource),
            JsonSerializer.Serialize(new OrderResource { Status = "ready", Expires = "e", Identifiers = [], Profile = "server", Authorizations = [], Finalize = Url }, AcmeJson.Wire.OrderResource),
            JsonSerializer.Serialize(
                new AuthorizationResource { Identifier = AcmeIdentifier.Dns("a.test"), Status = "valid", Expires = "e", Challenges = [Challenge()] }, AcmeJson.Wire.AuthorizationResource),
            JsonSerializer.Serialize(ProblemDocument.From(new AcmeProblem(ProblemCatalog.Dns, "d")), AcmeJson.Wire.ProblemDocument),
            JsonSerializer.Serialize(
                new DirectoryResource
                {
                    NewNonce = Url,
                    NewAccount = Url,
                    NewOrder = Url,
                    NewAuthz = Url,
                    ExplainRecords = Url,
                    RevokeCert = Url,
                    KeyChange = Url,
                    RenewalInfo = Url,
                    Meta = new DirectoryMeta { CaaIdentities = ["ca.example"], ExternalAccountRequired = false, Profiles = new Dictionary<string, string> { ["server"] = "TLS servers" } },
                },
                AcmeJson.Wire.DirectoryResource),
            JsonSerializer.Serialize(new RenewalInfoResource { SuggestedWindow = new RenewalWindowResource("s", "e") }, AcmeJson.Wire.RenewalInfoResource),
        ];
        Assert.All(written, w => Assert.DoesNotContain("null", w, StringComparison.Ordinal));
        Assert.All(written, w => Assert.DoesNotContain("\\", w, StringComparison.Ordinal));
    }

    [Fact]
    public void Urls_stand_as_they_are()
    {
        Assert.Contains($"\"url\":\"{Url}\"", Write(Challenge()), StringComparison.Ordinal);
        Assert.Contains("\"d\u00e9tail\"", JsonSerializer.Serialize(new Dictionary<string, string> { ["a"] = "d\u00e9tail" }, AcmeJson.Wire.DictionaryStringString), StringComparison.Ordinal);
    }

    [Fact]
    public void What_json_forbids_is_still_escaped() =>
        Assert.Contains("\\\"\\\\\\u0001", JsonSerializer.Serialize(new Dictionary<string, string> { ["a"] = "\"\\\u0001" }, AcmeJson.Wire.DictionaryStringString), StringComparison.Ordinal);

    [Fact]
    public void A_challenge_has_both_spellings_of_its_issuer_names_and_nothing_nested_before_its_error()
    {
        var challenge = Challenge() with { AccountUri = Url, IssuerDomainNames = ["ca.example"], IssuerDomainNamesOfFirstDrafts = ["ca.example"] };
        var written = Write(challenge);
        Assert.Equal(
            $$"""{"type":"dns-persist-01","url":"{{Url}}","status":"pending","token":"t","accounturi":"{{Url}}","issuerDomainNames":["ca.example"],"issuer-domain-names":["ca.example"]}""",
            written);
        Assert.Equal(1, written.Count(c => c == '}'));
        Assert.Equal(1, written.Count(c => c == '{'));
        Assert.EndsWith("}}", Write(challenge with { Error = ProblemDocument.From(new AcmeProblem(ProblemCatalog.Dns, "d")) }), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_in_camel_case() => Assert.Equal(
        """{"orders":["a"]}""", JsonSerializer.Serialize(new OrderListResource(["a"]), AcmeJson.Wire.OrderListResource));

    [Theory]
    [InlineData("2030-01-31T12:00:00+00:00", "2030-01-31T12:00:00Z")]
    [InlineData("2030-01-31T12:00:00.9999999+00:00", "2030-01-31T12:00:00Z")]
    [InlineData("2030-01-31T12:00:00+14:00", "2030-01-30T22:00:00Z")]
    [InlineData("9999-12-31T23:59:59.9999999+00:00", "9999-12-31T23:59:59Z")]
    public void Times_are_whole_seconds_of_utc(string time, string expected) =>
        Assert.Equal(expected, AcmeJson.Time(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture)));
}
