using PersistCa.Protocol.Identifiers;

namespace PersistCa.Server.Hosting;

/// <summary>Section Policy: what the operator decides about identifiers, how control of them is proven, and what officers may revoke alone.</summary>
public sealed class PolicyOptions
{
    /// <summary>Which addresses may stand in certificates; none unless networks are allowed.</summary>
    public IpPolicyOptions Ip { get; set; } = new();

    /// <summary>Which challenges are on offer for which names and accounts. The first rule that holds decides; where none does, Validation:Challenges.</summary>
    public List<ChallengeRuleOptions> Challenges { get; set; } = [];

    /// <summary>Revocation by operators.</summary>
    public RevocationPolicyOptions Revocation { get; set; } = new();
}

/// <summary>Section Policy:Challenges:N: one rule. It holds for what fits both of its conditions.</summary>
public sealed class ChallengeRuleOptions
{
    /// <summary>A name that is this or lies under it, wildcards too; empty for every identifier.</summary>
    public string NameSuffix { get; set; } = "";

    /// <summary>Id of the account: the last segment of its URL; empty for every account.</summary>
    public string Account { get; set; } = "";

    /// <summary>The challenges on offer where the rule holds, at least one.</summary>
    public List<string> Types { get; set; } = [];
}

/// <summary>Section Validation:Targets: where http-01 and tls-alpn-01 connect to.</summary>
public sealed class TargetNetworkOptions
{
    /// <summary>Connect to 127.0.0.0/8 and ::1: for demonstrations and tests.</summary>
    public bool AllowLoopback { get; set; }

    /// <summary>Connect to addresses of the public Internet only.</summary>
    public bool Strict { get; set; }

    /// <summary>The only networks that are connected to, as "10.0.0.0/8"; empty for all. One inside a special range lifts that range's refusal.</summary>
    public List<string> AllowedNetworks { get; set; } = [];

    /// <summary>Networks that are never connected to, whatever else is said.</summary>
    public List<string> DeniedNetworks { get; set; } = [];
}
