using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Tests.Dnssec;

/// <summary>What our own validation makes of zones that are right, wrong, unsigned, or an attack.</summary>
public sealed class ChainOfTrustTests
{
    private readonly FakeTimeProvider time = new(SignedWorld.Now);
    private readonly SignedWorld world = new();
    private readonly WorldZone root;
    private readonly WorldZone zone;

    public ChainOfTrustTests()
    {
        (root, zone) = (new WorldZone("."), Filled(new WorldZone("example")));
        root.Delegate(zone);
        world.Zones.AddRange([root, zone]);
    }

    private static WorldZone Filled(WorldZone zone)
    {
        var name = zone.Name.Text;
        return zone.With("www." + name, 16, 1, (byte)'x').With("deep.empty." + name, 16, 1, (byte)'x').With("*.any." + name, 16, 1, (byte)'w').Alias("alias." + name, "www." + name);
    }

    private async Task<TrustState> StateAsync(string name) => (await world.AskAsync(name, time)).State;

    private async Task BogusAsync(string name, string reason)
    {
        var trust = await world.AskAsync(name, time);
        Assert.Equal(TrustState.Bogus, trust.State);
        Assert.Contains(reason, trust.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    public async Task Answers_signed_by_each_known_algorithm_are_secure(int algorithm)
    {
        var other = Filled(new WorldZone("other", algorithm));
        root.Delegate(other);
        world.Zones.Add(other);

        foreach (var name in new[] { "www.other", "none.other", "empty.other", "a.any.other", "alias.other" })
        {
            var trust = await world.AskAsync(name, time);
            Assert.True(trust.State == TrustState.Secure, $"{name}: {trust}");
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(50)]
    public async Task Absence_is_proved_by_nsec_and_by_nsec3(int? rounds)
    {
        zone.Nsec3Iterations = rounds;

        foreach (var name in new[] { "none.example", "a.b.none.example", "empty.example", "any.example", "a.any.example", "a.b.any.example", "example" })
        {
            var trust = await world.AskAsync(name, time);
            Assert.True(trust.State == TrustState.Secure, $"{name}: {trust}");
        }
    }

    [Fact]
    public async Task More_rounds_of_nsec3_than_the_limit_make_absence_insecure_and_answers_not()
    {
        zone.Nsec3Iterations = 51;

        Assert.Equal(TrustState.Insecure, await StateAsync("none.example"));
        Assert.Equal(TrustState.Secure, await StateAsync("www.example"));
        world.Limits = new ChainLimits { MaxNsec3Iterations = 51 };
        Assert.Equal(TrustState.Secure, await StateAsync("none.example"));
    }

    [Fact]
    public async Task Under_opt_out_what_does_not_exist_may_be_a_zone_that_is_not_signed()
    {
        (zone.Nsec3Iterations, zone.OptOut) = (0, true);
        var child = Filled(new WorldZone("child.example") { IsSigned = false });
        zone.Delegate(child, secure: false);
        world.Zones.Add(child);

        Assert.Equal(TrustState.Insecure, await StateAsync("www.child.example"));
        Assert.Equal(TrustState.Insecure, await StateAsync("none.example"));
        Assert.Equal(TrustState.Secure, await StateAsync("www.example"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public async Task A_delegation_without_ds_is_proven_insecure_whether_its_zone_is_signed_or_not(int? rounds)
    {
        zone.Nsec3Iterations = rounds;
        foreach (var signed in new[] { true, false })
        {
            var child = Filled(new WorldZone($"child{signed}.example") { IsSigned = signed });
            zone.Delegate(child, secure: false);
            world.Zones.Add(child);
            Assert.Equal(TrustState.Insecure, await StateAsync($"www.child{signed}.example"));
            Assert.Equal(TrustState.Insecure, await StateAsync($"none.child{signed}.example"));
        }
    }

    [Fact]
    public async Task A_zone_whose_digests_and_algorithms_nobody_here_knows_counts_as_not_signed()
    {
        var child = Filled(new WorldZone("child.example", algorithm: 5));
        zone.Delegate(child);
        world.Zones.Add(child);

        Assert.Equal(TrustState.Insecure, await StateAsync("www.child.example"));
    }

    [Fact]
    public async Task An_alias_is_as_secure_as_its_weakest_link()
    {
        var child = Filled(new WorldZone("child.example") { IsSigned = false });
        zone.Delegate(child, secure: false).Alias("out.example", "www.child.example").Alias("back.any.example", "www.example");
        child.Alias("in.child.example", "www.example");
        world.Zones.Add(child);

        Assert.Equal(TrustState.Secure, await StateAsync("back.any.example"));
        Assert.Equal(TrustState.Insecure, await StateAsync("out.example"));
        Assert.Equal(TrustState.Insecure, await StateAsync("in.child.example"));
        zone.To = SignedWorld.Now.AddSeconds(-1);
        (world.Cache, zone.IsSigned) = (null, true);
        Assert.Equal(TrustState.Bogus, await StateAsync("in.child.example"));
    }

    [Fact]
    public async Task Signatures_count_within_their_time_to_the_second()
    {
        world.Limits = new ChainLimits { CacheTime = TimeSpan.Zero };
        (zone.From, zone.To) = (SignedWorld.Now, SignedWorld.Now.AddHours(1));
        Assert.Equal(TrustState.Secure, await StateAsync("www.example"));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TrustState.Secure, await StateAsync("www.example"));
        time.Advance(TimeSpan.FromSeconds(1));
        await BogusAsync("www.example", "expired at 2026-11-24T13:00:00Z");
        zone.From = SignedWorld.Now.AddDays(1);
        zone.To = SignedWorld.Now.AddDays(2);
        await BogusAsync("www.example", "is not valid before 2026-11-25T12:00:00Z");
    }

    [Fact]
    public async Task What_was_changed_on_the_way_is_bogus()
    {
        world.Tamper = m => m with { Answers = [.. m.Answers.Select(r => r.Type == 16 ? r with { Data = new byte[] { 1, (byte)'y' } } : r)] };
        await BogusAsync("www.example", "the signature over type 16 at www.example is wrong");

        world.Tamper = m => m with { Answers = [.. m.Answers.Where(r => r.Type != 46)] };
        world.Cache = null;
        await BogusAsync("www.example", "has no signature");

        world.Tamper = m => m with { Authorities = [] };
        world.Cache = null;
        await BogusAsync("none.example", "neither tells of keys of none.example nor proves that there are none");
    }

    [Fact]
    public async Task Absence_of_what_exists_cannot_be_shown_with_true_records_of_the_zone()
    {
        // All NSEC records of the zone, signed as they should be, and the answer taken away.
        world.Tamper = m => m.Answers.Any(r => r.Type == 16) ? m with { Answers = [], Authorities = [.. zone.Denials()], ResponseCode = 0 } : m;
        foreach (var rounds in new int?[] { null, 1 })
        {
            zone.Nsec3Iterations = rounds;
            await BogusAsync("www.example", "do not prove that www.example has no type 16");
            await BogusAsync("a.any.example", "do not prove");
        }
    }

    [Fact]
    public async Task The_zone_above_cannot_deny_what_lies_under_a_delegation()
    {
        var above = root.Denials().ToImmutableArray();
        world.Tamper = m => m.Answers.Any(r => r.Type == 16) ? m with { Answers = [], Authorities = above, ResponseCode = 3 } : m;

        await BogusAsync("www.example", "do not prove that www.example does not exist");
    }

    [Fact]
    public async Task A_wildcard_answers_only_for_names_that_are_proved_not_to_exist()
    {
        world.Tamper = m => m.Answers.Any(r => r.Type == 16) ? m with { Authorities = [] } : m;

        await BogusAsync("a.any.example", "is answered by a wildcard");
    }

    [Fact]
    public async Task A_ds_that_fits_no_key_is_bogus_and_so_is_a_zone_that_is_not_signed_under_one()
    {
        var (wrong, stripped) = (Filled(new WorldZone("wrong.example")), Filled(new WorldZone("stripped.example") { IsSigned = false }));
        zone.Delegate(wrong, other: DelegationRecord.For(wrong.Name, new ZoneKey(13).Record)).Delegate(stripped);
        world.Zones.AddRange([wrong, stripped]);

        await BogusAsync("www.wrong.example", "no key of wrong.example is one that its DS records or the trust anchor tell of");
        await BogusAsync("www.stripped.example", "stripped.example has no keys although it should be signed");
    }

    [Fact]
    public async Task A_revoked_key_signs_nothing()
    {
        zone.Keys.Clear();
        zone.Keys.Add(new ZoneKey(13, flags: 257 | 128));
        root.Records.Remove((zone.Name, 43));
        root.Records.Remove((zone.Name, 2));
        root.Delegate(zone);

        await BogusAsync("www.example", "no key of example has made the signature");
    }

    [Fact]
    public async Task Keys_times_signatures_are_bounded()
    {
        // KeyTrap: many signatures, each wrong, by the tag of a key that exists.
        world.Tamper = m => m.Answers.Any(r => r.Type == 16)
            ? m with { Answers = [.. m.Answers.Where(r => r.Type != 46), .. Enumerable.Range(0, 300).Select(i => Wrong(m.Answers.First(r => r.Type == 46), i))] }
            : m;

        await BogusAsync("www.example", "more than 128 signatures would have to be checked");
        Assert.Equal(128, world.Budget!.SignatureChecks);

        static DnsMessageRecord Wrong(DnsMessageRecord right, int i)
        {
            var data = right.Data.ToArray();
            (data[^1], data[^2]) = ((byte)i, (byte)~data[^2]);
            return right with { Data = data };
        }
    }

    [Fact]
    public async Task Keys_and_look_ups_are_bounded()
    {
        world.Limits = new ChainLimits { MaxLookups = 2 };
        await BogusAsync("www.example", "more than 2 look-ups would be needed");
        Assert.Equal(2, world.Asked.Count);

        (world.Limits, world.Cache) = (new ChainLimits { MaxKeys = 3 }, null);
        zone.Keys.AddRange([new ZoneKey(13), new ZoneKey(13), new ZoneKey(13)]);
        await BogusAsync("www.example", "has 4 keys, at most 3 are looked at");
    }

    [Fact]
    public async Task A_link_that_cannot_be_looked_up_leaves_everything_unknown()
    {
        world.IsDead = (name, type) => type == 43;

        var trust = await world.AskAsync("www.example", time);

        Assert.Equal((TrustState.Unknown, "looking up DS example failed: no answer came in time"), (trust.State, trust.Reason));
    }

    [Fact]
    public async Task Keys_and_delegations_are_kept_within_their_time_to_live_and_nothing_else()
    {
        await StateAsync("www.example");
        var cold = world.Asked.Count;
        await StateAsync("www.example");
        Assert.Equal((3, 3), (cold, world.Asked.Count));

        time.Advance(TimeSpan.FromSeconds(61));
        await StateAsync("www.example");
        Assert.Equal(6, world.Asked.Count);
        Assert.All(world.Asked, a => Assert.Matches("^(43|48) ", a));
    }

    [Fact]
    public void The_cache_is_bounded()
    {
        var cache = new ChainCache(new ChainLimits { CacheEntries = 10, CacheTime = TimeSpan.FromMinutes(1) }, time);
        for (var i = 0; i < 100; i++)
        {
            cache.Keep(CanonicalName.FromText($"n{i}.example")!, 43, this, TimeSpan.FromDays(1));
            Assert.InRange(cache.Count, 1, 10);
        }

        Assert.NotNull(cache.Find<ChainOfTrustTests>(CanonicalName.FromText("n99.example")!, 43));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(cache.Find<ChainOfTrustTests>(CanonicalName.FromText("n99.example")!, 43));
    }

    [Fact]
    public async Task A_declared_island_is_insecure_without_a_proof()
    {
        world.Islands.Add("example");

        var found = await world.Chain(time).ToAsync(CanonicalName.FromText("www.example")!, default);

        Assert.Equal((TrustState.Insecure, true), (found.State, found.IsDeclared));
        Assert.Empty(world.Asked);
    }

    [Theory]
    [InlineData(". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D", ".", null)]
    [InlineData("corp.example. 3600 IN DS 1 13 2 E06D44B80B8F1D39A95C0B0D7C65D084 58E880409BBC683457104237C7F8EC8D", "corp.example", null)]
    [InlineData("corp.example DS 1 13 2 E06D", null, "the digest has not the length of its type")]
    [InlineData("corp.example DS 1 5 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D", null, "algorithm 5 or digest type 2 is not known here")]
    [InlineData("corp.example DS 1 13 1 E06D44B80B8F1D39A95C0B0D7C65D08458E88040", null, "digest type 1 is not known here")]
    [InlineData("corp.example DS x 13 2 AA", null, "three numbers were expected")]
    [InlineData("corp.example DS 1 13 2 XX", null, "neither hexadecimal")]
    [InlineData("corp.example DNSKEY 128 3 13 AAAA", null, "not one of a zone")]
    [InlineData("corp..example DS 1 13 2 AA", null, "is not a zone")]
    [InlineData("corp.example", null, "expected")]
    public void Anchors_are_read_as_zone_files_write_them(string text, string? zoneName, string? reason)
    {
        var read = TrustAnchors.Check(text);

        Assert.Equal(zoneName, read.Value);
        Assert.Contains(reason ?? "", read.Reason ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void The_keys_of_the_root_are_built_in_and_give_way()
    {
        Assert.Equal([20326, 38696], TrustAnchors.Create([], []).Value!.All.Single().Keys.Select(k => k.KeyTag));
        Assert.Equal([1], TrustAnchors.Create([TrustAnchors.Root[0].Replace("20326", "1", StringComparison.Ordinal)], []).Value!.All.Single().Keys.Select(k => k.KeyTag));
        Assert.Empty(TrustAnchors.Create([], ["."]).Value!.All);
        Assert.Contains("has a trust anchor", TrustAnchors.Create([TrustAnchors.Root[0]], ["."]).Reason, StringComparison.Ordinal);
    }
}
