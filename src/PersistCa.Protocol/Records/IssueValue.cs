using System.Text;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Records;

/// <summary>
/// The issue-value grammar of RFC 8659 section 4.2 as dns-persist-01 has it (rules section 2). The issuer name is read first and apart: whose
/// record it is must be known before anything in it can count as malformed.
/// </summary>
public static class IssueValue
{
    private const string Blanks = " \t";

    /// <summary>The issuer name, null when the text names nobody that can be told.</summary>
    /// <param name="text">Joined character-strings, an octet a character.</param>
    public static IssuerName? Issuer(string text)
    {
        var semicolon = text.IndexOf(';', StringComparison.Ordinal);
        return ReadIssuer((semicolon < 0 ? text : text[..semicolon]).Trim(' ', '\t'));
    }

    /// <summary>The parameters: known tags in lower case with their values. Unknown tags are checked for form and dropped.</summary>
    /// <param name="text">Joined character-strings.</param>
    /// <param name="knownTags">Known tags, lower case.</param>
    public static Parsed<IReadOnlyDictionary<string, string>> Parameters(string text, IReadOnlySet<string> knownTags)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        var semicolon = text.IndexOf(';', StringComparison.Ordinal);
        if (semicolon < 0)
        {
            return Parsed<IReadOnlyDictionary<string, string>>.Ok(known);
        }

        foreach (var segment in text[(semicolon + 1)..].Split(';'))
        {
            if (ReadParameter(segment.Trim(' ', '\t'), knownTags, known) is { } reason)
            {
                return Parsed<IReadOnlyDictionary<string, string>>.Refused(reason);
            }
        }

        return Parsed<IReadOnlyDictionary<string, string>>.Ok(known);
    }

    /// <summary>Reads an issuer name as it stands in a record: UTF-8 octets, perhaps U-labels.</summary>
    internal static IssuerName? ReadIssuer(string octets)
    {
        if (octets.Length is 0 or > 1024 || octets.AsSpan().ContainsAny(Blanks))
        {
            return null;
        }

        var text = octets.All(char.IsAscii) ? octets : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets));
        var parsed = IssuerName.Parse(text);
        return parsed.IsValid ? parsed.Value : null;
    }

    private static string? ReadParameter(string parameter, IReadOnlySet<string> knownTags, Dictionary<string, string> known)
    {
        if (parameter.Length == 0)
        {
            return "there is an empty parameter, or a ';' at the end";
        }

        var equals = parameter.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            return $"the parameter '{RecordProse.Show(parameter)}' has no '='";
        }

        var tag = parameter[..equals].TrimEnd(' ', '\t');
        var value = parameter[(equals + 1)..].TrimStart(' ', '\t');
        if (!IsTag(tag))
        {
            return $"'{RecordProse.Show(tag)}' is not a tag: letters, digits and hyphens between them are expected";
        }

        if (value.Any(c => c is < '!' or > '~' or ';'))
        {
            return $"the value of {RecordProse.Show(tag)} has a character that is not printable ASCII, or a space";
        }

        var folded = tag.ToLowerInvariant();
        return knownTags.Contains(folded) && !known.TryAdd(folded, value) ? $"{folded} stands there twice" : null;
    }

    private static bool IsTag(string tag) =>
        tag.Length > 0 && char.IsAsciiLetterOrDigit(tag[0]) && char.IsAsciiLetterOrDigit(tag[^1]) && tag.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
