using System.Buffers.Binary;
using System.Text;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>A reply in the making: right by itself, so that a test says only what is wrong with it.</summary>
internal sealed record ReplyDraft
{
    private readonly List<byte[]> answers = [];
    private readonly List<byte[]> authorities = [];
    private readonly List<byte[]> additionals = [];

    private ReplyDraft(byte[] question) => Question = question;

    /// <summary>Id.</summary>
    public int Id { get; init; }

    /// <summary>Flags without the response code: a recursive answer.</summary>
    public int Flags { get; init; } = 0x8180;

    /// <summary>Response code.</summary>
    public int Code { get; init; }

    /// <summary>The question in wire form.</summary>
    public byte[] Question { get; init; }

    /// <summary>The reply to a query, with its question to the octet.</summary>
    public static ReplyDraft To(byte[] query) =>
        new(query[12..LyingServer.QuestionEnd(query)]) { Id = BinaryPrimitives.ReadUInt16BigEndian(query) };

    /// <summary>The reply to a question that nobody asked.</summary>
    public static ReplyDraft For(string name, int type) => new([.. Name(name), .. Number(type), .. Number(1)]);

    /// <summary>A name in wire form, not compressed.</summary>
    public static byte[] Name(string name) => [.. name.Split('.').SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.Latin1.GetBytes(l)]), 0];

    /// <summary>A record for the answer section.</summary>
    public ReplyDraft With(byte[] owner, int type, byte[] data, int recordClass = 1)
    {
        answers.Add([.. owner, .. Number(type), .. Number(recordClass), 0, 0, 0, 60, .. Number(data.Length), .. data]);
        return this;
    }

    /// <summary>A record for the answer section.</summary>
    public ReplyDraft With(string owner, int type, byte[] data) => With(Name(owner), type, data);

    /// <summary>A record for the authority section.</summary>
    public ReplyDraft Authority(string owner, int type, byte[] data)
    {
        authorities.Add([.. Name(owner), .. Number(type), .. Number(1), 0, 0, 0, 60, .. Number(data.Length), .. data]);
        return this;
    }

    /// <summary>An OPT record with an extended error.</summary>
    public ReplyDraft Error(int code, string text)
    {
        var words = Encoding.UTF8.GetBytes(text);
        byte[] option = [.. Number(15), .. Number(words.Length + 2), .. Number(code), .. words];
        additionals.Add([0, .. Number(41), .. Number(1232), 0, 0, 0x80, 0, .. Number(option.Length), .. option]);
        return this;
    }

    /// <summary>An OPT record that says that the version is not known (BADVERS, 16).</summary>
    public ReplyDraft BadVersion()
    {
        additionals.Add([0, .. Number(41), .. Number(1232), 1, 0, 0, 0, 0, 0]);
        return this;
    }

    /// <summary>The message.</summary>
    public byte[] Octets() =>
    [
        .. Number(Id), .. Number(Flags | Code), .. Number(Question.Length == 0 ? 0 : 1), .. Number(answers.Count), .. Number(authorities.Count), .. Number(additionals.Count),
        .. Question, .. answers.SelectMany(r => r), .. authorities.SelectMany(r => r), .. additionals.SelectMany(r => r),
    ];

    /// <summary>A number of two octets.</summary>
    public static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];
}
