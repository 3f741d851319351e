using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Tests.Renewal;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Policy;

/// <summary>An authority with a rule of each kind about names, and an account that is bound to a key.</summary>
public sealed class PolicyDoorsBed : IAsyncLifetime
{
    public const string Served = "ok.corp.example";

    public RunningAuthority Authority { get; private set; } = null!;

    public AcmeClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Authority = await RunningAuthority.StartAsync(o =>
        {
            o.Acme.ExternalAccount = ExternalAccountMode.Required;
            o.Names.AllowedSuffixes = ["corp.example", "other.example"];
            o.Names.DeniedSuffixes = ["denied.corp.example"];
            o.Policy.Ip.AllowedNetworks = ["10.0.0.0/8"];
            o.Policy.Ip.DeniedNetworks = ["10.1.9.0/24"];
            o.Profiles = [new ProfileOptions { Name = "narrow", Challenges = ["dns-01"], MaxNames = 1 }];
        });
        Client = await Authority.BoundAsync(await Authority.ExternalKeyAsync(t => t with { Names = [".corp.example", "10.1.0.0/16"] }));
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await Authority.DisposeAsync();
    }

    /// <summary>The id of a certificate with both names, so that an order for either can say that it replaces it.</summary>
    public async Task<string> ReplaceableAsync() => RenewalBed.IdOf(await Authority.IssueAsync(Client, Served));
}

/// <summary>The policy matrix through the doors.</summary>
public sealed class PolicyDoorsTests(PolicyDoorsBed bed) : IClassFixture<PolicyDoorsBed>
{
    private static readonly JsonElement Rows =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "policy-doors.json"))).RootElement.GetProperty("rows");

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<int, string> Cells
    {
        get
        {
            var data = new TheoryData<int, string>();
            for (var i = 0; i < Rows.GetArrayLength(); i++)
            {
                data.Add(i, $"{Rows[i].GetProperty("source").GetString()}: {Rows[i].GetProperty("name").GetString()}");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_name_is_let_in_or_refused_whichever_way_it_comes(int at, string cell)
    {
        var row = Rows[at];
        var (name, type, profile) = (row.GetProperty("name").GetString()!, Text(row, "type") ?? "dns", Text(row, "profile"));
        var (before, issued) = (await CountAsync(), await IssuedAsync());

        var answer = row.GetProperty("source").GetString() switch
        {
            "identifier" or "wildcard" => await OrderAsync(profile, null, Identifier(type, name)),
            "second of two" => await OrderAsync(profile, null, Identifier("dns", PolicyDoorsBed.Served + ".corp.example"), Identifier(type, name)),
            "ancestor" => await OrderAsync(profile, null, Ancestor(name)),
            "replaces" => await OrderAsync(profile, await bed.ReplaceableAsync(), Identifier("dns", PolicyDoorsBed.Served), Identifier(type, "b." + name)),
            "newAuthz" => await RenewalBed.TryAsync(async () => await bed.Client.PostAsync(
                await bed.Client.UrlAsync("newAuthz", None), new JsonObject { ["identifier"] = Identifier(type, name) }.ToJsonString(), None)),
            "csr" => await FinalizeAsync([name], null),
            "csr besides" => await FinalizeAsync([PolicyDoorsBed.Served, name], null),
            "csr in place" => await FinalizeAsync([name], null),
            "csr common name" => await FinalizeAsync([PolicyDoorsBed.Served], name),
            var other => throw new InvalidOperationException($"no source {other}"),
        };

        Assert.True(row.GetProperty("status").GetInt32() == answer.Status, cell + "\n" + answer.Body);
        if (Text(row, "problem") is { } problem)
        {
            Assert.Equal(problem, answer.Problem);
            Assert.Contains(row.GetProperty("detail").GetString()!, answer.Body, StringComparison.Ordinal);
            if (!cell.StartsWith("csr", StringComparison.Ordinal) && !cell.StartsWith("replaces", StringComparison.Ordinal))
            {
                Assert.Equal(before, await CountAsync());
            }
        }

        Assert.Equal(issued + (cell.StartsWith("csr:", StringComparison.Ordinal) || cell.StartsWith("replaces", StringComparison.Ordinal) ? 1 : 0), await IssuedAsync());
    }

    private async Task<AcmeAnswer> OrderAsync(string? profile, string? replaces, params JsonObject[] identifiers)
    {
        var payload = new JsonObject { ["identifiers"] = new JsonArray([.. identifiers]) };
        if (profile is not null)
        {
            payload["profile"] = profile;
        }

        if (replaces is not null)
        {
            payload["replaces"] = replaces;
        }

        return await RenewalBed.TryAsync(async () => await bed.Client.PostAsync(await bed.Client.UrlAsync("newOrder", None), payload.ToJsonString(), None));
    }

    private async Task<AcmeAnswer> FinalizeAsync(string[] names, string? commonName)
    {
        bed.Authority.Publish(bed.Client, PolicyDoorsBed.Served, PersistDialect.Draft02);
        var order = await bed.Client.ReadyOrderAsync("dns-persist-01", PolicyDoorsBed.Served);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(commonName is null ? "" : "CN=" + commonName, key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        Array.ForEach(names, san.AddDnsName);
        request.CertificateExtensions.Add(san.Build());
        return await RenewalBed.TryAsync(() => bed.Client.FinalizeAsync(order, request.CreateSigningRequest()));
    }

    private static JsonObject Identifier(string type, string value) => new() { ["type"] = type, ["value"] = value };

    private static JsonObject Ancestor(string name)
    {
        var identifier = Identifier("dns", name);
        identifier["ancestorDomain"] = string.Join('.', name.Split('.')[^2..]);
        return identifier;
    }

    private Task<int> CountAsync() => bed.Authority.Store.ReadAsync(async db => await db.Orders.CountAsync() + await db.Authorizations.CountAsync(), None);

    private Task<int> IssuedAsync() => bed.Authority.Store.ReadAsync(db => db.Certificates.CountAsync(), None);

    private static string? Text(JsonElement row, string member) => row.TryGetProperty(member, out var found) ? found.GetString() : null;
}
