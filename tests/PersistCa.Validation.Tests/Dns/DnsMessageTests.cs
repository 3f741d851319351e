using CsCheck;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>Laws of the message reader, over messages that nobody thought of.</summary>
public sealed class DnsMessageTests
{
    private static readonly Gen<string> Names = Gen.String[Gen.Char.AlphaNumeric, 1, 20].Array[1, 6].Select(l => string.Join('.', l));

    private static readonly Gen<byte[]> Messages = Gen.Select(Names, Gen.Select(Names, Gen.Int[1, 300], Gen.Byte.Array[0, 40]).Array[0, 8], Gen.Byte)
        .Select((question, records, flags) =>
        {
            var draft = ReplyDraft.For(question, 16) with { Flags = flags << 8 };
            foreach (var (owner, type, data) in records.Where(r => r.Item2 is not (DnsTypes.Opt or DnsTypes.Cname)))
            {
                draft.With(owner, type, data);
            }

            return draft.Octets();
        });

    [Fact]
    public void A_message_comes_back_as_it_was_written() => Messages.Sample(octets =>
    {
        var message = DnsMessage.Read(octets).Value!;

        var again = ReplyDraft.For(message.Questions[0].Name, message.Questions[0].Type) with { Flags = (octets[2] << 8) | octets[3] };
        foreach (var record in message.Answers)
        {
            again.With(record.Owner, record.Type, record.Data.ToArray());
        }

        Assert.Equal(octets, again.Octets());
    });

    [Fact]
    public void Whatever_the_octets_are_reading_them_gives_a_message_or_a_printable_reason() =>
        Gen.Select(Messages, Gen.Byte.Array[0, 600], Gen.Int[0, 600], Gen.Int[0, 3]).Sample((good, noise, at, how) =>
        {
            byte[] octets = how switch
            {
                0 => noise,
                1 => good[..Math.Min(at, good.Length)],
                2 => [.. good[..Math.Min(at, good.Length)], .. noise],
                _ => [.. good.Select((o, i) => i == at % good.Length ? (byte)(noise.Length % 256) : o)],
            };
            var read = DnsMessage.Read(octets);
            Assert.True(read.IsValid || read.Reason.All(c => c is >= ' ' and <= '~'));
            if (read.IsValid)
            {
                Assert.True(read.Value.Answers.Length * 11 <= octets.Length);
                Assert.All(read.Value.Answers, r => Assert.True(r.Owner.Length <= 4 * 255));
                DnsReply.Read(read.Value, octets.Length, "www.example.com", DnsRecordKind.Txt, new DnsOptions());
            }
        });

    [Fact]
    public void A_query_asks_for_its_name_and_only_its_own_reply_fits() => Names.Sample(name =>
    {
        var form = new DnsQueryForm(1232, MixCase: true, CheckingDisabled: true);
        var (query, other) = (DnsQuery.Create(name, DnsRecordKind.Caa, form).Value!, DnsQuery.Create("other." + name, DnsRecordKind.Caa, form).Value!);

        var read = DnsMessage.Read(query.Octets).Value!;

        Assert.Equal(name, read.Questions[0].Name, ignoreCase: true);
        Assert.True(read is { IsCheckingDisabled: true, Edns: { DnssecOk: true, PayloadOctets: 1232, Version: 0 } });
        var reply = read with { IsReply = true };
        Assert.Null(query.WhyNotReply(reply));
        Assert.NotNull(other.WhyNotReply(reply));
        Assert.NotNull(query.WhyNotReply(read));
    });

    [Fact]
    public void The_seeds_of_the_fuzzer_are_messages() => Assert.All(PersistCa.Fuzz.DnsSeeds.All, s => Assert.Null(DnsMessage.Read(s).Reason));

    [Fact]
    public void A_name_of_255_octets_is_read_and_one_more_is_not()
    {
        var longest = string.Join('.', new string('a', 63), new string('b', 63), new string('c', 63), new string('d', 61));

        Assert.Equal(longest, DnsMessage.Read(ReplyDraft.For(longest, 16).Octets()).Value!.Questions[0].Name);
        Assert.Contains("more than 255 octets", DnsMessage.Read(ReplyDraft.For(longest + "d", 16).Octets()).Reason, StringComparison.Ordinal);
        Assert.True(DnsWireName.Write(longest).IsValid);
        Assert.False(DnsWireName.Write(longest + "d").IsValid);
    }

    [Fact]
    public void Names_with_odd_octets_have_texts_of_their_own()
    {
        var at = 0;
        Assert.Null(DnsWireName.Read([4, (byte)'.', (byte)'\\', 7, 0xFF, 0], ref at, out var text));

        Assert.Equal(@"\.\\\007\255", text);
        Assert.Equal(6, at);
    }

    [Fact]
    public void A_message_full_of_pointers_is_read_in_no_time()
    {
        // 5,400 records, each owner a pointer to a name of 120 labels.
        var draft = ReplyDraft.For(string.Join('.', Enumerable.Repeat("a", 120)), 16);
        for (var i = 0; i < 5400; i++)
        {
            draft.With([0xC0, 12], 16, []);
        }

        Assert.Equal(5400, DnsMessage.Read(draft.Octets()).Value!.Answers.Length);
    }
}
