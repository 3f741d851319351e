using System.Buffers.Text;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;

namespace PersistCa.Testing;

/// <summary>The ways of a client, in the words of tests.</summary>
public static class AcmeDriver
{
    /// <summary>Publishes a persistent record for an account.</summary>
    public static RecordToPublish Publish(this RunningAuthority authority, AcmeClient client, string name, PersistDialect dialect, bool wildcard = false, DateTimeOffset? until = null)
    {
        var record = authority.Record(client, name, dialect, wildcard, until);
        authority.Zone.SetTxt(record.Owner, record.Value);
        return record;
    }

    /// <summary>The record that binds a name to an account.</summary>
    public static RecordToPublish Record(this RunningAuthority authority, AcmeClient client, string name, PersistDialect dialect, bool wildcard = false, DateTimeOffset? until = null)
    {
        var url = client.AccountUrl!;
        var account = new AccountFacts(url.Split('/')[^1], url, [client.Thumbprint], IsValid: true);
        return RecordText.For(dialect, DnsName.Parse(name).Value!, account, authority.Policy, wildcard, until);
    }

    /// <summary>The challenge of a type in an authorization.</summary>
    public static JsonNode Challenge(this AcmeAnswer authorization, string type) =>
        authorization.Json["challenges"]!.AsArray().First(c => c!["type"]!.GetValue<string>() == type)!;

    /// <summary>Says that a challenge is ready and waits for the authorization's end.</summary>
    public static async Task<AcmeAnswer> ProveAsync(this AcmeClient client, string authorizationUrl, string type)
    {
        var authorization = await client.FetchAsync(authorizationUrl, CancellationToken.None);
        if (authorization.Json["status"]!.GetValue<string>() != "pending")
        {
            return authorization;
        }

        await client.PostAsync(authorization.Challenge(type)["url"]!.GetValue<string>(), "{}", CancellationToken.None);
        return await client.PollAsync(authorizationUrl, ["pending"], TimeProvider.System, CancellationToken.None);
    }

    /// <summary>Opens an order and proves every name in it by one type.</summary>
    public static Task<AcmeAnswer> ReadyOrderAsync(this AcmeClient client, string type, params string[] names) => client.ReadyOrderOfAsync(null, type, names);

    /// <summary>Opens an order with a profile and proves every name in it by one type.</summary>
    public static async Task<AcmeAnswer> ReadyOrderOfAsync(this AcmeClient client, string? profile, string type, params string[] names)
    {
        var order = await client.OrderAsync(names, CancellationToken.None, profile);
        foreach (var url in order.Json["authorizations"]!.AsArray())
        {
            await client.ProveAsync(url!.GetValue<string>(), type);
        }

        var fetched = await client.FetchAsync(order.Location!, CancellationToken.None);
        return fetched with { Headers = order.Headers };
    }

    /// <summary>Finalizes an order and waits for its end.</summary>
    public static async Task<AcmeAnswer> FinalizeAsync(this AcmeClient client, AcmeAnswer order, byte[] csr)
    {
        var payload = new JsonObject { ["csr"] = Base64Url.EncodeToString(csr) }.ToJsonString();
        await client.PostAsync(order.Json["finalize"]!.GetValue<string>(), payload, CancellationToken.None);
        return await client.PollAsync(order.Location!, ["processing"], TimeProvider.System, CancellationToken.None);
    }

    /// <summary>The whole way, from order to chain.</summary>
    public static Task<string> IssueAsync(this AcmeClient client, string type, params string[] names) => client.IssueOfAsync(null, type, names);

    /// <summary>The whole way with a profile.</summary>
    public static async Task<string> IssueOfAsync(this AcmeClient client, string? profile, string type, params string[] names)
    {
        var order = await client.ReadyOrderOfAsync(profile, type, names);
        var (csr, key) = RunningAuthority.Csr(names);
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);
        return (await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), CancellationToken.None)).Body;
    }
}
