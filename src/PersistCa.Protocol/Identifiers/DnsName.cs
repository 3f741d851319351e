using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace PersistCa.Protocol.Identifiers;

/// <summary>
/// A domain name that a certificate can have: letters, digits and hyphens, lower case, A-labels that decode, no trailing dot. The one place
/// where names are normalised and judged (RFC 1034 section 3.5, RFC 5890 section 2.3, RFC 8555 section 7.1.4).
/// </summary>
public sealed class DnsName : IEquatable<DnsName>
{
    /// <summary>Longest name, in octets without the trailing dot.</summary>
    public const int MaxLength = 253;

    /// <summary>Longest label.</summary>
    public const int MaxLabelLength = 63;

    private static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = true };

    private DnsName(string text) => Text = text;

    /// <summary>The name: lower case, A-labels, no trailing dot.</summary>
    public string Text { get; }

    /// <summary>Its labels, left-most first.</summary>
    public ImmutableArray<string> Labels => [.. Text.Split('.')];

    /// <summary>How many labels it has.</summary>
    public int LabelCount => Text.AsSpan().Count('.') + 1;

    /// <summary>Reads a name. Upper case is folded.</summary>
    public static Parsed<DnsName> Parse(string text)
    {
        if (text.Length == 0)
        {
            return Parsed<DnsName>.Refused("it is empty");
        }

        // Looked at before the rest, so that a huge text costs nothing.
        if (text.Length > MaxLength + 1)
        {
            return Parsed<DnsName>.Refused($"it has {text.Length} characters where at most {MaxLength} are allowed");
        }

        if (text.Any(c => c > '~'))
        {
            return Parsed<DnsName>.Refused("it has characters outside ASCII; " + SuggestALabels(text));
        }

        if (text[^1] == '.')
        {
            return Parsed<DnsName>.Refused("it ends with a dot; write it without");
        }

        if (text.Length > MaxLength)
        {
            return Parsed<DnsName>.Refused($"it has {text.Length} characters where at most {MaxLength} are allowed");
        }

        var name = text.ToLowerInvariant();
        var labels = name.Split('.');
        foreach (var label in labels)
        {
            if (JudgeLabel(label) is { } reason)
            {
                return Parsed<DnsName>.Refused(reason);
            }
        }

        return labels[^1].All(char.IsAsciiDigit)
            ? Parsed<DnsName>.Refused("its last label is a number, so that it reads as an IP address")
            : Parsed<DnsName>.Ok(new DnsName(name));
    }

    /// <summary>The name one label up, null at the top.</summary>
    public DnsName? Parent()
    {
        var dot = Text.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? null : new DnsName(Text[(dot + 1)..]);
    }

    /// <summary>Every name above this one, nearest first.</summary>
    public IEnumerable<DnsName> Ancestors()
    {
        for (var name = Parent(); name is not null; name = name.Parent())
        {
            yield return name;
        }
    }

    /// <summary>True when the name is another one or lies under it.</summary>
    public bool IsWithin(DnsName other) => Equals(other) || IsSubdomainOf(other);

    /// <summary>True when this name lies under the other, on a label boundary: badexample.com is not under example.com.</summary>
    public bool IsSubdomainOf(DnsName other) =>
        Text.Length > other.Text.Length + 1
        && Text.EndsWith(other.Text, StringComparison.Ordinal)
        && Text[Text.Length - other.Text.Length - 1] == '.';

    /// <inheritdoc/>
    public bool Equals(DnsName? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DnsName);

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Turns U-labels into A-labels as IDNA does, null when that cannot be done.</summary>
    internal static string? ToALabels(string text)
    {
        try
        {
            return Idn.GetAscii(text.Normalize(NormalizationForm.FormC));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string? JudgeLabel(string label)
    {
        if (label.Length == 0)
        {
            return "it has an empty label";
        }

        if (label.Length > MaxLabelLength)
        {
            return $"it has a label of {label.Length} characters where at most {MaxLabelLength} are allowed";
        }

        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
            {
                return c == '_' ? "it has an underscore, which a certificate's name cannot have" : $"it has the character {Show(c)}; only letters, digits, hyphens and dots are allowed";
            }
        }

        if (label[0] == '-' || label[^1] == '-')
        {
            return "it has a label that begins or ends with a hyphen";
        }

        if (label.Length >= 4 && label[2] == '-' && label[3] == '-')
        {
            return label.StartsWith("xn--", StringComparison.Ordinal) ? JudgeALabel(label) : $"its label {label} has hyphens in third and fourth place, which only xn-- labels may";
        }

        return null;
    }

    private static string? JudgeALabel(string label)
    {
        string decoded;
        try
        {
            decoded = Idn.GetUnicode(label);
        }
        catch (ArgumentException)
        {
            return $"its label {label} is no A-label: it does not decode";
        }

        if (decoded.EnumerateRunes().Any(IsInNoName))
        {
            return $"its label {label} is no A-label: it decodes to a character that no name has";
        }

        // Without this a label that decodes to itself, or to a form that another label encodes, would be two spellings of one name.
        return decoded.All(c => c < 0x80) || decoded == label || !decoded.IsNormalized(NormalizationForm.FormC) || ToALabels(decoded) != label
            ? $"its label {label} is no A-label: it does not encode back to itself"
            : null;
    }

    /// <summary>
    /// Characters that RFC 5892 section 2 disallows by their category. Asked apart from <see cref="Idn"/>, which without ICU on the machine decodes
    /// anything, so that the same names are read everywhere.
    /// </summary>
    private static bool IsInNoName(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.Control or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
        UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D), // joiners, which some scripts need (RFC 5892 appendix A)
        _ => false,
    };

    private static string SuggestALabels(string text) =>
        ToALabels(text) is { } suggestion && suggestion.Length <= MaxLength ? $"as A-labels it is {suggestion}" : "write it in A-labels (xn--)";

    private static string Show(char c) => c is > ' ' and < (char)127 ? $"'{c}'" : $"U+{(int)c:X4}";
}
