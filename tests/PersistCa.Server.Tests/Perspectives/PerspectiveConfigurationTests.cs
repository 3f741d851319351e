using Microsoft.Extensions.Configuration;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Tests.Perspectives;

/// <summary>What may stand in the sections of perspectives, and what is said of what may not.</summary>
public sealed class PerspectiveConfigurationTests
{
    private const string Remote = "Validation:Perspectives:";

    private static readonly (string, string)[] Good =
    [
        (Remote + "0:Id", "ams"), (Remote + "0:Region", "ripe ncc"), (Remote + "0:Url", "https://ams.example.net:14443"), (Remote + "0:Fingerprint", new string('a', 64)),
        (Remote + "1:Id", "nyc"), (Remote + "1:Region", "arin"), (Remote + "1:Url", "https://nyc.example.net/api"), (Remote + "1:Fingerprint", string.Join(':', Enumerable.Repeat("0F", 32))),
        (Remote + "2:Id", "site-b"), (Remote + "2:Region", "apnic"), (Remote + "2:Resolvers", "10.2.0.53,10.2.1.53"),
        ("Validation:PerspectiveTls:CertificateFile", "client.pem"), ("Validation:PerspectiveTls:KeyFile", "client.key"),
    ];

    private static readonly (string, string)[] Serving =
    [
        ("Server:Roles", "perspective"), ("Perspective:Listen", "0.0.0.0:14443"), ("Perspective:TlsCertificateFile", "s.pem"), ("Perspective:TlsKeyFile", "s.key"), ("Perspective:ClientTrustFile", "ca.pem"),
    ];

    private static (PersistCaOptions Options, IReadOnlyList<ConfigurationFault> Faults) Read(IEnumerable<(string Key, string Value)> settings) => ConfigurationReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.GroupBy(s => s.Key).Select(s => new KeyValuePair<string, string?>(s.Key, s.Last().Value))).Build());

    [Fact]
    public void Perspectives_are_a_list_of_sections()
    {
        var (options, faults) = Read([.. Good, .. Serving, ("Validation:PerspectiveDeadline", "00:00:03")]);

        Assert.Empty(faults);
        Assert.Equal(["ams", "nyc", "site-b"], options.Validation.Perspectives.Select(p => p.Id));
        Assert.Equal(["10.2.0.53", "10.2.1.53"], options.Validation.Perspectives[2].Resolvers);
        Assert.Equal(TimeSpan.FromSeconds(3), options.Validation.PerspectiveDeadline);
    }

    [Fact]
    public void The_regime_of_the_forum_is_accepted_with_its_dialects_and_names() => Assert.Empty(Read(
        [.. Good, ("Validation:PerspectiveRegime", "cabf-br"), ("Validation:Persist:Dialects", "draft-01,draft-02"), ("Validation:Persist:Ancestors", "false")]).Faults);

    [Theory]
    [InlineData("Validation:Caa:Mode", "Off")]
    [InlineData("Validation:Caa:Suffixes:0:Mode", "Report")]
    public void The_regime_of_the_forum_enforces_caa_for_every_name(string key, string value) => Assert.Contains(
        "CAA is enforced for every name",
        Assert.Single(Read([.. Good, ("Validation:PerspectiveRegime", "cabf-br"), ("Validation:Persist:Dialects", "draft-01,draft-02"), ("Validation:Persist:Ancestors", "false"), ("Validation:Caa:Suffixes:0:Suffix", "a.example"), (key, value)]).Faults).Message,
        StringComparison.Ordinal);

    [Fact]
    public void The_regime_of_the_forum_names_all_that_is_in_its_way() => Assert.Equal(
        ["Validation:Persist:Dialects", "Validation:Persist:Ancestors", "Validation:Perspectives"],
        Read([("Validation:PerspectiveRegime", "cabf-br")]).Faults.Select(f => f.Key));

    [Theory]
    [InlineData("Validation:PerspectiveRegime", "public", "Validation:PerspectiveRegime", "there are private and cabf-br")]
    [InlineData("Validation:PerspectiveDeadline", "00:00:30", "Validation:PerspectiveDeadline", "not shorter than Validation:Deadline")]
    [InlineData(Remote + "0:Id", "a b", Remote + "0:Id", "is no id")]
    [InlineData(Remote + "1:Id", "ams", Remote + "1:Id", "another perspective too")]
    [InlineData(Remote + "0:Url", "http://ams.example.net", Remote + "0:Url", "is not a base URL")]
    [InlineData(Remote + "0:Url", "https://ams.example.net/", Remote + "0:Url", "without final slash")]
    [InlineData(Remote + "0:Fingerprint", "abc", Remote + "0:Fingerprint", "no SHA-256")]
    [InlineData(Remote + "0:Fingerprint", "", Remote + "0:Fingerprint", "nothing says how its certificate is known")]
    [InlineData(Remote + "0:Resolvers", "10.9.0.53", Remote + "0:Resolvers", "either elsewhere (Url) or in this process (Resolvers)")]
    [InlineData(Remote + "2:Resolvers", "dns.example", Remote + "2:Resolvers", "is not a resolver")]
    [InlineData(Remote + "2:Resolvers", "", Remote + "2:Url", "it is empty, and so is Resolvers")]
    [InlineData(Remote + "2:Fingerprint", "ab", Remote + "2:Fingerprint", "goes with a Url")]
    [InlineData(Remote + "2:Colour", "red", Remote + "2:Colour", "known in Validation:Perspectives:2")]
    [InlineData("Validation:Dns:Resolvers", "10.2.1.53:53", Remote + "2:Resolvers", "perspectives share no resolver")]
    [InlineData(Remote + "1:Url", "https://AMS.example.net:14443/api", Remote + "1:Url", "is the Url of another perspective too")]
    [InlineData(Remote + "0:Fingerprint", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", Remote + "1:Fingerprint", "that of another perspective too")]
    [InlineData("Validation:PerspectiveTls:KeyFile", "", "Validation:PerspectiveTls:KeyFile", "go together")]
    [InlineData("Server:Roles", "perspektive", "Server:Roles", "there are acme, worker, publication, perspective")]
    [InlineData("Perspective:Listen", "localhost", "Perspective:Listen", "such as 0.0.0.0:14443")]
    [InlineData("Perspective:TlsKeyFile", "", "Perspective:TlsKeyFile", "over TLS only")]
    [InlineData("Perspective:ClientTrustFile", "", "Perspective:ClientTrustFile", "nobody would be admitted")]
    [InlineData("Perspective:ClientFingerprints", "abc", "Perspective:ClientFingerprints", "no SHA-256")]
    [InlineData("Perspective:MaxBodyBytes", "10", "Perspective:MaxBodyBytes", "1024 to 1048576")]
    public void A_mistake_names_its_key_and_the_remedy(string key, string value, string faultKey, string remedy)
    {
        var fault = Assert.Single(Read([.. Good, .. Serving, (key, value)]).Faults);

        Assert.Equal(faultKey, fault.Key);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Perspectives_over_the_network_need_a_client_certificate() => Assert.Equal(
        "Validation:PerspectiveTls:CertificateFile",
        Assert.Single(Read(Good.Where(s => !s.Item1.StartsWith("Validation:PerspectiveTls", StringComparison.Ordinal))).Faults).Key);

    [Fact]
    public void A_region_that_is_no_registrys_does_for_a_private_network_only()
    {
        (string, string)[] named = [.. Good, (Remote + "2:Region", "cellar")];
        Assert.Empty(Read(named).Faults);

        var fault = Assert.Single(Read([.. named, ("Validation:PerspectiveRegime", "cabf-br"), ("Validation:Persist:Dialects", "draft-02"), ("Validation:Persist:Ancestors", "false")]).Faults);
        Assert.Equal(Remote + "2:Region", fault.Key);
        Assert.Contains("afrinic, apnic, arin, lacnic, ripe ncc", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_perspectives_than_the_evidence_has_room_for_are_a_mistake() => Assert.Equal(
        "Validation:Perspectives",
        Assert.Single(Read(Enumerable.Range(0, PerspectiveRules.MostPerspectives + 1).SelectMany(i => new[] { ($"{Remote}{i}:Id", $"p{i}"), ($"{Remote}{i}:Resolvers", $"10.1.0.{i + 1}") })).Faults).Key);
}
