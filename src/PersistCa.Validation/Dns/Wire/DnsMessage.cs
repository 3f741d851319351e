using System.Collections.Immutable;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dns.Wire;

/// <summary>The question that a message repeats (RFC 1035 section 4.1.2).</summary>
/// <param name="Name">Name, in the case of the message, without the root's dot.</param>
/// <param name="Type">Type number.</param>
/// <param name="Class">Class number; 1 is the Internet.</param>
public sealed record DnsMessageQuestion(string Name, int Type, int Class);

/// <summary>One resource record (RFC 1035 section 4.1.3).</summary>
/// <param name="Owner">Name it stands at, decompressed, without the root's dot.</param>
/// <param name="Type">Type number.</param>
/// <param name="Class">Class number.</param>
/// <param name="Ttl">Time to live, in seconds; 0 when the topmost bit is set (RFC 2181 section 8).</param>
/// <param name="Data">RDATA as it stands, names in it still compressed.</param>
public sealed record DnsMessageRecord(string Owner, int Type, int Class, int Ttl, ReadOnlyMemory<byte> Data)
{
    /// <summary>CNAME: the target, decompressed; null for other types.</summary>
    public string? Target { get; init; }
}

/// <summary>The OPT record (RFC 6891 section 6.1.2).</summary>
/// <param name="PayloadOctets">Largest UDP message the sender takes.</param>
/// <param name="Version">EDNS version.</param>
/// <param name="DnssecOk">DO bit.</param>
/// <param name="ExtendedErrors">Extended errors (RFC 8914).</param>
public sealed record DnsMessageEdns(int PayloadOctets, int Version, bool DnssecOk, ImmutableArray<DnsExtendedError> ExtendedErrors);

/// <summary>A DNS message, read whole (RFC 1035 section 4.1). Reading never throws, whatever the octets are.</summary>
public sealed record DnsMessage
{
    /// <summary>Most octets of a message: what the length in front of it can say over TCP (RFC 1035 section 4.2.2).</summary>
    public const int MostOctets = 65_535;

    /// <summary>Id that joins query and reply.</summary>
    public required int Id { get; init; }

    /// <summary>QR bit.</summary>
    public required bool IsReply { get; init; }

    /// <summary>Kind of query; 0 is the ordinary one.</summary>
    public required int Opcode { get; init; }

    /// <summary>AA bit: the answerer is an authority for the name.</summary>
    public required bool IsAuthoritative { get; init; }

    /// <summary>TC bit: the message was cut short.</summary>
    public required bool IsTruncated { get; init; }

    /// <summary>RA bit: the answerer resolves recursively.</summary>
    public required bool IsRecursionAvailable { get; init; }

    /// <summary>AD bit: the answerer vouches for the answer by DNSSEC (RFC 4035 section 3.2.3).</summary>
    public required bool IsAuthenticData { get; init; }

    /// <summary>CD bit: the answerer was told not to check (RFC 4035 section 3.2.2).</summary>
    public required bool IsCheckingDisabled { get; init; }

    /// <summary>Response code, the upper bits from the OPT record where there is one (RFC 6891 section 6.1.3).</summary>
    public required int ResponseCode { get; init; }

    /// <summary>Questions, usually one.</summary>
    public required ImmutableArray<DnsMessageQuestion> Questions { get; init; }

    /// <summary>Answer section.</summary>
    public required ImmutableArray<DnsMessageRecord> Answers { get; init; }

    /// <summary>Authority section.</summary>
    public required ImmutableArray<DnsMessageRecord> Authorities { get; init; }

    /// <summary>Additional section without the OPT record.</summary>
    public required ImmutableArray<DnsMessageRecord> Additionals { get; init; }

    /// <summary>EDNS, null without OPT record.</summary>
    public DnsMessageEdns? Edns { get; init; }

    /// <summary>Reads a message.</summary>
    /// <param name="octets">The message, exactly; octets behind it are a fault.</param>
    /// <returns>The message, or why the octets are none.</returns>
    public static Parsed<DnsMessage> Read(ReadOnlyMemory<byte> octets) => DnsMessageReader.Read(octets);
}
