using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Tests.Perspectives;

/// <summary>The quorum of BR section 3.2.2.9 with six perspectives on loopback that lie, contradict or keep silent, asked over mutual TLS.</summary>
public sealed class QuorumOverTheNetworkTests(PerspectiveBed bed) : IClassFixture<PerspectiveBed>
{
    private const string Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    private static readonly AccountFacts Account = new("acct1", "https://ca.example/acct/1", [Thumbprint], IsValid: true);

    /// <summary>What a perspective that does not corroborate does.</summary>
    public enum Fault
    {
        RecordGone,
        OtherAccount,
        ResolverSilent,
        CaaForbids,
        PerspectiveSilent,
    }

    public static TheoryData<int, int, Fault> Combinations
    {
        get
        {
            var all = new TheoryData<int, int, Fault>();
            foreach (var (remotes, misses) in from r in new[] { 4, 5, 6 } from m in new[] { 0, 1, 2, 3 } select (r, m))
            {
                foreach (var fault in misses == 0 ? [Fault.RecordGone] : Enum.GetValues<Fault>())
                {
                    all.Add(remotes, misses, fault);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task So_many_may_miss_as_the_table_allows_and_the_evidence_tells_of_each(int remotes, int misses, Fault fault)
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        Publish(primary, name, Account.Url);
        for (var i = 0; i < remotes; i++)
        {
            Publish(bed.Zones[i], name, Account.Url);
            if (i >= remotes - misses)
            {
                Spoil(bed.Zones[i], name, fault);
            }
        }

        var result = await ValidateAsync(primary, name, remotes, o =>
        {
            foreach (var p in o.Validation.Perspectives.TakeLast(fault == Fault.PerspectiveSilent ? misses : 0))
            {
                p.Url = bed.SilentUrl;
                o.Validation.PerspectiveDeadline = TimeSpan.FromMilliseconds(700);
            }
        });

        var evidence = result.Evidence;
        Assert.Equal(misses <= (remotes == 6 ? 2 : 1), result.IsValid);
        Assert.Equal($"{remotes - misses}/{remotes}", evidence.Quorum?.Text);
        Assert.Equal((result.IsValid, "cabf-br"), (evidence.Quorum!.Satisfied, evidence.Quorum.Regime));
        Assert.Equal(Enumerable.Range(0, remotes).Select(i => $"p{i}"), evidence.Perspectives!.Select(p => p.Id));
        var missed = fault is Fault.ResolverSilent or Fault.PerspectiveSilent ? PerspectiveFinding.Failed : PerspectiveFinding.Differs;
        Assert.Equal(
            Enumerable.Range(0, remotes).Select(i => (i < remotes - misses ? PerspectiveFinding.Corroborates : missed).ToString()), evidence.Perspectives!.Select(p => p.Finding));
        Assert.All(evidence.Perspectives!.Take(remotes - misses), p => Assert.Equal((Account.Url, "NoRecords", true), (p.Account, p.Caa, p.OwnOpinion)));
        if (!result.IsValid)
        {
            Assert.Equal(missed == PerspectiveFinding.Failed ? "dns" : "unauthorized", result.Problem!.Type.Name);
            Assert.Contains($"{remotes - misses} of {remotes} remote perspectives", result.Problem.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain("127.0.0.1", result.Problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Perspectives_in_one_region_are_not_enough_however_many_agree()
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        Publish(primary, name, Account.Url);
        bed.Zones.ForEach(z => Publish(z, name, Account.Url));

        var result = await ValidateAsync(primary, name, 6, o => o.Validation.Perspectives.ForEach(p => p.Region = "arin"));

        Assert.False(result.IsValid);
        Assert.Equal(("6/6", "TooFewRegions"), (result.Evidence.Quorum?.Text, result.Evidence.Quorum?.Reason));
        Assert.Equal("serverInternal", result.Problem?.Type.Name);
    }

    [Fact]
    public async Task Those_in_the_second_region_must_be_among_those_that_corroborate()
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        Publish(primary, name, Account.Url);
        bed.Zones.SkipLast(1).ToList().ForEach(z => Publish(z, name, Account.Url));

        var result = await ValidateAsync(primary, name, 6, o => o.Validation.Perspectives.SkipLast(1).ToList().ForEach(p => p.Region = "arin"));

        Assert.Equal(("5/6", "TooFewRegions"), (result.Evidence.Quorum?.Text, result.Evidence.Quorum?.Reason));
    }

    [Fact]
    public async Task The_same_account_under_another_accounturi_does_not_corroborate()
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        Publish(primary, name, Account.Url);
        var hashed = HashedAccountUri.Compute("https://ca.example/acme/account-hash/", name, Thumbprint, Account.Url);
        bed.Zones.ForEach(z => Publish(z, name, hashed));

        var result = await ValidateAsync(primary, name, 5);

        Assert.False(result.IsValid);
        Assert.Equal("0/5", result.Evidence.Quorum?.Text);
        Assert.All(result.Evidence.Perspectives!, p => Assert.Contains($"not as {Account.Url}", p.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_record_that_fits_beside_others_corroborates_whichever_wins_there()
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        Publish(primary, name, Account.Url);
        var hashed = HashedAccountUri.Compute("https://ca.example/acme/account-hash/", name, Thumbprint, Account.Url);
        bed.Zones.ForEach(z => Publish(z, name, hashed, Account.Url, "https://ca.example/acct/2"));

        Assert.True((await ValidateAsync(primary, name, 5)).IsValid);
    }

    [Theory]
    [InlineData(ChallengeType.Dns01)]
    [InlineData(ChallengeType.DnsAccount01)]
    public async Task A_digest_must_be_seen_by_the_perspectives_too(ChallengeType type)
    {
        var name = bed.Fresh();
        var attempt = new ChallengeAttempt(Identifier.Of(name), "token", Account);
        var owner = type == ChallengeType.Dns01 ? "_acme-challenge." + name : DnsAccount01Validator.OwnerName(Account.Url, name);
        using var primary = LoopbackZone.Start();
        primary.SetTxt(owner, Dns01Validator.RecordValue(attempt.KeyAuthorization));
        bed.Zones.SkipLast(2).ToList().ForEach(z => z.SetTxt(owner, "another", Dns01Validator.RecordValue(attempt.KeyAuthorization)));

        var seen = await ValidateAsync(primary, attempt, type, 5);
        var unseen = await ValidateAsync(primary, attempt, type, 6, o => o.Validation.Perspectives[0].Url = bed.SilentUrl);

        Assert.Equal((true, "4/5"), (seen.IsValid, seen.Evidence.Quorum?.Text));
        Assert.Equal((false, "3/6"), (unseen.IsValid, unseen.Evidence.Quorum?.Text));
    }

    [Fact]
    public async Task Nobody_is_asked_when_the_primary_sees_no_proof()
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        bed.Zones.ForEach(z => Publish(z, name, Account.Url));

        var result = await ValidateAsync(primary, name, 4);

        Assert.False(result.IsValid);
        Assert.Null(result.Evidence.Quorum);
        Assert.All(bed.Zones, z => Assert.DoesNotContain(z.Queries, q => q.Owner.EndsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_perspective_with_another_certificate_than_the_pinned_one_is_not_believed()
    {
        var name = bed.Fresh();
        using var primary = LoopbackZone.Start();
        Publish(primary, name, Account.Url);
        bed.Zones.ForEach(z => Publish(z, name, Account.Url));

        var result = await ValidateAsync(primary, name, 4, o =>
        {
            o.Validation.Perspectives[0].Fingerprint = PerspectiveBed.Fingerprint(bed.ServerFile);
            o.Validation.Perspectives[1].Fingerprint = new string('0', 64);
        });

        Assert.Equal(("3/4", true), (result.Evidence.Quorum?.Text, result.IsValid));
        Assert.Equal("Failed", result.Evidence.Perspectives![1].Finding);
    }

    private static void Publish(LoopbackZone zone, string name, params string[] accounts) =>
        zone.SetTxt("_validation-persist." + name, [.. accounts.Select(a => $"ca.example; accounturi={a}")]);

    private static void Spoil(LoopbackZone zone, string name, Fault fault)
    {
        switch (fault)
        {
            case Fault.RecordGone:
                zone.ClearTxt("_validation-persist." + name);
                break;
            case Fault.OtherAccount:
                Publish(zone, name, "https://ca.example/acct/2");
                break;
            case Fault.ResolverSilent:
                zone.Drop("_validation-persist." + name);
                break;
            case Fault.CaaForbids:
                zone.SetCaa(name, new Protocol.Caa.CaaRecord(0, "issue", "other.example").ToRdata());
                break;
            default:
                break;
        }
    }

    private Task<ChallengeResult> ValidateAsync(LoopbackZone primary, string name, int remotes, Action<PersistCaOptions>? change = null) =>
        ValidateAsync(primary, new ChallengeAttempt(Identifier.Of(name), "", Account), ChallengeType.DnsPersist01, remotes, change);

    private async Task<ChallengeResult> ValidateAsync(
        LoopbackZone primary, ChallengeAttempt attempt, ChallengeType type, int remotes, Action<PersistCaOptions>? change = null)
    {
        var options = bed.Options(primary);
        options.Authority.IssuerNames = ["ca.example"];
        options.Authority.AccountHashPrefix = "https://ca.example/acme/account-hash/";
        options.Validation.Persist.Dialects = ["draft-01", "draft-02"];
        options.Validation.Persist.Ancestors = false;
        options.Validation.Dns.SharedOwnerGrace = TimeSpan.Zero;
        bed.Ask(options, remotes);
        change?.Invoke(options);
        var policy = AuthorityRegistration.Policy(options);
        var validators = AuthorityRegistration.Validators(options, policy, DnsSetup.Create(options.Validation.Dns, policy, bed.Clock), bed.Clock);
        using var panel = PerspectiveSetup.Create(options, policy, bed.Clock)!;
        return await MultiPerspectiveValidator.Over(validators, panel, bed.Clock).For(type).ValidateAsync(attempt, CancellationToken.None);
    }
}
