using System.Collections.Immutable;

namespace PersistCa.Validation.Dns;

/// <summary>The record types that validation asks for; the value is the type's number (RFC 1035 section 3.2.2, RFC 3596).</summary>
public enum DnsRecordKind
{
    /// <summary>An IPv4 address.</summary>
    A = 1,

    /// <summary>An alias.</summary>
    Cname = 5,

    /// <summary>Text.</summary>
    Txt = 16,

    /// <summary>An IPv6 address.</summary>
    Aaaa = 28,

    /// <summary>A certification authority authorization (RFC 8659).</summary>
    Caa = 257,
}

/// <summary>How a look-up ended. The first three say what the zone holds; every other one says that nothing is known.</summary>
public enum DnsStatus
{
    /// <summary>There are records of the kind asked for.</summary>
    Answered = 0,

    /// <summary>The name exists, or is an alias of one that does, without records of the kind asked for.</summary>
    NoData = 1,

    /// <summary>The name does not exist (RCODE 3).</summary>
    NxDomain = 2,

    /// <summary>The resolver failed (RCODE 2): the zone's servers do not answer, or its DNSSEC signatures are bogus.</summary>
    ServFail = 3,

    /// <summary>The resolver refused to look (RCODE 5).</summary>
    Refused = 4,

    /// <summary>The resolver answered with another error code.</summary>
    OtherError = 5,

    /// <summary>No answer in time.</summary>
    Timeout = 6,

    /// <summary>No reply came that belongs to the question: others had another id, question or case of letters, or it has records of another owner.</summary>
    Mismatched = 7,

    /// <summary>The reply cannot be read, or the resolver cannot be reached.</summary>
    Unusable = 8,

    /// <summary>More records or octets than are judged (dns-persist-01 rules, section 6.12).</summary>
    TooLarge = 9,

    /// <summary>There is an answer that DNSSEC does not vouch for, where that is demanded.</summary>
    NotSecure = 10,

    /// <summary>There is an answer whose signatures are wrong or missing where they must be, as found here: it is never used.</summary>
    Bogus = 11,

    /// <summary>There is an answer, but what its signatures rest on could not be looked up.</summary>
    Unproven = 12,
}

/// <summary>One record of an answer.</summary>
/// <param name="Owner">Name it stands at: the one asked for, as it was asked, or the last of the alias chain.</param>
/// <param name="Kind">Its type.</param>
/// <param name="TtlSeconds">Time to live, in seconds.</param>
/// <param name="Text">
/// TXT: the character-strings joined with nothing between them, each octet one character (U+0000 to U+00FF). A and AAAA: the address. CNAME: the target.
/// CAA: the whole RDATA (flags, length of the tag, tag, value), each octet one character.
/// </param>
public sealed record DnsRecord(string Owner, DnsRecordKind Kind, int TtlSeconds, string Text);

/// <summary>What DNSSEC says of an answer (RFC 4035 section 4.3).</summary>
public enum DnsSecurity
{
    /// <summary>Nobody looked.</summary>
    NotChecked = 0,

    /// <summary>Signed, up to a trust anchor.</summary>
    Secure = 1,

    /// <summary>Proven to lie in a zone that is not signed.</summary>
    Insecure = 2,

    /// <summary>Should be signed and is not, or wrongly: such an answer is never used.</summary>
    Bogus = 3,
}

/// <summary>What one look-up brought, kept as evidence.</summary>
/// <param name="OwnerName">Name asked for, without the root's dot.</param>
/// <param name="Kind">Type asked for.</param>
/// <param name="Status">How it ended.</param>
public sealed record DnsAnswer(string OwnerName, DnsRecordKind Kind, DnsStatus Status)
{
    /// <summary>Records of the kind asked for, at the end of the alias chain. Empty unless <see cref="Status"/> is <see cref="DnsStatus.Answered"/>.</summary>
    public ImmutableArray<DnsRecord> Records { get; init; } = [];

    /// <summary>Targets of the aliases that were followed, in order and lower case; empty when the name is no alias.</summary>
    public ImmutableArray<string> CnameChain { get; init; } = [];

    /// <summary>Address and port of the resolver that gave the last reply: evidence, never shown to an account.</summary>
    public string? Resolver { get; init; }

    /// <summary>Name of the response code (IANA DNS RCODEs), null when no reply was understood.</summary>
    public string? ResponseCode { get; init; }

    /// <summary>AD bit of the reply (RFC 4035 section 3.2.3). What it is worth depends on who set it: see <see cref="Security"/>.</summary>
    public bool AuthenticData { get; init; }

    /// <summary>What DNSSEC says of it.</summary>
    public DnsSecurity Security { get; init; }

    /// <summary>Why it is not secure, as found here; null where it is, and where nobody here looked.</summary>
    public string? SecurityReason { get; init; }

    /// <summary>When the question was first sent.</summary>
    public DateTimeOffset AskedAt { get; init; }

    /// <summary>From the first question to the last reply.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Number of times the question was sent.</summary>
    public int Attempts { get; init; }

    /// <summary>
    /// What is wrong with the reply, when the status alone does not say; beside an answer, what came before it that was none. Null when there is
    /// nothing to say.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>What the resolver says beyond the response code (RFC 8914), eight at most.</summary>
    public ImmutableArray<DnsExtendedError> ExtendedErrors { get; init; } = [];

    /// <summary>The reply as it came, for evidence; empty when none did.</summary>
    public ReadOnlyMemory<byte> ReplyOctets { get; init; }

    /// <summary>True when nothing is known about the zone: such a look-up neither proves nor disproves control.</summary>
    public bool IsFailure => Status is not (DnsStatus.Answered or DnsStatus.NoData or DnsStatus.NxDomain);
}

/// <summary>Looks records up. Every answer is fresh: nothing is cached on this side.</summary>
public interface IDnsResolver
{
    /// <summary>Asks one question. Failures of DNS are statuses of the answer, never exceptions.</summary>
    /// <param name="ownerName">Name in A-labels, with or without the root's dot; labels may start with "_".</param>
    /// <param name="kind">Record type.</param>
    /// <param name="cancellationToken">Ends the look-up.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<DnsAnswer> AskAsync(string ownerName, DnsRecordKind kind, CancellationToken cancellationToken);
}
