using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Testing;
using static PersistCa.Server.Tests.Admin.DecisionBed;

namespace PersistCa.Server.Tests.Admin;

/// <summary>What two operators have to agree to: who may propose, who may approve, what happens then, and once.</summary>
public abstract class DecisionTests(StoreKind kind)
{
    private static CancellationToken None => CancellationToken.None;

    [SkippableFact]
    public async Task A_profile_is_withdrawn_by_two_and_no_order_has_it_until_two_offer_it_again()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var open = await client.ReadyOrderOfAsync("client", "dns-persist-01", "a.test");

        await bed.AgreeAsync("profiles/client/withdraw", """{"comment":"not for now"}""");

        Assert.Equal("withdrawn", Text((await bed.Bed.GetAsync("profiles/client", bed.Arno)).Body, "state"));
        Assert.DoesNotContain("client", JsonNode.Parse(await bed.Bed.Http.GetStringAsync(new Uri(bed.Authority.DirectoryUrl)))!["meta"]!["profiles"]!.AsObject().Select(p => p.Key));
        Assert.Equal("invalidProfile", (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["a.test"], None, "client"))).Answer.Problem);
        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        Assert.Equal("invalidProfile", (await Assert.ThrowsAsync<AcmeRefusedException>(() => client.FinalizeAsync(open, csr))).Answer.Problem);

        // Another node knows it from the store.
        var elsewhere = new SwitchBoard();
        Assert.Equal(["client"], (await bed.Authority.Store.ReadAsync(db => elsewhere.LookAsync(db, None), None)).Profiles);

        await bed.AgreeAsync("profiles/client/offer");
        Assert.Equal("valid", Text((await client.FinalizeAsync(open, csr)).Json, "status"));
        Assert.Equal(
            [AuditKinds.ProposalMade, AuditKinds.ProposalApproved, AuditKinds.ProfileWithdrawn, AuditKinds.ProposalCarriedOut, AuditKinds.ProposalMade, AuditKinds.ProposalApproved, AuditKinds.ProfileOffered, AuditKinds.ProposalCarriedOut],
            (await bed.Authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind.StartsWith("proposal.") || e.Kind.StartsWith("profile.")).OrderBy(e => e.Id).Select(e => e.Kind).ToListAsync(None), None)));
    }

    [SkippableFact]
    public async Task Nobody_approves_a_proposal_of_their_own_whatever_the_token()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var proposal = (await bed.Bed.PostAsync("profiles/client/withdraw", bed.Olga)).Body;
        var path = $"proposals/{Text(proposal, "id")}/approve";
        foreach (var secret in new[] { bed.Olga, await bed.Bed.TokenAsync("olga", OperatorRole.Custodian) })
        {
            var (status, refused) = await bed.Bed.PostAsync(path, secret);
            Assert.Equal((403, "Nobody approves a proposal of their own: another operator is needed."), (status, Text(refused, "detail")));
        }

        // Nor with a token that the proposer made under another name.
        var own = (await bed.Bed.PostAsync("tokens", bed.Karl, """{"name":"puppet","role":"operator","days":1}""")).Body;
        var karls = (await bed.Bed.PostAsync("profiles/server-short-lived/withdraw", bed.Karl)).Body;
        var (no, why) = await bed.Bed.PostAsync($"proposals/{Text(karls, "id")}/approve", Text(own, "secret"));
        Assert.Equal((403, "Nobody approves with a token that the proposer made: another operator is needed."), (no, Text(why, "detail")));
        Assert.Equal(200, (await bed.Bed.PostAsync(path, bed.Oskar)).Status);
    }

    [SkippableFact]
    public async Task A_custodian_is_not_two_by_tokens_that_they_made()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        async Task<JsonNode> MadeAsync(string maker, string name) => (await bed.Bed.PostAsync("tokens", maker, $$"""{"name":"{{name}}","role":"operator","days":1}""")).Body;
        var (one, two, three) = (await MadeAsync(bed.Karl, "one"), await MadeAsync(bed.Karl, "two"), await MadeAsync(bed.Kira, "three"));
        var path = $"proposals/{Text((await bed.Bed.PostAsync("profiles/client/withdraw", Text(one, "secret"))).Body, "id")}/approve";

        // A token that was taken back since was good when it was used.
        Assert.Equal(200, (await bed.Bed.PostAsync($"tokens/{Text(one["token"]!, "id")}/revoke", bed.Karl)).Status);
        var (status, refused) = await bed.Bed.PostAsync(path, bed.Karl);
        Assert.Equal((403, "Nobody approves what was proposed with a token that they made: another operator is needed."), (status, Text(refused, "detail")));
        (status, refused) = await bed.Bed.PostAsync(path, Text(two, "secret"));
        Assert.Equal((403, "The tokens of both were made by karl, who could be either: another operator is needed."), (status, Text(refused, "detail")));
        Assert.Equal(200, (await bed.Bed.PostAsync(path, Text(three, "secret"))).Status);
    }

    [SkippableTheory]
    [InlineData("proposer")]
    [InlineData("subject")]
    [InlineData("entry")]
    public async Task A_proposal_is_held_against_the_entry_of_its_day(string changed)
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var proposal = (await bed.Bed.PostAsync("profiles/client/withdraw", bed.Olga)).Body;
        var digest = OperatorProposal.DigestOf("profile.withdraw", "profile:server", "{}");
        _ = changed switch
        {
            "proposer" => await bed.Authority.Store.ReadAsync(db => db.OperatorProposals.ExecuteUpdateAsync(s => s.SetProperty(p => p.Proposer, "kira"), None), None),
            "subject" => await bed.Authority.Store.ReadAsync(db => db.OperatorProposals.ExecuteUpdateAsync(s => s.SetProperty(p => p.Subject, "profile:server").SetProperty(p => p.Sha256, digest), None), None),
            _ => await bed.Authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind == AuditKinds.ProposalMade).ExecuteDeleteAsync(None), None),
        };

        // Not even by who proposed it, of whom the row knows nothing any more.
        var (status, refused) = await bed.Bed.PostAsync($"proposals/{Text(proposal, "id")}/approve", changed == "proposer" ? bed.Olga : bed.Oskar);
        Assert.Equal(409, status);
        Assert.StartsWith("The proposal is not what was proposed", Text(refused, "detail"), StringComparison.Ordinal);
        Assert.Equal("offered", Text((await bed.Bed.GetAsync("profiles/client", bed.Arno)).Body, "state"));
    }

    [SkippableFact]
    public async Task A_proposal_is_carried_out_once_and_not_after_its_time_nor_after_it_was_withdrawn()
    {
        await using var bed = await DecisionBed.StartAsync(kind, o => o.Operators.ProposalLifetime = TimeSpan.FromHours(1));
        var done = (await bed.Bed.PostAsync("profiles/client/withdraw", bed.Olga)).Body;
        Assert.Equal(200, (await bed.Bed.PostAsync($"proposals/{Text(done, "id")}/approve", bed.Oskar)).Status);
        var (again, twice) = await bed.Bed.PostAsync($"proposals/{Text(done, "id")}/approve", bed.Karl);
        Assert.Equal(409, again);
        Assert.StartsWith("The proposal was carried out at", Text(twice, "detail"), StringComparison.Ordinal);

        var taken = (await bed.Bed.PostAsync("profiles/client/offer", bed.Olga)).Body;
        Assert.Equal(403, (await bed.Bed.PostAsync($"proposals/{Text(taken, "id")}/withdraw", bed.Oskar)).Status);
        Assert.Equal("withdrawn", Text((await bed.Bed.PostAsync($"proposals/{Text(taken, "id")}/withdraw", bed.Olga)).Body, "status"));
        Assert.StartsWith("The proposal was withdrawn at", Text((await bed.Bed.PostAsync($"proposals/{Text(taken, "id")}/approve", bed.Oskar)).Body, "detail"), StringComparison.Ordinal);

        var late = (await bed.Bed.PostAsync("profiles/client/offer", bed.Olga)).Body;
        bed.Authority.Clock.Ahead += TimeSpan.FromHours(2);
        Assert.StartsWith("The proposal expired at", Text((await bed.Bed.PostAsync($"proposals/{Text(late, "id")}/approve", bed.Oskar)).Body, "detail"), StringComparison.Ordinal);
        Assert.Equal("withdrawn", Text((await bed.Bed.GetAsync("profiles/client", bed.Arno)).Body, "state"));
        Assert.Equal(["expired", "withdrawn", "done"], (await bed.Bed.GetAsync("proposals", bed.Arno)).Body["items"]!.AsArray().Select(p => Text(p!, "status")));
        foreach (var status in new[] { "expired", "withdrawn", "done" })
        {
            Assert.Equal(status, Text(Assert.Single((await bed.Bed.GetAsync("proposals?status=" + status, bed.Arno)).Body["items"]!.AsArray())!, "status"));
        }
    }

    [SkippableFact]
    public async Task A_proposal_that_was_changed_in_the_database_is_not_carried_out()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var proposal = (await bed.Bed.PostAsync("profiles/client/withdraw", bed.Olga)).Body;
        await bed.Authority.Store.ReadAsync(db => db.OperatorProposals.ExecuteUpdateAsync(s => s.SetProperty(p => p.Subject, "profile:server"), None), None);
        var (status, refused) = await bed.Bed.PostAsync($"proposals/{Text(proposal, "id")}/approve", bed.Oskar);
        Assert.Equal(409, status);
        Assert.StartsWith("The proposal is not what was proposed", Text(refused, "detail"), StringComparison.Ordinal);
        Assert.Equal("offered", Text((await bed.Bed.GetAsync("profiles/server", bed.Arno)).Body, "state"));
    }

    [SkippableFact]
    public async Task A_stopped_issuer_signs_nothing_and_what_waits_goes_on_when_two_let_it_sign_again()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        using var client = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(client, "a.test", PersistDialect.Draft02);
        var open = await client.ReadyOrderAsync("dns-persist-01", "a.test");
        var issuer = Text((await bed.Bed.GetAsync("issuers", bed.Arno)).Body["items"]![0]!, "id");

        // Whoever sees that something is wrong stops it alone.
        Assert.Equal(200, (await bed.Bed.PostAsync($"issuers/{issuer}/stop", bed.Olga, """{"comment":"odd serials"}""")).Status);
        Assert.Equal("stopped", Text((await bed.Bed.GetAsync("issuers/" + issuer, bed.Arno)).Body, "state"));
        var refused = await Assert.ThrowsAsync<AcmeRefusedException>(() => client.OrderAsync(["b.test"], None));
        Assert.Equal((503, "serverInternal"), (refused.Answer.Status, refused.Answer.Problem));
        Assert.Equal(300, refused.Answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds);

        var (csr, key) = RunningAuthority.Csr("a.test");
        using var _ = key;
        var finalize = new JsonObject { ["csr"] = System.Buffers.Text.Base64Url.EncodeToString(csr) }.ToJsonString();
        Assert.Equal("processing", Text((await client.PostAsync(Text(open.Json, "finalize"), finalize, None)).Json, "status"));
        Assert.Equal("stopped", Text((await bed.Bed.GetAsync("issuers/" + issuer, bed.Arno)).Body, "state"));

        await bed.AgreeAsync($"issuers/{issuer}/resume");
        Assert.Equal("valid", Text((await client.PollAsync(open.Location!, ["processing"], TimeProvider.System, None)).Json, "status"));
    }

    [SkippableFact]
    public async Task A_token_for_a_custodian_opens_nothing_until_another_custodian_approves()
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        var (status, made) = await bed.Bed.PostAsync("tokens", bed.Karl, """{"name":"kurt","role":"custodian","days":30}""");
        Assert.Equal(202, status);
        var secret = Text(made, "secret");
        Assert.Equal(401, (await bed.Bed.GetAsync("tokens", secret)).Status);
        var approve = $"proposals/{Text(made["proposal"]!, "id")}/approve";
        Assert.Equal(403, (await bed.Bed.PostAsync(approve, bed.Olga)).Status);
        Assert.Equal(403, (await bed.Bed.PostAsync(approve, bed.Karl)).Status);
        Assert.Equal(200, (await bed.Bed.PostAsync(approve, bed.Kira)).Status);
        Assert.Equal(200, (await bed.Bed.GetAsync("tokens", secret)).Status);
        var kurt = (await bed.Bed.GetAsync("tokens", bed.Arno)).Body["items"]!.AsArray().Single(t => Text(t!, "name") == "kurt");
        Assert.Equal(("custodian", "karl"), (Text(kurt!, "role"), Text(kurt!, "madeBy")));
    }

    [SkippableFact]
    public async Task Where_no_second_is_demanded_one_operator_decides()
    {
        await using var bed = await DecisionBed.StartAsync(kind, o => o.Operators.SecondApprover = ["none"]);
        var (status, done) = await bed.Bed.PostAsync("profiles/client/withdraw", bed.Olga);
        Assert.Equal((200, "done"), (status, Text(done, "status")));
        Assert.Null(done["approver"]);
        Assert.Equal(200, (await bed.Bed.PostAsync("tokens", bed.Karl, """{"name":"kurt","role":"custodian","days":30}""")).Status);
    }

    [SkippableTheory]
    [InlineData("profiles/nonsense/withdraw", 404)]
    [InlineData("profiles/server-cabf/withdraw", 409)]
    [InlineData("profiles/client/offer", 409)]
    [InlineData("issuers/nonsense/stop", 404)]
    [InlineData("accounts/AAAAAAAAAAAAAAAA/resume", 404)]
    [InlineData("accounts/AAAAAAAAAAAAAAAA/restrict", 404)]
    public async Task What_cannot_be_carried_out_is_not_proposed(string path, int expected)
    {
        await using var bed = await DecisionBed.StartAsync(kind);
        Assert.Equal(expected, (await bed.Bed.PostAsync(path, bed.Olga)).Status);
        Assert.Empty((await bed.Bed.GetAsync("proposals", bed.Olga)).Body["items"]!.AsArray());
    }
}

public sealed class SqliteDecisionTests() : DecisionTests(StoreKind.Sqlite);

public sealed class PostgreSqlDecisionTests() : DecisionTests(StoreKind.PostgreSql);

/// <summary>Which kinds need two where the configuration says nothing.</summary>
public sealed class SecondApproverTests
{
    [Fact]
    public void Everything_but_stopping_an_issuer_needs_two_unless_said()
    {
        Assert.Equal(["issuer.stop"], DecisionKinds.All.Where(k => !k.UnlessSaid).Select(k => k.Word));
        Assert.All(DecisionKinds.All, k => Assert.DoesNotContain(OperatorRole.Auditor, k.Proposers.Concat(k.Approvers)));
    }

    [Fact]
    public void An_unknown_kind_stops_the_start() =>
        Assert.Equal("Operators:SecondApprover", Assert.Single(OperatorRules.Check(new OperatorOptions { SecondApprover = ["profile.withdraw", "profile.nonsense"] })).Key);
}
