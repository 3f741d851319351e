using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PersistCa.Server.Demo;

/// <summary>Settings of a <see cref="LoopbackZone"/>.</summary>
public sealed record LoopbackZoneOptions
{
    /// <summary>Time to live of every record, in seconds.</summary>
    public int TtlSeconds { get; init; } = 1;

    /// <summary>Address of every name that has no address of its own; null: such names have none. Names whose first label starts with "_" never get it.</summary>
    public IPAddress? DefaultAddress { get; init; }

    /// <summary>Whether answers carry the AD bit, as a validating resolver's would.</summary>
    public bool AuthenticData { get; init; }

    /// <summary>Queries kept in the log; older ones are dropped.</summary>
    public int MostLoggedQueries { get; init; } = 10_000;

    /// <summary>Where the time of log entries and delays comes from.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>One query that a <see cref="LoopbackZone"/> received.</summary>
/// <param name="Owner">Name asked for, lower case, without the root's dot.</param>
/// <param name="Type">Record type number (RFC 1035 section 3.2.2).</param>
/// <param name="OverTcp">Whether it came over TCP.</param>
/// <param name="At">When.</param>
public sealed record LoopbackQuery(string Owner, int Type, bool OverTcp, DateTimeOffset At);

/// <summary>
/// A small authoritative DNS server on the loopback interface, UDP and TCP on one port, for the demonstration and for tests. It answers for
/// every name: with the records that were set, else with NXDOMAIN. It can also fail, delay or drop on purpose, name by name.
/// </summary>
public sealed class LoopbackZone : IAsyncDisposable, IDisposable
{
    private const int NoError = 0;
    private const int NxDomain = 3;
    private const int ServFail = 2;
    private const int MostCnames = 16;

    private readonly LoopbackZoneOptions options;
    private readonly LoopbackZoneServer server;
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<LoopbackRecord>> names = [];
    private readonly ConcurrentDictionary<string, Fault> faults = new();
    private readonly ConcurrentQueue<LoopbackQuery> queries = new();

    private LoopbackZone(IPEndPoint at, LoopbackZoneOptions options)
    {
        this.options = options;
        server = new LoopbackZoneServer(at, AnswerAsync);
    }

    /// <summary>Where it listens, with the port that was picked.</summary>
    public IPEndPoint EndPoint => server.EndPoint;

    /// <summary>The queries received so far, oldest first.</summary>
    public IReadOnlyList<LoopbackQuery> Queries => [.. queries];

    /// <summary>Starts a server.</summary>
    /// <param name="at">Address and port; null: 127.0.0.1 with a free port. Port 0 picks one that is free for both UDP and TCP.</param>
    /// <param name="options">Settings, null for the defaults.</param>
    /// <exception cref="ArgumentException">The address is not a loopback address: this server is not for others to reach.</exception>
    /// <exception cref="SocketException">The port is taken, or no port could be found.</exception>
    public static LoopbackZone Start(IPEndPoint? at = null, LoopbackZoneOptions? options = null)
    {
        at ??= new IPEndPoint(IPAddress.Loopback, 0);
        if (!IPAddress.IsLoopback(at.Address))
        {
            throw new ArgumentException($"{at.Address} is not a loopback address", nameof(at));
        }

        return new LoopbackZone(at, options ?? new LoopbackZoneOptions());
    }

    /// <summary>Replaces the TXT records of a name. One character is one octet (Latin-1); long values are cut into strings of 255 octets.</summary>
    public void SetTxt(string owner, params string[] values) =>
        Replace(owner, [LoopbackZoneMessage.TypeTxt], values.Select(v => (LoopbackZoneMessage.TypeTxt, LoopbackZoneMessage.TextOctets(v))));

    /// <summary>Adds one TXT record to a name.</summary>
    public void AddTxt(string owner, string value) =>
        Replace(owner, [], [(LoopbackZoneMessage.TypeTxt, LoopbackZoneMessage.TextOctets(value))]);

    /// <summary>Removes the TXT records of a name.</summary>
    public void ClearTxt(string owner) => Replace(owner, [LoopbackZoneMessage.TypeTxt], []);

    /// <summary>Replaces the A and AAAA records of a name.</summary>
    public void SetA(string owner, params IPAddress[] addresses) =>
        Replace(owner, [LoopbackZoneMessage.TypeA, LoopbackZoneMessage.TypeAaaa], addresses.Select(LoopbackZoneMessage.Address));

    /// <summary>Replaces the CAA records of a name.</summary>
    /// <param name="owner">Name.</param>
    /// <param name="rdata">RDATA of each record, one character for each octet (flags, length of the tag, tag, value).</param>
    public void SetCaa(string owner, params string[] rdata) =>
        Replace(owner, [LoopbackZoneMessage.TypeCaa], rdata.Select(r => (LoopbackZoneMessage.TypeCaa, System.Text.Encoding.Latin1.GetBytes(r))));

    /// <summary>Makes a name an alias. Its other records are removed (RFC 1034 section 3.6.2).</summary>
    public void SetCname(string owner, string target) =>
        Replace(owner, null, [(LoopbackZoneMessage.TypeCname, LoopbackZoneMessage.NameOctets(Normal(target)))]);

    /// <summary>Removes every record of a name.</summary>
    public void Clear(string owner) => Replace(owner, null, []);

    /// <summary>Every query for the name is answered with this response code, such as 2 (SERVFAIL) or 5 (REFUSED).</summary>
    public void Fail(string owner, int rcode) => faults[Normal(owner)] = new Fault(rcode, null, false);

    /// <summary>Every query for the name stays without answer.</summary>
    public void Drop(string owner) => faults[Normal(owner)] = new Fault(null, null, true);

    /// <summary>Every query for the name is answered after this time.</summary>
    public void Delay(string owner, TimeSpan time) => faults[Normal(owner)] = new Fault(null, time, false);

    /// <summary>Ends what <see cref="Fail"/>, <see cref="Drop"/> or <see cref="Delay"/> began.</summary>
    public void Heal(string owner) => faults.TryRemove(Normal(owner), out _);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => server.DisposeAsync();

    /// <summary>Stops serving. Prefer <see cref="DisposeAsync"/>, which also waits for the last answers.</summary>
    public void Dispose() => server.Dispose();

    private static string Normal(string name) => name.TrimEnd('.').ToLowerInvariant();

    private void Replace(string owner, ushort[]? typesToRemove, IEnumerable<(ushort Type, byte[] Data)> toAdd)
    {
        var name = Normal(owner);
        _ = LoopbackZoneMessage.NameOctets(name);
        var added = toAdd.Select(r => new LoopbackRecord(name, r.Type, options.TtlSeconds, r.Data)).ToList();
        lock (gate)
        {
            var kept = names.GetValueOrDefault(name, [])
                .Where(r => typesToRemove is not null && !typesToRemove.Contains(r.Type) && (added.Count == 0 || r.Type != LoopbackZoneMessage.TypeCname));
            List<LoopbackRecord> now = [.. kept, .. added];
            if (now.Count == 0)
            {
                names.Remove(name);
            }
            else
            {
                names[name] = now;
            }
        }
    }

    private (int Rcode, List<LoopbackRecord> Records) Find(string owner, ushort type)
    {
        var found = new List<LoopbackRecord>();
        lock (gate)
        {
            for (var name = owner; found.Count <= MostCnames;)
            {
                var here = names.GetValueOrDefault(name, []);
                var fitting = here.Where(r => r.Type == type).ToList();
                if (fitting.Count == 0 && here.FirstOrDefault(r => r.Type == LoopbackZoneMessage.TypeCname) is { } alias)
                {
                    found.Add(alias);
                    name = NameOf(alias.Data);
                    continue;
                }

                found.AddRange(fitting);
                var byDefault = options.DefaultAddress is not null && !name.StartsWith('_')
                    && !here.Exists(r => r.Type is LoopbackZoneMessage.TypeA or LoopbackZoneMessage.TypeAaaa);
                if (byDefault)
                {
                    var (addressType, data) = LoopbackZoneMessage.Address(options.DefaultAddress!);
                    if (addressType == type)
                    {
                        found.Add(new LoopbackRecord(name, type, options.TtlSeconds, data));
                    }
                }

                // A name above an existing one exists too, without records (RFC 8020).
                var exists = here.Count > 0 || byDefault || names.Keys.Any(k => k.EndsWith("." + name, StringComparison.Ordinal));
                return (exists ? NoError : NxDomain, found);
            }
        }

        return (ServFail, []);
    }

    private static string NameOf(byte[] wire)
    {
        var labels = new List<string>();
        for (var at = 0; wire[at] != 0; at += wire[at] + 1)
        {
            labels.Add(System.Text.Encoding.Latin1.GetString(wire, at + 1, wire[at]));
        }

        return string.Join('.', labels);
    }

    private async Task<byte[]?> AnswerAsync(byte[] message, bool overTcp, CancellationToken stopping)
    {
        if (LoopbackZoneMessage.Read(message) is not { } query)
        {
            return null;
        }

        queries.Enqueue(new LoopbackQuery(query.Owner, query.Type, overTcp, options.Time.GetUtcNow()));
        while (queries.Count > options.MostLoggedQueries)
        {
            queries.TryDequeue(out _);
        }

        var fault = faults.GetValueOrDefault(query.Owner);
        if (fault is { Drop: true })
        {
            return null;
        }

        if (fault is { Delay: { } delay })
        {
            await Task.Delay(delay, options.Time, stopping).ConfigureAwait(false);
        }

        var mostOctets = overTcp ? ushort.MaxValue : query.UdpOctets;
        if (fault is { Rcode: { } rcode })
        {
            return query.Answer(rcode, [], options.AuthenticData, mostOctets);
        }

        var (code, records) = Find(query.Owner, query.Type);
        return query.Answer(code, records, options.AuthenticData, mostOctets);
    }

    private sealed record Fault(int? Rcode, TimeSpan? Delay, bool Drop);
}
