using System.CommandLine;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>The options that say what an authority's certificate is to be.</summary>
internal sealed class AuthorityArguments
{
    private readonly Option<int?> days = new("--days") { Description = "How many days the certificate is valid (default 3652; never beyond the root's end)." };

    private readonly Option<int?> pathLength = new("--path-length") { Description = "Most authorities below this one (default 0: it signs subscribers only)." };

    private readonly Option<string[]> policies = new("--policy") { Description = "OID of a policy. May be given several times.", AllowMultipleArgumentsPerToken = false };

    private readonly Option<string[]> purposes = new("--purpose") { Description = "OID of a purpose (extKeyUsage) in place of TLS servers and clients. May be given several times.", AllowMultipleArgumentsPerToken = false };

    private readonly Option<string?> crlUrl = new("--crl-url") { Description = "Where the root's revocation list can be fetched (http)." };

    private readonly Option<string?> certificateUrl = new("--certificate-url") { Description = "Where the root's certificate can be fetched (http)." };

    private readonly Option<string?> regime = Regime();

    private readonly Option<string[]> permit;

    private readonly Option<string[]> exclude;

    public AuthorityArguments() => (permit, exclude) = Names();

    /// <summary>The options of name constraints.</summary>
    public static (Option<string[]> Permit, Option<string[]> Exclude) Names() =>
    (
        new("--permit") { Description = "Name (with all below it) or network that the issuing authority may certify. May be given several times; none means all.", AllowMultipleArgumentsPerToken = false },
        new("--exclude") { Description = "Name or network that it may not certify. May be given several times.", AllowMultipleArgumentsPerToken = false });

    /// <summary>The option of the regime.</summary>
    public static Option<string?> Regime()
    {
        var option = new Option<string?>("--regime") { Description = "By whose rules it is linted: private or cabf-br (default private)." };
        option.AcceptOnlyFromAmong("private", "cabf-br");
        return option;
    }

    /// <summary>Reads a regime.</summary>
    public static Regime? RegimeOf(string? text) => text switch { null => null, "cabf-br" => Issuance.Linting.Regime.CabfBr, _ => Issuance.Linting.Regime.Private };

    /// <summary>Reads name constraints.</summary>
    /// <exception cref="StartRefusedException">One is neither a name nor a network.</exception>
    public static NameRestrictions Read(ParseResult result, Option<string[]> permit, Option<string[]> exclude)
    {
        var names = NameRestrictions.Read(result.GetValue(permit) ?? [], result.GetValue(exclude) ?? []);
        return names.IsValid ? names.Value : throw new StartRefusedException("--permit, --exclude", names.Reason);
    }

    /// <summary>Reads days.</summary>
    /// <exception cref="StartRefusedException">They are outside their range.</exception>
    public static TimeSpan? Days(int? days, int most) => days switch
    {
        null => null,
        < 1 => throw new StartRefusedException("--days", $"it is {days}; 1 to {most} are expected"),
        _ when days > most => throw new StartRefusedException("--days", $"it is {days}; 1 to {most} are expected"),
        _ => TimeSpan.FromDays(days.Value),
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { days, pathLength, permit, exclude, policies, purposes, crlUrl, certificateUrl, regime })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Reads the plan: what is not given is as in the template.</summary>
    /// <exception cref="StartRefusedException">Something is outside its range.</exception>
    public AuthorityPlan Read(ParseResult result, AuthorityPlan template)
    {
        var names = Read(result, permit, exclude);
        return template with
        {
            Validity = Days(result.GetValue(days), CeremonyArguments.MaxDays) ?? template.Validity,
            PathLength = result.GetValue(pathLength) ?? template.PathLength,
            Names = names.IsEmpty ? template.Names : names,
            Policies = result.GetValue(policies) is { Length: > 0 } p ? p : template.Policies,
            Purposes = result.GetValue(purposes) is { Length: > 0 } u ? u : template.Purposes,
            CrlUrl = result.GetValue(crlUrl) ?? template.CrlUrl,
            CertificateUrl = result.GetValue(certificateUrl) ?? template.CertificateUrl,
            Regime = RegimeOf(result.GetValue(regime)) ?? template.Regime,
        };
    }
}
