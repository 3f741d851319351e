using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Validation.Dns;

namespace PersistCa.Conformance.Dnssec;

/// <summary>What we find ourselves of zones that Knot signed, right or wrong, through resolvers whose word counts for nothing.</summary>
public sealed class OwnValidationTests(SignedTree tree) : IClassFixture<SignedTree>
{
    [SkippableTheory]
    [InlineData("www.secure.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("none.secure.test", DnsStatus.NxDomain, DnsSecurity.Secure)]
    [InlineData("ns.secure.test", DnsStatus.NoData, DnsSecurity.Secure)]
    [InlineData("x.wild.secure.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("wild.secure.test", DnsStatus.NoData, DnsSecurity.Secure)]
    [InlineData("www.nsec3.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("none.nsec3.test", DnsStatus.NxDomain, DnsSecurity.Secure)]
    [InlineData("ns.nsec3.test", DnsStatus.NoData, DnsSecurity.Secure)]
    [InlineData("x.wild.nsec3.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("safe.secure.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("alias.secure.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("www.insecure.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("none.insecure.test", DnsStatus.NxDomain, DnsSecurity.Insecure)]
    [InlineData("www.nods.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("www.bogus.test", DnsStatus.Bogus, DnsSecurity.Bogus)]
    [InlineData("none.bogus.test", DnsStatus.Bogus, DnsSecurity.Bogus)]
    [InlineData("www.stripped.test", DnsStatus.Bogus, DnsSecurity.Bogus)]
    [InlineData("none.stripped.test", DnsStatus.Bogus, DnsSecurity.Bogus)]
    public async Task A_zone_is_as_secure_as_we_find_it_whatever_the_resolver_says(string name, DnsStatus status, DnsSecurity security)
    {
        await tree.StartAsync();

        // One that validates, one that has no anchor, one that takes all signatures for expired: with CD they give the same.
        foreach (var resolver in new[] { tree.Resolver, tree.CarelessResolver, tree.LateResolver })
        {
            var answer = await tree.Validating(resolver).AskAsync(name, DnsRecordKind.Txt, CancellationToken.None);

            Assert.True((status, security) == (answer.Status, answer.Security), $"{answer.Status} {answer.Security} {answer.Reason} {answer.SecurityReason}");
            Assert.Equal(status == DnsStatus.Answered, !answer.Records.IsEmpty);
            Assert.Equal(security == DnsSecurity.Secure, answer.SecurityReason is null);
            if (security == DnsSecurity.Bogus)
            {
                var detail = DnsProblem.For(answer).Detail;
                Assert.Contains("signatures are not valid (bogus), and such an answer is never used: ", detail, StringComparison.Ordinal);
                Assert.DoesNotContain("127.0.0.1", detail, StringComparison.Ordinal);
            }
        }
    }

    [SkippableTheory]
    [InlineData("www.secure.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("none.nsec3.test", DnsStatus.NxDomain, DnsSecurity.Secure)]
    [InlineData("www.insecure.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("www.bogus.test", DnsStatus.Bogus, DnsSecurity.Bogus)]
    public async Task An_authority_can_be_asked_itself(string name, DnsStatus status, DnsSecurity security)
    {
        await tree.StartAsync();

        var answer = await tree.Validating(tree.Authority).AskAsync(name, DnsRecordKind.Txt, CancellationToken.None);

        Assert.True((status, security) == (answer.Status, answer.Security), $"{answer.Status} {answer.Security} {answer.Reason}");
    }

    [SkippableTheory]
    [InlineData(365 * 50, "expired at ")]
    [InlineData(-365, "is not valid before ")]
    public async Task Signatures_are_judged_by_our_clock_and_the_problem_says_when(int days, string words)
    {
        await tree.StartAsync();
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(days));

        var answer = await tree.Validating(tree.Resolver, time: clock).AskAsync("www.secure.test", DnsRecordKind.Txt, CancellationToken.None);

        Assert.Equal((DnsStatus.Bogus, DnsSecurity.Bogus), (answer.Status, answer.Security));
        Assert.Contains(words, DnsProblem.For(answer).Detail, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_declared_island_is_not_checked_and_a_nearer_anchor_makes_it_checked_again()
    {
        await tree.StartAsync();
        Task<DnsAnswer> AskAsync(string name, params string[] islands) =>
            tree.Validating(tree.Resolver, o => o with { InsecureZones = [".", .. islands] }).AskAsync(name, DnsRecordKind.Txt, CancellationToken.None);

        var island = await AskAsync("www.bogus.test", "bogus.test");
        Assert.Equal((DnsStatus.Answered, DnsSecurity.Insecure), (island.Status, island.Security));
        Assert.Contains("is declared not to be signed", island.SecurityReason, StringComparison.Ordinal);
        Assert.Equal(DnsSecurity.Secure, (await AskAsync("www.secure.test", "bogus.test")).Security);
        Assert.Equal(DnsSecurity.Bogus, (await AskAsync("www.bogus.test", "secure.test")).Security);
    }

    [SkippableFact]
    public async Task Where_security_is_demanded_what_is_proven_unsigned_does_not_do()
    {
        await tree.StartAsync();
        var resolver = tree.Validating(tree.Resolver, o => o with { RequireSecure = true, InsecureZones = ["insecure.test"], TrustAnchors = [tree.Anchor, tree.Anchor.Replace("test. ", ". ", StringComparison.Ordinal)] });

        Assert.Equal(DnsStatus.Answered, (await resolver.AskAsync("www.secure.test", DnsRecordKind.Txt, CancellationToken.None)).Status);
        Assert.Equal(DnsStatus.NotSecure, (await resolver.AskAsync("www.nods.test", DnsRecordKind.Txt, CancellationToken.None)).Status);
        Assert.Equal(DnsStatus.NotSecure, (await resolver.AskAsync("alias.secure.test", DnsRecordKind.Txt, CancellationToken.None)).Status);
        Assert.Equal(DnsStatus.Answered, (await resolver.AskAsync("www.insecure.test", DnsRecordKind.Txt, CancellationToken.None)).Status);
    }

    [SkippableFact]
    public async Task The_self_test_wants_signatures_and_keys_that_fit_the_anchor()
    {
        await tree.StartAsync();
        Task<string?> TestAsync(Func<DnsOptions, DnsOptions>? change = null, TimeProvider? time = null) =>
            DnssecSelfTest.RunAsync(tree.Validating(tree.Resolver, change, time), time ?? TimeProvider.System, CancellationToken.None);

        Assert.Null(await TestAsync());
        Assert.Contains("gives none that fit the trust anchor", await TestAsync(o => o with { TrustAnchors = [tree.Anchor[..^8] + "00000000"] }), StringComparison.Ordinal);
        Assert.Contains("returns no signatures (RRSIG)", await TestAsync(o => o with { TrustAnchors = [tree.Anchor.Replace("test. ", "insecure.test. ", StringComparison.Ordinal)] }), StringComparison.Ordinal);
        Assert.Contains("expired at", await TestAsync(time: new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddYears(50))), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("www.insecure.test", 1, DnsSecurity.Insecure)]
    [InlineData("www.secure.test", 1, DnsSecurity.NotChecked)]
    [InlineData("www.bogus.test", 1, DnsSecurity.NotChecked)]
    [InlineData("www.insecure.test", 0, DnsSecurity.Insecure)]
    [InlineData("www.elsewhere", 1, DnsSecurity.NotChecked)]
    public async Task A_failed_caa_look_up_is_proven_insecure_only_by_the_zone_above(string name, int retries, DnsSecurity security)
    {
        await tree.StartAsync();

        // The zone's own resolver is silent; the one for the zone above works.
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var resolver = tree.Validating(tree.Resolver, o => o with
        {
            Zones = [new DnsZoneForward(name[4..], [silent.Client.LocalEndPoint!.ToString()!])],
            Timeout = TimeSpan.FromMilliseconds(300),
            Retries = retries,
        });
        var answer = await resolver.AskAsync(name, DnsRecordKind.Caa, CancellationToken.None);

        // Keys of signed zones cannot be had from the dead resolver, so that nothing is known of them; "elsewhere" is declared, and no proof.
        Assert.True(answer.IsFailure);
        Assert.Equal((security, retries + 1), (answer.Security, answer.Attempts));
    }
}
