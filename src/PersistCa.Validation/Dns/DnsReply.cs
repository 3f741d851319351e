using System.Collections.Immutable;
using System.Text;
using DnsClient;
using DnsClient.Protocol;

namespace PersistCa.Validation.Dns;

/// <summary>Reads a reply, and checks what the library does not: that question and owner names are those asked for.</summary>
internal static class DnsReply
{
    private const int MaxShownName = 260;

    public static DnsAnswer Read(IDnsQueryResponse reply, string name, DnsRecordKind kind, DnsOptions options)
    {
        var answer = new DnsAnswer(name, kind, DnsStatus.OtherError)
        {
            ResponseCode = CodeName(reply.Header.ResponseCode),
            AuthenticData = reply.Header.IsAuthenticData,
        };
        if (WrongQuestion(reply, name, kind) is { } wrong)
        {
            return Failed(answer, DnsStatus.Mismatched, wrong);
        }

        if (reply.MessageSize > options.MaxAnswerOctets)
        {
            return Failed(answer, DnsStatus.TooLarge, $"{reply.MessageSize} octets, at most {options.MaxAnswerOctets} expected");
        }

        switch (reply.Header.ResponseCode)
        {
            case DnsHeaderResponseCode.NoError:
            case DnsHeaderResponseCode.NotExistentDomain:
                break;
            case DnsHeaderResponseCode.ServerFailure:
                return answer with { Status = DnsStatus.ServFail };
            case DnsHeaderResponseCode.Refused:
                return answer with { Status = DnsStatus.Refused };
            default:
                return answer;
        }

        var chain = ImmutableArray<string>.Empty;
        if (kind != DnsRecordKind.Cname)
        {
            chain = FollowAliases(reply.Answers, name, options.MaxCnames);
            if (chain.Length > options.MaxCnames)
            {
                return Failed(answer, DnsStatus.Mismatched, $"more than {options.MaxCnames} aliases or a loop of them");
            }
        }

        return Collect(answer with { CnameChain = chain }, reply, kind, options);
    }

    private static DnsAnswer Collect(DnsAnswer answer, IDnsQueryResponse reply, DnsRecordKind kind, DnsOptions options)
    {
        var owner = answer.CnameChain.IsEmpty ? answer.OwnerName : answer.CnameChain[^1];
        var records = ImmutableArray.CreateBuilder<DnsRecord>();
        foreach (var record in reply.Answers)
        {
            if ((int)record.RecordType != (int)kind)
            {
                continue;
            }

            var standsAt = WithoutDot(record.DomainName.Value);
            if (!SameName(standsAt, owner))
            {
                var found = PrintableText.Shorten(standsAt, MaxShownName);
                return Failed(answer, DnsStatus.Mismatched, $"a record of {found}, records of {owner} expected");
            }

            if (records.Count == options.MaxRecords)
            {
                return Failed(answer, DnsStatus.TooLarge, $"more than {options.MaxRecords} records");
            }

            records.Add(new DnsRecord(standsAt, kind, record.InitialTimeToLive, Text(record)));
        }

        // NXDOMAIN with records at the end of the chain contradicts itself; the code wins, and nothing is proved.
        return reply.Header.ResponseCode == DnsHeaderResponseCode.NotExistentDomain ? answer with { Status = DnsStatus.NxDomain }
            : records.Count == 0 ? answer with { Status = DnsStatus.NoData }
            : answer with { Status = DnsStatus.Answered, Records = records.ToImmutable() };
    }

    private static DnsAnswer Failed(DnsAnswer answer, DnsStatus status, string reason) =>
        answer with { Status = status, Reason = reason, AuthenticData = false };

    private static string? WrongQuestion(IDnsQueryResponse reply, string name, DnsRecordKind kind)
    {
        if (reply.Questions.Count != 1)
        {
            return $"{reply.Questions.Count} questions repeated, 1 expected";
        }

        var question = reply.Questions[0];
        var asked = WithoutDot(question.QueryName.Value);
        return !SameName(asked, name) ? $"the question repeated is for {PrintableText.Shorten(asked, MaxShownName)}, {name} expected"
            : (int)question.QuestionType != (int)kind ? $"the question repeated is for type {(int)question.QuestionType}, {(int)kind} expected"
            : question.QuestionClass != QueryClass.IN ? $"the question repeated is for class {(int)question.QuestionClass}, 1 expected"
            : null;
    }

    private static ImmutableArray<string> FollowAliases(IReadOnlyList<DnsResourceRecord> answers, string name, int maxCnames)
    {
        var chain = ImmutableArray.CreateBuilder<string>();
        var at = name;
        while (chain.Count <= maxCnames
            && answers.OfType<CNameRecord>().FirstOrDefault(c => SameName(WithoutDot(c.DomainName.Value), at)) is { } alias)
        {
            at = WithoutDot(alias.CanonicalName.Value);
            chain.Add(at);
        }

        return chain.ToImmutable();
    }

    private static string Text(DnsResourceRecord record) => record switch
    {
        TxtRecord txt => string.Concat(txt.Text.Zip(txt.EscapedText, Octets)),
        AddressRecord address => address.Address.ToString(),
        CNameRecord alias => WithoutDot(alias.CanonicalName.Value),
        CaaRecord caa => $"{(char)caa.Flags}{(char)caa.Tag.Length}{caa.Tag}{caa.Value}",
        _ => throw new InvalidOperationException($"a record of type {record.RecordType} is not read"),
    };

    /// <summary>
    /// The octets of a character-string, one character each. The library decodes them as UTF-8, which is exact unless they are no UTF-8; then its
    /// escaped form is read back, which is exact but for back-slashes in front of digits.
    /// </summary>
    private static string Octets(string decoded, string escaped) => decoded.Contains('\uFFFD', StringComparison.Ordinal)
        ? Unescape(escaped)
        : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(decoded));

    private static string Unescape(string escaped)
    {
        var text = new StringBuilder(escaped.Length);
        for (var at = 0; at < escaped.Length; at++)
        {
            var rest = escaped.AsSpan(at + 1);
            if (escaped[at] != '\\' || rest.IsEmpty)
            {
                text.Append(escaped[at]);
            }
            else if (rest.Length >= 3 && byte.TryParse(rest[..3], System.Globalization.NumberStyles.None, null, out var octet))
            {
                text.Append((char)octet);
                at += 3;
            }
            else if (rest[0] == '"')
            {
                text.Append('"');
                at++;
            }
            else
            {
                text.Append('\\');
            }
        }

        return text.ToString();
    }

    private static string CodeName(DnsHeaderResponseCode code) => code switch
    {
        DnsHeaderResponseCode.NoError => "NOERROR",
        DnsHeaderResponseCode.FormatError => "FORMERR",
        DnsHeaderResponseCode.ServerFailure => "SERVFAIL",
        DnsHeaderResponseCode.NotExistentDomain => "NXDOMAIN",
        DnsHeaderResponseCode.NotImplemented => "NOTIMP",
        DnsHeaderResponseCode.Refused => "REFUSED",
        _ => $"RCODE {(int)code}",
    };

    private static bool SameName(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private static string WithoutDot(string name) => name.EndsWith('.') ? name[..^1] : name;
}
