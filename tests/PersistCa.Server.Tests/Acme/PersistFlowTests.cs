using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>The life of a persistent record, end to end (dns-persist-01 rules sections 4 to 7).</summary>
public sealed class PersistFlowTests(SharedAuthority shared) : IClassFixture<SharedAuthority>
{
    private readonly RunningAuthority authority = shared.Authority;

    public static TheoryData<PersistDialect, bool> Dialects
    {
        get
        {
            var all = new TheoryData<PersistDialect, bool>();
            foreach (var dialect in PersistDialects.All)
            {
                all.Add(dialect, false);
                all.Add(dialect, true);
            }

            return all;
        }
    }

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_record_of_each_dialect_gets_a_certificate_and_stands_in_the_evidence(PersistDialect dialect, bool wildcard)
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        var record = authority.Publish(client, name, dialect, wildcard);
        var ordered = wildcard ? "*." + name : name;

        var chain = await client.IssueAsync("dns-persist-01", ordered);

        Assert.Null(RootTrust.Verify(chain, authority.RootPem, wildcard ? "x." + name : name));
        var evidence = await authority.Store.ReadAsync(db => db.ValidationRecords.OrderByDescending(v => v.Id).FirstAsync(), None);
        Assert.Equal(dialect.Wire(), evidence.Dialect);
        Assert.Contains(record.Owner, evidence.Evidence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PersistDialect.AcmePersist)]
    [InlineData(PersistDialect.Draft01)]
    [InlineData(PersistDialect.Draft02)]
    public async Task A_wildcard_without_its_policy_is_refused(PersistDialect dialect)
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, dialect);
        await RefusedAsync(client, "*." + name, "unauthorized", "policy=wildcard");
    }

    [Fact]
    public async Task After_a_key_rollover_the_draft_02_record_still_validates_and_the_thumbprint_does_not()
    {
        using var client = await authority.RegisteredAsync();
        var (hashed, thumbprint) = (shared.Fresh(), shared.Fresh());
        authority.Publish(client, hashed, PersistDialect.Draft02);
        authority.Publish(client, thumbprint, PersistDialect.AcmePersist);
        await client.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), None);

        Assert.Null(RootTrust.Verify(await client.IssueAsync("dns-persist-01", hashed), authority.RootPem, hashed));
        await RefusedAsync(client, thumbprint, "unauthorized", "an earlier key of this account");
    }

    [Fact]
    public async Task After_deactivation_nothing_validates_not_even_what_was_accepted_before()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, PersistDialect.Draft02);
        authority.Zone.Delay("_validation-persist." + name, TimeSpan.FromMilliseconds(700));
        var order = await client.OrderAsync([name], None);
        var authorizationUrl = order.Json["authorizations"]![0]!.GetValue<string>();
        await client.PostAsync((await client.FetchAsync(authorizationUrl, None)).Challenge("dns-persist-01")["url"]!.GetValue<string>(), "{}", None);
        await client.PostAsync(client.AccountUrl!, """{"status":"deactivated"}""", None);

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FetchAsync(authorizationUrl, None));
        Assert.Equal((401, "unauthorized"), (refused.Answer.Status, refused.Answer.Problem));
        var id = authorizationUrl.Split('/')[^1];
        var status = Protocol.Authorizations.AuthorizationStatus.Pending;
        await Patience.UntilAsync(
            async () =>
            {
                status = await authority.Store.ReadAsync(db => db.Authorizations.Where(a => a.PublicId == id).Select(a => a.Status).FirstAsync(), None);
                return status != Protocol.Authorizations.AuthorizationStatus.Pending;
            },
            "the validation was not concluded");
        Assert.Equal(Protocol.Authorizations.AuthorizationStatus.Invalid, status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_was_rolled_over_opens_no_account_and_so_inherits_no_record(bool deactivated)
    {
        using var owner = await authority.RegisteredAsync();
        using var finder = new AcmeClient(authority.Http(), authority.DirectoryUrl, ECDsa.Create(owner.AccountKey.ExportParameters(true)));
        authority.Publish(owner, shared.Fresh(), PersistDialect.AcmePersist);
        await owner.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), None);
        if (deactivated)
        {
            await owner.PostAsync(owner.AccountUrl!, """{"status":"deactivated"}""", None);
        }

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => finder.RegisterAsync(None));

        Assert.Equal("unauthorized", refused.Answer.Problem);
        Assert.Contains("was the key of an account", refused.Answer.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_account_can_take_another_accounts_former_key()
    {
        using var owner = await authority.RegisteredAsync();
        using var other = await authority.RegisteredAsync();
        using var former = ECDsa.Create(owner.AccountKey.ExportParameters(true));
        await owner.ChangeKeyAsync(ECDsa.Create(ECCurve.NamedCurves.nistP256), None);

        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => other.ChangeKeyAsync(former, None));
        Assert.Equal((409, owner.AccountUrl), (refused.Answer.Status, refused.Answer.Location));
    }

    [Fact]
    public async Task Another_accounts_record_proves_nothing_and_is_told_apart()
    {
        using var owner = await authority.RegisteredAsync();
        using var other = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(owner, name, PersistDialect.Draft01);
        await RefusedAsync(other, name, "unauthorized", other.AccountUrl!);
    }

    [Fact]
    public async Task The_authorization_ends_when_the_record_does()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        var end = authority.Clock.GetUtcNow().AddMinutes(30);
        authority.Publish(client, name, PersistDialect.Draft02, until: end);
        var order = await client.OrderAsync([name], None);
        var authorization = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");

        Assert.Equal("valid", authorization.Json["status"]!.GetValue<string>());
        Assert.Equal(end.ToUnixTimeSeconds(), DateTimeOffset.Parse(authorization.Json["expires"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData(PersistDialect.AcmePersist, false)]
    [InlineData(PersistDialect.Draft01, false)]
    [InlineData(PersistDialect.Draft02, true)]
    public async Task Only_a_draft_02_record_wins_an_authorization_that_another_order_may_use(PersistDialect dialect, bool reused)
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Publish(client, name, dialect);
        var first = await client.ReadyOrderAsync("dns-persist-01", name);
        var second = await client.OrderAsync([name], None);

        Assert.Equal(reused, first.Json["authorizations"]![0]!.GetValue<string>() == second.Json["authorizations"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task A_removed_record_fails_the_next_validation()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        var record = authority.Publish(client, name, PersistDialect.Draft01);
        await client.IssueAsync("dns-persist-01", name);
        authority.Zone.ClearTxt(record.Owner);
        await RefusedAsync(client, name, "unauthorized", "names this authority");
    }

    [Theory]
    [InlineData("localhost; accounturi={0};", "malformed", "';' at the end")]
    [InlineData("localhost; accounturi={0}; foo", "malformed", "has no '='")]
    [InlineData("localhost; accounturi={0}; accounturi={0}", "malformed", "twice")]
    [InlineData("localhost; accounturi=", "malformed", "empty")]
    [InlineData("localhost", "malformed", "no accounturi")]
    [InlineData("localhost; accounturi={0}; persistUntil=soon", "malformed", "persistUntil")]
    [InlineData("localhost; accounturi={0}; persistUntil=1", "unauthorized", "it ended at 1970-01-01")]
    [InlineData("localhost; accounturi={0} b", "malformed", "a space")]
    [InlineData("other.ca.example; accounturi={0}; accounturi={0}", "unauthorized", "names this authority")]
    [InlineData("", "unauthorized", "names this authority")]
    [InlineData("\u0001\u0002\u00ff;;;===", "unauthorized", "names this authority")]
    public async Task A_bad_record_is_refused_with_its_reason_and_a_foreign_one_is_never_shown(string text, string problem, string detail)
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Zone.SetTxt("_validation-persist." + name, text.Replace("{0}", client.AccountUrl, StringComparison.Ordinal));
        var shown = await RefusedAsync(client, name, problem, detail);
        Assert.DoesNotContain("other.ca.example", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_zone_is_a_dns_problem_without_the_resolvers_address()
    {
        using var client = await authority.RegisteredAsync();
        var name = shared.Fresh();
        authority.Zone.Fail("_validation-persist." + name, 2);
        authority.Zone.Fail("_acme-persist." + name, 2);
        var shown = await RefusedAsync(client, name, "dns", name);
        Assert.DoesNotContain("127.0.0.1", shown, StringComparison.Ordinal);
    }

    private static async Task<string> RefusedAsync(AcmeClient client, string name, string problem, string detail)
    {
        var order = await client.OrderAsync([name], None);
        var authorization = await client.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
        Assert.Equal("invalid", authorization.Json["status"]!.GetValue<string>());
        var error = authorization.Challenge("dns-persist-01")["error"]!;
        Assert.Equal("urn:ietf:params:acme:error:" + problem, error["type"]!.GetValue<string>());
        Assert.Contains(detail, error["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        return error.ToJsonString();
    }
}
