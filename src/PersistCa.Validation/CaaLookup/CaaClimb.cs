using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.CaaLookup;

/// <summary>How CAA records are looked up.</summary>
public sealed record CaaLookupOptions
{
    /// <summary>
    /// Most names asked for in one climb, nearest first: no name makes the authority send more questions than this. A name with more labels is refused
    /// unless records are found among those asked.
    /// </summary>
    public int MaxLabels { get; init; } = 32;

    /// <summary>Checks what has a range.</summary>
    /// <returns>Null, or the first setting that is outside its range, in words.</returns>
    public string? FirstOutOfRange() =>
        MaxLabels is < 1 or > 127 ? $"the CAA option {nameof(MaxLabels)} is {MaxLabels}; 1 to 127 was expected" : null;
}

/// <summary>What a check brought: the result to act on, and the evidence to keep whatever it is.</summary>
/// <param name="Result">The verdict under its mode.</param>
/// <param name="Evidence">What was seen.</param>
public sealed record CaaCheck(CaaResult Result, CaaEvidence Evidence);

/// <summary>
/// Looks up the CAA records of a name and of every name above it, and has <see cref="CaaPolicy"/> judge them. All names are asked at once: the answer
/// of each is needed unless one nearer has records, and a chain of questions one after the other would cost every deep name its sum of waits.
/// </summary>
/// <param name="resolver">Looks records up.</param>
/// <param name="policy">What the records let this authority issue.</param>
/// <param name="modes">What becomes of a verdict, name by name.</param>
/// <param name="options">How far to look.</param>
/// <param name="time">The time.</param>
public sealed class CaaClimb(IDnsResolver resolver, CaaPolicy policy, CaaModes modes, CaaLookupOptions options, TimeProvider time)
{
    /// <summary>What becomes of a verdict on a name now.</summary>
    public CaaMode ModeOf(DnsName name) => modes.For(name);

    /// <summary>Checks one name.</summary>
    /// <param name="question">The name, the account, and the method by which control was proved.</param>
    /// <param name="cancellationToken">Ends the look-ups.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<CaaCheck> CheckAsync(CaaQuestion question, CancellationToken cancellationToken)
    {
        var startedAt = time.GetUtcNow();
        var mode = modes.For(question.Requested.Name);
        if (mode == CaaMode.Off)
        {
            var unasked = CaaResult.SwitchedOff(startedAt);
            return new CaaCheck(unasked, Evidence(question, unasked, []));
        }

        var names = question.Climb().Take(options.MaxLabels).ToList();
        var found = await Task.WhenAll(names.Select(n => resolver.AskAsync(n.Text, DnsRecordKind.Caa, cancellationToken))).ConfigureAwait(false);
        var result = new CaaResult(policy.Judge(question, [.. names.Zip(found, Answer)]), mode, startedAt);
        return new CaaCheck(result, Evidence(question, result, found));
    }

    /// <summary>An answer of the DNS as a fact of the climb.</summary>
    internal static CaaAnswer Answer(DnsName name, DnsAnswer answer)
    {
        if (answer.Security == DnsSecurity.Bogus && !answer.IsFailure)
        {
            // What should be signed and is not is no answer, neither that there are records nor that there are none (RFC 4035 section 5).
            return CaaAnswer.Failed(name, new CaaLookupFailure("its DNSSEC signatures are not valid"));
        }

        if (!answer.IsFailure)
        {
            return CaaAnswer.Found(name, [.. answer.Records.Select(r => new FoundCaa(r.Text, r.TtlSeconds))]);
        }

        return CaaAnswer.Failed(name, new CaaLookupFailure(DnsProblem.Clause(answer))
        {
            ZoneIsInsecure = answer.Security == DnsSecurity.Insecure,
            WasRetried = answer.Attempts > 1,

            // SERVFAIL says that a resolver was there and tried, in vain. Silence may be the fault of the authority's own resolver or line, and is theirs
            // only beside a proof that the zone is not signed: that is made afresh, over the same resolvers, after the failure (StubResolver), so that they
            // and the line worked. A refusal, or a reply that is forged, broken or too large, is no failure of theirs to answer.
            IsTheirs = answer.Status is DnsStatus.ServFail || (answer.Status == DnsStatus.Timeout && answer.Security == DnsSecurity.Insecure),
        });
    }

    private CaaEvidence Evidence(CaaQuestion question, CaaResult result, DnsAnswer[] answers)
    {
        var verdict = result.Verdict;
        return new CaaEvidence
        {
            Name = question.Requested.Name.Text,
            Wildcard = question.Requested.IsWildcard,
            AccountUrl = question.AccountUrls.FirstOrDefault(),
            ValidationMethod = question.ValidationMethod,
            Mode = result.Mode.ToString(),
            StartedAt = result.CheckedAt,
            FinishedAt = time.GetUtcNow(),
            Outcome = verdict.Outcome.ToString(),
            Reason = verdict.Reason.ToString(),
            Detail = verdict.Detail,
            MayIssue = result.MayIssue,
            FreshUntil = result.FreshUntil,
            RelevantName = verdict.RelevantName?.Text,
            Matched = verdict.Matched is { } matched ? CaaRecord.Present(matched.Found.Rdata) : null,
            MatchedAccountUrl = verdict.Matched?.MatchedAccountUrl,
            Excused = verdict.Excused.IsEmpty ? null : [.. verdict.Excused.Select(n => n.Text)],
            Contacts = verdict.IodefContacts.IsEmpty ? null : [.. verdict.IodefContacts],
            Lookups = answers.Length == 0 ? null : [.. answers.Select(Lookup)],
            Judged = verdict.Records.IsEmpty
                ? null
                : [.. verdict.Records.Select(r => new CaaRecordEvidence(CaaRecord.Present(r.Found.Rdata), r.Reason.ToString(), r.Detail))],
        };
    }

    private static LookupEvidence Lookup(DnsAnswer answer) => AttemptRecord.Lookup(answer) with
    {
        // RDATA as zone files write it: readable, and without the zero octets that most of it begins with.
        Records = answer.Records.IsEmpty ? null : [.. answer.Records.Select(r => new FoundRecordEvidence(CaaRecord.Present(r.Text), r.TtlSeconds))],
    };
}
