using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dns.Transport;

/// <summary>What became of one query to one resolver.</summary>
internal sealed record DnsExchange
{
    /// <summary>The reply that belongs to the query; null when none came.</summary>
    public DnsMessage? Reply { get; init; }

    /// <summary>The reply as it came; empty when none did.</summary>
    public ReadOnlyMemory<byte> Octets { get; init; }

    /// <summary>Without a reply: timeout, mismatched or unusable.</summary>
    public DnsStatus Failure { get; init; }

    /// <summary>What failed, or which messages came that do not belong to the query; null when there is nothing to say.</summary>
    public string? Reason { get; init; }
}

/// <summary>Messages that came while a reply was awaited and are none: forged, late or broken. They never end the wait (RFC 5452 section 9.1).</summary>
internal sealed class StrayMessages
{
    private string? last;
    private bool anyReadable;

    /// <summary>How many came.</summary>
    public int Count { get; private set; }

    /// <summary>Weighs one message.</summary>
    /// <returns>The message, when it is the reply; null when it is a stray one and counted.</returns>
    public DnsMessage? Weigh(DnsQuery query, ReadOnlyMemory<byte> octets)
    {
        var message = DnsMessage.Read(octets);
        var reason = message.IsValid ? query.WhyNotReply(message.Value) : message.Reason;
        if (reason is null)
        {
            return message.Value;
        }

        Count++;
        last = reason;
        anyReadable |= message.IsValid;
        return null;
    }

    /// <summary>In words, null when there were none.</summary>
    public string? InWords() => Count switch
    {
        0 => null,
        1 => $"1 message came that does not belong to the question: {last}",
        _ => $"{Count} messages came that do not belong to the question, the last: {last}",
    };

    /// <summary>The end of a wait without a reply.</summary>
    public DnsExchange WithoutReply(DnsStatus failure, string? reason) => Count == 0
        ? new DnsExchange { Failure = failure, Reason = reason }
        : new DnsExchange { Failure = anyReadable ? DnsStatus.Mismatched : DnsStatus.Unusable, Reason = Join(reason, InWords()) };

    /// <summary>The end of a wait with a reply.</summary>
    public DnsExchange With(DnsMessage reply, ReadOnlyMemory<byte> octets) => new() { Reply = reply, Octets = octets, Reason = InWords() };

    private static string? Join(string? one, string? other) => one is null ? other : $"{one}; {other}";
}
