using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

public sealed class LyingResolverTests
{
    private const string Owner = "_acme-challenge.www.example.com";

    private static async Task<DnsAnswer> AskAsync(Func<byte[], byte[]> lie, int retries = 0)
    {
        using var server = new LyingServer(lie);
        var options = Sample.Options(server.EndPoint) with { Timeout = TimeSpan.FromMilliseconds(500), Retries = retries };
        return await Sample.Resolver(options).AskAsync(Owner, DnsRecordKind.Txt, default);
    }

    private static byte[] Change(byte[] message, int at, byte value)
    {
        message[at] = value;
        return message;
    }

    [Fact]
    public async Task The_reply_that_the_lies_depart_from_is_an_answer()
    {
        var answer = await AskAsync(LyingServer.Honest);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal("x", Assert.Single(answer.Records).Text);
    }

    [Fact]
    public async Task A_reply_with_another_id_is_no_answer()
    {
        var answer = await AskAsync(q => Change(LyingServer.Honest(q), 1, (byte)(q[1] ^ 1)));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("another id", answer.Reason, StringComparison.Ordinal);
        Assert.Empty(answer.Records);
        Assert.Equal(ProblemCatalog.Dns, DnsProblem.For(answer).Type);
    }

    [Fact]
    public async Task A_reply_that_repeats_another_name_is_no_answer()
    {
        var answer = await AskAsync(q => Change(LyingServer.Honest(q), 13, (byte)'x'));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("the question repeated is for xacme-challenge.www.example.com", answer.Reason, StringComparison.Ordinal);
        Assert.Empty(answer.Records);
    }

    [Fact]
    public async Task A_reply_that_repeats_the_name_in_other_case_is_an_answer()
    {
        var answer = await AskAsync(q => Change(LyingServer.Honest(q), 14, (byte)'A'));

        Assert.Equal(DnsStatus.Answered, answer.Status);
    }

    [Fact]
    public async Task A_reply_that_repeats_another_type_is_no_answer()
    {
        var answer = await AskAsync(q => Change(LyingServer.Honest(q), LyingServer.QuestionEnd(q) - 3, 1));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("type 1, 16 expected", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reply_that_repeats_another_class_is_no_answer()
    {
        var answer = await AskAsync(q => Change(LyingServer.Honest(q), LyingServer.QuestionEnd(q) - 1, 3));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("class 3, 1 expected", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reply_without_question_is_no_answer()
    {
        var answer = await AskAsync(q => [q[0], q[1], 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("0 questions repeated", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_of_another_owner_spoils_the_answer()
    {
        byte[] foreign = [4, .. Encoding.ASCII.GetBytes("evil"), 7, .. Encoding.ASCII.GetBytes("example"), 0];

        var answer = await AskAsync(q => LyingServer.Reply(q, foreign));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains($"a record of evil.example, records of {Owner} expected", answer.Reason, StringComparison.Ordinal);
        Assert.Empty(answer.Records);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(50)]
    public async Task A_reply_cut_anywhere_is_no_answer(int length)
    {
        var answer = await AskAsync(q => LyingServer.Honest(q)[..length]);

        Assert.True(answer.IsFailure, $"status {answer.Status}");
        Assert.Empty(answer.Records);
    }

    [Fact]
    public async Task Random_replies_never_throw_and_never_answer()
    {
        var random = new Random(20260101);
        for (var round = 0; round < 40; round++)
        {
            var answer = await AskAsync(q =>
            {
                var message = LyingServer.Honest(q);
                random.NextBytes(message.AsSpan(12));
                return message;
            });
            Assert.True(answer.IsFailure, $"round {round}: status {answer.Status}");
        }
    }

    [Fact]
    public async Task A_lie_is_asked_again()
    {
        var count = 0;
        var answer = await AskAsync(q => count++ == 0 ? Change(LyingServer.Honest(q), 1, (byte)(q[1] ^ 1)) : LyingServer.Honest(q), retries: 1);

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal(2, answer.Attempts);
    }
}
