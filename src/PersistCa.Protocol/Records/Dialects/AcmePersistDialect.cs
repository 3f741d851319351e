using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Records.Dialects;

/// <summary>acme-persist: v=acme-persist-01; ca=...; account=...; exp=... (dns-persist-01 rules section 3).</summary>
internal sealed class AcmePersistDialect : IRecordDialect
{
    private const string Version = "acme-persist-01";

    private static readonly string[] Known = ["v", "ca", "account", "exp", "policy"];

    public PersistDialect Dialect => PersistDialect.AcmePersist;

    /// <summary>The issuer names in a record of our version; empty when it is of another, or names nobody that can be told.</summary>
    public static IReadOnlyList<IssuerName> Issuers(string text)
    {
        var attributes = Split(text);
        if (attributes.Count == 0 || attributes[0] is not ("v", Version))
        {
            return [];
        }

        return [.. attributes.Where(a => a.Tag == "ca").Select(a => IssueValue.ReadIssuer(a.Value ?? "")).OfType<IssuerName>()];
    }

    public RecordVerdict Read(FoundTxt record, PersistQuestion question, PersistPolicy policy)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (tag, value) in Split(record.Text))
        {
            if (tag.Length == 0)
            {
                return Malformed(record, "there is an empty attribute");
            }

            if (value is null)
            {
                return Malformed(record, $"the attribute '{RecordProse.Show(tag)}' has no '='");
            }

            if (Known.Contains(tag) && !known.TryAdd(tag, value))
            {
                return Malformed(record, $"{tag} stands there twice");
            }
        }

        if (!known.TryGetValue("account", out var account) || account.Length == 0)
        {
            return Malformed(record, "it has no account");
        }

        DateTimeOffset? expires = null;
        if (known.TryGetValue("exp", out var exp))
        {
            if (Rfc3339Time.Read(exp) is not { } end)
            {
                return Malformed(record, $"its exp is '{RecordProse.Show(exp)}' where an RFC 3339 time such as 2030-01-31T12:00:00Z was expected");
            }

            expires = end;
        }

        return Judge(record, question, account) with
        {
            Wildcard = known.TryGetValue("policy", out var scope) && scope.Equals("wildcard", StringComparison.OrdinalIgnoreCase),
            Expires = expires,
            Account = account,
        };
    }

    private RecordVerdict Judge(FoundTxt record, PersistQuestion question, string account)
    {
        var facts = question.Account;
        if (account == facts.CurrentThumbprint)
        {
            return new RecordVerdict(record, RecordReason.Fits, "") { Dialect = Dialect, MatchedThumbprint = account };
        }

        if (account == facts.Id || account == facts.Url || facts.FormerUrls.Contains(account))
        {
            return new RecordVerdict(record, RecordReason.Fits, "") { Dialect = Dialect };
        }

        // A thumbprint stops matching when the key is rolled over; say so, since the owner may not know that it was.
        var stale = facts.Thumbprints.Contains(account) ? "an earlier key of this account" : RecordProse.Show(account);
        return new RecordVerdict(
            record,
            RecordReason.AccountDiffers,
            $"its account is {stale} where {facts.CurrentThumbprint}, {facts.Id} or {facts.Url} was expected")
        { Dialect = Dialect };
    }

    /// <summary>Attributes with folded tags; a value is null where there is no "=". One ";" at the end is tolerated.</summary>
    private static List<(string Tag, string? Value)> Split(string text)
    {
        var attributes = new List<(string, string?)>();
        var parts = text.Split(';');
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i].Trim(' ', '\t');
            if (part.Length == 0 && i == parts.Length - 1 && i > 0)
            {
                break;
            }

            var equals = part.IndexOf('=', StringComparison.Ordinal);
            attributes.Add(equals < 0
                ? (part.ToLowerInvariant(), null)
                : (part[..equals].TrimEnd(' ', '\t').ToLowerInvariant(), part[(equals + 1)..].TrimStart(' ', '\t')));
        }

        return attributes;
    }

    private RecordVerdict Malformed(FoundTxt record, string reason) => new(record, RecordReason.Malformed, reason) { Dialect = Dialect };
}
