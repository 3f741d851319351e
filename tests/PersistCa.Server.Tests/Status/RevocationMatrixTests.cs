using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Storage;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>Who may revoke for what reason (RFC 8555 section 7.6), each actor with each reason.</summary>
public sealed class RevocationMatrixTests(RevocationMatrixTests.Cast cast) : IClassFixture<RevocationMatrixTests.Cast>
{
    private static readonly int?[] Reasons = [null, 1, 3, 4, 5, 9, 0, 2, 6, 7, 8, 10];
    private static readonly string[] MayRevoke = ["issuing account", "other account with valid authorizations for all names", "certificate key"];

    private static readonly string[] Actors =
    [
        .. MayRevoke,
        "other account with authorizations for some names",
        "other account with none",
        "other key",
        "deactivated account",
        "account that lost its authorization",
    ];

    public static TheoryData<string> AllActors => [.. Actors];

    [Theory]
    [MemberData(nameof(AllActors))]
    public async Task Each_reason_is_accepted_from_whoever_may_revoke_and_from_nobody_else(string actor)
    {
        foreach (var reason in Reasons)
        {
            var accepted = reason is null or 0 or 1 or 3 or 4 or 5 or 9;
            var expected = actor == "deactivated account" ? (401, "unauthorized")
                : !accepted ? (400, "badRevocationReason")
                : MayRevoke.Contains(actor) ? (200, (string?)null)
                : (403, "unauthorized");
            var (leaf, key) = expected.Item1 == 200 ? await cast.IssueAsync() : cast.Standing;
            var found = actor switch
            {
                "issuing account" => await StatusBed.RevokeAsync(cast.Owner, leaf, reason),
                "other account with valid authorizations for all names" => await StatusBed.RevokeAsync(cast.All, leaf, reason),
                "other account with authorizations for some names" => await StatusBed.RevokeAsync(cast.Some, leaf, reason),
                "other account with none" => await StatusBed.RevokeAsync(cast.Nothing, leaf, reason),
                "certificate key" => await cast.ByKeyAsync(leaf, key, reason),
                "other key" => await cast.ByKeyAsync(leaf, ECDsa.Create(ECCurve.NamedCurves.nistP256), reason),
                "deactivated account" => await StatusBed.RevokeAsync(cast.Deactivated, leaf, reason),
                _ => await StatusBed.RevokeAsync(cast.Lost, leaf, reason),
            };
            Assert.Equal((actor, reason, expected), (actor, reason, found));
            var row = await cast.RowAsync(leaf);
            Assert.Equal(expected.Item1 == 200, row.RevokedAt is not null);
            Assert.Equal(expected.Item1 == 200 && reason != 0 ? reason : null, row.RevocationReason);
        }
    }

    [Theory]
    [InlineData("issuing account", 4, 1, 200)]
    [InlineData("certificate key", null, 1, 200)]
    [InlineData("issuing account", null, 1, 200)]
    [InlineData("certificate key", 4, 3, 400)]
    [InlineData("issuing account", 4, null, 400)]
    [InlineData("issuing account", 1, 1, 400)]
    [InlineData("other account with valid authorizations for all names", 4, 1, 400)]
    public async Task What_is_revoked_can_become_compromised_and_nothing_else(string actor, int? first, int? second, int status)
    {
        var (leaf, key) = await cast.IssueAsync();
        Assert.Equal(200, (await StatusBed.RevokeAsync(cast.Owner, leaf, first)).Status);
        var before = await cast.RowAsync(leaf);
        var found = actor switch
        {
            "issuing account" => await StatusBed.RevokeAsync(cast.Owner, leaf, second),
            "certificate key" => await cast.ByKeyAsync(leaf, key, second),
            _ => await StatusBed.RevokeAsync(cast.All, leaf, second),
        };
        Assert.Equal((status, status == 200 ? null : "alreadyRevoked"), found);
        var after = await cast.RowAsync(leaf);
        Assert.Equal(before.RevokedAt, after.RevokedAt);
        Assert.Equal(status == 200 ? 1 : first, after.RevocationReason);
    }

    /// <summary>One who issues, and others who stand to it in every way.</summary>
    public sealed class Cast : IAsyncLifetime
    {
        private static readonly string[] Names = ["a.matrix.test", "b.matrix.test"];

        private readonly StatusBed bed = new();

        public AcmeClient Owner { get; private set; } = null!;

        public AcmeClient All { get; private set; } = null!;

        public AcmeClient Some { get; private set; } = null!;

        public AcmeClient Nothing { get; private set; } = null!;

        public AcmeClient Deactivated { get; private set; } = null!;

        public AcmeClient Lost { get; private set; } = null!;

        public (X509Certificate2 Leaf, ECDsa Key) Standing { get; private set; }

        public async Task InitializeAsync()
        {
            await bed.InitializeAsync();
            Owner = await bed.Authority.RegisteredAsync();
            All = await bed.Authority.RegisteredAsync();
            Some = await bed.Authority.RegisteredAsync();
            Nothing = await bed.Authority.RegisteredAsync();
            Deactivated = await bed.Authority.RegisteredAsync();
            Lost = await bed.Authority.RegisteredAsync();
            Standing = await bed.IssueAsync(Owner, Names);
            await ProveAsync(All, Names);
            await ProveAsync(Some, Names[0]);
            await ProveAsync(Deactivated, Names);
            await Deactivated.PostAsync(Deactivated.AccountUrl!, """{"status":"deactivated"}""", StatusBed.None);
            var order = await ProveAsync(Lost, Names);
            await Lost.PostAsync(order.Json["authorizations"]![0]!.GetValue<string>(), new JsonObject { ["status"] = "deactivated" }.ToJsonString(), StatusBed.None);
        }

        public async Task DisposeAsync()
        {
            foreach (var client in new[] { Owner, All, Some, Nothing, Deactivated, Lost })
            {
                client.Dispose();
            }

            await bed.DisposeAsync();
        }

        public Task<(X509Certificate2 Leaf, ECDsa Key)> IssueAsync() => bed.IssueAsync(Owner, Names);

        public async Task<(int Status, string? Problem)> ByKeyAsync(X509Certificate2 leaf, ECDsa key, int? reason)
        {
            var copy = ECDsa.Create(key.ExportParameters(true));
            using var bearer = bed.Bearer(copy);
            return await StatusBed.RevokeAsync(bearer, leaf, reason, bareKey: true);
        }

        public Task<Protocol.Certificates.IssuedCertificate> RowAsync(X509Certificate2 leaf)
        {
            var serial = StatusBed.Serial(leaf);
            return bed.Authority.Store.ReadAsync(db => db.Certificates.SingleAsync(c => c.Serial == serial), StatusBed.None);
        }

        private async Task<AcmeAnswer> ProveAsync(AcmeClient client, params string[] names)
        {
            foreach (var name in names)
            {
                bed.Authority.Publish(client, name, PersistDialect.Draft02);
            }

            return await client.ReadyOrderAsync("dns-persist-01", names);
        }
    }
}
