using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>A page of a list, the newest first.</summary>
/// <typeparam name="T">What is listed.</typeparam>
/// <param name="Items">What is on this page.</param>
/// <param name="Next">The parameter cursor of the next page; left out on the last.</param>
public sealed record ListResource<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>How operators' JSON is written: as ACME's.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RevocationResource))]
[JsonSerializable(typeof(ListResource<RevocationResource>))]
[JsonSerializable(typeof(ExplanationResource))]
[JsonSerializable(typeof(ListResource<AccountResource>))]
[JsonSerializable(typeof(AccountResource))]
[JsonSerializable(typeof(ListResource<LimitResource>))]
[JsonSerializable(typeof(ResetResource))]
[JsonSerializable(typeof(ListResource<OrderStateResource>))]
[JsonSerializable(typeof(OrderStateResource))]
[JsonSerializable(typeof(ListResource<AuthorizationStateResource>))]
[JsonSerializable(typeof(AuthorizationStateResource))]
[JsonSerializable(typeof(ListResource<CertificateResource>))]
[JsonSerializable(typeof(CertificateResource))]
[JsonSerializable(typeof(ListResource<IssuerResource>))]
[JsonSerializable(typeof(IssuerResource))]
[JsonSerializable(typeof(ListResource<ProfileResource>))]
[JsonSerializable(typeof(ProfileResource))]
[JsonSerializable(typeof(ListResource<ProposalResource>))]
[JsonSerializable(typeof(ProposalResource))]
[JsonSerializable(typeof(ListResource<JobResource>))]
[JsonSerializable(typeof(JobResource))]
[JsonSerializable(typeof(ListResource<TokenResource>))]
[JsonSerializable(typeof(TokenResource))]
[JsonSerializable(typeof(NewTokenResource))]
[JsonSerializable(typeof(ListResource<AuditEntryResource>))]
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
