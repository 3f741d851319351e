using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Limits;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.ExternalAccounts;

/// <summary>The modes, the limit, and what operators do with keys.</summary>
public sealed class ExternalAccountTests
{
    private static CancellationToken None => CancellationToken.None;

    private static Task<RunningAuthority> StartAsync(ExternalAccountMode mode, Action<PersistCaOptions>? more = null) => RunningAuthority.StartAsync(o =>
    {
        o.Acme.ExternalAccount = mode;
        more?.Invoke(o);
    });

    [Theory]
    [InlineData(ExternalAccountMode.Off, false)]
    [InlineData(ExternalAccountMode.Optional, false)]
    [InlineData(ExternalAccountMode.Required, true)]
    public async Task The_directory_says_whether_a_binding_is_required(ExternalAccountMode mode, bool required)
    {
        await using var authority = await StartAsync(mode);
        using var client = authority.Client();
        Assert.Equal(required, (await client.DirectoryAsync(None))["meta"]!["externalAccountRequired"]!.GetValue<bool>());
        var registered = await Outcome(() => client.RegisterAsync(None));
        Assert.Equal(required ? (403, "externalAccountRequired") : (201, null), (registered.Status, registered.Problem));
    }

    [Fact]
    public async Task Where_accounts_are_not_bound_a_binding_is_ignored_whatever_it_is_and_not_shown()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Off);
        var key = await authority.ExternalKeyAsync();
        foreach (var binding in new JsonNode?[] { "x", 1, null, new JsonObject() })
        {
            using var client = authority.Client();
            Assert.Equal(201, (await client.RegisterAsync(None, new JsonObject { ["externalAccountBinding"] = binding })).Status);
        }

        using var bound = authority.Client();
        Assert.False((await bound.RegisterAsync(None, await bound.BoundPayloadAsync(key))).Json.ContainsKey("externalAccountBinding"));
        Assert.Equal(0, (await authority.ExternalAccounts().ShowAsync(await authority.OperatorAsync(), key.Key.PublicId, None)).Value.OpenAccounts);
    }

    [Fact]
    public async Task Where_a_binding_is_optional_one_that_is_wrong_is_refused_all_the_same()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Optional);
        var key = await authority.ExternalKeyAsync();
        using var client = authority.Client();
        var payload = await client.BoundPayloadAsync(key with { Secret = Base64Url.EncodeToString(new byte[64]) });
        Assert.Equal("unauthorized", (await Outcome(() => client.RegisterAsync(None, payload))).Problem);
    }

    [Fact]
    public async Task A_known_key_gets_its_account_whatever_binding_comes_with_it_and_the_first_one_stays()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Required);
        var key = await authority.ExternalKeyAsync(singleUse: true);
        using var client = await authority.BoundAsync(key);
        var again = await client.RegisterAsync(None, new JsonObject { ["externalAccountBinding"] = new JsonObject() });
        Assert.Equal((200, client.AccountUrl), (again.Status, again.Location));
        Assert.True((await client.FetchAsync(client.AccountUrl!, None)).Json.ContainsKey("externalAccountBinding"));
        Assert.Equal(200, (await client.RegisterAsync(None, new JsonObject { ["onlyReturnExisting"] = true })).Status);
    }

    [Fact]
    public async Task An_account_stays_bound_when_it_changes_its_contacts_or_its_key()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Required);
        var key = await authority.ExternalKeyAsync(t => t with { Names = [".corp.example"] });
        using var client = await authority.BoundAsync(key);
        await client.PostAsync(client.AccountUrl!, """{"contact":[],"externalAccountBinding":null}""", None);
        await client.ChangeKeyAsync(System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256), None);
        Assert.Equal("rejectedIdentifier", (await Outcome(() => client.OrderAsync(["a.other.example"], None))).Problem);
        Assert.Equal(201, (await client.OrderAsync(["a.corp.example"], None)).Status);
    }

    [Fact]
    public async Task Failed_bindings_are_limited_by_address_and_good_ones_are_not()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Required, o => o.Limits.FailedBindingsPerAddress = "2/01:00:00");
        var key = await authority.ExternalKeyAsync();
        var answers = new List<AcmeAnswer>();
        for (var i = 0; i < 4; i++)
        {
            using var client = authority.Client();
            var payload = await client.BoundPayloadAsync(key with { Secret = Base64Url.EncodeToString(new byte[64]) });
            answers.Add(await Outcome(() => client.RegisterAsync(None, payload)));
        }

        Assert.Equal(["unauthorized", "unauthorized", "rateLimited", "rateLimited"], answers.Select(a => a.Problem));
        Assert.InRange(answers[^1].Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1));
        Assert.Equal(2, await authority.Store.ReadAsync(db => db.AuditEntries.CountAsync(e => e.Kind == AuditKinds.ExternalAccountRefused), None));
        using var good = await authority.BoundAsync(key);
        Assert.NotNull(good.AccountUrl);
    }

    [Fact]
    public async Task Of_many_that_bind_at_once_a_key_for_one_account_opens_one()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Required);
        var key = await authority.ExternalKeyAsync(singleUse: true);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            using var client = authority.Client();
            var payload = await client.BoundPayloadAsync(key);
            return await Outcome(() => client.RegisterAsync(None, payload));
        }));
        Assert.Single(answers, a => a.Status == 201);
        Assert.Equal(5, answers.Count(a => a.Problem == "unauthorized" && a.Body.Contains("was used at", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_stands_nowhere_in_clear()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Required);
        var key = await authority.ExternalKeyAsync();
        using var client = await authority.BoundAsync(key);
        var secret = Base64Url.DecodeFromChars(key.Secret);
        Assert.Equal(ExternalAccountKey.SecretOctets, secret.Length);
        SqliteConnection.ClearAllPools();
        foreach (var file in Directory.EnumerateFiles(authority.Options.Server.DataDirectory, "persistca.db*").Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var octets = new MemoryStream();
            await stream.CopyToAsync(octets);
            foreach (var form in new[] { secret, Encoding.ASCII.GetBytes(key.Secret), Encoding.ASCII.GetBytes(Convert.ToHexString(secret)), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret)), Encoding.ASCII.GetBytes(Convert.ToBase64String(secret)) })
            {
                Assert.Equal(-1, octets.GetBuffer().AsSpan(0, (int)octets.Length).IndexOf(form));
            }
        }
    }

    [Fact]
    public async Task A_key_whose_row_was_moved_or_changed_in_the_database_binds_nobody()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Required);
        var (one, two) = (await authority.ExternalKeyAsync(), await authority.ExternalKeyAsync(t => t with { Names = ["only.example"] }));
        await using (var db = await ((IDbContextFactory<PersistCa.Storage.CaDb>)authority.Services.GetService(typeof(IDbContextFactory<PersistCa.Storage.CaDb>))!).CreateDbContextAsync(None))
        {
            await db.ExternalAccountKeys.Where(k => k.Id == one.Key.Id).ExecuteUpdateAsync(s => s.SetProperty(k => k.SealedSecret, two.Key.SealedSecret));
        }

        using var client = authority.Client();
        var payload = await client.BoundPayloadAsync(one with { Secret = two.Secret });
        Assert.Equal((500, "serverInternal"), await Outcome(() => client.RegisterAsync(None, payload)) is var a ? (a.Status, a.Problem) : default);
    }

    [Fact]
    public async Task Operators_make_list_show_change_and_remove_keys_and_each_change_has_its_entry()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Optional);
        var (desk, olga) = (authority.ExternalAccounts(), await authority.OperatorAsync());
        var terms = new ExternalAccountTerms
        {
            Names = [".Corp.Example", "10.0.0.0/8", ".corp.example"],
            Profiles = ["server"],
            Challenges = ["dns-persist-01"],
            MaxAccounts = 3,
            MaxNames = 4,
            Certificates = new RateLimit(50, TimeSpan.FromDays(7)),
            Owner = "anna",
            Team = "payments",
            System = "ledger",
            Criticality = "critical",
            ExpiresAt = authority.Store.Now.AddDays(30),
            Stops = EndStops.NewOrders,
        };
        var made = (await desk.CreateAsync(olga, terms, singleUse: false, None)).Value;
        var other = await authority.ExternalKeyAsync();
        Assert.Equal([".corp.example", "10.0.0.0/8"], made.Key.Names);
        Assert.Equal("operator:olga", made.Key.CreatedBy);

        using var client = await authority.BoundAsync(made);
        var listed = await desk.ListAsync(olga, new ExternalAccountFilter(), new PageWish(100, null), None);
        Assert.Equal([other.Key.PublicId, made.Key.PublicId], listed.Items.Select(k => k.Key.PublicId));
        Assert.Equal([0, 1], listed.Items.Select(k => k.OpenAccounts));
        Assert.Equal([made.Key.PublicId], (await desk.ListAsync(olga, new ExternalAccountFilter(), new PageWish(100, other.Key.Id), None)).Items.Select(k => k.Key.PublicId));

        var shown = (await desk.ShowAsync(olga, made.Key.PublicId, None)).Value;
        Assert.Equal((KeyStanding.Live, 1, client.AccountUrl!.Split('/')[^1]), (shown.Standing, shown.OpenAccounts, Assert.Single(shown.Accounts)));

        var changed = (await desk.UpdateAsync(olga, made.Key.PublicId, t => t with { Owner = "berta", ExpiresAt = null }, None)).Value;
        Assert.Equal(("berta", null, 3), (changed.Key.Owner, changed.Key.ExpiresAt, changed.Key.MaxAccounts));

        var removed = (await desk.RemoveAsync(olga, made.Key.PublicId, EndStops.Revocations, None)).Value;
        Assert.Equal((KeyStanding.Removed, EndStops.Revocations), (removed.Standing, removed.Key.Stops));
        Assert.Equal(409, (await desk.RemoveAsync(olga, made.Key.PublicId, null, None)).Problem!.Status);
        Assert.Equal(409, (await desk.UpdateAsync(olga, made.Key.PublicId, t => t, None)).Problem!.Status);
        Assert.Equal(404, (await desk.ShowAsync(olga, "AAAAAAAAAAAAAAAA", None)).Problem!.Status);

        var entries = await authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Subject == "external-account:" + made.Key.PublicId).OrderBy(e => e.Id).ToListAsync(None), None);
        Assert.Equal([AuditKinds.ExternalAccountKeyCreated, AuditKinds.ExternalAccountBound, AuditKinds.ExternalAccountKeyChanged, AuditKinds.ExternalAccountKeyRemoved], entries.Select(e => e.Kind));
        Assert.Contains("\"before.owner\":\"anna\"", entries[2].Facts, StringComparison.Ordinal);
        Assert.Contains("\"owner\":\"berta\"", entries[2].Facts, StringComparison.Ordinal);
        Assert.All(entries, e => Assert.DoesNotContain(made.Secret, e.Facts, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(OperatorRole.Viewer)]
    [InlineData(OperatorRole.RevocationOfficer)]
    [InlineData(OperatorRole.Auditor)]
    [InlineData(OperatorRole.Custodian)]
    public async Task Only_the_role_operator_changes_keys_and_every_role_sees_them(OperatorRole role)
    {
        await using var authority = await StartAsync(ExternalAccountMode.Optional);
        var key = await authority.ExternalKeyAsync();
        var (desk, who) = (authority.ExternalAccounts(), await authority.OperatorAsync(role, "other"));
        Assert.Equal(403, (await desk.CreateAsync(who, key.Key.Terms(), false, None)).Problem!.Status);
        Assert.Equal(403, (await desk.UpdateAsync(who, key.Key.PublicId, t => t, None)).Problem!.Status);
        Assert.Equal(403, (await desk.RemoveAsync(who, key.Key.PublicId, null, None)).Problem!.Status);
        Assert.Single((await desk.ListAsync(who, new ExternalAccountFilter(), new PageWish(100, null), None)).Items);
        Assert.False((await desk.ShowAsync(who, key.Key.PublicId, None)).IsRefused);
    }

    [Fact]
    public async Task Terms_that_cannot_be_are_refused_with_the_member_and_its_bounds()
    {
        await using var authority = await StartAsync(ExternalAccountMode.Optional);
        var (desk, olga) = (authority.ExternalAccounts(), await authority.OperatorAsync());
        var good = new ExternalAccountTerms { Names = ["."], Owner = "anna" };
        foreach (var (bad, reason) in new (ExternalAccountTerms, string)[]
        {
            (good with { Names = [] }, "Names has 0 rules; 1 to 200"),
            (good with { Names = [.. Enumerable.Repeat(".", 201)] }, "Names has 201 rules"),
            (good with { Names = ["a_b"] }, "The rule 'a_b' of names"),
            (good with { Profiles = ["nothing"] }, "There is no profile 'nothing'"),
            (good with { Challenges = ["dns-02"] }, "There is no challenge 'dns-02'"),
            (good with { MaxAccounts = -1 }, "MaxAccounts is -1; 0 to 1000000"),
            (good with { MaxAccounts = 1_000_001 }, "0 to 1000000"),
            (good with { MaxNames = 1001 }, "MaxNames is 1001; 0 to 1000"),
            (good with { Owner = " " }, "Owner is empty"),
            (good with { Team = new string('x', 201) }, "Team has 201 characters; at most 200"),
            (good with { System = "a\nb" }, "System has 3 characters"),
            (good with { Stops = (EndStops)8 }, "not known"),
            (good with { ExpiresAt = authority.Store.Now }, "Expires is"),
            (good with { ExpiresAt = authority.Store.Now.AddDays(3654) }, "within 3653 days"),
        })
        {
            var refused = (await desk.CreateAsync(olga, bad, false, None)).Problem;
            Assert.Equal("malformed", refused!.Type.Name);
            Assert.Contains(reason, refused.Detail, StringComparison.Ordinal);
        }

        Assert.Empty((await desk.ListAsync(olga, new ExternalAccountFilter(), new PageWish(100, null), None)).Items);
    }

    private static async Task<AcmeAnswer> Outcome(Func<Task<AcmeAnswer>> call)
    {
        try
        {
            return await call();
        }
        catch (AcmeRefusedException refused)
        {
            return refused.Answer;
        }
    }
}
