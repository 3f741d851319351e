using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Accounts;

namespace PersistCa.Server.Registration;

/// <summary>The payload of a proposal that changes an account's restrictions: what they will be, and a digest of what they were, so that an approval changes nothing that its proposal has not seen.</summary>
internal static class RestrictionChange
{
    /// <summary>Writes one.</summary>
    public static string Write(AccountRestrictions now, AccountRestrictions before) =>
        new JsonObject { ["restrictions"] = JsonNode.Parse(RestrictionsText.Write(now)), ["before"] = DigestOf(before) }.ToJsonString();

    /// <summary>What they will be.</summary>
    /// <exception cref="JsonException">The text was not written here.</exception>
    public static AccountRestrictions Read(string payload) => RestrictionsText.Read(Parse(payload)["restrictions"]?.ToJsonString() ?? throw new JsonException("there are no restrictions"));

    /// <summary>Whether they are still what they were.</summary>
    public static bool IsOf(string payload, AccountRestrictions present) => Parse(payload)["before"]?.GetValue<string>() == DigestOf(present);

    private static JsonObject Parse(string payload) => JsonNode.Parse(payload)?.AsObject() ?? throw new JsonException("null is no change");

    private static string DigestOf(AccountRestrictions restrictions) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(RestrictionsText.Write(restrictions))));
}
