using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>An authority with two revocation officers, and certificates as many as a test likes.</summary>
public sealed class OperatorBed : IAsyncLifetime
{
    private int words;

    public RunningAuthority Authority { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public static CancellationToken None => CancellationToken.None;

    /// <summary>Secret of the officer anna.</summary>
    public string Anna { get; private set; } = "";

    /// <summary>Secret of the officer berta.</summary>
    public string Berta { get; private set; } = "";

    public TokenDesk Tokens => Authority.Services.GetRequiredService<TokenDesk>();

    public static async Task<OperatorBed> StartAsync(Action<PersistCaOptions>? configure, string? postgres = null)
    {
        var bed = new OperatorBed { Authority = await RunningAuthority.StartAsync(configure, postgres) };
        bed.Http = bed.Authority.Http();
        bed.Anna = await bed.TokenAsync("anna", OperatorRole.RevocationOfficer);
        bed.Berta = await bed.TokenAsync("berta", OperatorRole.RevocationOfficer);
        return bed;
    }

    public async Task InitializeAsync()
    {
        var started = await StartAsync(o =>
        {
            o.Limits.FailedOperatorCallsPerAddress = "off";
            o.Limits.LoneRevocationsPerOperator = "off";
        });
        (Authority, Http, Anna, Berta) = (started.Authority, started.Http, started.Anna, started.Berta);
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await Authority.DisposeAsync();
    }

    public async Task<string> TokenAsync(string name, OperatorRole role, params string[] scopes) =>
        (await Tokens.MakeOnHostAsync(new TokenWish(name, role, TimeSpan.FromDays(90), scopes.Length == 0 ? null : scopes), None)).Value.Secret;

    public Task<Outcome<MadeToken>> MakeAsync(string name, OperatorRole? role, TimeSpan life) => Tokens.MakeOnHostAsync(new TokenWish(name, role, life), None);

    /// <summary>A label that no other test uses.</summary>
    public string Fresh() => $"d{Interlocked.Increment(ref words)}";

    /// <summary>Calls a door.</summary>
    public async Task<(int Status, JsonNode Body)> CallAsync(string method, string path, string? secret, string? body, string media = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Authority.Options.Server.BaseUrl + path));
        if (secret is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", secret.Contains(' ', StringComparison.Ordinal) ? secret : "Bearer " + secret);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(media));
        }

        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json" ? JsonNode.Parse(text)! : JsonValue.Create(text));
    }

    public Task<(int Status, JsonNode Body)> GetAsync(string path, string secret) => CallAsync("GET", "/admin/v1/" + path, secret, null);

    public Task<(int Status, JsonNode Body)> PostAsync(string path, string secret, string body = "{}") => CallAsync("POST", "/admin/v1/" + path, secret, body);

    public Task<(int Status, JsonNode Body)> ProposeAsync(string secret, string criterion, bool dryRun = false, int? reason = null) =>
        CallAsync("POST", "/admin/v1/revocations", secret, $$"""{"criterion":{{criterion}},"dryRun":{{(dryRun ? "true" : "false")}}{{(reason is null ? "" : $",\"reason\":{reason}")}}}""");

    public Task<(int Status, JsonNode Body)> ApproveAsync(string secret, JsonNode proposal) =>
        CallAsync("POST", $"/admin/v1/revocations/{proposal["id"]!.GetValue<string>()}/approve", secret, "{}");

    public Task<List<string>> FillAsync(int count, string under, string? key = null) => FillAsync(Authority.Store, count, under, key);

    /// <summary>Writes certificates with a name each, their serial number and then the given domain; the signing is left out.</summary>
    public static async Task<List<string>> FillAsync(CaStore store, int count, string under, string? key = null)
    {
        var issuer = await store.ReadAsync(db => db.Issuers.Select(i => i.Id).FirstAsync(None), None);
        var serials = Enumerable.Range(0, count).Select(_ => "5" + Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())[1..]).ToList();
        var written = await store.WriteAsync<string>(
            Actor.Server,
            async t =>
            {
                var account = new Account(PublicId.Next(), PublicId.Next(), """{"kty":"test"}""", [], true, t.Now);
                t.Db.Accounts.Add(account);
                t.Audit(AuditKinds.AccountCreated, "test");
                await t.Db.SaveChangesAsync(None);
                var orders = serials.Select(s => new Order(PublicId.Next(), account.Id, [$"s{s}.{under}"], null, null, null, t.Now, t.Now.AddHours(1), "server")).ToList();
                foreach (var order in orders)
                {
                    var proof = new Authorization(PublicId.Next(), account.Id, order.Names[0], false, [(ChallengeType.Dns01, "t")], t.Now, t.Now.AddHours(1));
                    proof.Accept(proof.Challenges[0], t.Now);
                    proof.Conclude(proof.Challenges[0], t.Now, t.Now.AddHours(1), isReusable: false);
                    order.Finalize([1], t.Now, [proof]);
                }

                t.Db.Orders.AddRange(orders);
                await t.Db.SaveChangesAsync(None);
                foreach (var (serial, order) in serials.Zip(orders))
                {
                    var made = new IssuedCertificate(PublicId.Next(), serial, issuer, order.Id, account.Id, key ?? Convert.ToHexStringLower(Guid.NewGuid().ToByteArray()).PadRight(64, '0'), [1], t.Now, t.Now.AddDays(9), t.Now);
                    made.Record(System.Text.Encoding.ASCII.GetBytes(serial), t.Now);
                    made.Names.AddRange(order.Names.Select(CertifiedName.Of));
                    t.Db.Certificates.Add(made);
                }

                return account.PublicId;
            },
            None);
        _ = written.Value;
        return [.. serials.Order(StringComparer.Ordinal)];
    }

    /// <summary>Of serial numbers those that are revoked.</summary>
    public async Task<List<string>> RevokedAsync(IEnumerable<string> serials)
    {
        var revoked = await Authority.Store.ReadAsync(db => db.Certificates.Where(c => c.RevokedAt != null).Select(c => c.Serial).ToListAsync(None), None);
        return [.. serials.Intersect(revoked).Order(StringComparer.Ordinal)];
    }

    public Task<List<AuditEntry>> AuditAsync(string kind) =>
        Authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind == kind).OrderBy(e => e.Id).ToListAsync(None), None);
}
