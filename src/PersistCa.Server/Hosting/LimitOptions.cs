using PersistCa.Protocol.Limits;

namespace PersistCa.Server.Hosting;

/// <summary>Section Limits: how often something may happen. Each is COUNT/PERIOD or "off"; all nodes share the counts.</summary>
public sealed class LimitOptions
{
    /// <summary>New accounts per client address (IPv6: per /64).</summary>
    public string NewAccountsPerAddress { get; set; } = "1000/01:00:00";

    /// <summary>New orders and pre-authorizations per client address (IPv6: per /64).</summary>
    public string NewOrdersPerAddress { get; set; } = RateLimit.Off;

    /// <summary>New orders and pre-authorizations per account.</summary>
    public string NewOrdersPerAccount { get; set; } = RateLimit.Off;

    /// <summary>Failed validations per account and name (dns-persist-01 rules, section 6.8).</summary>
    public string FailedValidations { get; set; } = "60/01:00:00";

    /// <summary>Just-in-time look-ups per registrable domain, whatever the account (dns-persist-01 rules, section 6.7).</summary>
    public string JustInTimePerDomain { get; set; } = "6000/00:01:00";

    /// <summary>Questions to explain per account.</summary>
    public string ExplainPerAccount { get; set; } = "60/00:01:00";

    /// <summary>Questions to explain per operator.</summary>
    public string ExplainPerOperator { get; set; } = "60/00:01:00";

    /// <summary>Revocations that an operator decides alone, whatever Policy:Revocation:AloneUpTo lets each be.</summary>
    public string LoneRevocationsPerOperator { get; set; } = "50/1.00:00:00";

    /// <summary>Calls at an operator's door without a good token, per address (IPv6: per /64).</summary>
    public string FailedOperatorCallsPerAddress { get; set; } = "30/00:01:00";

    /// <summary>External account bindings that fail, per client address (IPv6: per /64).</summary>
    public string FailedBindingsPerAddress { get; set; } = "30/00:01:00";

    /// <summary>Pending authorizations of one account; 0 for any number.</summary>
    public int PendingAuthorizations { get; set; } = 10_000;

    /// <summary>Other limits for single accounts: "ACCOUNT-ID LIMIT=COUNT/PERIOD", one entry for each, such as "4OLCNbCyxuYCsGv- FailedValidations=off".</summary>
    public List<string> PerAccount { get; set; } = [];
}
