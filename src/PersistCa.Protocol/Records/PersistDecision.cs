using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Records.Dialects;

namespace PersistCa.Protocol.Records;

/// <summary>How a decision ended.</summary>
public enum PersistOutcome
{
    /// <summary>A record satisfies everything.</summary>
    Valid = 1,

    /// <summary>None fits, and one of ours is malformed.</summary>
    Malformed = 2,

    /// <summary>None fits.</summary>
    Unauthorized = 3,

    /// <summary>There is no record of ours.</summary>
    NoRecord = 4,

    /// <summary>More records or octets than are judged.</summary>
    TooMuch = 5,

    /// <summary>The account may not act: no record matches it.</summary>
    AccountClosed = 6,
}

/// <summary>The verdict on all records that were found for a name (dns-persist-01 rules section 6 items 1, 3 to 6 and 12). Pure: facts and time in, verdict out.</summary>
public sealed record PersistDecision
{
    private static readonly AcmePersistDialect AcmePersist = new();
    private static readonly IssueValueDialect Draft01 = new();
    private static readonly HashedAccountDialect Draft02 = new();

    /// <summary>Records of ours named in a problem; more would make it unreadable.</summary>
    private const int MaxNamed = 5;

    /// <summary>How it ended.</summary>
    public required PersistOutcome Outcome { get; init; }

    /// <summary>The record that fits; null unless the outcome is valid.</summary>
    public RecordVerdict? Winner { get; init; }

    /// <summary>Verdicts on the records that are ours, in an order that does not depend on that of the answer.</summary>
    public ImmutableArray<RecordVerdict> Records { get; init; } = [];

    /// <summary>The refusal; null when the outcome is valid.</summary>
    public AcmeProblem? Problem { get; init; }

    /// <summary>When the winning record ends; null for never.</summary>
    public DateTimeOffset? RecordExpires => Winner?.Expires;

    /// <summary>Whether another order may rest on the authorization (item 6: only when a draft-02 record won it).</summary>
    public bool Reusable => Winner?.Dialect == PersistDialect.Draft02;

    /// <summary>Decides.</summary>
    /// <param name="question">What is asked, for whom, when.</param>
    /// <param name="policy">What the authority accepts.</param>
    /// <param name="found">Every TXT record that was found, of whomever.</param>
    public static PersistDecision Judge(PersistQuestion question, PersistPolicy policy, IReadOnlyList<FoundTxt> found)
    {
        if (!question.Account.IsValid)
        {
            return Refuse(PersistOutcome.AccountClosed, ProblemCatalog.Unauthorized, "The account is not valid, so that no record can speak for it.", []);
        }

        foreach (var name in found.GroupBy(f => f.OwnerName))
        {
            var octets = name.Sum(f => f.Text.Length);
            if (name.Count() > policy.MaxRecords || octets > policy.MaxBytes)
            {
                return Refuse(
                    PersistOutcome.TooMuch,
                    ProblemCatalog.Unauthorized,
                    $"At {name.Key} there are {name.Count()} TXT records with {octets} octets; at most {policy.MaxRecords} records and {policy.MaxBytes} octets are judged.",
                    []);
            }
        }

        var ours = found.Select(f => JudgeRecord(f, question, policy))
            .Where(v => v.IsOurs)
            .OrderByDescending(v => v.Record.StandsAt.LabelCount)
            .ThenByDescending(v => v.Expires ?? DateTimeOffset.MaxValue)
            .ThenByDescending(v => v.Dialect)
            .ThenBy(v => v.Record.OwnerName, StringComparer.Ordinal)
            .ThenBy(v => v.Record.Text, StringComparer.Ordinal)
            .ToImmutableArray();
        if (ours.FirstOrDefault(v => v.Reason == RecordReason.Fits) is { } winner)
        {
            return new PersistDecision { Outcome = PersistOutcome.Valid, Winner = winner, Records = ours };
        }

        if (ours.IsEmpty)
        {
            return Refuse(PersistOutcome.NoRecord, ProblemCatalog.Unauthorized, NoRecord(question, policy), ours);
        }

        return ours.Any(v => v.Reason == RecordReason.Malformed)
            ? Refuse(PersistOutcome.Malformed, ProblemCatalog.Malformed, NoneFits(question, policy, ours), ours)
            : Refuse(PersistOutcome.Unauthorized, ProblemCatalog.Unauthorized, NoneFits(question, policy, ours), ours);
    }

    private static RecordVerdict JudgeRecord(FoundTxt record, PersistQuestion question, PersistPolicy policy)
    {
        var dialect = DialectOf(record, policy);
        if (dialect is null)
        {
            return RecordVerdict.Foreign(record);
        }

        if (!policy.Dialects.Contains(dialect.Dialect))
        {
            return new RecordVerdict(record, RecordReason.DialectOff, $"records in the dialect {dialect.Dialect.Wire()} are not accepted here") { Dialect = dialect.Dialect };
        }

        var verdict = dialect.Read(record, question, policy);
        if (verdict.Reason != RecordReason.Fits)
        {
            return verdict;
        }

        var (reason, detail) = JudgeScope(verdict, question, policy);
        return verdict with { Reason = reason, Detail = detail };
    }

    /// <summary>The dialect a record is meant in, null when it is not ours.</summary>
    private static IRecordDialect? DialectOf(FoundTxt record, PersistPolicy policy)
    {
        if (record.Label == PersistLabel.AcmePersist)
        {
            return AcmePersistDialect.Issuers(record.Text).Any(policy.IsOurs) ? AcmePersist : null;
        }

        if (IssueValue.Issuer(record.Text) is not { } issuer || !policy.IsOurs(issuer))
        {
            return null;
        }

        // The accounturi tells the two drafts apart; where one of them is off, the other judges.
        if (!policy.Dialects.Contains(PersistDialect.Draft01))
        {
            return Draft02;
        }

        var read = IssueValueDialect.ReadParameters(record);
        return policy.Dialects.Contains(PersistDialect.Draft02) && read.IsValid && HashedAccountDialect.Speaks(read.Value.AccountUri, policy) ? Draft02 : Draft01;
    }

    /// <summary>Time and scope: the same rules whatever the dialect.</summary>
    private static (RecordReason Reason, string Detail) JudgeScope(RecordVerdict verdict, PersistQuestion question, PersistPolicy policy)
    {
        var at = verdict.Record.StandsAt;
        var name = question.Requested.Name;
        if (!name.IsWithin(at))
        {
            return (RecordReason.ElsewhereInTree, $"it stands at {at}, which is neither {name} nor above it");
        }

        if (verdict.Expires is { } end && question.Now > end)
        {
            return (RecordReason.Expired, $"it ended at {AcmeJson.Time(end)}, before {AcmeJson.Time(question.Now)}");
        }

        if (verdict.Expires is null && policy.RequireExpiry)
        {
            return (RecordReason.ExpiryMissing, "it does not say when it ends, and this authority wants records to");
        }

        if (!verdict.Wildcard && question.Requested.IsWildcard)
        {
            return (RecordReason.ScopeTooNarrow, $"it has no policy=wildcard, which {question.Requested.Text} needs");
        }

        if (!verdict.Wildcard && question.WithSubdomains)
        {
            return (RecordReason.ScopeTooNarrow, $"it has no policy=wildcard, which the names under {name} need");
        }

        return !verdict.Wildcard && !at.Equals(name)
            ? (RecordReason.ScopeTooNarrow, $"it stands above {name} and has no policy=wildcard")
            : (RecordReason.Fits, "");
    }

    private static string NoRecord(PersistQuestion question, PersistPolicy policy)
    {
        var owners = string.Join(" or ", question.Labels(policy).Select(l => $"{l.Text()}.{question.Requested.Name}"));
        var names = policy.Scope.NamesFor(question.Requested.Name);
        var above = names.Length > 1 && !question.IsReverse ? $" or above it, down to {names[^1]}," : "";
        if (!question.Labels(policy).Any())
        {
            return "Records of the dialects that are accepted here stand at names, so that they prove no address.";
        }

        var dialect = PersistDialects.All.Last(policy.Dialects.Contains);

        var example = RecordText.For(dialect, question.Requested.Name, question.Account, policy, question.Requested.IsWildcard || question.WithSubdomains, null, question.IsReverse);
        return $"No TXT record at {owners}{above} names this authority ({string.Join(", ", policy.IssuerNames.Select(i => i.Text))}). Expected is one such as: {example.Owner} TXT \"{example.Value}\".";
    }

    private static string NoneFits(PersistQuestion question, PersistPolicy policy, ImmutableArray<RecordVerdict> ours)
    {
        var text = new StringBuilder($"No record fits {question.Requested.Text}.");
        foreach (var verdict in ours.Take(MaxNamed))
        {
            text.Append(' ').Append(verdict.Record.OwnerName).Append(verdict.Reason == RecordReason.Malformed ? " is malformed: " : ": ").Append(verdict.Detail).Append('.');
        }

        if (ours.Length > MaxNamed)
        {
            text.Append(CultureInfo.InvariantCulture, $" {ours.Length - MaxNamed} more do not fit either.");
        }

        return text.Append(" Issuer names of this authority: ").AppendJoin(", ", policy.IssuerNames.Select(i => i.Text)).Append('.').ToString();
    }

    private static PersistDecision Refuse(PersistOutcome outcome, ProblemType type, string detail, ImmutableArray<RecordVerdict> ours) =>
        new() { Outcome = outcome, Records = ours, Problem = new AcmeProblem(type, detail) };
}
