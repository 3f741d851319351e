using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json.Nodes;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>Something that may stand in a query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Schema">Its form as a JSON schema.</param>
internal abstract record QueryParameter(string Name, string Description, JsonObject Schema)
{
    /// <summary>Longest value of any; nothing that is looked for is longer.</summary>
    public const int MaxLength = 512;

    /// <summary>Reads a value.</summary>
    public abstract Parsed<object> Read(string text);
}

/// <summary>The same, with the type that its values have.</summary>
/// <typeparam name="T">The type.</typeparam>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Schema">Its form as a JSON schema.</param>
/// <param name="Parse">Reads a value.</param>
internal sealed record QueryParameter<T>(string Name, string Description, JsonObject Schema, Func<string, Parsed<T>> Parse) : QueryParameter(Name, Description, Schema)
    where T : notnull
{
    /// <inheritdoc/>
    public override Parsed<object> Read(string text) => Parse(text) is { IsValid: true } read ? Parsed<object>.Ok(read.Value) : Parsed<object>.Refused(Parse(text).Reason!);
}

/// <summary>Makes parameters of the usual kinds.</summary>
internal static class QueryParameters
{
    /// <summary>A text of at most so many characters, none of them a control character.</summary>
    public static QueryParameter<string> Text(string name, string description, int most = 128) => new(
        name,
        description,
        new JsonObject { ["type"] = "string", ["maxLength"] = most },
        text => text.Length is > 0 && text.Length <= most && !text.Any(char.IsControl) ? Parsed<string>.Ok(text) : Parsed<string>.Refused($"1 to {most} printable characters are expected"));

    /// <summary>A public id.</summary>
    public static QueryParameter<string> Id(string name, string description) => new(
        name,
        description,
        new JsonObject { ["type"] = "string", ["minLength"] = PublicId.Length, ["maxLength"] = PublicId.Length },
        text => PublicId.LooksRight(text) ? Parsed<string>.Ok(text) : Parsed<string>.Refused($"an id of {PublicId.Length} characters is expected"));

    /// <summary>One of some words.</summary>
    public static QueryParameter<string> Word(string name, string description, params string[] words) => new(
        name,
        description,
        new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(w => (JsonNode)w)]) },
        text => words.Contains(text) ? Parsed<string>.Ok(text) : Parsed<string>.Refused($"one of {string.Join(", ", words)} is expected"));

    /// <summary>A time as RFC 3339 has it.</summary>
    public static QueryParameter<DateTimeOffset> Time(string name, string description) => new(
        name,
        description,
        new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        text => DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Parsed<DateTimeOffset>.Ok(time.ToUniversalTime())
            : Parsed<DateTimeOffset>.Refused("an RFC 3339 time such as 2030-01-31T12:00:00Z is expected"));

    /// <summary>SHA-256 in hexadecimal, with or without colons, in either case.</summary>
    public static QueryParameter<string> Digest(string name, string description) => new(
        name,
        description,
        new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9A-Fa-f:]{64,95}$" },
        text => text.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant() is { Length: 64 } digits && digits.All(char.IsAsciiHexDigitLower)
            ? Parsed<string>.Ok(digits)
            : Parsed<string>.Refused("a SHA-256 of 64 hexadecimal digits is expected"));
}

/// <summary>Pages of lists, by an opaque cursor.</summary>
internal static class Paging
{
    /// <summary>Most things on a page.</summary>
    public static QueryParameter<int> Limit { get; } = new(
        "limit",
        "Most things on a page; Operators:PageSize unless said, and Operators:MaxPageSize at most.",
        new JsonObject { ["type"] = "integer", ["minimum"] = 1 },
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? Parsed<int>.Ok(number) : Parsed<int>.Refused("a whole number above 0 is expected"));

    /// <summary>Where to go on.</summary>
    public static QueryParameter<long> Cursor { get; } = new(
        "cursor",
        "Where to go on: the member next of the page before.",
        new JsonObject { ["type"] = "string" },
        Read);

    /// <summary>Both.</summary>
    public static IReadOnlyList<QueryParameter> Both { get; } = [Limit, Cursor];

    /// <summary>Writes a cursor.</summary>
    public static string Write(long id)
    {
        Span<byte> octets = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(octets, id);
        return Base64Url.EncodeToString(octets);
    }

    /// <summary>Reads a cursor.</summary>
    public static Parsed<long> Read(string text)
    {
        Span<byte> octets = stackalloc byte[sizeof(long)];
        return text.Length == Base64Url.GetEncodedLength(sizeof(long)) && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, octets, out var written) && written == sizeof(long)
            && BinaryPrimitives.ReadInt64BigEndian(octets) is var id and > 0 && Write(id) == text
            ? Parsed<long>.Ok(id)
            : Parsed<long>.Refused("the member next of a page is expected, as it stands there");
    }
}

/// <summary>What stood in a query, read by the row's parameters.</summary>
internal sealed class QueryValues
{
    private readonly Dictionary<string, object> values;

    private QueryValues(Dictionary<string, object> values, PageWish page) => (this.values, Page) = (values, page);

    /// <summary>Which page of a list is wanted.</summary>
    public PageWish Page { get; }

    /// <summary>Reads a query.</summary>
    /// <returns>The values; malformed for a parameter that the door does not have, that stands there twice, or that cannot be read.</returns>
    public static Outcome<QueryValues> Read(IQueryCollection query, IReadOnlyList<QueryParameter> parameters, OperatorOptions options)
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, texts) in query)
        {
            if (parameters.FirstOrDefault(p => p.Name == name) is not { } parameter)
            {
                return Bad($"There is no parameter '{Refusals.Shorten(name)}' here; there {(parameters.Count == 0 ? "is none" : "are " + string.Join(", ", parameters.Select(p => p.Name)))}.");
            }

            if (texts is not [{ } text])
            {
                return Bad($"The parameter '{name}' stands there {texts.Count} times; once is expected.");
            }

            var read = text.Length > QueryParameter.MaxLength ? Parsed<object>.Refused($"at most {QueryParameter.MaxLength} characters are expected") : parameter.Read(text);
            if (!read.IsValid)
            {
                return Bad($"The parameter '{name}' is '{Refusals.Shorten(text)}'; {read.Reason}.");
            }

            values[name] = read.Value;
        }

        var size = values.TryGetValue(Paging.Limit.Name, out var limit) ? (int)limit : Math.Min(options.PageSize, options.MaxPageSize);
        return size > options.MaxPageSize
            ? Bad($"The parameter 'limit' is {size}; at most {options.MaxPageSize} are given at a time (Operators:MaxPageSize). Follow next for more.")
            : new QueryValues(values, new PageWish(size, values.TryGetValue(Paging.Cursor.Name, out var cursor) ? (long)cursor : null));
    }

    /// <summary>A value that is a text; null when it was not given.</summary>
    public string? Text(QueryParameter<string> parameter) => (string?)values.GetValueOrDefault(parameter.Name);

    /// <summary>A value that is no text; null when it was not given.</summary>
    public T? Value<T>(QueryParameter<T> parameter)
        where T : struct => values.TryGetValue(parameter.Name, out var value) ? (T)value : null;

    private static AcmeProblem Bad(string detail) => new(ProblemCatalog.Malformed, detail);
}
