using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Challenges;

/// <summary>A resolver that says what the test says; the function gets the name and how often that name and kind was asked for before.</summary>
internal sealed class ScriptedResolver(Func<string, int, IReadOnlyList<string>> addresses) : IDnsResolver
{
    private readonly ConcurrentDictionary<(string, DnsRecordKind), int> asked = new();

    /// <summary>How often a name was asked for a kind of record.</summary>
    public int Asked(string name, DnsRecordKind kind) => asked.GetValueOrDefault((name, kind));

    public Task<DnsAnswer> AskAsync(string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        var before = asked.AddOrUpdate((ownerName, kind), 1, (_, n) => n + 1) - 1;
        ImmutableArray<DnsRecord> records =
        [
            .. addresses(ownerName, before)
                .Where(a => IPAddress.Parse(a).AddressFamily == (kind == DnsRecordKind.A ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6))
                .Select(a => new DnsRecord(ownerName, kind, 1, a)),
        ];
        return Task.FromResult(new DnsAnswer(ownerName, kind, records.IsEmpty ? DnsStatus.NoData : DnsStatus.Answered) { Records = records });
    }
}
