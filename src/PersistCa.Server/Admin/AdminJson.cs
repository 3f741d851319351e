using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PersistCa.Protocol.Acme;

namespace PersistCa.Server.Admin;

/// <summary>A page of a list, the newest first.</summary>
/// <typeparam name="T">What is listed.</typeparam>
/// <param name="Items">What is on this page.</param>
/// <param name="Next">The parameter cursor of the next page; left out on the last.</param>
public sealed record ListResource<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>A token in a list; its secret is kept nowhere.</summary>
/// <param name="Id">Id by which it is revoked.</param>
/// <param name="Name">Whose.</param>
/// <param name="Role">What for.</param>
/// <param name="State">good, expired or revoked.</param>
/// <param name="Created">RFC 3339.</param>
/// <param name="Expires">RFC 3339.</param>
/// <param name="LastUsed">The last day of use, null for none.</param>
public sealed record TokenLine(string Id, string Name, string Role, string State, string Created, string Expires, string? LastUsed);

/// <summary>How operators' JSON is written: as ACME's.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RevocationResource))]
[JsonSerializable(typeof(ListResource<RevocationResource>))]
[JsonSerializable(typeof(ExplanationResource))]
[JsonSerializable(typeof(TokenLine[]))]
public sealed partial class AdminJson : JsonSerializerContext
{
    private static AdminJson? wire;

    /// <summary>The context to write with.</summary>
    public static AdminJson Wire => wire ??= new AdminJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new WholeSeconds() },
    });

    /// <summary>Times as every other time of this server: RFC 3339, UTC, whole seconds.</summary>
    private sealed class WholeSeconds : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(AcmeJson.Time(value));
    }
}
