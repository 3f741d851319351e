namespace PersistCa.Server.Hosting;

/// <summary>Section Policy:Revocation: what officers may do alone, and how a bulk revocation is carried out.</summary>
public sealed class RevocationPolicyOptions
{
    /// <summary>Most certificates that one officer revokes in one go without a second; 0 for none.</summary>
    public int AloneUpTo { get; set; } = 1;

    /// <summary>How long a proposal waits for its approval.</summary>
    public TimeSpan ProposalLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How far ahead a revocation can be planned.</summary>
    public TimeSpan LongestPlan { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Certificates that one transaction revokes.</summary>
    public int BatchSize { get; set; } = 500;

    /// <summary>Most certificates of one proposal.</summary>
    public int MaxMatched { get; set; } = 100_000;

    /// <summary>Most octets in the body of an operator's request.</summary>
    public int MaxBodyBytes { get; set; } = 1024 * 1024;
}

/// <summary>What the section Policy:Revocation may say, beyond its types.</summary>
internal static class RevocationPolicyRules
{
    /// <summary>Checks the values.</summary>
    public static IEnumerable<ConfigurationFault> Check(RevocationPolicyOptions r) =>
        OptionRules.Range("Policy:Revocation:AloneUpTo", r.AloneUpTo, 0, 1_000_000)
            .Concat(OptionRules.Range("Policy:Revocation:ProposalLifetime", r.ProposalLifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30)))
            .Concat(OptionRules.Range("Policy:Revocation:LongestPlan", r.LongestPlan, TimeSpan.FromHours(1), TimeSpan.FromDays(365)))
            .Concat(OptionRules.Range("Policy:Revocation:BatchSize", r.BatchSize, 1, 5000))
            .Concat(OptionRules.Range("Policy:Revocation:MaxMatched", r.MaxMatched, 1, 1_000_000))
            .Concat(OptionRules.Range("Policy:Revocation:MaxBodyBytes", r.MaxBodyBytes, 1024, 4 * 1024 * 1024));
}
