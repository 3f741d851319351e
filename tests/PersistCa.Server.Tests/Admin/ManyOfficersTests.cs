using Microsoft.Extensions.DependencyInjection;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>One proposal, approved and carried out by many at once, at two nodes.</summary>
public sealed class ManyOfficersTests
{
    private const int Count = 230;

    private static CancellationToken None => CancellationToken.None;

    [SkippableFact]
    public async Task However_many_approve_and_carry_out_at_once_each_certificate_is_revoked_once_and_the_counts_are_right()
    {
        var bed = await OperatorBed.StartAsync(o => o.Policy.Revocation.BatchSize = 10, await PostgresCluster.MigratedDatabaseAsync());
        try
        {
            var officers = new List<string> { bed.Berta };
            for (var i = 0; i < 3; i++)
            {
                officers.Add(await bed.TokenAsync($"officer{i}", OperatorRole.RevocationOfficer));
            }

            await using var second = await bed.Authority.JoinAsync("second");
            var serials = await bed.FillAsync(Count, "many.test");
            var (_, proposal) = await bed.ProposeAsync(bed.Anna, """{"name":"*.many.test"}""", reason: 4);
            var id = proposal["id"]!.GetValue<string>();

            // Officers at the doors of one node, the runner of the other beside them, and an approval that would be one's own.
            var runner = second.Services.GetRequiredService<RevocationRunner>();
            var answers = await Task.WhenAll(officers.Append(bed.Anna).Select(officer => bed.ApproveAsync(officer, proposal)));
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => runner.RunAsync(id, TimeSpan.FromMinutes(5), None)));

            Assert.Equal(403, answers[^1].Status);
            Assert.All(answers[..^1], a => Assert.True(a.Status is 200 or 202 or 409, a.Body.ToJsonString())); // 409: finished when it came
            Assert.Equal(serials, await bed.RevokedAsync(serials));
            Assert.Single(await bed.AuditAsync("revocation.approved"));
            Assert.Single(await bed.AuditAsync("revocation.finished"));
            Assert.Equal(Count, (await bed.AuditAsync("certificate.revoked")).Count);
            var (_, end) = await bed.GetAsync("revocations/" + id, bed.Berta);
            Assert.Equal((Count, 0, 0), (end["revoked"]!.GetValue<int>(), end["gone"]!.GetValue<int>(), end["revokedSince"]!.GetValue<int>()));
            Assert.Equal(CertificateStatus.Revoked, await bed.Authority.Store.ReadAsync(db => Task.FromResult(db.Certificates.First(c => c.Serial == serials[0]).Status), None));
        }
        finally
        {
            await bed.DisposeAsync();
        }
    }
}
