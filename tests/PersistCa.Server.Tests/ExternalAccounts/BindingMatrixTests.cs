using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.ExternalAccounts;

/// <summary>An authority that requires bindings, for requests that depart from a good one in one thing.</summary>
public sealed class BindingBed : IAsyncLifetime
{
    public RunningAuthority Authority { get; private set; } = null!;

    public MadeExternalAccountKey Another { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Authority = await RunningAuthority.StartAsync(o =>
        {
            o.Acme.ExternalAccount = ExternalAccountMode.Required;
            o.Limits.FailedBindingsPerAddress = "off";
        });
        Another = await Authority.ExternalKeyAsync();
    }

    public async Task DisposeAsync() => await Authority.DisposeAsync();
}

/// <summary>The matrix of external account bindings, through the door.</summary>
public sealed class BindingMatrixTests(BindingBed bed) : IClassFixture<BindingBed>
{
    private static readonly JsonElement Rows =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "external-account-matrix.json"))).RootElement.GetProperty("rows");

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string> Names => [.. Rows.EnumerateArray().Select(r => r.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_binding_opens_an_account_or_is_refused_for_its_own_reason_and_opens_none(string name)
    {
        var row = Rows.EnumerateArray().Single(r => r.GetProperty("name").GetString() == name);
        var key = await PrepareAsync(Text(row, "state") ?? "live");
        using var client = bed.Authority.Client();
        var payload = await PayloadAsync(row, client, key);
        var before = await CountAsync();
        var audited = await AuditedAsync();

        var answer = await SendAsync(client, payload);

        Assert.True(row.GetProperty("status").GetInt32() == answer.Status, answer.Body);
        if (Text(row, "problem") is not { } problem)
        {
            Assert.Equal(payload["externalAccountBinding"]!.ToJsonString(), answer.Json["externalAccountBinding"]!.ToJsonString());
            Assert.Equal((before.Accounts + 1, before.Bound + 1), await CountAsync());
            return;
        }

        Assert.Equal(problem, answer.Problem);
        Assert.Contains(Text(row, "detail")!, answer.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(before, await CountAsync());
        var failures = Text(row, "raw") is { } raw && raw != "{}" ? 0 : 1; // what is no binding is none that failed
        Assert.Equal(audited + failures, await AuditedAsync());
    }

    private async Task<MadeExternalAccountKey> PrepareAsync(string state)
    {
        var authority = bed.Authority;
        switch (state)
        {
            case "live":
                return await authority.ExternalKeyAsync();
            case "dated":
                return await authority.ExternalKeyAsync(t => t with { ExpiresAt = authority.Store.Now.AddDays(1) });
            case "expired":
                var dated = await authority.ExternalKeyAsync(t => t with { ExpiresAt = authority.Store.Now.AddDays(1) });
                await using (var db = await OpenAsync())
                {
                    var past = authority.Store.Now.AddMinutes(-1);
                    await db.ExternalAccountKeys.Where(k => k.PublicId == dated.Key.PublicId).ExecuteUpdateAsync(s => s.SetProperty(k => k.ExpiresAt, past));
                }

                return dated;
            case "removed":
                var removed = await authority.ExternalKeyAsync();
                await authority.RemoveAsync(removed);
                return removed;
            case "used" or "used and closed":
                return await UsedAsync(await authority.ExternalKeyAsync(singleUse: true), closed: state.EndsWith("closed", StringComparison.Ordinal));
            case "full" or "full and closed":
                return await UsedAsync(await authority.ExternalKeyAsync(t => t with { MaxAccounts = 1 }), closed: state.EndsWith("closed", StringComparison.Ordinal));
            case "one of two":
                return await UsedAsync(await authority.ExternalKeyAsync(t => t with { MaxAccounts = 2 }), closed: false);
            default:
                throw new ArgumentOutOfRangeException(nameof(state), state, "no state");
        }
    }

    private async Task<MadeExternalAccountKey> UsedAsync(MadeExternalAccountKey key, bool closed)
    {
        using var client = await bed.Authority.BoundAsync(key);
        if (closed)
        {
            await client.PostAsync(client.AccountUrl!, """{"status":"deactivated"}""", None);
        }

        return key;
    }

    private async Task<JsonObject> PayloadAsync(JsonElement row, AcmeClient client, MadeExternalAccountKey key)
    {
        var payload = new JsonObject { ["termsOfServiceAgreed"] = true };
        if (Text(row, "raw") is { } raw)
        {
            if (raw.Length > 0)
            {
                payload["externalAccountBinding"] = JsonNode.Parse(raw);
            }

            return payload;
        }

        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var header = new JsonObject { ["alg"] = Text(row, "alg") ?? "HS256" };
        switch (Text(row, "kid") ?? "own")
        {
            case "own":
                header["kid"] = key.Key.PublicId;
                break;
            case "unknown":
                header["kid"] = Protocol.PublicId.Next();
                break;
            case "another key":
                header["kid"] = bed.Another.Key.PublicId;
                break;
            case "jwk":
                header["jwk"] = JsonNode.Parse(AcmeClient.Jwk(client.AccountKey));
                break;
            case "none":
                break;
            case var other:
                header["kid"] = other;
                break;
        }

        if (Text(row, "url") != "none")
        {
            header["url"] = await client.UrlAsync(Text(row, "url") == "other" ? "newOrder" : "newAccount", None);
        }

        if (row.TryGetProperty("nonce", out _))
        {
            header["nonce"] = "AAAA";
        }

        var text = Text(row, "payload") switch { "other" => AcmeClient.Jwk(stranger), "empty" => "", _ => AcmeClient.Jwk(client.AccountKey) };
        var secret = Text(row, "mac") switch { "other" => new byte[64], "another key" => Base64Url.DecodeFromChars(bed.Another.Secret), _ => Base64Url.DecodeFromChars(key.Secret) };
        var binding = ExternalBinding.Sign(header, text, secret);
        if (Text(row, "mac") == "cut")
        {
            binding["signature"] = Base64Url.EncodeToString(Base64Url.DecodeFromChars(binding["signature"]!.GetValue<string>()).AsSpan(0, 16));
        }

        payload["externalAccountBinding"] = binding;
        return payload;
    }

    private static async Task<AcmeAnswer> SendAsync(AcmeClient client, JsonObject payload)
    {
        try
        {
            return await client.RegisterAsync(None, payload);
        }
        catch (AcmeRefusedException refused)
        {
            return refused.Answer;
        }
    }

    private Task<(int Accounts, int Bound)> CountAsync() => bed.Authority.Store.ReadAsync(
        async db => (await db.Accounts.CountAsync(), await db.ExternalAccountKeys.SumAsync(k => k.Bound)), None);

    private Task<int> AuditedAsync() => bed.Authority.Store.ReadAsync(db => db.AuditEntries.CountAsync(e => e.Kind == AuditKinds.ExternalAccountRefused), None);

    private Task<PersistCa.Storage.CaDb> OpenAsync() =>
        ((IDbContextFactory<PersistCa.Storage.CaDb>)bed.Authority.Services.GetService(typeof(IDbContextFactory<PersistCa.Storage.CaDb>))!).CreateDbContextAsync(None);

    private static string? Text(JsonElement row, string member) => row.TryGetProperty(member, out var found) ? found.GetString() : null;
}
