using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Policy;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Policy;

/// <summary>The decision is kept with the certificate, and a change between finalize and issuance is seen.</summary>
public sealed class PolicyDecisionKeptTests
{
    private const string Name = "a.corp.example";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task The_decision_on_a_certificate_is_kept_with_it_and_shown_to_every_role()
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Acme.ExternalAccount = ExternalAccountMode.Optional);
        var key = await authority.ExternalKeyAsync(t => t with { Names = [".corp.example"] });
        using var client = await authority.BoundAsync(key);
        authority.Publish(client, Name, PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", Name));
        var serial = Convert.ToHexStringLower(leaf.SerialNumberBytes.Span);
        var desk = authority.Services.GetRequiredService<CertificateSearch>();

        foreach (var role in OperatorRoles.All)
        {
            var kept = PolicyDecision.Read((await desk.FindAsync(await authority.OperatorAsync(role), serial, None)).Value.Decision!);
            Assert.True(kept.IsPermitted);
            Assert.Equal(Rulebook.All.Select(r => r.Id), kept.Rules.Select(r => r.Id));
            Assert.Equal((client.AccountUrl!.Split('/')[^1], key.Key.PublicId, "server", "private", 1), (kept.Subject.Account, kept.Subject.ExternalAccount, kept.Subject.Profile, kept.Subject.Regime, kept.Subject.Names));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(new System.Formats.Asn1.AsnReader(leaf.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().Span)), kept.Subject.TbsSha256);
            Assert.Equal("dns-persist-01", kept.Rules.Single(r => r.Id == "proof.method").Found);
            Assert.Equal((RuleOutcome.Passed, Name, ".corp.example"), kept.Rules.Single(r => r.Id == "external-account.names") is var r ? (r.Outcome, r.Found, r.Expected) : default);
        }

        // What was kept is what the audit log has the hash of.
        var (json, entry) = await authority.Store.ReadAsync(
            async db => ((await db.PolicyDecisions.SingleAsync()).Json, await db.AuditEntries.SingleAsync(e => e.Kind == AuditKinds.IssuanceIntended)), None);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json))), JsonNode.Parse(entry.Facts)!["decision"]!.GetValue<string>());
        Assert.Equal(404, (await desk.FindAsync(await authority.OperatorAsync(), "00", None)).Problem!.Status);
    }

    [Theory]
    [InlineData("name denied", "rejectedIdentifier", "names.served")]
    [InlineData("wildcards off", "rejectedIdentifier", "names.served")]
    [InlineData("profile withdrawn", "invalidProfile", "profile.offered")]
    [InlineData("profile gone", "invalidProfile", null)]
    [InlineData("profile closed to the account", "invalidProfile", "profile.offered")]
    [InlineData("keys of the profile", "badPublicKey", "profile.key")]
    [InlineData("names of the profile", "malformed", "profile.count lint")]
    [InlineData("names that the profile is for", "rejectedIdentifier", "profile.names")]
    [InlineData("wildcards of the profile", "rejectedIdentifier", "profile.names")]
    [InlineData("dialects of the profile", "unauthorized", "proof.rules")]
    [InlineData("CAA of the profile", "unauthorized", "proof.rules")]
    [InlineData("perspectives of the profile", "unauthorized", "proof.rules")]
    [InlineData("reuse of the profile", "unauthorized", "proof.rules")]
    [InlineData("challenges of the profile", "unauthorized", "profile.challenges")]
    [InlineData("life of proofs", "unauthorized", "proof.age")]
    [InlineData("rules of validation", "unauthorized", "proof.rules")]
    [InlineData("external account required", "externalAccountRequired", "account.bound")]
    [InlineData("authorization deactivated", "unauthorized", "proof.valid")]
    [InlineData("key blocked", "badPublicKey", "key.free lint")]
    [InlineData("key of an account", "badPublicKey", "key.free lint")]
    [InlineData("account closed", "unauthorized", "account.open")]
    public async Task What_is_changed_between_finalize_and_issuance_is_seen_and_the_order_says_what(string what, string problem, string? rule)
    {
        await using var authority = await RunningAuthority.StartAsync(o => o.Profiles = [new ProfileOptions { Name = "team" }]);
        using var client = await authority.RegisteredAsync();
        string[] names = ["*.corp.example", Name];
        authority.Publish(client, "corp.example", PersistDialect.Draft02, wildcard: true);
        authority.Publish(client, Name, PersistDialect.Draft02);
        var order = await client.ReadyOrderOfAsync("team", "dns-persist-01", names);
        var (csr, key) = RunningAuthority.Csr(names);
        var spki = key.ExportSubjectPublicKeyInfo();
        key.Dispose();
        authority.Options.Server.Roles = ["acme", "publication"];
        await authority.RestartAsync();
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString(), None);

        await ChangeAsync(authority, client, order, what, spki);
        authority.Options.Server.Roles = [];
        await authority.RestartAsync();

        var (error, entry) = await EndAsync(authority);
        Assert.Equal(problem, error.Type.Name);
        Assert.Equal(rule, JsonNode.Parse(entry.Facts)!["rules"]?.GetValue<string>());
        Assert.Equal((0, 0), await authority.Store.ReadAsync(async db => (await db.Certificates.CountAsync(), await db.PolicyDecisions.CountAsync()), None));
    }

    private static async Task ChangeAsync(RunningAuthority authority, AcmeClient client, AcmeAnswer order, string what, byte[] spki)
    {
        var (options, team) = (authority.Options, authority.Options.Profiles[0]);
        switch (what)
        {
            case "name denied":
                options.Names.DeniedSuffixes = [Name];
                break;
            case "wildcards off":
                options.Names.AllowWildcards = false;
                break;
            case "profile withdrawn":
                team.Offered = false;
                break;
            case "profile gone":
                options.Profiles = [];
                break;
            case "profile closed to the account":
                team.Accounts = ["AAAAAAAAAAAAAAAA"];
                break;
            case "keys of the profile":
                team.Keys = ["Rsa"];
                break;
            case "names of the profile":
                team.MaxNames = 1;
                break;
            case "names that the profile is for":
                team.Names = [".other.example"];
                break;
            case "wildcards of the profile":
                team.Wildcards = false;
                break;
            case "dialects of the profile":
                team.Dialects = ["draft-02"];
                break;
            case "CAA of the profile":
                team.Caa = Protocol.Caa.CaaMode.Report;
                break;
            case "perspectives of the profile":
                options.Validation.Perspectives = [new RemotePerspectiveOptions { Id = "north", Resolvers = [authority.Zone.EndPoint.ToString()] }];
                team.Perspectives = ["north"];
                break;
            case "reuse of the profile":
                team.Reuse = TimeSpan.Zero;
                break;
            case "challenges of the profile":
                team.Challenges = ["dns-01"];
                break;
            case "life of proofs":
                options.Acme.AuthorizationLifetime = TimeSpan.FromMinutes(5);
                authority.Clock.Ahead = TimeSpan.FromMinutes(6);
                break;
            case "rules of validation":
                options.Validation.Persist.RequireExpiry = true;
                break;
            case "external account required":
                options.Acme.ExternalAccount = ExternalAccountMode.Required;
                break;
            case "authorization deactivated":
                await client.PostAsync(order.Json["authorizations"]![0]!.GetValue<string>(), """{"status":"deactivated"}""", None);
                break;
            case "account closed":
                await client.PostAsync(client.AccountUrl!, """{"status":"deactivated"}""", None);
                break;
            case "key blocked":
                _ = (await authority.Store.WriteAsync<string>(
                    PersistCa.Storage.Actor.Server,
                    async t =>
                    {
                        await PersistCa.Storage.Status.BlockedKeys.BlockKeyAsync(t, Convert.ToHexStringLower(SHA256.HashData(spki)), "00", proven: true, None);
                        t.Audit(AuditKinds.KeyBlocked, "test");
                        return "blocked";
                    },
                    None)).Value;
                break;
            case "key of an account":
                var jwk = Protocol.Jose.Jwk.FromSubjectPublicKeyInfo(spki)!;
                _ = (await authority.Store.WriteAsync<string>(
                    PersistCa.Storage.Actor.Server,
                    t =>
                    {
                        t.Db.Accounts.Add(new Protocol.Accounts.Account(Protocol.PublicId.Next(), jwk.Thumbprint, jwk.Canonical, [], true, t.Now));
                        t.Audit(AuditKinds.AccountCreated, "test");
                        return Task.FromResult<Protocol.Outcome<string>>("registered");
                    },
                    None)).Value;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what));
        }
    }

    /// <summary>The order's error and the entry that speaks of it, once the order has failed.</summary>
    private static async Task<(Protocol.Acme.AcmeProblem Error, AuditEntry Entry)> EndAsync(RunningAuthority authority)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var entry = await authority.Store.ReadAsync(db => db.AuditEntries.SingleOrDefaultAsync(e => e.Kind == AuditKinds.OrderFailed, None), None);
            if (entry is not null)
            {
                return ((await authority.Store.ReadAsync(db => db.Orders.SingleAsync(), None)).Error!, entry);
            }

            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromMinutes(2), "the order does not fail");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }
}
