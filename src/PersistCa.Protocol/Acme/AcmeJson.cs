using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersistCa.Protocol.Acme;

/// <summary>
/// How ACME JSON is written: camel case, no nulls (one crashes certbot 2.1), and nothing escaped that JSON lets stand, since shell clients
/// read URLs with text tools and "\/" or "\u0026" breaks them.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(DirectoryResource))]
[JsonSerializable(typeof(AccountResource))]
[JsonSerializable(typeof(OrderListResource))]
[JsonSerializable(typeof(OrderResource))]
[JsonSerializable(typeof(AuthorizationResource))]
[JsonSerializable(typeof(ChallengeResource))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(BindingResource))]
[JsonSerializable(typeof(RenewalInfoResource))]
[JsonSerializable(typeof(ExplanationResource))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(List<string>))]
public sealed partial class AcmeJson : JsonSerializerContext
{
    private static AcmeJson? wire;

    /// <summary>The context to write with. (Not an initialiser: those of a type's generated part may run later.)</summary>
    public static AcmeJson Wire => wire ??= new AcmeJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>A time as RFC 3339 in UTC with whole seconds, as every client reads it.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
