using System.Collections.Immutable;
using System.Net;
using System.Text;
using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dns;

/// <summary>Judges a reply that belongs to its query: what the answer section says, and whether its owner names follow from the question. Pure.</summary>
internal static class DnsReply
{
    private const int MaxShownName = 260;
    public const int NoError = 0;
    private const int ServFail = 2;
    public const int NxDomain = 3;
    private const int Refused = 5;

    public static DnsAnswer Read(DnsMessage reply, int octets, string name, DnsRecordKind kind, DnsOptions options)
    {
        var answer = new DnsAnswer(name, kind, DnsStatus.OtherError)
        {
            ResponseCode = CodeName(reply.ResponseCode),
            AuthenticData = reply.IsAuthenticData,
            ExtendedErrors = reply.Edns?.ExtendedErrors ?? [],
        };
        if (octets > options.MaxAnswerOctets)
        {
            return Failed(answer, DnsStatus.TooLarge, $"{octets} octets, at most {options.MaxAnswerOctets} expected");
        }

        switch (reply.ResponseCode)
        {
            case NoError or NxDomain:
                break;
            case ServFail:
                return answer with { Status = DnsStatus.ServFail };
            case Refused:
                return answer with { Status = DnsStatus.Refused };
            default:
                return answer;
        }

        var chain = ImmutableArray.CreateBuilder<string>();
        if (kind != DnsRecordKind.Cname && FollowAliases(reply.Answers, name, options.MaxCnames, chain) is { } reason)
        {
            return Failed(answer, DnsStatus.Mismatched, reason);
        }

        answer = answer with { CnameChain = chain.ToImmutable() };
        return Stranger(reply.Answers, answer) is { } stranger ? Failed(answer, DnsStatus.Mismatched, stranger) : Collect(answer, reply, options);
    }

    private static DnsAnswer Collect(DnsAnswer answer, DnsMessage reply, DnsOptions options)
    {
        var owner = End(answer);
        var records = ImmutableArray.CreateBuilder<DnsRecord>();
        foreach (var record in reply.Answers.Where(r => r.Type == (int)answer.Kind))
        {
            if (!DnsWireName.Same(record.Owner, owner))
            {
                return Failed(answer, DnsStatus.Mismatched, $"a record of {Shown(record.Owner)}, records of {Shown(owner)} expected");
            }

            if (records.Count == options.MaxRecords)
            {
                return Failed(answer, DnsStatus.TooLarge, $"more than {options.MaxRecords} records");
            }

            if (Text(record, answer.Kind) is not { } text)
            {
                return Failed(answer, DnsStatus.Unusable, $"a record of type {record.Type} with {record.Data.Length} octets of data that are not of its form");
            }

            records.Add(new DnsRecord(owner, answer.Kind, record.Ttl, text));
        }

        // NXDOMAIN with records at the end of the chain contradicts itself; the code wins, and nothing is proved.
        return reply.ResponseCode == NoError && records.Count > 0 ? answer with { Status = DnsStatus.Answered, Records = records.ToImmutable() }
            : SaysNothing(answer, reply) is { } reason ? Failed(answer, DnsStatus.Unusable, reason)
            : answer with { Status = reply.ResponseCode == NxDomain ? DnsStatus.NxDomain : DnsStatus.NoData };
    }

    /// <summary>
    /// A server that is no recursive resolver answers with a referral, or with an alias that it leaves to others to follow (RFC 2308 section 2.2):
    /// such a reply must not pass for "there are no records", which for CAA would be a permission.
    /// </summary>
    private static string? SaysNothing(DnsAnswer answer, DnsMessage reply) => reply.IsRecursionAvailable ? null
        : !reply.IsAuthoritative ? "the server neither resolves recursively nor is it an authority for the name"
        : !answer.CnameChain.IsEmpty && reply.Authorities.All(r => r.Type != DnsTypes.Soa) ? "the server does not resolve recursively and leaves an alias unfollowed"
        : null;

    private static string? FollowAliases(ImmutableArray<DnsMessageRecord> answers, string name, int maxCnames, ImmutableArray<string>.Builder chain)
    {
        for (var at = name; ; at = chain[^1])
        {
            var targets = answers.Where(r => r is { Type: DnsTypes.Cname, Class: DnsTypes.ClassIn } && DnsWireName.Same(r.Owner, at)).ToList();
            if (targets.Count == 0)
            {
                return null;
            }

            if (targets.Count > 1)
            {
                return $"{targets.Count} aliases at {Shown(at)}, 1 expected"; // RFC 2181 section 10.1
            }

            if (chain.Count == maxCnames)
            {
                return $"more than {maxCnames} aliases or a loop of them";
            }

            // In lower case: by compression a target can share the random case of the question.
            chain.Add(targets[0].Target!.ToLowerInvariant());
        }
    }

    /// <summary>The first record whose owner does not follow from the question: what a server adds of its own accord is how caches were poisoned.</summary>
    private static string? Stranger(ImmutableArray<DnsMessageRecord> answers, DnsAnswer answer)
    {
        string[] owners = [answer.OwnerName, .. answer.CnameChain];
        foreach (var record in answers)
        {
            // A DNAME, and the signature over it, stand above the name that they are an alias for (RFC 6672 section 3.1).
            var follows = record.Class == DnsTypes.ClassIn
                && owners.Any(o => DnsWireName.Same(o, record.Owner) || (record.Type is DnsTypes.Dname or DnsTypes.Rrsig && DnsWireName.IsWithin(o, record.Owner)));
            if (!follows)
            {
                return $"a record of {Shown(record.Owner)}, records of {Shown(End(answer))} expected";
            }
        }

        return null;
    }

    private static DnsAnswer Failed(DnsAnswer answer, DnsStatus status, string reason) =>
        answer with { Status = status, Reason = reason, AuthenticData = false };

    private static string? Text(DnsMessageRecord record, DnsRecordKind kind)
    {
        var data = record.Data.Span;
        return kind switch
        {
            DnsRecordKind.A => data.Length == 4 ? new IPAddress(data).ToString() : null,
            DnsRecordKind.Aaaa => data.Length == 16 ? new IPAddress(data).ToString() : null,
            DnsRecordKind.Cname => record.Target?.ToLowerInvariant(),
            DnsRecordKind.Caa => Encoding.Latin1.GetString(data),
            DnsRecordKind.Txt => CharacterStrings(data),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a record type that is asked for"),
        };
    }

    /// <summary>One or more character-strings, joined with nothing between (RFC 1035 section 3.3.14); null when the data are none.</summary>
    private static string? CharacterStrings(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder(data.Length);
        var rest = data;
        while (!rest.IsEmpty)
        {
            var length = rest[0];
            if (length >= rest.Length)
            {
                return null;
            }

            text.Append(Encoding.Latin1.GetString(rest.Slice(1, length)));
            rest = rest[(length + 1)..];
        }

        return data.IsEmpty ? null : text.ToString();
    }

    private static string End(DnsAnswer answer) => answer.CnameChain.IsEmpty ? answer.OwnerName : answer.CnameChain[^1];

    private static string Shown(string name) => PrintableText.Shorten(name, MaxShownName);

    public static string CodeName(int code) => code switch
    {
        NoError => "NOERROR",
        1 => "FORMERR",
        ServFail => "SERVFAIL",
        NxDomain => "NXDOMAIN",
        4 => "NOTIMP",
        Refused => "REFUSED",
        16 => "BADVERS",
        _ => $"RCODE {code}",
    };
}
