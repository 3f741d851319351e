using System.Globalization;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Records;

/// <summary>A record to publish.</summary>
/// <param name="Owner">Where: label and name, without the root's dot.</param>
/// <param name="Value">The text; split it at 255 octets where a zone file needs that.</param>
public sealed record RecordToPublish(string Owner, string Value);

/// <summary>Writes records in each dialect.</summary>
public static class RecordText
{
    /// <summary>The record that binds a name to an account.</summary>
    /// <param name="dialect">How to write it.</param>
    /// <param name="at">The name at which it is to stand; for a wildcard the name without "*.".</param>
    /// <param name="account">The account.</param>
    /// <param name="policy">The authority: its first issuer name and first prefix are used.</param>
    /// <param name="wildcard">Whether it is to cover wildcards and names below.</param>
    /// <param name="until">When it is to end, null for never.</param>
    /// <param name="reverse">Whether the name is the reverse name of an address, whose records have a label of their own.</param>
    public static RecordToPublish For(
        PersistDialect dialect, DnsName at, AccountFacts account, PersistPolicy policy, bool wildcard, DateTimeOffset? until, bool reverse = false)
    {
        var issuer = policy.IssuerNames[0].Text;
        var scope = wildcard ? "; policy=wildcard" : "";
        var seconds = until?.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var value = dialect switch
        {
            PersistDialect.AcmePersist => $"v=acme-persist-01; ca={issuer}; account={account.CurrentThumbprint}{scope}" + (until is { } end ? $"; exp={AcmeJson.Time(end)}" : ""),
            PersistDialect.Draft01 => $"{issuer}; accounturi={account.Url}{scope}" + (seconds is null ? "" : $"; persistUntil={seconds}"),
            PersistDialect.Draft02 =>
                $"{issuer}; accounturi={HashedAccountUri.Compute(policy.AccountHashPrefixes[0], at.Text, account.CurrentThumbprint, account.Url)}{scope}"
                + (seconds is null ? "" : $"; persistUntil={seconds}"),
            _ => throw new ArgumentOutOfRangeException(nameof(dialect), dialect, "not a dialect"),
        };
        return new RecordToPublish($"{(reverse ? PersistLabel.IpValidationPersist : dialect.Label()).Text()}.{at.Text}", value);
    }
}
