using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Acme;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>What a resolver, or somebody who pretends to be it, can send: each lie is no answer, and the honest reply behind it is one.</summary>
public sealed class LyingResolverTests
{
    private const string Owner = "_acme-challenge.www.example.com";

    // Where nothing is to come that answers: the only waits that are waited out.
    private static DnsOptions Short(DnsOptions options) => options with { Timeout = TimeSpan.FromMilliseconds(200) };

    private static Task<DnsAnswer> AskAsync(Func<byte[], byte[]> lie, Func<DnsOptions, DnsOptions>? change = null) =>
        AskAsync(q => [lie(q.Octets)], change);

    private static async Task<DnsAnswer> AskAsync(Func<LyingQuery, byte[][]> lie, Func<DnsOptions, DnsOptions>? change = null)
    {
        using var server = new LyingServer(lie);
        var options = Sample.Options(server.EndPoint) with { Timeout = TimeSpan.FromSeconds(10) };
        return await Sample.Resolver(change?.Invoke(options) ?? options).AskAsync(Owner, DnsRecordKind.Txt, default);
    }

    private static byte[] Change(byte[] message, int at, byte value)
    {
        message[at] = value;
        return message;
    }

    private static byte[] WrongId(byte[] query) => Change(LyingServer.Honest(query), 1, (byte)(query[1] ^ 1));

    private static byte[] Data(string text) => [(byte)text.Length, .. text.Select(c => (byte)c)];

    [Fact]
    public async Task The_reply_that_the_lies_depart_from_is_an_answer()
    {
        var answer = await AskAsync(LyingServer.Honest);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal("x", Assert.Single(answer.Records).Text);
        Assert.Null(answer.Reason);
    }

    private static readonly Dictionary<string, (string Reason, Func<byte[], byte[]> Make)> Strays = new()
    {
        ["another id"] = ("another id", WrongId),
        ["another name"] = ("the question repeated is for xacme-challenge.www.example.com", q => Change(LyingServer.Honest(q), 13, (byte)'x')),
        ["another case"] = ("another case of letters", q => Change(LyingServer.Honest(q), 14, (byte)(q[14] ^ 0x20))),
        ["another type"] = ("type 1, 16 expected", q => Change(LyingServer.Honest(q), LyingServer.QuestionEnd(q) - 3, 1)),
        ["another class"] = ("class 3, 1 expected", q => Change(LyingServer.Honest(q), LyingServer.QuestionEnd(q) - 1, 3)),
        ["no question"] = ("0 questions repeated", q => (ReplyDraft.To(q) with { Question = [] }).Octets()),
        ["a query"] = ("not a reply", q => q),
        ["another opcode"] = ("not a reply to an ordinary query", q => Change(LyingServer.Honest(q), 2, 0xA1)),
        ["nothing"] = ("0 octets", _ => []),
        ["a cut header"] = ("11 octets", q => LyingServer.Honest(q)[..11]),
        ["a cut question"] = ("runs past the end", q => LyingServer.Honest(q)[..20]),
        ["a cut record"] = ("runs past the end", q => LyingServer.Honest(q)[..^1]),
        ["octets behind"] = ("1 octets follow", q => [.. LyingServer.Honest(q), 0]),
        ["huge counts"] = ("runs past the end", q => Change(Change(LyingServer.Honest(q), 6, 0xFF), 7, 0xFF)),
        ["a pointer to itself"] = ("does not point backwards", q => LyingServer.Reply(q, [0xC0, (byte)LyingServer.QuestionEnd(q)])),
        ["a pointer forward"] = ("does not point backwards", q => LyingServer.Reply(q, [0xC0, 0xFF])),
        ["a loop of pointers"] = ("does not point backwards", q => LyingServer.Reply(q, [1, (byte)'a', 0xC0, (byte)LyingServer.QuestionEnd(q)])),
        ["a label type of old"] = ("a label starts with the octet 65", q => LyingServer.Reply(q, [0x41, 0])),
        ["two OPT records"] = ("an OPT record", q => ReplyDraft.To(q).Error(0, "").Error(0, "").Octets()),
    };

    public static TheoryData<string> StrayNames() => [.. Strays.Keys];

    [Theory]
    [MemberData(nameof(StrayNames))]
    public async Task A_message_that_is_no_reply_does_not_end_the_wait_and_is_counted(string which)
    {
        var (reason, make) = Strays[which];

        var answer = await AskAsync(q => [make(q.Octets), LyingServer.Honest(q.Octets)]);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(1, answer.Attempts);
        Assert.Contains("1 message came that does not belong to the question", answer.Reason, StringComparison.Ordinal);
        Assert.Contains(reason, answer.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("another id", DnsStatus.Mismatched)]
    [InlineData("another name", DnsStatus.Mismatched)]
    [InlineData("another case", DnsStatus.Mismatched)]
    [InlineData("a cut record", DnsStatus.Unusable)]
    [InlineData("a loop of pointers", DnsStatus.Unusable)]
    public async Task A_message_that_is_no_reply_is_no_answer_when_nothing_else_comes(string which, DnsStatus status)
    {
        var answer = await AskAsync(Strays[which].Make, Short);

        Assert.Equal(status, answer.Status);
        Assert.Empty(answer.Records);
        Assert.Contains(Strays[which].Reason, answer.Reason, StringComparison.Ordinal);
        Assert.Equal(ProblemCatalog.Dns, DnsProblem.For(answer).Type);
    }

    [Fact]
    public async Task A_resolver_that_does_not_keep_case_is_heard_only_where_the_configuration_says_so()
    {
        byte[] Lower(byte[] query) => ReplyDraft.To([.. query.Select((o, i) => i is > 12 && i < LyingServer.QuestionEnd(query) - 5 ? (byte)char.ToLowerInvariant((char)o) : o)])
            .With([0xC0, 12], 16, Data("x")).Octets();

        var heard = await AskAsync(q => [Lower(q.Octets)], o => o with { CaseRandomization = false });
        Assert.Equal(DnsStatus.Answered, heard.Status);

        // 25 letters: that all of them are asked in lower case happens once in 33 million runs.
        var unheard = await AskAsync(q => [Lower(q.Octets)], Short);
        Assert.Equal(DnsStatus.Mismatched, unheard.Status);
        Assert.Contains("another case of letters", DnsProblem.For(unheard).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_two_queries_share_id_and_case_and_port()
    {
        var seen = new HashSet<string>();
        using var server = new LyingServer(q =>
        {
            seen.Add(Convert.ToHexString(q.Octets[..2]) + q.Asker.Port + Convert.ToHexString(q.Octets[12..]));
            return [LyingServer.Honest(q.Octets)];
        });
        var resolver = Sample.Resolver(Sample.Options(server.EndPoint));
        for (var i = 0; i < 20; i++)
        {
            await resolver.AskAsync(Owner, DnsRecordKind.Txt, default);
        }

        Assert.Equal(20, seen.Count);
        Assert.True(seen.Select(s => s[..4]).Distinct().Count() > 15, "ids repeat");
    }

    [Fact]
    public async Task A_query_asks_for_recursion_and_signatures_and_announces_1232_octets()
    {
        byte[] query = [];
        await AskAsync(q => [LyingServer.Honest(query = q.Octets)]);

        Assert.Equal([0x01, 0x20], query[2..4]);
        Assert.Equal("00" + "0029" + "04D0" + "00008000" + "0000", Convert.ToHexString(query[LyingServer.QuestionEnd(query)..]));
    }

    [Fact]
    public async Task A_reply_from_another_port_is_not_heard()
    {
        using var other = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var answer = await AskAsync(q =>
        {
            other.Send(LyingServer.Honest(q.Octets), q.Asker);
            return [];
        }, Short);

        Assert.Equal(DnsStatus.Timeout, answer.Status);
        Assert.Null(answer.Reason);
    }

    [Fact]
    public async Task A_reply_that_comes_too_late_does_not_answer_the_next_question()
    {
        byte[]? first = null;
        var answer = await AskAsync(
            q =>
            {
                if (first is null)
                {
                    first = q.Octets;
                    return [];
                }

                return [LyingServer.Honest(first), LyingServer.Honest(q.Octets)];
            },
            o => o with { Timeout = TimeSpan.FromSeconds(1), Retries = 1 });

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(2, answer.Attempts);
        Assert.Contains("1 message came", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_sends_many_guesses_makes_the_question_go_over_tcp()
    {
        var overTcp = 0;
        var answer = await AskAsync(q =>
        {
            overTcp += q.OverTcp ? 1 : 0;
            return q.OverTcp ? [LyingServer.Honest(q.Octets)] : [.. Enumerable.Repeat(WrongId(q.Octets), 40)];
        });

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(1, overTcp);
        Assert.Contains("32 messages came", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_cut_short_over_udp_is_asked_over_tcp_where_lies_are_passed_over_too()
    {
        var answer = await AskAsync(q => q.OverTcp
            ? [WrongId(q.Octets), LyingServer.Honest(q.Octets)]
            : [(ReplyDraft.To(q.Octets) with { Flags = 0x8380 }).Octets()]);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Contains("another id", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_cut_short_over_tcp_too_is_no_answer()
    {
        var answer = await AskAsync(q => [(ReplyDraft.To(q.Octets) with { Flags = 0x8380 }).With([0xC0, 12], 16, Data("x")).Octets()]);

        Assert.Equal(DnsStatus.Unusable, answer.Status);
        Assert.Contains("although it came over TCP", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_port_is_known_at_once_and_not_after_the_timeout()
    {
        IPEndPoint closed;
        using (var server = new LyingServer(LyingServer.Honest))
        {
            closed = server.EndPoint;
        }

        var answer = await Sample.Resolver(Sample.Options(closed)).AskAsync(Owner, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Unusable, answer.Status);
        Assert.Contains("ConnectionRefused", answer.Reason, StringComparison.Ordinal);
        Assert.Equal("no readable reply came.", DnsProblem.For(answer).Detail.Split(": ")[1]);
    }

    [Fact]
    public async Task A_silent_resolver_is_a_timeout()
    {
        var answer = await AskAsync((LyingQuery _) => [], Short);

        Assert.Equal(DnsStatus.Timeout, answer.Status);
        Assert.True(answer.ReplyOctets.IsEmpty);
    }

    [Fact]
    public async Task Random_messages_never_throw_and_never_answer()
    {
        var random = new Random(20260101);
        for (var round = 0; round < 200; round++)
        {
            var answer = await AskAsync(q =>
            {
                var message = LyingServer.Honest(q.Octets);
                random.NextBytes(message.AsSpan(12));
                return [message, LyingServer.Honest(q.Octets)];
            });
            Assert.Equal(DnsStatus.Answered, answer.Status);
            Assert.Contains("1 message came", answer.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_lie_is_asked_again()
    {
        var count = 0;
        var answer = await AskAsync(q => count++ == 0 ? WrongId(q) : LyingServer.Honest(q), o => o with { Timeout = TimeSpan.FromSeconds(1), Retries = 1 });

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(2, answer.Attempts);
    }

    [Fact]
    public async Task The_reply_is_kept_as_it_came()
    {
        byte[] sent = [];
        var answer = await AskAsync(q => sent = LyingServer.Honest(q));

        Assert.Equal(sent, answer.ReplyOctets.ToArray());
    }

    [Theory]
    [InlineData("a..example.com", "label of 0 octets")]
    [InlineData("a b.example.com", "not printable ASCII")]
    [InlineData("\u00E4.example.com", "not printable ASCII")]
    [InlineData("a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com", "label of 64 octets")]
    public async Task A_name_that_dns_cannot_carry_is_a_failure_and_sends_nothing(string name, string reason)
    {
        using var server = new LyingServer(LyingServer.Honest);

        var answer = await Sample.Resolver(Sample.Options(server.EndPoint)).AskAsync(name, DnsRecordKind.Txt, default);

        Assert.Equal(DnsStatus.Unusable, answer.Status);
        Assert.Contains(reason, answer.Reason, StringComparison.Ordinal);
        Assert.Equal(0, server.Received);
    }

    [Fact]
    public async Task Over_tls_the_certificate_must_have_the_configured_name()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=resolver.example", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("resolver.example");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        using var server = new LyingServer(q => q.OverTcp ? [LyingServer.Honest(q.Octets)] : [], certificate);
        async Task<DnsAnswer> AskAsync(string name, X509Certificate2Collection? roots) => await Sample.Resolver(
            Sample.Options() with { Resolvers = [$"tls://{server.EndPoint}#{name}"], TlsRoots = roots }).AskAsync(Owner, DnsRecordKind.Txt, default);

        var good = await AskAsync("resolver.example", [made]);
        Assert.Equal(DnsStatus.Answered, good.Status);
        Assert.Equal($"tls://{server.EndPoint}#resolver.example", good.Resolver);

        var otherName = await AskAsync("other.example", [made]);
        Assert.Equal(DnsStatus.Unusable, otherName.Status);
        Assert.Contains("TLS failed", otherName.Reason, StringComparison.Ordinal);
        Assert.Equal(DnsStatus.Unusable, (await AskAsync("resolver.example", null)).Status);
        Assert.Equal(1, server.Received);
    }
}
