using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Hostile;

/// <summary>An authority with two accounts and a resource of every kind, for requests that depart from a good one in one thing.</summary>
public sealed class HostileBed : IAsyncLifetime
{
    public const string Name = "a.hostile.test";

    public RunningAuthority Authority { get; private set; } = null!;

    public AcmeClient Owner { get; private set; } = null!;

    public AcmeClient Stranger { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public string PendingOrder { get; private set; } = "";

    public string ReadyOrder { get; private set; } = "";

    public string ValidOrder { get; private set; } = "";

    public string Certificate { get; private set; } = "";

    public string CertificateUrl { get; private set; } = "";

    public string RevokedCertificate { get; private set; } = "";

    public string Authorization { get; private set; } = "";

    public string Challenge { get; private set; } = "";

    public string FailedAuthorization { get; private set; } = "";

    public string Base => Authority.Options.Server.BaseUrl;

    public string NewOrder => Base + "/acme/new-order";

    public string NewAccount => Base + "/acme/new-account";

    public string KeyChange => Base + "/acme/key-change";

    public string RevokeCert => Base + "/acme/revoke-cert";

    public async Task InitializeAsync()
    {
        Authority = await RunningAuthority.StartAsync();
        Owner = await Authority.RegisteredAsync();
        Stranger = await Authority.RegisteredAsync();
        Http = Authority.Http();
        Authority.Publish(Owner, Name, Protocol.Records.PersistDialect.Draft01);
        Authority.Publish(Owner, "b.hostile.test", Protocol.Records.PersistDialect.Draft01);
        ReadyOrder = (await Owner.ReadyOrderAsync("dns-persist-01", Name, "b.hostile.test")).Location!;
        Certificate = await Leaf(await Owner.ReadyOrderAsync("dns-persist-01", Name), o => (ValidOrder, CertificateUrl) = o);
        RevokedCertificate = await Leaf(await Owner.ReadyOrderAsync("dns-persist-01", Name), _ => { });
        await Owner.PostAsync(RevokeCert, new JsonObject { ["certificate"] = RevokedCertificate }.ToJsonString(), CancellationToken.None);
        var pending = await Owner.OrderAsync(["pending.hostile.test"], CancellationToken.None);
        PendingOrder = pending.Location!;
        Authorization = pending.Json["authorizations"]![0]!.GetValue<string>();
        Challenge = (await Owner.FetchAsync(Authorization, CancellationToken.None)).Challenge("dns-persist-01")["url"]!.GetValue<string>();
        var failed = await Owner.OrderAsync(["failed.hostile.test"], CancellationToken.None);
        FailedAuthorization = failed.Json["authorizations"]![0]!.GetValue<string>();
        await Owner.ProveAsync(FailedAuthorization, "dns-persist-01");
    }

    public async Task DisposeAsync()
    {
        Owner.Dispose();
        Stranger.Dispose();
        Http.Dispose();
        await Authority.DisposeAsync();
    }

    /// <summary>Everything that a request could have changed, counted and hashed. Nonces aside: each request may spend one.</summary>
    public Task<string> StateAsync() => Authority.Store.ReadAsync(
        async db =>
        {
            var versions = await db.Orders.SumAsync(o => o.Version) + (1000 * await db.Accounts.SumAsync(a => a.Version))
                + (1_000_000 * await db.Authorizations.SumAsync(a => a.Version)) + await db.Certificates.SumAsync(c => c.Version);
            return $"{await db.Accounts.CountAsync()} accounts, {await db.AccountKeys.CountAsync()} keys, {await db.Orders.CountAsync()} orders, {await db.Authorizations.CountAsync()} authorizations, "
                + $"{await db.Certificates.CountAsync()} certificates, {await db.AuditEntries.CountAsync(e => e.Kind != "crl.published")} entries, {await db.WorkItems.CountAsync()} items, {await db.ConsumedNonces.CountAsync()} nonces, versions {versions}";
        },
        CancellationToken.None);

    /// <summary>A good header for the owner, to be bent.</summary>
    public async Task<JsonObject> HeaderAsync(string url, bool bareKey = false, ECDsa? key = null)
    {
        var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = await Owner.NonceAsync(CancellationToken.None), ["url"] = url };
        header[bareKey ? "jwk" : "kid"] = bareKey ? JsonNode.Parse(AcmeClient.Jwk(key ?? Owner.AccountKey)) : Owner.AccountUrl;
        return header;
    }

    /// <summary>Signs as the owner with a bent header and sends.</summary>
    public async Task<AcmeAnswer> HeaderBent(string url, Action<JsonObject> bend, string payload = "{}", bool bareKey = false, ECDsa? key = null)
    {
        var header = await HeaderAsync(url, bareKey, key);
        bend(header);
        return await Owner.SendAsync(url, AcmeClient.Sign(key ?? Owner.AccountKey, header, payload), CancellationToken.None);
    }

    /// <summary>Signs a good request and bends the JWS before it goes.</summary>
    public async Task<AcmeAnswer> JwsBent(Func<JsonObject, string> bend, string? url = null)
    {
        url ??= NewOrder;
        var jws = JsonNode.Parse(AcmeClient.Sign(Owner.AccountKey, await HeaderAsync(url), "{}"))!.AsObject();
        return await Owner.SendAsync(url, bend(jws), CancellationToken.None);
    }

    /// <summary>Bends one member of the JWS.</summary>
    public Task<AcmeAnswer> MemberBent(string member, Func<string, JsonNode?> bend) => JwsBent(jws =>
    {
        jws[member] = bend(jws[member]!.GetValue<string>());
        return jws.ToJsonString();
    });

    /// <summary>A protected header that is this text, whatever it is.</summary>
    public Task<AcmeAnswer> RawHeader(string text) => MemberBent("protected", _ => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text)));

    /// <summary>A well-signed request with this payload.</summary>
    public Task<AcmeAnswer> Payload(string url, string payload, bool bareKey = false, ECDsa? key = null) => HeaderBent(url, _ => { }, payload, bareKey, key);

    /// <summary>A well-signed request of the stranger.</summary>
    public async Task<AcmeAnswer> ByStranger(string url, string payload)
    {
        var header = new JsonObject { ["alg"] = "ES256", ["nonce"] = await Stranger.NonceAsync(CancellationToken.None), ["url"] = url, ["kid"] = Stranger.AccountUrl };
        return await Stranger.SendAsync(url, AcmeClient.Sign(Stranger.AccountKey, header, payload), CancellationToken.None);
    }

    /// <summary>An order for one identifier.</summary>
    public Task<AcmeAnswer> Order(string value, string type = "dns") =>
        Payload(NewOrder, new JsonObject { ["identifiers"] = new JsonArray(new JsonObject { ["type"] = type, ["value"] = value }) }.ToJsonString());

    /// <summary>A request that is not signed at all.</summary>
    public async Task<AcmeAnswer> Unsigned(string method, string pathOrUrl, string? contentType = null, byte[]? body = null, Action<HttpRequestMessage>? bend = null)
    {
        var url = pathOrUrl.StartsWith('/') ? Base + pathOrUrl : pathOrUrl;
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        }

        bend?.Invoke(request);
        using var response = await Http.SendAsync(request);
        return new AcmeAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers, response.Content.Headers.ContentType?.MediaType);
    }

    private async Task<string> Leaf(AcmeAnswer order, Action<(string Order, string Certificate)> note)
    {
        var (csr, key) = RunningAuthority.Csr(Name);
        key.Dispose();
        var final = await Owner.FinalizeAsync(order, csr);
        var url = final.Json["certificate"]!.GetValue<string>();
        note((order.Location!, url));
        using var leaf = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem((await Owner.FetchAsync(url, CancellationToken.None)).Body);
        return Base64Url.EncodeToString(leaf.RawData);
    }
}
