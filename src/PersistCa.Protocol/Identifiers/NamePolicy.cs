using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Identifiers;

/// <summary>Section Names: which names may stand in certificates at all, whatever the account.</summary>
public sealed class NamePolicyOptions
{
    /// <summary>Suffixes that are served; empty means all. A name is served if it is one of them or lies under one.</summary>
    public List<string> AllowedSuffixes { get; set; } = [];

    /// <summary>Suffixes that are refused, whatever AllowedSuffixes says.</summary>
    public List<string> DeniedSuffixes { get; set; } = [];

    /// <summary>Serve bare public suffixes and wildcards directly under one (BR 3.2.2.6 forbids them).</summary>
    public bool AllowPublicSuffixes { get; set; }

    /// <summary>Serve names of one label, such as "intranet".</summary>
    public bool AllowSingleLabels { get; set; }

    /// <summary>Serve wildcards.</summary>
    public bool AllowWildcards { get; set; } = true;
}

/// <summary>Judges names by <see cref="NamePolicyOptions"/>.</summary>
public sealed class NamePolicy
{
    private readonly NamePolicyOptions options;
    private readonly PublicSuffixList suffixes;
    private readonly IReadOnlyList<DnsName> allowed;
    private readonly IReadOnlyList<DnsName> denied;

    /// <summary>Makes a policy.</summary>
    /// <exception cref="ArgumentException">A suffix is no name: configuration is judged before.</exception>
    public NamePolicy(NamePolicyOptions options, PublicSuffixList suffixes)
    {
        this.options = options;
        this.suffixes = suffixes;
        allowed = [.. options.AllowedSuffixes.Select(Suffix)];
        denied = [.. options.DeniedSuffixes.Select(Suffix)];
    }

    /// <summary>Accepts a name or says which rule refuses it.</summary>
    public Outcome<CertificateName> Judge(CertificateName name)
    {
        var reason = Refuse(name);
        return reason is null
            ? name
            : new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{name.Text} is not served here: {reason}.") { Identifier = name.Acme };
    }

    private string? Refuse(CertificateName name)
    {
        if (denied.FirstOrDefault(name.Name.IsWithin) is { } no)
        {
            return $"names under {no} are denied";
        }

        if (name.IsWildcard && denied.FirstOrDefault(s => name.Name.Equals(s.Parent())) is { } covered)
        {
            return $"its wildcard would cover {covered}, which is denied";
        }

        if (allowed.Count > 0 && !allowed.Any(name.Name.IsWithin))
        {
            return "it lies under none of the suffixes that this authority serves";
        }

        if (name.IsWildcard && !options.AllowWildcards)
        {
            return "wildcards are not served";
        }

        if (!options.AllowPublicSuffixes && suffixes.IsPublicSuffix(name.Name))
        {
            return name.IsWildcard ? $"{name.Name} is a public suffix, so its wildcard would cover strangers' names" : "it is a public suffix, under which strangers register names";
        }

        if (!options.AllowPublicSuffixes && name.IsWildcard && suffixes.IsAboveSuffixes(name.Name))
        {
            return $"the names under {name.Name} are public suffixes, under which strangers register names";
        }

        return !options.AllowSingleLabels && name.Name.LabelCount == 1 ? "a name of a single label belongs to nobody in particular" : null;
    }

    private static DnsName Suffix(string text)
    {
        var parsed = DnsName.Parse(text.TrimStart('.'));
        return parsed.IsValid ? parsed.Value : throw new ArgumentException($"'{text}' is not a suffix: {parsed.Reason}");
    }
}
