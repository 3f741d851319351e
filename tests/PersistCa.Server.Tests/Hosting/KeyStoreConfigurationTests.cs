using PersistCa.Server.Hosting;

namespace PersistCa.Server.Tests.Hosting;

public sealed class KeyStoreConfigurationTests
{
    [Fact]
    public void A_key_in_a_file_needs_no_section() => Assert.Empty(Faults(_ => { }));

    [Theory]
    [InlineData("vault:a", "Authority:IssuingKey: 'vault:a' is no reference to a key")]
    [InlineData("pkcs11:object=a", "KeyStores:Pkcs11:Module: it is empty")]
    public void A_reference_that_cannot_be_opened_is_a_fault(string reference, string fault) =>
        Assert.StartsWith(fault, Assert.Single(Faults(o => o.Authority.IssuingKey = reference)), StringComparison.Ordinal);

    [Fact]
    public void A_reference_beside_a_file_is_a_fault() => Assert.StartsWith("Authority:IssuingKey: Authority:IssuingKeyFile is set too", Assert.Single(Faults(o =>
    {
        o.Authority.IssuingKey = "file:a";
        o.Authority.IssuingKeyFile = "a.pem";
    })), StringComparison.Ordinal);

    [Fact]
    public void Every_limit_of_key_stores_has_its_range()
    {
        var low = Faults(o =>
        {
            o.KeyStores.ProbeInterval = TimeSpan.FromMilliseconds(99);
            o.KeyStores.Pkcs11.Sessions = 0;
            o.KeyStores.Pkcs11.Timeout = TimeSpan.FromMilliseconds(99);
            o.KeyStores.Pkcs11.Attempts = 0;
            o.KeyStores.Pkcs11.LongestPause = TimeSpan.FromMilliseconds(249);
            o.KeyStores.Kms.Timeout = TimeSpan.FromMilliseconds(99);
            o.KeyStores.Kms.Retries = -1;
            o.KeyStores.Kms.DeletionDays = 6;
        });
        Assert.Equal(8, low.Count);
        Assert.All(low, f => Assert.Contains("is out of range", f, StringComparison.Ordinal));
        Assert.Equal(8, Faults(o =>
        {
            o.KeyStores.ProbeInterval = TimeSpan.FromSeconds(301);
            o.KeyStores.Pkcs11.Sessions = 257;
            o.KeyStores.Pkcs11.Timeout = TimeSpan.FromSeconds(61);
            o.KeyStores.Pkcs11.Attempts = 11;
            o.KeyStores.Pkcs11.LongestPause = TimeSpan.FromSeconds(301);
            o.KeyStores.Kms.Timeout = TimeSpan.FromSeconds(61);
            o.KeyStores.Kms.Retries = 11;
            o.KeyStores.Kms.DeletionDays = 31;
        }).Count);
    }

    [Fact]
    public void An_endpoint_or_region_that_is_none_is_a_fault()
    {
        Assert.StartsWith("KeyStores:Kms:Endpoint: ", Assert.Single(Faults(o => o.KeyStores.Kms.Endpoint = "kms.local")), StringComparison.Ordinal);
        Assert.StartsWith("KeyStores:Kms:Region: ", Assert.Single(Faults(o => o.KeyStores.Kms.Region = "EU central")), StringComparison.Ordinal);
    }

    private static List<string> Faults(Action<PersistCaOptions> change)
    {
        var options = new PersistCaOptions();
        change(options);
        return [.. KeySetup.Check(options).Select(f => f.ToString())];
    }
}
