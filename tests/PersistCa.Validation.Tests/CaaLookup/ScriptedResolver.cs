using System.Collections.Concurrent;
using PersistCa.Protocol.Caa;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.CaaLookup;

/// <summary>Answers as told; what it was not told about does not exist.</summary>
internal sealed class ScriptedResolver : IDnsResolver
{
    private readonly Dictionary<string, Func<CancellationToken, Task<DnsAnswer>>> answers = [];
    private readonly ConcurrentQueue<string> asked = new();

    public IReadOnlyList<string> Asked => [.. asked];

    public ScriptedResolver Says(string name, params (byte Flags, string Tag, string Value)[] records) =>
        Says(new DnsAnswer(name, DnsRecordKind.Caa, DnsStatus.Answered)
        {
            Records = [.. records.Select(r => new DnsRecord(name, DnsRecordKind.Caa, 300, new CaaRecord(r.Flags, r.Tag, r.Value).ToRdata()))],
            ResponseCode = "NOERROR",
            Attempts = 1,
        });

    public ScriptedResolver Says(DnsAnswer answer) => Says(answer.OwnerName, _ => Task.FromResult(answer));

    public ScriptedResolver Says(string name, Func<CancellationToken, Task<DnsAnswer>> answer)
    {
        answers[name] = answer;
        return this;
    }

    public Task<DnsAnswer> AskAsync(string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        asked.Enqueue(ownerName);
        return answers.TryGetValue(ownerName, out var answer)
            ? answer(cancellationToken)
            : Task.FromResult(new DnsAnswer(ownerName, kind, DnsStatus.NxDomain) { ResponseCode = "NXDOMAIN", Attempts = 1 });
    }
}
