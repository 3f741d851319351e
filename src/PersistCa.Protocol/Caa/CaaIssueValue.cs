using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;

namespace PersistCa.Protocol.Caa;

/// <summary>
/// Value of an issue or issuewild property (RFC 8659 section 4.2) with the parameters of RFC 8657. One that does not follow the grammar authorises
/// nobody; it is never repaired.
/// </summary>
/// <param name="IssuerText">Issuer name as written, empty when the value names nobody.</param>
/// <param name="Issuer">The same for comparison; null when it names nobody, or is no name that an authority here could have.</param>
/// <param name="Parameters">accounturi and validationmethods, as far as they are there. Other parameters are ignored (RFC 8659 section 4.2).</param>
public sealed record CaaIssueValue(string IssuerText, IssuerName? Issuer, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>Parameter that binds to an account (RFC 8657 section 3).</summary>
    public const string AccountUriTag = "accounturi";

    /// <summary>Parameter that binds to ways of proving control (RFC 8657 section 4).</summary>
    public const string ValidationMethodsTag = "validationmethods";

    private static readonly ImmutableHashSet<string> Known = [AccountUriTag, ValidationMethodsTag];

    /// <summary>True for ";" and its like: no authority may issue.</summary>
    public bool NamesNobody => IssuerText.Length == 0;

    /// <summary>The account to which the property is bound, null when to none.</summary>
    public string? AccountUri => Parameters.GetValueOrDefault(AccountUriTag);

    /// <summary>The methods to which the property is bound, perhaps none at all; null when it is not bound.</summary>
    public ImmutableArray<string>? ValidationMethods { get; private init; }

    /// <summary>Reads a value. Never throws.</summary>
    /// <param name="value">The octets, one character each.</param>
    public static Parsed<CaaIssueValue> Read(string value)
    {
        var semicolon = value.IndexOf(';', StringComparison.Ordinal);
        var issuer = (semicolon < 0 ? value : value[..semicolon]).Trim(' ', '\t');
        if (issuer.Length > 0 && !issuer.Split('.').All(IsLabel))
        {
            // Stricter than in persistent records, where U-labels and a final dot are read: RFC 8659 has neither, and to read more than it does would
            // let more be issued.
            return Refused($"'{RecordProse.Show(issuer)}' is no issuer name: labels of letters, digits and inner hyphens are expected, in A-labels and without a final dot");
        }

        // ";" alone, or at the end of a name, is complete: the parameters are optional (RFC 8659 section 4.2), other than in persistent records.
        var bare = semicolon < 0 || value[(semicolon + 1)..].Trim(' ', '\t').Length == 0;
        var parameters = bare
            ? Parsed<IReadOnlyDictionary<string, string>>.Ok(ImmutableDictionary<string, string>.Empty)
            : IssueValue.Parameters(value, Known);
        if (!parameters.IsValid)
        {
            return Refused(parameters.Reason);
        }

        ImmutableArray<string>? methods = null;
        if (parameters.Value.TryGetValue(ValidationMethodsTag, out var list))
        {
            methods = list.Length == 0 ? [] : [.. list.Split(',')];
            if (methods.Value.Any(m => m.Length == 0 || !m.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')))
            {
                return Refused($"'{RecordProse.Show(list)}' is no list of validation methods: labels with commas between them are expected");
            }
        }

        return Parsed<CaaIssueValue>.Ok(new CaaIssueValue(issuer, issuer.Length == 0 ? null : IssueValue.Issuer(value), parameters.Value) { ValidationMethods = methods });
    }

    private static Parsed<CaaIssueValue> Refused(string reason) => Parsed<CaaIssueValue>.Refused(reason);

    private static bool IsLabel(string label) =>
        label.Length > 0 && char.IsAsciiLetterOrDigit(label[0]) && char.IsAsciiLetterOrDigit(label[^1]) && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
