using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Tests.Perspectives;
using PersistCa.Testing;
using PersistCa.Validation.Evidence;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>Regimes by profile: one server issues for its own network and by the Baseline Requirements, each name proved by the rules of its profile.</summary>
public sealed class RegimeTests(PerspectiveBed bed) : IClassFixture<PerspectiveBed>
{
    private const string Cabf = "server-cabf";
    private static int names;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Under_the_public_regime_the_quorum_counts_by_its_table_and_the_certificate_claims_its_policy()
    {
        await using var authority = await StartAsync();
        using var client = await authority.RegisteredAsync();
        var name = PublishEverywhere(authority, client, PersistDialect.Draft02);

        using var leaf = X509Certificate2.CreateFromPem(await client.IssueOfAsync(Cabf, "dns-persist-01", name));

        Assert.Contains(leaf.Extensions, e => e.Oid!.Value == "2.5.29.32");
        var kept = await authority.Store.ReadAsync(db => db.ValidationRecords.OrderByDescending(v => v.Id).Select(v => v.Evidence).FirstAsync(), None);
        Assert.Equal(("cabf-br", "6/6"), (EvidenceJson.Read(kept).Quorum?.Regime, EvidenceJson.Read(kept).Quorum?.Text));
    }

    [Fact]
    public async Task A_proof_won_under_the_private_regime_is_none_under_the_public_one()
    {
        await using var authority = await StartAsync();
        using var client = await authority.RegisteredAsync();
        var name = PublishEverywhere(authority, client, PersistDialect.Draft02);
        var own = await client.ReadyOrderAsync("dns-persist-01", name);
        Assert.Equal("ready", own.Json["status"]!.GetValue<string>());
        bed.Zones.ForEach(z => z.ClearTxt("_validation-persist." + name));

        // The same account, the same name, and a proof of a moment ago that another private order would rest on.
        var order = await client.OrderAsync([name], None, Cabf);
        Assert.Equal("pending", order.Json["status"]!.GetValue<string>());
        Assert.NotEqual(own.Json["authorizations"]![0]!.GetValue<string>(), order.Json["authorizations"]![0]!.GetValue<string>());
        var proved = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        Assert.Equal("invalid", proved.Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_dialect_of_a_key_is_no_method_of_the_public_regime_and_stays_one_of_the_private()
    {
        await using var authority = await StartAsync();
        using var client = await authority.RegisteredAsync();
        var name = PublishEverywhere(authority, client, PersistDialect.AcmePersist);
        Assert.Equal("ready", (await client.ReadyOrderAsync("dns-persist-01", name)).Json["status"]!.GetValue<string>());
        Assert.Equal("invalid", (await client.ReadyOrderOfAsync(Cabf, "dns-persist-01", name)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Caa_is_enforced_under_the_public_regime_though_it_is_off_for_the_name_otherwise()
    {
        await using var authority = await StartAsync(o => o.Validation.Caa.Mode = CaaMode.Off);
        using var client = await authority.RegisteredAsync();
        var name = PublishEverywhere(authority, client, PersistDialect.Draft02);
        authority.Zone.SetCaa(name, new CaaRecord(0, "issue", "other.example").ToRdata());
        Assert.Equal("ready", (await client.ReadyOrderAsync("dns-persist-01", name)).Json["status"]!.GetValue<string>());
        var refused = await client.ReadyOrderOfAsync(Cabf, "dns-persist-01", name);
        Assert.Equal("invalid", refused.Json["status"]!.GetValue<string>());
        Assert.Contains("caa", refused.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db01.corp")]
    [InlineData("a.test")]
    [InlineData("*.intranet.lan")]
    public async Task An_internal_name_is_refused_at_the_order_under_the_public_regime(string name)
    {
        await using var authority = await StartAsync();
        using var client = await authority.RegisteredAsync();
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync([name], None, Cabf));
        Assert.Equal("rejectedIdentifier", refused.Answer.Problem);
        Assert.Contains("is an internal name", refused.Answer.Body, StringComparison.Ordinal);
        Assert.Equal("pending", (await client.OrderAsync([name], None)).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public void What_the_public_regime_needs_and_the_configuration_lacks_stops_the_start()
    {
        var options = new PersistCaOptions { Profiles = [new ProfileOptions { Name = Cabf }] };
        var faults = OptionRules.Check(options).Select(f => f.Key).ToList();
        Assert.Contains("Validation:Dns:Dnssec", faults);
        Assert.Contains("Validation:Perspectives", faults);

        options.Validation.Dns.Dnssec = "validate";
        options.Validation.Dns.InsecureZones = ["example.com"];
        Assert.Contains(OptionRules.Check(options), f => f.Key == "Validation:Dns:InsecureZones" && f.Message.Contains("cabf-br", StringComparison.Ordinal));
        Assert.DoesNotContain(OptionRules.Check(options), f => f.Key.StartsWith("Issuance:Crl", StringComparison.Ordinal));
        (options.Issuance.CrlValidity, options.Issuance.CrlInterval) = (TimeSpan.FromDays(10.1), TimeSpan.FromDays(4.1));
        Assert.Equal(["Issuance:CrlValidity", "Issuance:CrlInterval"], OptionRules.Check(options).Where(f => f.Key.StartsWith("Issuance:Crl", StringComparison.Ordinal)).Select(f => f.Key));
        options.Validation.Dns.InsecureZones = ["corp.lan"];
        Assert.DoesNotContain(OptionRules.Check(options), f => f.Key == "Validation:Dns:InsecureZones");
    }

    // Nothing is signed in the zones of this bed, so everything is declared an island: the configuration of a file would be refused for that.
    private Task<RunningAuthority> StartAsync(Action<PersistCaOptions>? configure = null) => RunningAuthority.StartAsync(o =>
    {
        bed.Ask(o, 6, PerspectiveRules.Private);
        o.Validation.Dns.Dnssec = "validate";
        o.Validation.Dns.InsecureZones = ["."];
        o.Validation.Persist.JustInTime = false;
        o.Profiles = [new ProfileOptions { Name = Cabf }];
        configure?.Invoke(o);
    });

    private string PublishEverywhere(RunningAuthority authority, AcmeClient client, PersistDialect dialect)
    {
        var name = $"r{Interlocked.Increment(ref names)}.example.com";
        var record = authority.Publish(client, name, dialect);
        bed.Zones.ForEach(z => z.SetTxt(record.Owner, record.Value));
        return name;
    }
}
