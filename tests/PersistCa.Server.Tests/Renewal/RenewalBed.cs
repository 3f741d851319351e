using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Renewal;

/// <summary>What renewal information said.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Json">Body.</param>
/// <param name="Headers">Headers.</param>
public sealed record Advice(HttpStatusCode Status, JsonObject? Json, HttpResponseHeaders Headers)
{
    public DateTimeOffset Start => Time("start");

    public DateTimeOffset End => Time("end");

    public string? ExplanationUrl => Json!["explanationURL"]?.GetValue<string>();

    private DateTimeOffset Time(string member) => DateTimeOffset.Parse(Json!["suggestedWindow"]![member]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A client that knows renewal information (RFC 9773), as far as the demonstration's does not.</summary>
internal static class RenewalBed
{
    public static CancellationToken None => CancellationToken.None;

    /// <summary>The id of the first certificate of a chain, from its authorityKeyIdentifier and serial number.</summary>
    public static string IdOf(string chain)
    {
        using var leaf = X509Certificate2.CreateFromPem(chain);
        var key = leaf.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value;
        return new CertificateId(Convert.ToHexStringLower(key.Span), Convert.ToHexStringLower(leaf.SerialNumberBytes.Span)).ToString();
    }

    public static async Task<Advice> AdviceAsync(this RunningAuthority authority, string id, string? etag = null, string method = "GET")
    {
        using var http = authority.Http();
        var directory = JsonNode.Parse(await http.GetStringAsync(new Uri(authority.DirectoryUrl)))!;
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri($"{directory["renewalInfo"]!.GetValue<string>()}/{id}"));
        if (etag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        }

        using var response = await http.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        return new Advice(response.StatusCode, body.Length == 0 ? null : JsonNode.Parse(body)!.AsObject(), response.Headers);
    }

    /// <summary>An order that says what it replaces.</summary>
    public static async Task<AcmeAnswer> ReplaceAsync(this AcmeClient client, string replaces, params string[] names)
    {
        var payload = new JsonObject
        {
            ["identifiers"] = new JsonArray([.. names.Select(n => new JsonObject { ["type"] = "dns", ["value"] = n })]),
            ["replaces"] = replaces,
        };
        return await TryAsync(async () => await client.PostAsync(await client.UrlAsync("newOrder", None), payload.ToJsonString(), None));
    }

    /// <summary>The answer, a refusal too.</summary>
    public static async Task<AcmeAnswer> TryAsync(Func<Task<AcmeAnswer>> call)
    {
        try
        {
            return await call();
        }
        catch (AcmeRefusedException refused)
        {
            return refused.Answer;
        }
    }

    /// <summary>A certificate for names, by records published for them.</summary>
    public static async Task<string> IssueAsync(this RunningAuthority authority, AcmeClient client, params string[] names)
    {
        foreach (var name in names)
        {
            authority.Publish(client, name, PersistDialect.Draft02);
        }

        return await client.IssueAsync("dns-persist-01", names);
    }

    /// <summary>Finalizes a ready order.</summary>
    /// <returns>The chain.</returns>
    public static async Task<string> CompleteAsync(this AcmeClient client, AcmeAnswer order, params string[] names)
    {
        foreach (var url in order.Json["authorizations"]!.AsArray())
        {
            await client.ProveAsync(url!.GetValue<string>(), "dns-persist-01");
        }

        var (csr, key) = RunningAuthority.Csr(names);
        key.Dispose();
        var final = await client.FinalizeAsync(order, csr);
        return (await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), None)).Body;
    }

    public static Task<RunningAuthority> StartAsync(Action<PersistCaOptions>? configure = null) => RunningAuthority.StartAsync(configure);
}
