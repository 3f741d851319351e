using System.Globalization;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Acme;

/// <summary>
/// Reads the JSON object in a payload member by member. The first fault is kept; members read after it are null. Unknown members are ignored, as
/// RFC 8555 section 7.1 demands of servers that meet newer clients.
/// </summary>
internal sealed class PayloadReader
{
    /// <summary>Deepest nesting read; the deepest that ACME has is 4.</summary>
    public const int MaxDepth = 16;

    private readonly JsonElement root;
    private readonly bool nullIsAbsent;

    private PayloadReader(JsonElement root, bool nullIsAbsent = false) => (this.root, this.nullIsAbsent) = (root, nullIsAbsent);

    /// <summary>The first fault.</summary>
    public AcmeProblem? Problem { get; private set; }

    /// <summary>Opens a payload.</summary>
    /// <param name="payload">The octets.</param>
    /// <param name="nullIsAbsent">Whether a member that is null counts as one that is not there: clients that are generated write them so.</param>
    public static PayloadReader Open(ReadOnlyMemory<byte> payload, bool nullIsAbsent = false)
    {
        if (payload.IsEmpty)
        {
            return new PayloadReader(default) { Problem = Malformed("The payload is empty, as in POST-as-GET; a JSON object is expected here.") };
        }

        var read = StrictJson.Read(payload, MaxDepth);
        if (!read.IsValid)
        {
            return new PayloadReader(default) { Problem = Malformed($"The payload cannot be read: {read.Reason}.") };
        }

        return read.Value.ValueKind == JsonValueKind.Object
            ? new PayloadReader(read.Value, nullIsAbsent)
            : new PayloadReader(default) { Problem = Malformed($"The payload is {Describe(read.Value)}; a JSON object is expected.") };
    }

    /// <summary>A string, null when absent.</summary>
    public string? Text(string member) => Read(member, JsonValueKind.String, "a string")?.GetString();

    /// <summary>A boolean, null when absent.</summary>
    public bool? Flag(string member)
    {
        if (!Find(member, out var element))
        {
            return null;
        }

        if (element.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return element.GetBoolean();
        }

        Fault(member, element, "true or false");
        return null;
    }

    /// <summary>A whole number, null when absent.</summary>
    public int? Number(string member)
    {
        if (Read(member, JsonValueKind.Number, "a whole number") is not { } element)
        {
            return null;
        }

        if (element.TryGetInt32(out var number))
        {
            return number;
        }

        Problem ??= Malformed($"The member '{member}' is no whole number of 32 bits.");
        return null;
    }

    /// <summary>An array of strings, null when absent.</summary>
    public IReadOnlyList<string>? Texts(string member)
    {
        if (Read(member, JsonValueKind.Array, "an array of strings") is not { } array)
        {
            return null;
        }

        var texts = new List<string>(array.GetArrayLength());
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                Fault(member + "[" + texts.Count + "]", item, "a string");
                return null;
            }

            texts.Add(item.GetString()!);
        }

        return texts;
    }

    /// <summary>An object whose members are all strings, null when absent.</summary>
    public IReadOnlyDictionary<string, string>? Words(string member)
    {
        if (Read(member, JsonValueKind.Object, "an object of strings") is not { } found)
        {
            return null;
        }

        var words = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in found.EnumerateObject())
        {
            if (item.Value.ValueKind != JsonValueKind.String)
            {
                Fault(member + "." + Refusals.Shorten(item.Name), item.Value, "a string");
                return null;
            }

            words[item.Name] = item.Value.GetString()!;
        }

        return words;
    }

    /// <summary>A time as RFC 3339 has it, null when absent.</summary>
    public DateTimeOffset? Time(string member)
    {
        if (Text(member) is not { } text)
        {
            return null;
        }

        if (DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time.ToUniversalTime();
        }

        Problem ??= Malformed($"The member '{member}' is '{Refusals.Shorten(text)}'; an RFC 3339 time such as 2030-01-31T12:00:00Z is expected.");
        return null;
    }

    /// <summary>An array of identifiers (RFC 8555 section 7.4), null when absent.</summary>
    public IReadOnlyList<IdentifierWish>? Identifiers(string member)
    {
        if (Read(member, JsonValueKind.Array, "an array of identifiers") is not { } array)
        {
            return null;
        }

        var identifiers = new List<IdentifierWish>();
        foreach (var item in array.EnumerateArray())
        {
            var where = member + "[" + identifiers.Count + "]";
            if (item.ValueKind != JsonValueKind.Object)
            {
                Fault(where, item, "an object with type and value");
                return null;
            }

            if (Wish(where, item) is not { } wish)
            {
                return null;
            }

            identifiers.Add(wish);
        }

        return identifiers;
    }

    /// <summary>One identifier (RFC 8555 section 7.4.1), null when absent.</summary>
    public IdentifierWish? Identifier(string member) =>
        Read(member, JsonValueKind.Object, "an object with type and value") is { } item ? Wish(member, item) : null;

    /// <summary>An object, null when absent.</summary>
    public JsonElement? Object(string member) => Read(member, JsonValueKind.Object, "an object");

    /// <summary>True when the object has the member, whatever its value.</summary>
    public bool Has(string member) => Find(member, out _);

    /// <summary>Refuses members that are not among these: where a slip of the pen must not be taken for a wish.</summary>
    public void Only(params IReadOnlyCollection<string> members)
    {
        foreach (var member in root.ValueKind == JsonValueKind.Object ? root.EnumerateObject().Select(m => m.Name) : [])
        {
            if (!members.Contains(member))
            {
                Problem ??= Malformed($"There is no member '{Refusals.Shorten(member)}' here; there are {string.Join(", ", members)}.");
            }
        }
    }

    /// <summary>Reads an object member by member; null when absent.</summary>
    public PayloadReader? Inner(string member) => Object(member) is { } found ? new PayloadReader(found, nullIsAbsent) : null;

    /// <summary>Notes a fault that the caller found.</summary>
    public void Refuse(string detail) => Problem ??= Malformed(detail);

    private IdentifierWish? Wish(string where, JsonElement item)
    {
        var reader = new PayloadReader(item);
        var type = reader.Text("type");
        var value = reader.Text("value");
        var ancestor = reader.Text("ancestorDomain");
        var subdomains = reader.Flag("subdomainAuthAllowed") ?? false;
        if (type is null || value is null || reader.Problem is not null)
        {
            Problem ??= Malformed($"{where} needs the strings type and value." + (reader.Problem is { } inner ? " " + inner.Detail : ""));
            return null;
        }

        return new IdentifierWish(new AcmeIdentifier(type, value), ancestor, subdomains);
    }

    private JsonElement? Read(string member, JsonValueKind kind, string expected)
    {
        if (!Find(member, out var element))
        {
            return null;
        }

        if (element.ValueKind == kind)
        {
            return element;
        }

        Fault(member, element, expected);
        return null;
    }

    private bool Find(string member, out JsonElement element)
    {
        element = default;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty(member, out element) && !(nullIsAbsent && element.ValueKind == JsonValueKind.Null);
    }

    private void Fault(string member, JsonElement found, string expected) =>
        Problem ??= Malformed($"The member '{member}' is {Describe(found)}; {expected} is expected.");

    private static string Describe(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    private static AcmeProblem Malformed(string detail) => new(ProblemCatalog.Malformed, detail);
}
