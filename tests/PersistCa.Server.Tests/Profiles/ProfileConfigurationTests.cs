using Microsoft.Extensions.Configuration;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>A mistake in a profile stops the start with one line; under cabf-br so does a wish for more than the regime allows.</summary>
public sealed class ProfileConfigurationTests
{
    private const string P = "Profiles:0:";

    private static readonly (string Key, string Value)[] Private =
    [
        (P + "Name", "team"),
        ("Validation:Perspectives:0:Id", "north"),
        ("Validation:Perspectives:0:Region", "arin"),
        ("Validation:Perspectives:0:Resolvers", "10.2.0.1"),
        ("Validation:Perspectives:1:Id", "south"),
        ("Validation:Perspectives:1:Region", "ripe ncc"),
        ("Validation:Perspectives:1:Resolvers", "10.2.0.2"),
        ("Validation:Persist:Dialects", "draft-01,draft-02"),
        ("Validation:Dns:Dnssec", "validate"),
    ];

    private static readonly (string Key, string Value)[] Public = [.. Private, (P + "Regime", "cabf-br")];

    public static TheoryData<string, string> Good => new()
    {
        { "Names", ".corp.example,db*.corp.example" },
        { "Identifiers", "dns" },
        { "Wildcards", "false" },
        { "KeyUsages", "digitalSignature" },
        { "IssuerUrl", "http://pki.example/{issuer}.crt" },
        { "Ocsp", "false" },
        { "Dialects", "draft-02" },
        { "Perspectives", "north,south" },
        { "PerspectivesNeeded", "2" },
        { "Caa", "Enforce" },
        { "Reuse", "00:00:00" },
        { "Reuse", "03:00:00" },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void What_is_narrower_is_good_under_every_regime(string key, string value)
    {
        Assert.Empty(Read([.. Private, (P + key, value)]));
        Assert.Empty(Read([.. Public, (P + key, value)]));
    }

    [Theory]
    [InlineData("Names", "*x*.corp.example", "two stars")]
    [InlineData("Identifiers", "mail", "there are dns, ip")]
    [InlineData("Identifiers", "ip", "Policy:Ip:AllowedNetworks is empty")]
    [InlineData("KeyUsages", "digitalSignature,keyAgreement", "there are digitalSignature, keyEncipherment")]
    [InlineData("KeyUsages", "keyEncipherment", "digitalSignature is missing")]
    [InlineData("IssuerUrl", "https://pki.example/{issuer}.crt", "no http URL")]
    [InlineData("IssuerUrl", "http://pki.example/issuer.crt", "no http URL with {issuer}")]
    [InlineData("Ocsp", "true", "Issuance:Ocsp:Enabled is false")]
    [InlineData("Status", "Ocsp", "Issuance:Ocsp:Enabled is false")]
    [InlineData("Dialects", "draft-99", "there is no dialect")]
    [InlineData("Dialects", "acme-persist", "is not accepted here (Validation:Persist:Dialects)")]
    [InlineData("Perspectives", "north,west", "there is no perspective 'west'; there are north, south")]
    [InlineData("PerspectivesNeeded", "3", "0 to 2 is accepted")]
    [InlineData("Caa", "Sometimes", "was expected")]
    [InlineData("Reuse", "08:00:00", "(Acme:AuthorizationLifetime)")]
    [InlineData("Reuse", "00:00:01", "zero for no reuse")]
    public void A_mistake_names_its_key_and_the_remedy(string key, string value, string remedy) => Single([.. Private, (P + key, value)], P + key, remedy);

    [Theory]
    [InlineData("Caa", "Report", "CAA is enforced for every name (BR 3.2.2.8)")]
    [InlineData("Caa", "Off", "CAA is enforced for every name (BR 3.2.2.8)")]
    [InlineData("Perspectives", "north", "they are in 1 region(s)")]
    [InlineData("Perspectives", "none", "they are in 0 region(s)")]
    [InlineData("IssuerUrl", "none", "say where their issuer's is")]
    public void What_is_wider_than_the_regime_stops_the_start_and_is_good_in_a_private_authority(string key, string value, string remedy)
    {
        Assert.Empty(Read([.. Private, (P + key, value)]));
        Single([.. Public, (P + key, value)], P + key, remedy);
    }

    [Fact]
    public void A_dialect_that_is_no_method_of_the_regime_is_a_mistake_under_it() => Single(
        [.. Public, ("Validation:Persist:Dialects", ""), (P + "Dialects", "acme-persist")], P + "Dialects", "no method of the Baseline Requirements");

    [Fact]
    public void Proofs_are_used_no_longer_than_the_regime_allows_at_most() => Single(
        [.. Public, ("Acme:AuthorizationLifetime", "300.00:00:00"), (P + "Reuse", "201.00:00:00")], P + "Reuse", "200.00:00:00 is accepted (BR 4.2.1");

    [Fact]
    public void Wildcards_that_are_not_served_are_not_had_by_a_profile() => Single(
        [.. Private, ("Names:AllowWildcards", "false"), (P + "Wildcards", "true")], P + "Wildcards", "Names:AllowWildcards is false");

    [Fact]
    public void Where_perspectives_are_counted_by_the_regime_no_profile_lets_go_of_CAA() => Single(
        [.. Private, ("Validation:PerspectiveRegime", "cabf-br"), ("Validation:Persist:Ancestors", "false"), (P + "Caa", "Off")], P + "Caa", "CAA is enforced");

    [Fact]
    public void OCSP_goes_with_a_list_or_alone() => Single(
        [.. Private, ("Issuance:Ocsp:Enabled", "true"), (P + "Validity", "6.00:00:00"), (P + "Status", "None"), (P + "Ocsp", "true")], P + "Ocsp", "Status is None");

    private static void Single((string Key, string Value)[] settings, string key, string remedy)
    {
        var fault = Assert.Single(Read(settings));
        Assert.Equal(key, fault.Key);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<ConfigurationFault> Read((string Key, string Value)[] settings) => ConfigurationReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.GroupBy(s => s.Key).Select(s => new KeyValuePair<string, string?>(s.Key, s.Last().Value))).Build()).Faults;
}
