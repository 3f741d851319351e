using System.Collections.Frozen;

namespace PersistCa.Protocol.Identifiers;

/// <summary>The names under which strangers register names (publicsuffix.org), with its wildcard and exception rules.</summary>
public sealed class PublicSuffixList
{
    private const string Resource = "PersistCa.Protocol.Identifiers.public_suffix_list.dat";

    private static readonly Lazy<PublicSuffixList> LazyShipped = new(ReadShipped);

    private readonly FrozenSet<string> rules;
    private readonly FrozenSet<string> wildcards;
    private readonly FrozenSet<string> exceptions;

    private PublicSuffixList(IEnumerable<string> rules, IEnumerable<string> wildcards, IEnumerable<string> exceptions)
    {
        this.rules = rules.ToFrozenSet(StringComparer.Ordinal);
        this.wildcards = wildcards.ToFrozenSet(StringComparer.Ordinal);
        this.exceptions = exceptions.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>The list that ships with this server.</summary>
    public static PublicSuffixList Shipped => LazyShipped.Value;

    /// <summary>How many rules the list has.</summary>
    public int Count => rules.Count + wildcards.Count + exceptions.Count;

    /// <summary>Reads a list in the format of publicsuffix.org. Rules in U-labels are kept in A-labels; lines that are no rule are skipped, as the format says.</summary>
    public static PublicSuffixList Read(TextReader reader)
    {
        var plain = new HashSet<string>(StringComparer.Ordinal);
        var wild = new HashSet<string>(StringComparer.Ordinal);
        var except = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            var rule = line.Split([' ', '\t'], 2)[0];
            if (rule.Length == 0 || rule.StartsWith("//", StringComparison.Ordinal))
            {
                continue;
            }

            var (target, text) = rule switch
            {
                ['!', .. var rest] => (except, rest),
                ['*', '.', .. var rest] => (wild, rest),
                _ => (plain, rule),
            };
            if ((text.All(char.IsAscii) ? text.ToLowerInvariant() : DnsName.ToALabels(text)) is { } ascii)
            {
                target.Add(ascii);
            }
        }

        return new PublicSuffixList(plain, wild, except);
    }

    /// <summary>
    /// True when a rule of the list says that the name is a public suffix. A name that no rule speaks of ("corp", "lan") is none here, although
    /// the list's default rule "*" would make every top label one: in private zones nobody else registers.
    /// </summary>
    public bool IsPublicSuffix(DnsName name) =>
        !exceptions.Contains(name.Text)
        && (rules.Contains(name.Text) || (name.Parent() is { } parent && wildcards.Contains(parent.Text)));

    /// <summary>True when every name one label below is a public suffix ("*.kobe.jp" is a rule), so that a wildcard here would cover strangers' suffixes.</summary>
    public bool IsAboveSuffixes(DnsName name) => wildcards.Contains(name.Text);

    /// <summary>Top-level names of special use (RFC 6761, RFC 6762, RFC 9476), which are nobody's in the public DNS, though a list of suffixes may still hold them.</summary>
    private static readonly FrozenSet<string> SpecialUse = new[] { "alt", "example", "internal", "invalid", "local", "localhost", "test" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a name is an internal one: its last label is no top-level domain of the public DNS (Baseline Requirements section 1.6.1, "Internal Name").</summary>
    public bool IsInternal(DnsName name)
    {
        var top = name.LabelCount == 1 ? name : name.Ancestors().Last();
        return SpecialUse.Contains(top.Text) || !IsPublicSuffix(top);
    }

    /// <summary>The name one label below the longest public suffix, null when the name is a public suffix itself. Where no rule fits, the top label is taken for one.</summary>
    public DnsName? RegistrableDomain(DnsName name)
    {
        if (IsPublicSuffix(name))
        {
            return null;
        }

        DnsName? below = name;
        foreach (var ancestor in name.Ancestors())
        {
            if (exceptions.Contains(below!.Text) || IsPublicSuffix(ancestor))
            {
                return below;
            }

            if (ancestor.LabelCount == 1)
            {
                return below;
            }

            below = ancestor;
        }

        return null; // a single label
    }

    private static PublicSuffixList ReadShipped()
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the resource {Resource} is missing");
        using var reader = new StreamReader(stream);
        return Read(reader);
    }
}
