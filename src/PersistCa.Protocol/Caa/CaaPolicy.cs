using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;

namespace PersistCa.Protocol.Caa;

/// <summary>
/// What CAA records let this authority issue (RFC 8659, RFC 8657, BR section 3.2.2.8). Pure: what was found goes in, a verdict comes out.
/// </summary>
/// <param name="IssuerNames">Issuer names of this authority: the announced ones first, then former ones that are still accepted.</param>
public sealed record CaaPolicy(IReadOnlyList<IssuerName> IssuerNames)
{
    /// <summary>
    /// Whether a failed look-up counts as a name without records where BR section 3.2.2.8.1 allows it (<see cref="CaaLookupFailure.CanBeExcused"/>).
    /// The climb goes on all the same, so that records above are still obeyed. Off unless asked for: whoever can make look-ups fail would else
    /// get round the records of every zone that is not signed.
    /// </summary>
    public bool ExcuseInsecureFailures { get; init; }

    /// <summary>Decides.</summary>
    /// <param name="question">What is asked, for whom.</param>
    /// <param name="answers">One answer for each name of <see cref="CaaQuestion.Climb"/>, in any order; those above the relevant name can be missing.</param>
    /// <exception cref="ArgumentException">A name was answered twice.</exception>
    public CaaVerdict Judge(CaaQuestion question, IReadOnlyCollection<CaaAnswer> answers)
    {
        var byName = answers.ToDictionary(a => a.Name);
        var excused = ImmutableArray.CreateBuilder<DnsName>();

        // RFC 8659 section 3: the records nearest to the name decide, alone. An alias is not climbed: the answer for it is that of its target already.
        foreach (var name in question.Climb())
        {
            if (!byName.TryGetValue(name, out var answer))
            {
                return Unknown(
                    CaaReason.NameNotAsked,
                    $"{question.Requested.Text} has more labels than CAA records are looked up for, and no name up to {name} has any; a name with fewer labels was expected.",
                    excused);
            }

            if (answer.Failure is { } failure)
            {
                if (!ExcuseInsecureFailures || !failure.CanBeExcused)
                {
                    return Unknown(
                        CaaReason.LookupFailed,
                        $"Looking up the CAA records of {name} failed: {failure.What}. They might forbid a certificate for {question.Requested.Text}, so that none is issued.",
                        excused);
                }

                excused.Add(name);
            }
            else if (!answer.Records.IsEmpty)
            {
                return JudgeSet(question, answer) with { Excused = excused.ToImmutable() };
            }
        }

        return excused.Count == 0
            ? new CaaVerdict(CaaOutcome.Permitted, CaaReason.NoRecords, $"Neither {question.Requested.Name} nor a name above it has CAA records.")
            : new CaaVerdict(
                CaaOutcome.Permitted,
                CaaReason.FailureExcused,
                $"No CAA records were found for {question.Requested.Name}; looking up {string.Join(", ", excused)} failed in a zone that is proven not to be signed.")
            {
                Excused = excused.ToImmutable(),
            };
    }

    private CaaVerdict JudgeSet(CaaQuestion question, CaaAnswer answer)
    {
        var read = answer.Records
            .OrderBy(r => r.Rdata, StringComparer.Ordinal).ThenBy(r => r.TtlSeconds)
            .Select(r => (Found: r, Record: CaaRecord.Read(r.Rdata)))
            .ToList();

        // RFC 8659 section 4.3: issuewild, where there is one, decides alone for wildcards, and never for other names.
        var deciding = question.Requested.IsWildcard && read.Any(r => r.Record.Value?.Tag == CaaRecord.IssueWildTag) ? CaaRecord.IssueWildTag : CaaRecord.IssueTag;
        var records = read.Select(r => JudgeRecord(r.Found, r.Record, deciding, question)).ToImmutableArray();
        var (outcome, reason) = Weigh(records);
        var matched = outcome == CaaOutcome.Permitted ? records.FirstOrDefault(r => r.Reason == CaaRecordReason.Authorizes) : null;
        return new CaaVerdict(outcome, reason, Detail(question, answer.Name, deciding, reason, matched, records))
        {
            RelevantName = answer.Name,
            Matched = matched,
            Records = records,
            IodefContacts = [.. records.Select(r => r.Record).Where(r => r?.Tag == CaaRecord.IodefTag && IsContact(r.Value)).Select(r => r!.Value)],
            TtlSeconds = answer.Records.Min(r => r.TtlSeconds),
        };
    }

    private CaaRecordVerdict JudgeRecord(FoundCaa found, Parsed<CaaRecord> read, string deciding, CaaQuestion question)
    {
        if (!read.IsValid)
        {
            return new CaaRecordVerdict(found, CaaRecordReason.Unreadable, $"a record cannot be read: {read.Reason}");
        }

        var record = read.Value;
        var verdict = new CaaRecordVerdict(found, CaaRecordReason.DoesNotDecide, "") { Record = record };
        if (!record.IsUnderstood)
        {
            // RFC 8659 section 4.1: only the flag makes an unknown property count.
            return record.IsCritical
                ? verdict with { Reason = CaaRecordReason.CriticalUnknown, Detail = $"the property {RecordProse.Show(record.Tag)} is critical and not understood here" }
                : verdict;
        }

        if (record.Tag != deciding)
        {
            return verdict;
        }

        var said = $"{record.Tag} '{RecordProse.Show(record.Value)}'";
        var issue = CaaIssueValue.Read(record.Value);
        if (!issue.IsValid)
        {
            return verdict with { Reason = CaaRecordReason.Malformed, Detail = $"{said} is malformed and so allows nobody: {issue.Reason}" };
        }

        verdict = verdict with { Issue = issue.Value };
        if (issue.Value.NamesNobody)
        {
            return verdict with { Reason = CaaRecordReason.NamesNobody, Detail = $"{said} allows nobody" };
        }

        if (issue.Value.Issuer is not { } issuer || !IssuerNames.Contains(issuer))
        {
            return verdict with { Reason = CaaRecordReason.OtherIssuer, Detail = $"{said} names another authority" };
        }

        // RFC 8657 section 3: equal octet for octet, RFC 3986 section 6.2.1.
        var account = issue.Value.AccountUri is { } uri ? question.AccountUrls.FirstOrDefault(u => u == uri) : null;
        if (issue.Value.AccountUri is not null && account is null)
        {
            return verdict with { Reason = CaaRecordReason.AccountDiffers, Detail = $"{said} is for another account than {question.AccountUrls.FirstOrDefault()}" };
        }

        return issue.Value.ValidationMethods is { } methods && !methods.Contains(question.ValidationMethod)
            ? verdict with { Reason = CaaRecordReason.MethodDiffers, Detail = $"{said} does not list {question.ValidationMethod}, by which control was proved" }
            : verdict with { Reason = CaaRecordReason.Authorizes, MatchedAccountUrl = account };
    }

    /// <summary>The verdict on a set. What forbids whatever else there is comes first; then one record that authorises is enough.</summary>
    private static (CaaOutcome Outcome, CaaReason Reason) Weigh(ImmutableArray<CaaRecordVerdict> records)
    {
        bool Has(CaaRecordReason reason) => records.Any(r => r.Reason == reason);
        return Has(CaaRecordReason.Unreadable) ? (CaaOutcome.Forbidden, CaaReason.RecordUnreadable)
            : Has(CaaRecordReason.CriticalUnknown) ? (CaaOutcome.Forbidden, CaaReason.CriticalUnknown)
            : Has(CaaRecordReason.Authorizes) ? (CaaOutcome.Permitted, CaaReason.Authorized)
            : records.All(r => r.Reason == CaaRecordReason.DoesNotDecide) ? (CaaOutcome.Permitted, CaaReason.NoIssueProperty)

            // The reason named is that of the record which is nearest to authorising, so that the account's owner learns what to change.
            : Has(CaaRecordReason.MethodDiffers) ? (CaaOutcome.Forbidden, CaaReason.MethodDiffers)
            : Has(CaaRecordReason.AccountDiffers) ? (CaaOutcome.Forbidden, CaaReason.AccountDiffers)
            : Has(CaaRecordReason.Malformed) ? (CaaOutcome.Forbidden, CaaReason.ValueMalformed)
            : Has(CaaRecordReason.OtherIssuer) ? (CaaOutcome.Forbidden, CaaReason.OtherIssuer)
            : (CaaOutcome.Forbidden, CaaReason.NobodyMayIssue);
    }

    private string Detail(
        CaaQuestion question, DnsName at, string deciding, CaaReason reason, CaaRecordVerdict? matched, ImmutableArray<CaaRecordVerdict> records)
    {
        const int MaxNamed = 3;
        if (matched?.Record is { } record)
        {
            return $"The CAA record {record.Tag} '{RecordProse.Show(record.Value)}' at {at} allows {question.Requested.Text}.";
        }

        if (reason == CaaReason.NoIssueProperty)
        {
            return $"The CAA records at {at} do not say who may issue for {question.Requested.Text}, so that everybody may.";
        }

        var faults = records.Where(r => r.Detail.Length > 0).OrderBy(r => Rank(r.Reason)).Select(r => r.Detail).ToList();
        var more = faults.Count > MaxNamed ? $"; {faults.Count - MaxNamed} more do not help either" : "";
        var remedy = reason is CaaReason.CriticalUnknown or CaaReason.RecordUnreadable || IssuerNames.Count == 0
            ? "The set without it was expected."
            : $"Expected is one such as: {at} CAA 0 {deciding} \"{IssuerNames[0]}\".";
        return $"The CAA records at {at} do not allow {question.Requested.Text}: {string.Join("; ", faults.Take(MaxNamed))}{more}. {remedy}";
    }

    /// <summary>Order in which faults are told: that on which the verdict rests first, as in <see cref="Weigh"/>.</summary>
    private static int Rank(CaaRecordReason reason) => reason switch
    {
        CaaRecordReason.Unreadable => 0,
        CaaRecordReason.CriticalUnknown => 1,
        CaaRecordReason.MethodDiffers => 2,
        CaaRecordReason.AccountDiffers => 3,
        CaaRecordReason.Malformed => 4,
        CaaRecordReason.OtherIssuer => 5,
        _ => 6,
    };

    private static bool IsContact(string value) =>
        value.Length <= 1024
        && value.All(c => c is > ' ' and <= '~')
        && Uri.TryCreate(value, UriKind.Absolute, out var uri)
        && uri.Scheme is "mailto" or "http" or "https";

    private static CaaVerdict Unknown(CaaReason reason, string detail, ImmutableArray<DnsName>.Builder excused) =>
        new(CaaOutcome.Unknown, reason, detail) { Excused = excused.ToImmutable() };
}
