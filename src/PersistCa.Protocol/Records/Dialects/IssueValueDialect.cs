using System.Globalization;

namespace PersistCa.Protocol.Records.Dialects;

/// <summary>
/// draft-01: an issue-value whose accounturi is the account URL, compared octet for octet (RFC 3986 section 6.2.1).
/// Its parameters are draft-02's too, so <see cref="HashedAccountDialect"/> reads them here.
/// </summary>
internal sealed class IssueValueDialect : IRecordDialect
{
    private static readonly HashSet<string> Known = ["accounturi", "policy", "persistuntil"];

    public PersistDialect Dialect => PersistDialect.Draft01;

    public RecordVerdict Read(FoundTxt record, PersistQuestion question, PersistPolicy policy)
    {
        var read = ReadParameters(record);
        if (!read.IsValid)
        {
            return new RecordVerdict(record, RecordReason.Malformed, read.Reason) { Dialect = Dialect };
        }

        var (accountUri, wildcard, expires) = read.Value;
        var fits = accountUri == question.Account.Url || question.Account.FormerUrls.Contains(accountUri);
        return new RecordVerdict(
            record,
            fits ? RecordReason.Fits : RecordReason.AccountDiffers,
            fits ? "" : $"its accounturi is {RecordProse.Show(accountUri)} where {question.Account.Url} was expected")
        {
            Dialect = Dialect,
            Wildcard = wildcard,
            Expires = expires,
            Account = accountUri,
        };
    }

    /// <summary>The parameters that both drafts have.</summary>
    internal static Parsed<(string AccountUri, bool Wildcard, DateTimeOffset? Expires)> ReadParameters(FoundTxt record)
    {
        var parameters = IssueValue.Parameters(record.Text, Known);
        if (!parameters.IsValid)
        {
            return Refused(parameters.Reason);
        }

        var known = parameters.Value;
        if (!known.TryGetValue("accounturi", out var accountUri))
        {
            return Refused("it has no accounturi");
        }

        if (accountUri.Length == 0)
        {
            return Refused("its accounturi is empty");
        }

        DateTimeOffset? expires = null;
        if (known.TryGetValue("persistuntil", out var until))
        {
            if (until.Length == 0 || !until.All(char.IsAsciiDigit) || !ulong.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                return Refused($"its persistUntil is '{RecordProse.Show(until)}' where unix seconds in digits, of at most 64 bits, were expected");
            }

            // Further than a DateTimeOffset reaches is as good as for ever, and no reason to throw.
            expires = seconds >= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.MaxValue : DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        }

        // Any value but "wildcard" is as if the parameter were absent.
        var wildcard = known.TryGetValue("policy", out var scope) && scope.Equals("wildcard", StringComparison.OrdinalIgnoreCase);
        return Parsed<(string, bool, DateTimeOffset?)>.Ok((accountUri, wildcard, expires));
    }

    private static Parsed<(string AccountUri, bool Wildcard, DateTimeOffset? Expires)> Refused(string reason) =>
        Parsed<(string, bool, DateTimeOffset?)>.Refused(reason);
}
