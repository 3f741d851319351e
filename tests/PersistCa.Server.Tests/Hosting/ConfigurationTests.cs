using Microsoft.Extensions.Configuration;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Server.Tests.Hosting;

public sealed class ConfigurationTests
{
    private static (PersistCaOptions Options, IReadOnlyList<ConfigurationFault> Faults) Read(params (string Key, string Value)[] settings) => ConfigurationReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value))).Build());

    [Fact]
    public void Nothing_configured_is_good() => Assert.Empty(Read().Faults);

    [Fact]
    public void Values_of_every_kind_are_read()
    {
        var (options, faults) = Read(
            ("Validation:Dns:Resolvers:0", "127.0.0.1:5353"),
            ("Validation:Dns:Timeout", "00:00:03"),
            ("Store:Kind", "postgresql"),
            ("Store:ConnectionString", "Host=db"),
            ("Issuance:CommonName", "true"),
            ("Acme:MaxNames", "7"),
            ("validation:challenges", "dns-01, dns-persist-01"));

        Assert.Empty(faults);
        Assert.Equal(["127.0.0.1:5353"], options.Validation.Dns.Resolvers);
        Assert.Equal(TimeSpan.FromSeconds(3), options.Validation.Dns.Timeout);
        Assert.Equal(StoreKind.PostgreSql, options.Store.Kind);
        Assert.True(options.Issuance.CommonName);
        Assert.Equal(7, options.Acme.MaxNames);
        Assert.Equal(["dns-01", "dns-persist-01"], options.Validation.Challenges);
    }

    [Fact]
    public void A_list_given_twice_in_two_forms_is_a_mistake_and_not_a_choice()
    {
        var fault = Assert.Single(Read(("Validation:Dns:Resolvers:0", "127.0.0.1"), ("Validation:Dns:Resolvers", "127.0.0.2")).Faults);
        Assert.Equal("Validation:Dns:Resolvers", fault.Key);
        Assert.Contains("beside a list", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Validation:Persist:MaxBytes", "65537", "Validation:Persist:MaxBytes", "512 to 65536")]
    [InlineData("Validation:Dns:Timeout", "00:00:20", "Validation:Dns:Timeout", "longer than Validation:Dns:OverallTimeout")]
    [InlineData("Validaton:Dns:Timeout", "00:00:01", "Validaton", "did you mean Validation")]
    [InlineData("Validation:Dns:Resolver", "127.0.0.1", "Validation:Dns:Resolver", "did you mean Validation:Dns:Resolvers")]
    [InlineData("Acme:Nothing", "1", "Acme:Nothing", "known in Acme")]
    [InlineData("Acme:MaxNames", "many", "Acme:MaxNames", "'many' was found where a whole number")]
    [InlineData("Acme:MaxNames", "0", "Acme:MaxNames", "1 to 1000")]
    [InlineData("Acme:MaxNames:0", "1", "Acme:MaxNames", "a section was found")]
    [InlineData("Acme", "x", "Acme", "'x' was found where a section")]
    [InlineData("Store:Kind", "Oracle", "Store:Kind", "Sqlite or PostgreSql")]
    [InlineData("Store:Kind", "1", "Store:Kind", "Sqlite or PostgreSql")]
    [InlineData("Store:Kind", "PostgreSql", "Store:ConnectionString", "Host=db")]
    [InlineData("Store:KeepLapsed", "00:10:00", "Store:KeepLapsed", "is out of range")]
    [InlineData("Server:MaxWorkAttempts", "0", "Server:MaxWorkAttempts", "1 to 100000")]
    [InlineData("Issuance:CommonName", "yes", "Issuance:CommonName", "true or false")]
    [InlineData("Issuance:Validity", "00:10:00", "Issuance:Validity", "is out of range")]
    [InlineData("Issuance:Validity", "ninety days", "Issuance:Validity", "a duration such as")]
    [InlineData("Server:BaseUrl", "http://ca.test", "Server:BaseUrl", "is not a base URL")]
    [InlineData("Server:BaseUrl", "https://ca.test/", "Server:BaseUrl", "final slash")]
    [InlineData("Server:BaseUrl", "https://ca.test/acme", "Server:BaseUrl", "is not a base URL")]
    [InlineData("Server:Listen", "localhost", "Server:Listen", "0.0.0.0:443")]
    [InlineData("Server:Roles", "acme,king", "Server:Roles", "there is no role 'king'")]
    [InlineData("Server:TlsCertificateFile", "x.pem", "Server:TlsKeyFile", "go together")]
    [InlineData("Authority:IssuerNames", "CA.Example", "Authority:IssuerNames", "write ca.example")]
    [InlineData("Authority:IssuerNames", "a b", "Authority:IssuerNames", "is not a domain name")]
    [InlineData("Authority:AccountHashPrefix", "no url", "Authority:AccountHashPrefix", "absolute URL")]
    [InlineData("Names:AllowedSuffixes", "a_b", "Names:AllowedSuffixes", "underscore")]
    [InlineData("Validation:Challenges", "dns-02", "Validation:Challenges", "there is no challenge 'dns-02'")]
    [InlineData("Validation:Persist:Dialects", "draft-09", "Validation:Persist:Dialects", "there is no dialect")]
    [InlineData("Validation:Dns:Resolvers", "dns.example", "Validation:Dns:Resolvers", "is not a resolver")]
    [InlineData("Validation:Http:Port", "70000", "Validation:Http:Port", "1 to 65535")]
    public void A_mistake_names_its_key_and_the_remedy(string key, string value, string faultKey, string remedy)
    {
        var fault = Assert.Single(Read((key, value)).Faults);

        Assert.Equal(faultKey, fault.Key);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.ToString());
    }
}
