using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns.Wire;

/// <summary>
/// Reads messages. Work is bounded by the octets that are there: every record takes eleven of them at least, whatever the counts in the header say,
/// and a name is at most 255 octets however it is compressed.
/// </summary>
internal sealed class DnsMessageReader
{
    private const int HeaderOctets = 12;
    private const int MostErrors = 8;
    private const int ExtendedErrorOption = 15;

    private readonly ReadOnlyMemory<byte> message;
    private int at;
    private DnsMessageRecord? opt;
    private string? fault;

    private DnsMessageReader(ReadOnlyMemory<byte> message) => this.message = message;

    public static Parsed<DnsMessage> Read(ReadOnlyMemory<byte> octets)
    {
        if (octets.Length is < HeaderOctets or > DnsMessage.MostOctets)
        {
            return Parsed<DnsMessage>.Refused($"{octets.Length} octets, {HeaderOctets} to {DnsMessage.MostOctets} expected");
        }

        var reader = new DnsMessageReader(octets);
        var read = reader.Whole();
        return reader.fault is { } fault ? Parsed<DnsMessage>.Refused(fault) : Parsed<DnsMessage>.Ok(read);
    }

    private DnsMessage Whole()
    {
        var id = Next16();
        var flags = Next16();
        var (questionCount, answerCount, authorityCount, additionalCount) = (Next16(), Next16(), Next16(), Next16());
        var questions = Questions(questionCount);
        var answers = Records(answerCount, mayHoldOpt: false);
        var authorities = Records(authorityCount, mayHoldOpt: false);
        var additionals = Records(additionalCount, mayHoldOpt: true);
        if (at != message.Length)
        {
            fault ??= $"{message.Length - at} octets follow the last record";
        }

        var edns = fault is null && opt is not null ? Edns(opt) : null;
        var upper = opt is null ? 0 : (opt.Ttl >> 24) & 0xFF;
        return new DnsMessage
        {
            Id = id,
            IsReply = (flags & 0x8000) != 0,
            Opcode = (flags >> 11) & 0xF,
            IsAuthoritative = (flags & 0x0400) != 0,
            IsTruncated = (flags & 0x0200) != 0,
            IsRecursionAvailable = (flags & 0x0080) != 0,
            IsAuthenticData = (flags & 0x0020) != 0,
            IsCheckingDisabled = (flags & 0x0010) != 0,
            ResponseCode = (upper << 4) | (flags & 0xF),
            Questions = questions,
            Answers = answers,
            Authorities = authorities,
            Additionals = additionals,
            Edns = edns,
        };
    }

    private ImmutableArray<DnsMessageQuestion> Questions(int count)
    {
        var questions = ImmutableArray.CreateBuilder<DnsMessageQuestion>();
        while (questions.Count < count && fault is null)
        {
            var name = Name();
            if (Has(4))
            {
                questions.Add(new DnsMessageQuestion(name, Next16(), Next16()));
            }
        }

        return questions.ToImmutable();
    }

    private ImmutableArray<DnsMessageRecord> Records(int count, bool mayHoldOpt)
    {
        const int fixedOctets = 10;
        var records = ImmutableArray.CreateBuilder<DnsMessageRecord>();
        for (; count > 0 && fault is null; count--)
        {
            var owner = Name();
            if (!Has(fixedOctets))
            {
                break;
            }

            var (type, recordClass) = (Next16(), Next16());
            var ttl = (Next16() << 16) | Next16();
            var length = Next16();
            if (!Has(length))
            {
                break;
            }

            var record = new DnsMessageRecord(owner, type, recordClass, ttl, message.Slice(at, length));
            if (type == DnsTypes.Opt)
            {
                // RFC 6891 section 6.1.1: one at most, in the additional section, at the root.
                fault ??= !mayHoldOpt || opt is not null || owner.Length > 0 ? "an OPT record stands where none may be" : null;
                opt = record;
            }
            else
            {
                records.Add(record with { Ttl = Math.Max(0, ttl), Target = type == DnsTypes.Cname ? Target(length) : null });
            }

            at += length;
        }

        return records.ToImmutable();
    }

    private string Target(int length)
    {
        var end = at;
        var reason = DnsWireName.Read(message.Span, ref end, out var target);
        fault ??= reason ?? (end == at + length ? null : "the target of an alias does not fill its record");
        return target;
    }

    private DnsMessageEdns Edns(DnsMessageRecord record)
    {
        var errors = ImmutableArray.CreateBuilder<DnsExtendedError>();
        var rest = record.Data.Span;
        while (rest.Length >= 4)
        {
            var code = BinaryPrimitives.ReadUInt16BigEndian(rest);
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            rest = rest[4..];
            if (length > rest.Length)
            {
                break;
            }

            // RFC 8914 section 2: a number and, if there is more, text in UTF-8, perhaps ended by a null octet.
            if (code == ExtendedErrorOption && length >= 2 && errors.Count < MostErrors)
            {
                errors.Add(new DnsExtendedError(BinaryPrimitives.ReadUInt16BigEndian(rest), Encoding.UTF8.GetString(rest[2..length]).TrimEnd('\0')));
            }

            rest = rest[length..];
        }

        fault ??= rest.Length > 0 ? "the options of the OPT record do not fill it" : null;
        return new DnsMessageEdns(record.Class, (record.Ttl >> 16) & 0xFF, (record.Ttl & 0x8000) != 0, errors.ToImmutable());
    }

    private string Name()
    {
        if (fault is not null)
        {
            return "";
        }

        fault = DnsWireName.Read(message.Span, ref at, out var name);
        return name;
    }

    private bool Has(int octets)
    {
        fault ??= at + octets > message.Length ? "a record runs past the end" : null;
        return fault is null;
    }

    private int Next16()
    {
        var value = BinaryPrimitives.ReadUInt16BigEndian(message.Span[at..]);
        at += 2;
        return value;
    }
}
