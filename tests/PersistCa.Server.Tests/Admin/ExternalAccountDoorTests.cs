using System.Buffers.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Server.Demo;
using PersistCa.Storage;
using PersistCa.Testing;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>External account keys from their making to their end, as an operator and a team see it.</summary>
public sealed class ExternalAccountDoorTests
{
    private static CancellationToken None => CancellationToken.None;

    [SkippableTheory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.PostgreSql)]
    public async Task A_key_is_made_bound_to_changed_and_removed(StoreKind kind)
    {
        await using var bed = await StartAsync(kind, o => o.Acme.ExternalAccount = Server.Hosting.ExternalAccountMode.Optional);
        var (status, made) = await bed.Bed.PostAsync("eab-keys", bed.Olga, """{"owner":"ops@corp.example","names":[".corp.test"],"team":"web","stops":["new-orders"],"certificates":"5/01:00:00"}""");
        Assert.True(status == 200, made.ToJsonString());
        var (kid, secret) = (Text(made["key"]!, "id"), Text(made, "hmacKey"));
        Assert.Equal(64, Base64Url.DecodeFromChars(secret).Length);

        using var client = bed.Authority.Client();
        var header = new JsonObject { ["alg"] = "HS256", ["kid"] = kid, ["url"] = await client.UrlAsync("newAccount", None) };
        await client.RegisterAsync(None, new JsonObject { ["termsOfServiceAgreed"] = true, ["externalAccountBinding"] = ExternalBinding.Sign(header, AcmeClient.Jwk(client.AccountKey), Base64Url.DecodeFromChars(secret)) });
        await client.OrderAsync(["a.corp.test"], None);

        var (seen, shown) = await bed.Bed.GetAsync("eab-keys/" + kid, bed.Arno);
        Assert.True(seen == 200, shown.ToJsonString());
        Assert.Equal(("live", "web", 1, client.AccountUrl!.Split('/')[^1]), (Text(shown, "state"), Text(shown, "team"), shown["openAccounts"]!.GetValue<int>(), shown["accounts"]![0]!.GetValue<string>()));
        Assert.DoesNotContain(secret, shown.ToJsonString(), StringComparison.Ordinal);

        var (changedStatus, changed) = await bed.Bed.PostAsync($"eab-keys/{kid}/change", bed.Olga, """{"names":[".other.test"]}""");
        Assert.True(changedStatus == 200, changed.ToJsonString());
        Assert.Equal((".other.test", "web", "5/01:00:00"), (changed["names"]![0]!.GetValue<string>(), Text(changed, "team"), Text(changed, "certificates")));
        Assert.Equal("rejectedIdentifier", (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.corp.test"], None))).Answer.Problem);

        var (removedStatus, removed) = await bed.Bed.PostAsync($"eab-keys/{kid}/remove", bed.Olga);
        Assert.True(removedStatus == 200, removed.ToJsonString());
        Assert.Equal("removed", Text(removed, "state"));
        Assert.Equal("unauthorized", (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.other.test"], None))).Answer.Problem);
        Assert.Equal(409, (await bed.Bed.PostAsync($"eab-keys/{kid}/change", bed.Olga, """{"team":"db"}""")).Status);
        Assert.Equal(409, (await bed.Bed.PostAsync($"eab-keys/{kid}/remove", bed.Olga)).Status);

        Assert.DoesNotContain(await bed.Authority.Store.ReadAsync(db => db.AuditEntries.Select(e => e.Facts).ToListAsync(None), None), f => f.Contains(secret, StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.PostgreSql)]
    public async Task Keys_are_listed_by_state_owner_and_team_page_by_page(StoreKind kind)
    {
        await using var bed = await StartAsync(kind);
        var ids = new List<string>();
        foreach (var (owner, team) in new[] { ("a", "x"), ("a", "y"), ("b", "x") })
        {
            ids.Add(Text((await bed.Bed.PostAsync("eab-keys", bed.Olga, $$"""{"owner":"{{owner}}","team":"{{team}}","names":["."],"expires":"2030-01-01T00:00:00Z"}""")).Body["key"]!, "id"));
        }

        await bed.Bed.PostAsync($"eab-keys/{ids[2]}/remove", bed.Olga);
        async Task<string[]> ListAsync(string query) => [.. (await bed.Bed.GetAsync("eab-keys?" + query, bed.Arno)).Body["items"]!.AsArray().Select(i => Text(i!, "id"))];
        Assert.Equal([ids[1], ids[0]], await ListAsync("state=live"));
        Assert.Equal([ids[2]], await ListAsync("state=removed"));
        Assert.Empty(await ListAsync("state=expired"));
        Assert.Equal([ids[1], ids[0]], await ListAsync("owner=a"));
        Assert.Equal([ids[2], ids[0]], await ListAsync("team=x"));
        var first = (await bed.Bed.GetAsync("eab-keys?limit=2", bed.Arno)).Body;
        Assert.Equal([ids[0]], await ListAsync("limit=2&cursor=" + Text(first, "next")));
    }

    [Fact]
    public async Task What_cannot_be_says_why()
    {
        await using var bed = await StartAsync();
        foreach (var (body, words) in new (string, string)[]
        {
            ("{}", "needs owner"),
            ("""{"owner":"x","names":[]}""", "Names has 0 rules"),
            ("""{"owner":" ","names":["."]}""", "Owner is empty"),
            ("""{"owner":"x","names":["a b"]}""", "cannot be used"),
            ("""{"owner":"x","names":["10.0.0.1/8"]}""", "zeros after the prefix"),
            ("""{"owner":"x","names":["."],"profiles":["nothing"]}""", "there is no profile 'nothing'"),
            ("""{"owner":"x","names":["."],"challenges":["dns-02"]}""", "there is no challenge 'dns-02'"),
            ("""{"owner":"x","names":["."],"certificates":"many"}""", "COUNT/PERIOD"),
            ("""{"owner":"x","names":["."],"maxAccounts":-1}""", "maxAccounts is -1"),
            ("""{"owner":"x","names":["."],"expires":"2020-01-01T00:00:00Z"}""", "a time after"),
            ("""{"owner":"x","names":["."],"expires":"tomorrow"}""", "RFC 3339"),
            ("""{"owner":"x","names":["."],"stops":["everything"]}""", "of new-orders, renewals, revocations"),
            ("""{"owner":"x","names":["."],"hmacKey":"AAAA"}""", "There is no member 'hmacKey' here"),
        })
        {
            var (status, answer) = await bed.Bed.PostAsync("eab-keys", bed.Olga, body);
            Assert.True(status == 400 && answer["detail"]!.GetValue<string>().Contains(words, StringComparison.OrdinalIgnoreCase), body + " -> " + answer.ToJsonString());
        }

        Assert.Equal(404, (await bed.Bed.GetAsync("eab-keys/AAAAAAAAAAAAAAAA", bed.Arno)).Status);
        Assert.Equal(404, (await bed.Bed.PostAsync("eab-keys/%2e%2e/remove", bed.Olga)).Status);
        Assert.Empty(await bed.Authority.Store.ReadAsync(db => db.ExternalAccountKeys.ToListAsync(None), None));
    }
}
