using System.Collections.Immutable;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Perspectives;

/// <summary>
/// Looks TXT records up through a perspective's POST /dcv, for one question: so that the same validators judge what it saw. Each owner name has the method
/// that looks there; the value it is to compare with is sent along, and its opinion kept beside.
/// </summary>
internal sealed class OpenMpicResolver(OpenMpicClient client, PerspectiveQuestion question, ChallengeAttempt attempt, ImmutableArray<string> issuerNames, TimeProvider time) : IDnsResolver
{
    private readonly Lock gate = new();
    private readonly List<string> troubles = [];
    private bool? opinion;

    /// <summary>Whether the perspective let any of its checks pass; null when none was completed.</summary>
    public bool? Opinion => opinion;

    /// <summary>What went wrong, null for nothing.</summary>
    public string? Trouble => troubles.Count == 0 ? null : string.Join("; ", troubles);

    public async Task<DnsAnswer> AskAsync(string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        if (kind != DnsRecordKind.Txt)
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "perspectives are asked for TXT records only");
        }

        var (askedAt, started) = (time.GetUtcNow(), time.GetTimestamp());
        var answered = await client.AskAsync(Request(ownerName), cancellationToken).ConfigureAwait(false);
        var answer = new DnsAnswer(ownerName, kind, DnsStatus.Unusable) { AskedAt = askedAt, Duration = time.GetElapsedTime(started), Attempts = 1 };
        if (!answered.IsValid)
        {
            Keep(answered.Reason, null);
            return answer with { Reason = "the perspective gave no answer" };
        }

        var seen = answered.Value;
        Keep(seen.Completed || seen.Errors.IsEmpty ? null : string.Join("; ", seen.Errors), seen.Completed ? seen.Passed : null);
        return answer with
        {
            Status = Status(seen),
            AuthenticData = seen.AuthenticData,
            ResponseCode = seen.ResponseCode?.ToString(System.Globalization.CultureInfo.InvariantCulture),
            CnameChain = seen.CnameChain,
            Records = seen.Completed ? [.. seen.RecordsSeen.Select(r => new DnsRecord(ownerName, kind, 0, SeenRecord.TxtOctets(r)))] : [],
        };
    }

    /// <summary>What is asked for an owner name: its leading labels with "_" say by which method.</summary>
    internal DcvRequest Request(string ownerName)
    {
        var labels = ownerName.Split('.');
        var prefixed = labels.TakeWhile(l => l.StartsWith('_')).Count();
        var (prefix, target) = (string.Join('.', labels[..prefixed]), string.Join('.', labels[prefixed..]));
        return question.Type switch
        {
            ChallengeType.DnsPersist01 when prefix == PersistLabel.ValidationPersist.Text() => new DcvRequest(target, DcvMethod.DnsPersistent)
            {
                IssuerDomainNames = issuerNames,
                ExpectedAccountUri = question.Account,
            },
            ChallengeType.Dns01 => new DcvRequest(target, DcvMethod.AcmeDns01) { KeyAuthorizationHash = Dns01Validator.RecordValue(attempt.KeyAuthorization) },
            ChallengeType.DnsPersist01 => new DcvRequest(target, DcvMethod.DnsChange) { DnsNamePrefix = prefix, ChallengeValue = question.Account },
            ChallengeType.DnsAccount01 => new DcvRequest(target, DcvMethod.DnsChange)
            {
                DnsNamePrefix = prefix,
                ChallengeValue = Dns01Validator.RecordValue(attempt.KeyAuthorization),
                RequireExactMatch = true,
            },
            _ => throw new InvalidOperationException($"{question.Type.Wire()} looks no TXT records up"),
        };
    }

    private static DnsStatus Status(CheckAnswer seen) => seen switch
    {
        { Completed: false, ResponseCode: 2 } => DnsStatus.ServFail,
        { Completed: false, ResponseCode: 5 } => DnsStatus.Refused,
        { Completed: false } => DnsStatus.Unusable,
        { RecordsSeen.IsEmpty: true, ResponseCode: 3 } => DnsStatus.NxDomain,
        { RecordsSeen.IsEmpty: true } => DnsStatus.NoData,
        _ => DnsStatus.Answered,
    };

    private void Keep(string? trouble, bool? passed)
    {
        lock (gate)
        {
            if (trouble is not null)
            {
                troubles.Add(trouble);
            }

            opinion = passed is { } p ? opinion is true || p : opinion;
        }
    }
}
