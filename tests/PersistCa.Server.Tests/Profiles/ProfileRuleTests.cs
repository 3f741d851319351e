using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Policy;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>What a profile says of names, of certificates and of proofs: one that issues by it, one that is refused.</summary>
public sealed class ProfileRuleTests
{
    private const string DenyAll = "\0\u0005issue;";

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("suffix", "a.corp.test", null)]
    [InlineData("suffix", "a.other.test", "is not for this name; it is for .corp.test")]
    [InlineData("dns", "a.corp.test", null)]
    [InlineData("dns", "10.1.2.3", "is not for identifiers of the type ip; it is for dns")]
    [InlineData("plain", "a.corp.test", null)]
    [InlineData("plain", "*.corp.test", "is not for wildcards")]
    public async Task A_profile_is_for_its_names_alone(string profile, string name, string? detail)
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Policy.Ip.AllowedNetworks = ["10.0.0.0/8"];
            o.Profiles =
            [
                new ProfileOptions { Name = "suffix", Names = [".corp.test"] },
                new ProfileOptions { Name = "dns", Identifiers = ["dns"] },
                new ProfileOptions { Name = "plain", Wildcards = false },
            ];
        });
        using var client = await authority.RegisteredAsync();
        if (detail is null)
        {
            authority.Publish(client, name, PersistDialect.Draft02);
            Assert.Null(RootTrust.Verify(await client.IssueOfAsync(profile, "dns-persist-01", name), authority.RootPem, name));
            Assert.Equal(RuleOutcome.Passed, (await RuleAsync(authority, "profile.names")).Outcome);
            return;
        }

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync([name], None, profile));
        Assert.Equal("rejectedIdentifier", refused.Answer.Problem);
        Assert.Contains(detail, refused.Answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, "digitalSignature, keyEncipherment")]
    [InlineData(true, X509KeyUsageFlags.DigitalSignature, "digitalSignature")]
    public async Task A_key_has_the_uses_of_its_profile(bool narrow, X509KeyUsageFlags expected, string words)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "team", KeyUsages = narrow ? ["digitalSignature"] : [] }]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        var order = await client.ReadyOrderOfAsync("team", "dns-persist-01", "a.test");
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("a.test");
        request.CertificateExtensions.Add(names.Build());
        var final = await client.FinalizeAsync(order, request.CreateSigningRequest());
        using var leaf = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body);
        Assert.Equal(expected, leaf.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal((RuleOutcome.Passed, words), await RuleAsync(authority, "profile.key-usage") is var r ? (r.Outcome, r.Found) : default);
    }

    [Theory]
    [InlineData("both", true, "{own}", true, "list and OCSP at ")]
    [InlineData("list", true, "{own}", false, "list")]
    [InlineData("ocsp", false, "{own}", true, "OCSP at ")]
    [InlineData("elsewhere", true, "http://pki.test/by/{id}.cer", true, "list and OCSP at ")]
    [InlineData("bare", true, "", false, "list")]
    public async Task A_certificate_points_at_what_its_profile_says(string profile, bool list, string issuer, bool ocsp, string status)
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Issuance.Ocsp.Enabled = true;
            o.Profiles =
            [
                new ProfileOptions { Name = "both" },
                new ProfileOptions { Name = "list", Ocsp = false },
                new ProfileOptions { Name = "ocsp", Status = StatusKind.Ocsp },
                new ProfileOptions { Name = "elsewhere", IssuerUrl = "http://pki.test/by/{issuer}.cer" },
                new ProfileOptions { Name = "bare", IssuerUrl = "none", Ocsp = false },
            ];
        });
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueOfAsync(profile, "dns-persist-01", "a.test"));
        var access = leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>().SingleOrDefault();
        var (urls, id) = (authority.Services.GetRequiredService<AuthorityUrls>(), authority.Services.GetRequiredService<IssuerBook>().All.First().Issuer.IssuerId);
        Assert.Equal(list, leaf.Extensions.Any(e => e.Oid!.Value == "2.5.29.31"));
        var expected = issuer.Replace("{own}", urls.Issuer(id), StringComparison.Ordinal).Replace("{id}", id, StringComparison.Ordinal);
        Assert.Equal(expected, string.Join(' ', access?.EnumerateCAIssuersUris() ?? []));
        Assert.Equal(ocsp ? urls.Ocsp(id) : "", string.Join(' ', access?.EnumerateOcspUris() ?? []));
        Assert.StartsWith(status, (await RuleAsync(authority, "profile.status")).Found, StringComparison.Ordinal);
        Assert.Equal((RuleOutcome.Passed, issuer.Length == 0), await RuleAsync(authority, "profile.issuer-url") is var r ? (r.Outcome, r.Found == "none") : default);
    }

    [Theory]
    [InlineData(PersistDialect.Draft02, "valid")]
    [InlineData(PersistDialect.Draft01, "invalid")]
    public async Task Only_the_dialects_of_the_profile_prove_a_name(PersistDialect dialect, string status)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "team", Dialects = ["draft-02"] }]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", dialect);
        var order = await client.OrderAsync(["a.test"], None, "team");
        var proved = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        Assert.Equal(status, proved.Json["status"]!.GetValue<string>());

        // The same record does for a profile that says nothing of dialects.
        Assert.Equal("ready", (await client.ReadyOrderAsync("dns-persist-01", "a.test")).Json["status"]!.GetValue<string>());
        if (status == "valid")
        {
            await client.IssueOfAsync("team", "dns-persist-01", "a.test");
            Assert.Contains("(dialects draft-02)", (await RuleAsync(authority, "proof.rules")).Expected, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("default", "invalid")]
    [InlineData("off", "ready")]
    [InlineData("report", "ready")]
    public async Task CAA_is_obeyed_as_the_profile_says(string profile, string status)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles =
        [
            new ProfileOptions { Name = "default" },
            new ProfileOptions { Name = "off", Caa = CaaMode.Off },
            new ProfileOptions { Name = "report", Caa = CaaMode.Report },
        ]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        authority.Zone.SetCaa("a.test", DenyAll);
        Assert.Equal(status, (await client.ReadyOrderOfAsync(profile, "dns-persist-01", "a.test")).Json["status"]!.GetValue<string>());
        if (status == "ready")
        {
            Assert.Null(RootTrust.Verify(await client.IssueOfAsync(profile, "dns-persist-01", "a.test"), authority.RootPem, "a.test"));
            Assert.Equal(profile == "off" ? RuleOutcome.NotApplicable : RuleOutcome.Passed, (await RuleAsync(authority, "caa.permitted")).Outcome);

            // What was proved without obeying CAA counts for nothing where it is obeyed.
            Assert.Equal("invalid", (await client.ReadyOrderAsync("dns-persist-01", "a.test")).Json["status"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("any", "ready")]
    [InlineData("all", "invalid")]
    [InlineData("two", "ready")]
    [InlineData("nobody", "ready")]
    public async Task As_many_perspectives_as_the_profile_says_must_see_the_same(string profile, string status)
    {
        using var blind = LoopbackZone.Start();
        using var seeing = LoopbackZone.Start();
        using var other = LoopbackZone.Start();
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Validation.Perspectives =
            [
                new RemotePerspectiveOptions { Id = "north", Resolvers = [seeing.EndPoint.ToString()] },
                new RemotePerspectiveOptions { Id = "south", Resolvers = [other.EndPoint.ToString()] },
                new RemotePerspectiveOptions { Id = "east", Resolvers = [blind.EndPoint.ToString()] },
            ];
            o.Profiles =
            [
                new ProfileOptions { Name = "any" },
                new ProfileOptions { Name = "all", PerspectivesNeeded = 3 },
                new ProfileOptions { Name = "two", Perspectives = ["north", "south"], PerspectivesNeeded = 2 },
                new ProfileOptions { Name = "nobody", Perspectives = ["none"] },
            ];
        });
        using var client = await authority.RegisteredAsync();
        var record = authority.Publish(client, "a.test", PersistDialect.Draft02);
        seeing.SetTxt(record.Owner, record.Value);
        other.SetTxt(record.Owner, record.Value);
        var order = await client.ReadyOrderOfAsync(profile, "dns-persist-01", "a.test");
        Assert.Equal(status, order.Json["status"]!.GetValue<string>());
        var evidence = Validation.Evidence.EvidenceJson.Read(await authority.Store.ReadAsync(db => db.ValidationRecords.Select(v => v.Evidence).SingleAsync(), None));
        Assert.Equal(profile switch { "two" => "2/2", "nobody" => null, _ => "2/3" }, evidence.Quorum?.Text);
        if (status == "invalid")
        {
            Assert.Contains("2 of 3 remote perspectives see what was seen from here, and 3 must", order.Body, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("again", true)]
    [InlineData("anew", false)]
    [InlineData("long", true)]
    public async Task A_proof_is_used_again_as_the_profile_says(string profile, bool again)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles =
        [
            new ProfileOptions { Name = "again" },
            new ProfileOptions { Name = "anew", Reuse = TimeSpan.Zero },
            new ProfileOptions { Name = "long", Reuse = TimeSpan.FromHours(3) },
        ]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        await client.IssueOfAsync(profile, "dns-persist-01", "a.test");
        Assert.Equal(profile == "anew" ? RuleOutcome.Passed : RuleOutcome.NotApplicable, (await RuleAsync(authority, "profile.reuse")).Outcome);
        var next = await client.OrderAsync(["a.test"], None, profile);
        Assert.Equal(again, (await AuthorizationsAsync(authority)).Count == 1);

        // Three hours later nothing is left of what counts for three.
        authority.Clock.Ahead = TimeSpan.FromHours(3);
        await client.OrderAsync(["a.test"], None, profile);
        Assert.Equal(profile switch { "again" => 1, "long" => 2, _ => 3 }, (await AuthorizationsAsync(authority)).Count);
        Assert.NotNull(next.Location);
    }

    [Fact]
    public async Task A_proof_won_under_a_profile_s_own_rules_is_of_a_regime_of_its_own_that_profiles_with_the_same_rules_share()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles =
        [
            new ProfileOptions { Name = "one", Dialects = ["draft-02"] },
            new ProfileOptions { Name = "two", Dialects = ["draft-02"], Names = [".test"] },
        ]);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "a.test", PersistDialect.Draft02);
        await client.IssueOfAsync("one", "dns-persist-01", "a.test");
        await client.IssueOfAsync("two", "dns-persist-01", "a.test");
        await client.IssueOfAsync("server", "dns-persist-01", "a.test");
        var authorizations = await AuthorizationsAsync(authority);
        Assert.Equal(2, authorizations.Count);
        Assert.Matches("^private/[0-9a-f]{16}$", authorizations[0].Regime);
        Assert.Equal(Authorization.PrivateRegime, authorizations[1].Regime);

        var view = (await authority.Services.GetRequiredService<AuthorityLook>().ProfileAsync(await authority.OperatorAsync(OperatorRole.Viewer), "two", None)).Value;
        Assert.Equal(("private", authorizations[0].Regime), (view.Regime, view.ProofRegime));
        Assert.Equal(["draft-02"], view.Dialects);
        Assert.Equal([".test"], view.Names);
    }

    private static Task<List<Authorization>> AuthorizationsAsync(RunningAuthority authority) =>
        authority.Store.ReadAsync(db => db.Authorizations.OrderBy(a => a.Id).ToListAsync(), None);

    /// <summary>What a rule said of the newest certificate.</summary>
    private static async Task<DecidedRule> RuleAsync(RunningAuthority authority, string id)
    {
        var json = await authority.Store.ReadAsync(db => db.PolicyDecisions.OrderByDescending(d => d.CertificateId).Select(d => d.Json).FirstAsync(), None);
        return PolicyDecision.Read(json).Rules.Single(r => r.Id == id);
    }
}
