using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>What the word of a resolver on DNSSEC is worth.</summary>
public sealed class DnssecTests
{
    private const string Owner = "_acme-challenge.www.example.com";
    private const int AuthenticData = 0x20, ServFail = 2;

    private static readonly DnsOptions Trusting = new() { Dnssec = DnssecMode.TrustedResolver };
    private static readonly DnsOptions Demanding = Trusting with { RequireSecure = true, InsecureZones = ["example.org.", "lab.example.com"] };

    private static DnsAnswer Answer(DnsStatus status, bool authenticData = false, string name = Owner, params int[] errors) => new(name, DnsRecordKind.Txt, status)
    {
        AuthenticData = authenticData,
        ExtendedErrors = [.. errors.Select(e => new DnsExtendedError(e, ""))],
    };

    [Theory]
    [InlineData(DnssecMode.TrustedResolver, true, true, DnsSecurity.Secure)]
    [InlineData(DnssecMode.TrustedResolver, true, false, DnsSecurity.Insecure)]
    [InlineData(DnssecMode.TrustedResolver, false, true, DnsSecurity.NotChecked)]
    [InlineData(DnssecMode.TrustedResolver, false, false, DnsSecurity.NotChecked)]
    [InlineData(DnssecMode.Off, true, true, DnsSecurity.NotChecked)]
    public void The_word_of_a_resolver_counts_only_if_it_is_trusted_and_asked_for(DnssecMode mode, bool trusted, bool authenticData, DnsSecurity security)
    {
        foreach (var status in new[] { DnsStatus.Answered, DnsStatus.NoData, DnsStatus.NxDomain })
        {
            var judged = DnssecPolicy.Judge(Answer(status, authenticData), trusted, answersUnchecked: false, Trusting with { Dnssec = mode });
            Assert.Equal((security, status), (judged.Security, judged.Status));
        }
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(6, true)]
    [InlineData(7, true)]
    [InlineData(8, true)]
    [InlineData(9, true)]
    [InlineData(10, true)]
    [InlineData(11, true)]
    [InlineData(12, true)]
    [InlineData(13, false)]
    [InlineData(1, false)]
    [InlineData(22, false)]
    public void Servfail_with_an_extended_error_of_the_bogus_kinds_is_bogus_in_every_mode(int error, bool bogus)
    {
        foreach (var mode in Enum.GetValues<DnssecMode>())
        {
            var judged = DnssecPolicy.Judge(Answer(DnsStatus.ServFail, errors: [22, error]), trusted: false, answersUnchecked: false, Trusting with { Dnssec = mode });
            Assert.Equal(bogus ? DnsSecurity.Bogus : DnsSecurity.NotChecked, judged.Security);
            Assert.True(judged.IsFailure);
        }
    }

    [Fact]
    public void An_answer_with_an_error_of_the_bogus_kinds_is_not_bogus_since_nothing_failed() =>
        Assert.Equal(DnsSecurity.Secure, DnssecPolicy.Judge(Answer(DnsStatus.Answered, true, errors: 6), true, false, Trusting).Security);

    [Theory]
    [InlineData(DnssecMode.TrustedResolver, true, DnsStatus.ServFail, true)]
    [InlineData(DnssecMode.TrustedResolver, false, DnsStatus.ServFail, false)]
    [InlineData(DnssecMode.TrustedResolver, true, DnsStatus.Refused, false)]
    [InlineData(DnssecMode.TrustedResolver, true, DnsStatus.Answered, false)]
    [InlineData(DnssecMode.Off, true, DnsStatus.ServFail, false)]
    public void Only_a_bare_servfail_of_a_trusted_resolver_is_asked_again_without_checking(DnssecMode mode, bool trusted, DnsStatus status, bool asked)
    {
        Assert.Equal(asked, DnssecPolicy.NeedsProbe(Answer(status), mode, trusted));
        Assert.False(DnssecPolicy.NeedsProbe(Answer(status, errors: 6), mode, trusted));
    }

    [Theory]
    [InlineData(Owner, true, true)]
    [InlineData(Owner, false, false)]
    [InlineData("www.example.org", false, true)]
    [InlineData("EXAMPLE.org", false, true)]
    [InlineData("a.lab.example.com", false, true)]
    [InlineData("notexample.org", false, false)]
    public void Where_security_is_demanded_an_answer_without_it_is_a_failure_outside_of_declared_islands(string name, bool authenticData, bool good)
    {
        var judged = DnssecPolicy.Judge(Answer(DnsStatus.Answered, authenticData, name), trusted: true, answersUnchecked: false, Demanding);

        Assert.Equal(good ? DnsStatus.Answered : DnsStatus.NotSecure, judged.Status);
        Assert.Equal(!good, judged.IsFailure);
        if (!good)
        {
            Assert.Empty(judged.Records);
            Assert.Contains("not secured by DNSSEC", DnsProblem.For(judged).Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_alias_into_a_declared_island_does_not_get_around_the_demand()
    {
        var alias = Answer(DnsStatus.Answered) with { CnameChain = ["www.example.org"] };

        Assert.Equal(DnsStatus.NotSecure, DnssecPolicy.Judge(alias, true, false, Demanding).Status);
    }

    [Fact]
    public async Task Servfail_that_becomes_an_answer_without_checking_is_bogus_and_final()
    {
        await using var next = Sample.Zone();
        next.SetTxt(Owner, "x");
        using var server = new LyingServer(q =>
        {
            const int checkingDisabled = 0x10;
            var draft = ReplyDraft.To(q);
            return ((q[3] & checkingDisabled) != 0 ? draft.With(Owner, 16, [1, (byte)'x']) : draft with { Code = ServFail }).Octets();
        });
        var options = Sample.Options(server.EndPoint, next.EndPoint) with { Dnssec = DnssecMode.TrustedResolver, Retries = 2 };

        var answer = await Sample.Resolver(options).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal((DnsStatus.ServFail, DnsSecurity.Bogus), (answer.Status, answer.Security));
        Assert.Equal(1, answer.Attempts);
        Assert.Equal(2, server.Received);
        Assert.Empty(next.Queries);
        Assert.Contains("signatures are not valid (bogus), and such an answer is never used", DnsProblem.For(answer).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Servfail_that_stays_is_a_zone_that_does_not_work()
    {
        await using var zone = Sample.Zone();
        zone.Fail(Owner, ServFail);

        var answer = await Sample.Resolver(Sample.Options(zone.EndPoint) with { Dnssec = DnssecMode.TrustedResolver }).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal((DnsStatus.ServFail, DnsSecurity.NotChecked), (answer.Status, answer.Security));
        Assert.Equal(2, zone.Queries.Count);
    }

    private static async Task<string?> SelfTestAsync(Func<string, byte[], ReplyDraft> reply, Func<DnsOptions, DnsOptions>? change = null)
    {
        using var server = new LyingServer(q =>
        {
            var name = System.Text.Encoding.ASCII.GetString(q[13..(13 + q[12])]).ToLowerInvariant();
            return reply(name, q).Octets();
        });
        var options = Sample.Options(server.EndPoint) with { Dnssec = DnssecMode.TrustedResolver };
        return await DnssecSelfTest.RunAsync(Sample.Resolver(change?.Invoke(options) ?? options), "good.example", "bad.example", default);
    }

    private static ReplyDraft Validating(string name, byte[] query) =>
        name == "good" ? ReplyDraft.To(query) with { Flags = 0x8180 | AuthenticData } : (ReplyDraft.To(query) with { Code = ServFail }).Error(6, "");

    [Fact]
    public async Task A_resolver_that_validates_passes_the_self_test() => Assert.Null(await SelfTestAsync(Validating));

    [Fact]
    public async Task A_resolver_that_does_not_vouch_for_a_signed_name_fails_the_self_test() =>
        Assert.Contains(
            "does not vouch for good.example, which should be signed: NOERROR, Insecure",
            await SelfTestAsync((n, q) => Validating(n, q) with { Flags = 0x8180 }),
            StringComparison.Ordinal);

    [Fact]
    public async Task A_resolver_that_answers_a_bogus_name_fails_the_self_test() =>
        Assert.Contains(
            "does not refuse bad.example, whose signatures should be wrong: NOERROR, Secure",
            await SelfTestAsync((_, q) => Validating("good", q)),
            StringComparison.Ordinal);

    [Fact]
    public async Task A_resolver_that_fails_for_other_reasons_proves_nothing_in_the_self_test() =>
        Assert.Contains(
            "does not refuse bad.example",
            await SelfTestAsync((n, q) => n == "good" ? Validating(n, q) : ReplyDraft.To(q) with { Code = ServFail }),
            StringComparison.Ordinal);

    [Fact]
    public async Task A_resolver_whose_word_does_not_count_fails_the_self_test() =>
        Assert.Contains("nor listed as trusted", await SelfTestAsync(Validating, o => o with { Resolvers = ["192.0.2.1"] }), StringComparison.Ordinal);

    [Fact]
    public void Loopback_and_listed_resolvers_are_trusted()
    {
        var resolver = Sample.Resolver(Trusting with
        {
            Resolvers = ["127.0.0.1", "::1", "192.0.2.1", "192.0.2.2", "tls://192.0.2.1#dns.example"],
            TrustedResolvers = ["192.0.2.1:53"],
        });

        Assert.Equal([true, true, true, false, false], resolver.Servers.Select(resolver.IsTrusted));
    }
}
