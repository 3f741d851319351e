using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Server.Demo;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;

namespace PersistCa.Testing;

/// <summary>External accounts, as a client and as an operator.</summary>
public static class ExternalBinding
{
    /// <summary>Makes a binding (RFC 8555 section 7.3.4).</summary>
    /// <param name="header">The header, complete.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="secret">The MAC key.</param>
    public static JsonObject Sign(JsonObject header, string payload, byte[] secret)
    {
        var protectedPart = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));
        var payloadPart = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        var input = Encoding.ASCII.GetBytes(protectedPart + "." + payloadPart);
        var mac = header["alg"]?.GetValue<string>() switch
        {
            "HS384" => HMACSHA384.HashData(secret, input),
            "HS512" => HMACSHA512.HashData(secret, input),
            _ => HMACSHA256.HashData(secret, input),
        };
        return new JsonObject { ["protected"] = protectedPart, ["payload"] = payloadPart, ["signature"] = Base64Url.EncodeToString(mac) };
    }

    /// <summary>The newAccount payload of a client that binds its account.</summary>
    public static async Task<JsonObject> BoundPayloadAsync(this AcmeClient client, MadeExternalAccountKey key, string alg = "HS256")
    {
        var header = new JsonObject { ["alg"] = alg, ["kid"] = key.Key.PublicId, ["url"] = await client.UrlAsync("newAccount", CancellationToken.None) };
        return new JsonObject { ["termsOfServiceAgreed"] = true, ["externalAccountBinding"] = Sign(header, AcmeClient.Jwk(client.AccountKey), Base64Url.DecodeFromChars(key.Secret)) };
    }

    /// <summary>A client with an account that is bound to a key.</summary>
    public static async Task<AcmeClient> BoundAsync(this RunningAuthority authority, MadeExternalAccountKey key)
    {
        var client = authority.Client();
        await client.RegisterAsync(CancellationToken.None, await client.BoundPayloadAsync(key));
        return client;
    }

    /// <summary>An operator with a token of a role.</summary>
    public static async Task<OperatorIdentity> OperatorAsync(this RunningAuthority authority, OperatorRole role = OperatorRole.Operator, string name = "olga")
    {
        var token = await authority.Services.GetRequiredService<TokenDesk>().MakeOnHostAsync(new TokenWish(name, role, TimeSpan.FromDays(1)), CancellationToken.None);
        var desk = authority.Services.GetRequiredService<OperatorDesk>();
        return (await desk.AuthenticateAsync(new ShownCredentials("Bearer " + token.Value.Secret), new DoorDemand("test", [role], "test:read"), "127.0.0.1", CancellationToken.None)).Value;
    }

    /// <summary>The desk for external account keys.</summary>
    public static ExternalAccountDesk ExternalAccounts(this RunningAuthority authority) => authority.Services.GetRequiredService<ExternalAccountDesk>();

    /// <summary>Makes a key; every name may be had unless said otherwise.</summary>
    public static async Task<MadeExternalAccountKey> ExternalKeyAsync(this RunningAuthority authority, Func<ExternalAccountTerms, ExternalAccountTerms>? say = null, bool singleUse = false)
    {
        var terms = new ExternalAccountTerms { Names = ["."], Owner = "test" };
        return (await authority.ExternalAccounts().CreateAsync(await authority.OperatorAsync(), say?.Invoke(terms) ?? terms, singleUse, CancellationToken.None)).Value;
    }

    /// <summary>Changes a key.</summary>
    public static async Task ChangeAsync(this RunningAuthority authority, MadeExternalAccountKey key, Func<ExternalAccountTerms, ExternalAccountTerms> change) =>
        _ = (await authority.ExternalAccounts().UpdateAsync(await authority.OperatorAsync(), key.Key.PublicId, change, CancellationToken.None)).Value;

    /// <summary>Removes a key.</summary>
    public static async Task RemoveAsync(this RunningAuthority authority, MadeExternalAccountKey key, EndStops? stops = null) =>
        _ = (await authority.ExternalAccounts().RemoveAsync(await authority.OperatorAsync(), key.Key.PublicId, stops, CancellationToken.None)).Value;
}
