using System.Security.Cryptography;

namespace PersistCa.Protocol.Records.Dialects;

/// <summary>draft-02: an issue-value whose accounturi hashes domain, key and account URL (dns-persist-01 rules section 4).</summary>
internal sealed class HashedAccountDialect : IRecordDialect
{
    public PersistDialect Dialect => PersistDialect.Draft02;

    /// <summary>True when the accounturi of a record lies under an accepted prefix, so that the record is meant in this dialect.</summary>
    public static bool Speaks(string accountUri, PersistPolicy policy) => Prefix(accountUri, policy) is not null;

    public RecordVerdict Read(FoundTxt record, PersistQuestion question, PersistPolicy policy)
    {
        var read = IssueValueDialect.ReadParameters(record);
        if (!read.IsValid)
        {
            return Malformed(record, read.Reason);
        }

        var (accountUri, wildcard, expires) = read.Value;
        if (Prefix(accountUri, policy) is not { } prefix)
        {
            return Malformed(record, $"its accounturi is not under the accountHashPrefix {policy.AccountHashPrefixes[0]}");
        }

        var digest = HashedAccountUri.ReadDigest(accountUri[prefix.Length..]);
        if (!digest.IsValid)
        {
            return Malformed(record, "its accounturi is no hashed account URI: " + digest.Reason);
        }

        var verdict = new RecordVerdict(record, RecordReason.Fits, "") { Dialect = Dialect, Wildcard = wildcard, Expires = expires, Account = accountUri };
        return Match(record.StandsAt.Text, digest.Value, question) is { } match
            ? verdict with { MatchedThumbprint = match.Thumbprint, AnyDomain = match.AnyDomain }
            : verdict with { Reason = RecordReason.AccountDiffers, Detail = Differs(record, accountUri, question, policy) };
    }

    /// <summary>Current key first, then older ones newest first; for each the domain form and the "*" form, under each URL the account had.</summary>
    private static (string Thumbprint, bool AnyDomain)? Match(string domain, byte[] digest, PersistQuestion question)
    {
        foreach (var thumbprint in question.Account.Thumbprints)
        {
            foreach (var url in question.Account.FormerUrls.Insert(0, question.Account.Url))
            {
                if (CryptographicOperations.FixedTimeEquals(digest, HashedAccountUri.Digest(domain, thumbprint, url)))
                {
                    return (thumbprint, false);
                }

                if (CryptographicOperations.FixedTimeEquals(digest, HashedAccountUri.Digest(HashedAccountUri.AnyDomain, thumbprint, url)))
                {
                    return (thumbprint, true);
                }
            }
        }

        return null;
    }

    private static string Differs(FoundTxt record, string found, PersistQuestion question, PersistPolicy policy)
    {
        var expected = HashedAccountUri.Compute(policy.AccountHashPrefixes[0], record.StandsAt.Text, question.Account.CurrentThumbprint, question.Account.Url);
        return $"its accounturi is {RecordProse.Show(found)} where {expected} was expected";
    }

    /// <summary>The longest prefix that fits: a former one may begin with the present one.</summary>
    private static string? Prefix(string accountUri, PersistPolicy policy) =>
        policy.AccountHashPrefixes.Where(p => accountUri.StartsWith(p, StringComparison.Ordinal)).MaxBy(p => p.Length);

    private RecordVerdict Malformed(FoundTxt record, string reason) => new(record, RecordReason.Malformed, reason) { Dialect = Dialect };
}
