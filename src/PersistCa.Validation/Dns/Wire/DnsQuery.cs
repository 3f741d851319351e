using System.Buffers.Binary;
using System.Security.Cryptography;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns.Wire;

/// <summary>How a query is written.</summary>
/// <param name="PayloadOctets">Largest UDP reply that is announced (RFC 6891 section 6.2.3), in octets.</param>
/// <param name="MixCase">Letters of the name in random case, which only somebody who saw the query can repeat ("0x20").</param>
/// <param name="CheckingDisabled">CD bit: the resolver is not to check signatures (RFC 4035 section 3.2.2).</param>
public sealed record DnsQueryForm(int PayloadOctets, bool MixCase, bool CheckingDisabled);

/// <summary>One query, good for one exchange: its id and its case are random and never used again (RFC 5452 section 9.2).</summary>
public sealed class DnsQuery
{
    private const int MaxShownName = 260;

    private readonly int id;
    private readonly string name;
    private readonly int type;

    private DnsQuery(int id, string name, int type, byte[] octets)
    {
        this.id = id;
        this.name = name;
        this.type = type;
        Octets = octets;
    }

    /// <summary>The message.</summary>
    public ReadOnlyMemory<byte> Octets { get; }

    /// <summary>Writes a query with recursion desired, EDNS, and the DO and AD bits, without which resolvers keep to themselves what they know of DNSSEC.</summary>
    /// <param name="name">Name without the root's dot.</param>
    /// <param name="kind">Record type.</param>
    /// <param name="form">How it is written.</param>
    /// <returns>The query, or why the name cannot be asked for.</returns>
    public static Parsed<DnsQuery> Create(string name, DnsRecordKind kind, DnsQueryForm form) => Create(name, (int)kind, form);

    /// <summary>The same for any record type.</summary>
    /// <param name="name">Name without the root's dot; empty for the root.</param>
    /// <param name="type">Number of the type.</param>
    /// <param name="form">How it is written.</param>
    /// <returns>The query, or why the name cannot be asked for.</returns>
    internal static Parsed<DnsQuery> Create(string name, int type, DnsQueryForm form)
    {
        var sent = form.MixCase ? MixCase(name) : name;
        var owner = DnsWireName.Write(sent);
        if (!owner.IsValid)
        {
            return Parsed<DnsQuery>.Refused(owner.Reason);
        }

        var id = RandomNumberGenerator.GetInt32(0x10000);
        using var stream = new MemoryStream();
        const int recursionDesired = 0x0100;
        const int authenticData = 0x0020; // RFC 6840 section 5.7
        const int checkingDisabled = 0x0010;
        Put16(stream, id, recursionDesired | authenticData | (form.CheckingDisabled ? checkingDisabled : 0), 1, 0, 0, 1);
        stream.Write(owner.Value);
        Put16(stream, type, DnsTypes.ClassIn);
        stream.WriteByte(0);
        const int dnssecOk = 0x8000; // RFC 3225 section 3
        Put16(stream, DnsTypes.Opt, form.PayloadOctets, 0, dnssecOk, 0);
        return Parsed<DnsQuery>.Ok(new DnsQuery(id, sent, type, stream.ToArray()));
    }

    /// <summary>Whether a message is the reply to this query (RFC 5452 section 9.1).</summary>
    /// <returns>Null when it is; otherwise what differs.</returns>
    public string? WhyNotReply(DnsMessage message)
    {
        if (message.Id != id)
        {
            return "another id than the question's";
        }

        if (!message.IsReply || message.Opcode != 0)
        {
            return "not a reply to an ordinary query";
        }

        if (message.Questions.Length != 1)
        {
            return $"{message.Questions.Length} questions repeated, 1 expected";
        }

        var question = message.Questions[0];
        if (!DnsWireName.Same(question.Name, name))
        {
            var shown = PrintableText.Shorten(question.Name.ToLowerInvariant(), MaxShownName);
            return $"the question repeated is for {shown}, {name.ToLowerInvariant()} expected";
        }

        return question.Type != type ? $"the question repeated is for type {question.Type}, {type} expected"
            : question.Class != DnsTypes.ClassIn ? $"the question repeated is for class {question.Class}, {DnsTypes.ClassIn} expected"
            : question.Name != name ? "the question is repeated in another case of letters than it was asked in; the resolver must keep it"
            : null;
    }

    private static string MixCase(string name) => string.Create(name.Length, name, (mixed, whole) =>
    {
        Span<byte> random = stackalloc byte[1];
        for (var i = 0; i < mixed.Length; i++)
        {
            RandomNumberGenerator.Fill(random);
            mixed[i] = char.IsAsciiLetter(whole[i]) && (random[0] & 1) != 0 ? (char)(whole[i] ^ 0x20) : whole[i];
        }
    });

    private static void Put16(MemoryStream stream, params ReadOnlySpan<int> values)
    {
        Span<byte> octets = stackalloc byte[2];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteUInt16BigEndian(octets, (ushort)value);
            stream.Write(octets);
        }
    }
}
