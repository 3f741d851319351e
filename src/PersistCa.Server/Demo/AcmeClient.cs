using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Server.Demo;

/// <summary>An answer of an ACME server.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Body as text.</param>
/// <param name="Headers">Headers.</param>
/// <param name="ContentType">Media type.</param>
public sealed record AcmeAnswer(int Status, string Body, HttpResponseHeaders Headers, string? ContentType)
{
    /// <summary>Body as JSON.</summary>
    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();

    /// <summary>Location header.</summary>
    public string? Location => Headers.Location?.OriginalString;

    /// <summary>Last part of the problem's URN, null when it is no problem.</summary>
    public string? Problem => ContentType == "application/problem+json" ? Json["type"]!.GetValue<string>().Split(':')[^1] : null;
}

/// <summary>What the server refused.</summary>
public sealed class AcmeRefusedException(AcmeAnswer answer) : Exception($"{answer.Status} {answer.Body}")
{
    /// <summary>The answer.</summary>
    public AcmeAnswer Answer { get; } = answer;
}

/// <summary>A small ACME client (RFC 8555) with an ECDSA P-256 account key: enough for the demonstration and for tests that drive a server.</summary>
public sealed class AcmeClient : IDisposable
{
    private readonly HttpClient http;
    private readonly string directoryUrl;
    private JsonObject? directory;
    private string? nonce;

    /// <summary>Makes a client.</summary>
    /// <param name="http">Connects to the server; what it trusts is its handler's business.</param>
    /// <param name="directoryUrl">URL of the directory.</param>
    /// <param name="accountKey">Account key, P-256; the client owns it.</param>
    public AcmeClient(HttpClient http, string directoryUrl, ECDsa accountKey)
    {
        this.http = http;
        this.directoryUrl = directoryUrl;
        AccountKey = accountKey;
    }

    /// <summary>The account key.</summary>
    public ECDsa AccountKey { get; private set; }

    /// <summary>The account URL, once registered.</summary>
    public string? AccountUrl { get; set; }

    /// <summary>The JWK of a key as RFC 7638 writes it.</summary>
    public static string Jwk(ECDsa key)
    {
        var q = key.ExportParameters(false).Q;
        return $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(q.X)}}","y":"{{Base64Url.EncodeToString(q.Y)}}"}""";
    }

    /// <summary>The RFC 7638 thumbprint of the account key.</summary>
    public string Thumbprint => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Jwk(AccountKey))));

    /// <summary>The directory.</summary>
    public async Task<JsonObject> DirectoryAsync(CancellationToken cancel) =>
        directory ??= JsonNode.Parse(await http.GetStringAsync(new Uri(directoryUrl), cancel))!.AsObject();

    /// <summary>URL of a directory resource.</summary>
    public async Task<string> UrlAsync(string name, CancellationToken cancel) => (await DirectoryAsync(cancel))[name]!.GetValue<string>();

    /// <summary>Registers the key or finds its account.</summary>
    public async Task<AcmeAnswer> RegisterAsync(CancellationToken cancel, JsonObject? payload = null)
    {
        var answer = await PostAsync(await UrlAsync("newAccount", cancel), (payload ?? new JsonObject { ["termsOfServiceAgreed"] = true }).ToJsonString(), cancel, bareKey: true);
        AccountUrl = answer.Location;
        return answer;
    }

    /// <summary>Opens an order.</summary>
    /// <param name="names">Names and addresses.</param>
    /// <param name="cancel">Stops.</param>
    /// <param name="profile">Name of the profile; null for none named.</param>
    public async Task<AcmeAnswer> OrderAsync(IEnumerable<string> names, CancellationToken cancel, string? profile = null)
    {
        var identifiers = new JsonArray([.. names.Select(n => new JsonObject { ["type"] = IpIdentifier.Parse(n).IsValid ? "ip" : "dns", ["value"] = n })]);
        var payload = new JsonObject { ["identifiers"] = identifiers };
        if (profile is not null)
        {
            payload["profile"] = profile;
        }

        return await PostAsync(await UrlAsync("newOrder", cancel), payload.ToJsonString(), cancel);
    }

    /// <summary>Fetches a resource by POST-as-GET.</summary>
    public Task<AcmeAnswer> FetchAsync(string url, CancellationToken cancel) => PostAsync(url, "", cancel);

    /// <summary>Fetches a resource until its status is none of those given.</summary>
    public async Task<AcmeAnswer> PollAsync(string url, IReadOnlyCollection<string> unfinished, TimeProvider clock, CancellationToken cancel)
    {
        while (true)
        {
            var answer = await FetchAsync(url, cancel);
            if (!unfinished.Contains(answer.Json["status"]!.GetValue<string>()))
            {
                return answer;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancel);
        }
    }

    /// <summary>Rolls the account over to another key (RFC 8555 section 7.3.5).</summary>
    public async Task<AcmeAnswer> ChangeKeyAsync(ECDsa newKey, CancellationToken cancel)
    {
        var url = await UrlAsync("keyChange", cancel);
        var inner = Sign(
            newKey,
            new JsonObject { ["alg"] = "ES256", ["jwk"] = JsonNode.Parse(Jwk(newKey)), ["url"] = url },
            new JsonObject { ["account"] = AccountUrl, ["oldKey"] = JsonNode.Parse(Jwk(AccountKey)) }.ToJsonString());
        var answer = await PostAsync(url, inner, cancel);
        AccountKey.Dispose();
        AccountKey = newKey;
        return answer;
    }

    /// <summary>Sends a signed request; a bad nonce is taken from the refusal and tried again.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="payload">JSON, or empty for POST-as-GET.</param>
    /// <param name="cancel">Stops.</param>
    /// <param name="bareKey">Sign with the key in jwk instead of naming the account.</param>
    /// <exception cref="AcmeRefusedException">The server refused.</exception>
    public async Task<AcmeAnswer> PostAsync(string url, string payload, CancellationToken cancel, bool bareKey = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = await NonceAsync(cancel), ["url"] = url };
            header[bareKey ? "jwk" : "kid"] = bareKey ? JsonNode.Parse(Jwk(AccountKey)) : AccountUrl;
            var answer = await SendAsync(url, Sign(AccountKey, header, payload), cancel);
            if (answer.Status < 400)
            {
                return answer;
            }

            if (answer.Problem != "badNonce" || attempt == 3)
            {
                throw new AcmeRefusedException(answer);
            }
        }
    }

    /// <summary>Sends a body as it is.</summary>
    public async Task<AcmeAnswer> SendAsync(string url, string body, CancellationToken cancel, string contentType = "application/jose+json")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var response = await http.PostAsync(new Uri(url), content, cancel);
        if (response.Headers.TryGetValues("Replay-Nonce", out var fresh))
        {
            nonce = fresh.First();
        }

        return new AcmeAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancel), response.Headers, response.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>Makes a flattened JWS.</summary>
    public static string Sign(ECDsa key, JsonObject header, string payload)
    {
        var protectedPart = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));
        var payloadPart = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        var signature = key.SignData(Encoding.ASCII.GetBytes(protectedPart + "." + payloadPart), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return new JsonObject { ["protected"] = protectedPart, ["payload"] = payloadPart, ["signature"] = Base64Url.EncodeToString(signature) }.ToJsonString();
    }

    /// <summary>A fresh nonce: the one that came with the last answer, or a new one.</summary>
    public async Task<string> NonceAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref nonce, null) is { } kept)
        {
            return kept;
        }

        using var request = new HttpRequestMessage(HttpMethod.Head, await UrlAsync("newNonce", cancel));
        using var response = await http.SendAsync(request, cancel);
        return response.Headers.GetValues("Replay-Nonce").First();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AccountKey.Dispose();
        http.Dispose();
    }
}
