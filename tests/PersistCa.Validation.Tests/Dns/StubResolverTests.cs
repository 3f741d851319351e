using System.Diagnostics;
using System.Net;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

public sealed class StubResolverTests
{
    private const string Owner = "_acme-challenge.www.example.com";
    private const int TypeTxt = 16;

    [Fact]
    public async Task A_record_comes_back_with_its_text_owner_and_time_to_live()
    {
        await using var zone = Sample.Zone(new LoopbackZoneOptions { TtlSeconds = 321 });
        zone.SetTxt(Owner, "hello world");

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(new DnsRecord(Owner, DnsRecordKind.Txt, 321, "hello world"), Assert.Single(answer.Records));
        Assert.Equal(zone.EndPoint.ToString(), answer.Resolver);
        Assert.Equal("NOERROR", answer.ResponseCode);
        Assert.Equal(1, answer.Attempts);
        Assert.False(answer.IsFailure);
    }

    [Theory]
    [InlineData(254)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(511)]
    [InlineData(1000)]
    public async Task Character_strings_are_joined_with_nothing_between(int length)
    {
        await using var zone = Sample.Zone();
        var text = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i % 26))));
        zone.SetTxt(Owner, text);

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(text, Assert.Single(answer.Records).Text);
    }

    [Fact]
    public async Task Every_octet_of_a_record_is_kept_as_one_character()
    {
        await using var zone = Sample.Zone();
        var octets = Enumerable.Range(0, 256).Select(i => ((char)i).ToString()).ToArray();
        foreach (var octet in octets)
        {
            zone.SetTxt(Owner, $"a{octet}b");
            var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);
            Assert.Equal($"a{octet}b", Assert.Single(answer.Records).Text);
        }
    }

    [Theory]
    [InlineData("\\200")]
    [InlineData("\\\"")]
    [InlineData("\"\\\\\"")]
    [InlineData("\u00C3\u00A9")]
    [InlineData("")]
    public async Task Text_that_looks_escaped_is_not_unescaped(string text)
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, text);

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(text, Assert.Single(answer.Records).Text);
    }

    [Fact]
    public async Task An_unknown_name_does_not_exist()
    {
        await using var zone = Sample.Zone(new LoopbackZoneOptions());

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.NxDomain, answer.Status);
        Assert.False(answer.IsFailure);
    }

    [Fact]
    public async Task A_name_with_other_records_has_no_data()
    {
        await using var zone = Sample.Zone(new LoopbackZoneOptions());
        zone.SetA(Owner, IPAddress.Loopback);

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.NoData, answer.Status);
        Assert.False(answer.IsFailure);
    }

    [Theory]
    [InlineData(1, DnsStatus.OtherError, "FORMERR")]
    [InlineData(2, DnsStatus.ServFail, "SERVFAIL")]
    [InlineData(4, DnsStatus.OtherError, "NOTIMP")]
    [InlineData(5, DnsStatus.Refused, "REFUSED")]
    [InlineData(9, DnsStatus.OtherError, "RCODE 9")]
    public async Task An_error_code_is_a_failure_that_names_it_and_hides_the_resolver(int rcode, DnsStatus status, string named)
    {
        await using var zone = Sample.Zone();
        zone.Fail(Owner, rcode);

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(status, answer.Status);
        Assert.True(answer.IsFailure);
        var problem = DnsProblem.For(answer);
        Assert.Equal(ProblemCatalog.Dns, problem.Type);
        Assert.Contains($"TXT {Owner}", problem.Detail, StringComparison.Ordinal);
        Assert.Contains(named, problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Aliases_are_followed_and_kept()
    {
        await using var zone = Sample.Zone();
        zone.SetCname(Owner, "one.example.net");
        zone.SetCname("one.example.net", "two.example.org");
        zone.SetTxt("two.example.org", "there");

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal("one.example.net two.example.org", string.Join(" ", answer.CnameChain));
        Assert.Equal("two.example.org", Assert.Single(answer.Records).Owner);
    }

    [Fact]
    public async Task More_aliases_than_allowed_are_no_answer()
    {
        await using var zone = Sample.Zone();
        zone.SetCname(Owner, "one.example.net");
        zone.SetCname("one.example.net", "two.example.org");
        zone.SetTxt("two.example.org", "there");

        var answer = await Sample.Resolver(Sample.Options(zone.EndPoint) with { MaxCnames = 1 }).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("more than 1 aliases", answer.Reason, StringComparison.Ordinal);
        Assert.Empty(answer.Records);
    }

    [Fact]
    public async Task A_long_answer_comes_over_tcp()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, [.. Enumerable.Range(0, 20).Select(i => new string((char)('a' + i), 200))]);

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(20, answer.Records.Length);
        Assert.Equal([false, true], zone.Queries.Select(q => q.OverTcp));
    }

    [Fact]
    public async Task A_hundred_records_are_judged_and_one_more_is_too_large()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, [.. Enumerable.Range(0, 100).Select(i => $"v{i}")]);
        var resolver = Sample.Resolver(zone);
        Assert.Equal(100, (await resolver.AskAsync(Owner, DnsRecordKind.Txt, default)).Records.Length);

        zone.AddTxt(Owner, "one more");
        var answer = await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.TooLarge, answer.Status);
        Assert.Contains("more than 100 records", DnsProblem.For(answer).Detail, StringComparison.Ordinal);
        Assert.Empty(answer.Records);
    }

    [Fact]
    public async Task An_answer_above_the_octet_limit_is_too_large()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, new string('x', 3000));

        var answer = await Sample.Resolver(Sample.Options(zone.EndPoint) with { MaxAnswerOctets = 2000, Retries = 2 })
            .AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.TooLarge, answer.Status);
        Assert.Contains("at most 2000", answer.Reason, StringComparison.Ordinal);
        Assert.Equal(1, answer.Attempts);
    }

    [Fact]
    public async Task The_largest_answer_dns_can_carry_is_judged()
    {
        await using var zone = Sample.Zone();
        zone.SetTxt(Owner, new string('x', 60_000));

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(60_000, Assert.Single(answer.Records).Text.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_word_of_a_validating_resolver_is_kept(bool authenticData)
    {
        await using var zone = Sample.Zone(new LoopbackZoneOptions { AuthenticData = authenticData });
        zone.SetTxt(Owner, "x");

        var answer = await Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(authenticData, answer.AuthenticData);
    }

    [Fact]
    public async Task No_answer_is_a_timeout_after_all_retries()
    {
        await using var zone = Sample.Zone();
        zone.Drop(Owner);
        var options = Sample.Options(zone.EndPoint) with { Timeout = TimeSpan.FromMilliseconds(200), Retries = 2 };

        var answer = await Sample.Resolver(options).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Timeout, answer.Status);
        Assert.Equal(3, answer.Attempts);
        Assert.Equal(3, zone.Queries.Count(q => q.Type == TypeTxt));
        Assert.Contains("no answer came in time", DnsProblem.For(answer).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overall_timeout_ends_a_look_up_whatever_its_retries()
    {
        await using var zone = Sample.Zone();
        zone.Drop(Owner);
        var options = Sample.Options(zone.EndPoint) with
        {
            Timeout = TimeSpan.FromMilliseconds(200),
            OverallTimeout = TimeSpan.FromMilliseconds(300),
            Retries = 10,
        };

        var answer = await Sample.Resolver(options).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Timeout, answer.Status);
        Assert.InRange(answer.Attempts, 1, 3);
    }

    [Fact]
    public async Task A_failed_question_goes_to_the_next_resolver()
    {
        await using var bad = Sample.Zone();
        await using var good = Sample.Zone();
        bad.Fail(Owner, 2);
        good.SetTxt(Owner, "x");
        var resolver = Sample.Resolver(Sample.Options(bad.EndPoint, good.EndPoint) with { Retries = 1 });

        var first = await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);
        var second = await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal([DnsStatus.Answered, DnsStatus.Answered], [first.Status, second.Status]);
        Assert.Equal([2, 1], [first.Attempts, second.Attempts]);
        Assert.Equal(good.EndPoint.ToString(), first.Resolver);
    }

    [Fact]
    public async Task A_missing_name_is_an_answer_and_not_asked_again()
    {
        await using var zone = Sample.Zone();

        var answer = await Sample.Resolver(Sample.Options(zone.EndPoint) with { Retries = 2 }).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.NxDomain, answer.Status);
        Assert.Single(zone.Queries);
    }

    [Fact]
    public async Task Nothing_is_cached()
    {
        await using var zone = Sample.Zone(new LoopbackZoneOptions { TtlSeconds = 3600 });
        zone.SetTxt(Owner, "old");
        var resolver = Sample.Resolver(zone);
        await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);
        zone.SetTxt(Owner, "new");

        var answer = await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal("new", Assert.Single(answer.Records).Text);
    }

    [Fact]
    public async Task Cancellation_is_cancellation_and_not_an_answer()
    {
        await using var zone = Sample.Zone();
        zone.Drop(Owner);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var watch = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Sample.Resolver(Sample.Options(zone.EndPoint) with { Timeout = TimeSpan.FromSeconds(15) }).AskAsync(Owner, DnsRecordKind.Txt, cancel.Token));

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"it took {watch.Elapsed}");
    }

    [Fact]
    public async Task A_cancelled_token_sends_nothing()
    {
        await using var zone = Sample.Zone();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Sample.Resolver(zone).AskAsync(Owner, DnsRecordKind.Txt, new CancellationToken(canceled: true)));

        Assert.Empty(zone.Queries);
    }

    [Fact]
    public async Task No_more_questions_are_in_flight_than_the_resolver_has_places()
    {
        await using var zone = Sample.Zone();
        zone.Drop(Owner);
        zone.SetTxt("other.example.com", "x");
        var resolver = Sample.Resolver(Sample.Options(zone.EndPoint) with { ConcurrencyPerResolver = 1, Timeout = TimeSpan.FromMilliseconds(400) });

        var slow = resolver.AskAsync(Owner, DnsRecordKind.Txt, default);
        var waiting = resolver.AskAsync("other.example.com", DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Timeout, (await slow).Status);
        var answer = await waiting;
        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.True(answer.Duration > TimeSpan.FromMilliseconds(200), $"it waited {answer.Duration}");
    }

    [Fact]
    public async Task Addresses_of_both_families_are_read()
    {
        await using var zone = Sample.Zone();
        zone.SetA("www.example.com", IPAddress.Parse("192.0.2.7"), IPAddress.Parse("2001:db8::7"));
        var resolver = Sample.Resolver(zone);

        Assert.Equal("192.0.2.7", Assert.Single((await resolver.AskAsync("www.example.com", DnsRecordKind.A, default)).Records).Text);
        Assert.Equal("2001:db8::7", Assert.Single((await resolver.AskAsync("www.example.com.", DnsRecordKind.Aaaa, default)).Records).Text);
    }
}
