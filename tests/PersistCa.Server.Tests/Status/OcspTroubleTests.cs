using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Registration;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>OCSP while the issuing key is away, when the issuer has ended, and signed by the issuer itself.</summary>
public sealed class OcspTroubleTests : IDisposable
{
    private const string Unassigned = "4fffffffffffffffffffffffffffffff";
    private readonly HttpClient http = new();

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => http.Dispose();

    private async Task<byte[]> AskAsync(RunningAuthority authority, string serial, byte[]? nonce = null)
    {
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        using var content = new ByteArrayContent(Question.Of([OcspCertId.Of(issuer, OcspHash.Sha1, serial)], nonce));
        content.Headers.ContentType = new MediaTypeHeaderValue(OcspAnswer.QuestionMediaType);
        using var response = await http.PostAsync(new Uri($"{authority.Options.Server.PublicationUrl}/ocsp/{issuer.IssuerId}"), content);
        Assert.Equal(200, (int)response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync();
    }

    private static async Task<string> IssueAsync(RunningAuthority authority, AcmeClient client, string name)
    {
        authority.Publish(client, name, PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", name));
        return StatusBed.Serial(leaf);
    }

    private static Task<int> CountAsync(RunningAuthority authority, string kind) => authority.Store.ReadAsync(db => db.AuditEntries.CountAsync(e => e.Kind == kind, None), None);

    [Fact]
    public async Task While_the_issuing_key_is_away_and_there_is_no_signer_clients_are_told_to_try_later_and_one_intent_is_written()
    {
        await using var kms = await KmsDouble.StartAsync();
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            o.Authority.IssuingKey = "aws-kms:alias/issuing";
            o.KeyStores.Kms.Endpoint = kms.Endpoint;
            o.KeyStores.Kms.Region = "eu-central-1";
            o.KeyStores.Kms.Retries = 0;
        });
        using var client = await authority.RegisteredAsync();
        var serial = await IssueAsync(authority, client, "a.example.test");

        kms.Behaviour = o => o == "Sign" ? KmsFault.Down : KmsFault.None;
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(OcspAnswer.Refuse(OcspRefusal.TryLater), await AskAsync(authority, i % 2 == 0 ? serial : Unassigned));
        }

        Assert.Equal(1, await CountAsync(authority, "ocsp-signer.intended"));
        kms.Behaviour = null;
        Assert.Equal(0, OcspFacts.Read(await AskAsync(authority, serial)).Value!.Singles[0].Status);
        Assert.Equal((1, 1), (await CountAsync(authority, "ocsp-signer.intended"), await CountAsync(authority, "ocsp-signer.issued")));

        // And the key that was intended is the one that signs.
        var facts = await authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind.StartsWith("ocsp-signer.")).Select(e => e.Facts).ToListAsync(None), None);
        var signer = await authority.Store.ReadAsync(db => db.OcspSigners.SingleAsync(None), None);
        Assert.All(facts, f => Assert.Contains(signer.KeyFingerprint, f, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_issuer_that_has_ended_says_nothing_with_authority_and_what_is_due_is_cleared_away()
    {
        await using var authority = await RunningAuthority.StartAsync(StatusBed.Configure);
        using var client = await authority.RegisteredAsync();
        var serial = await IssueAsync(authority, client, "a.example.test");
        Assert.Equal(0, OcspFacts.Read(await AskAsync(authority, serial)).Value!.Singles[0].Status);
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];

        authority.Clock.Ahead = issuer.NotAfter - TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(1);
        foreach (var asked in new[] { serial, Unassigned })
        {
            Assert.Equal(OcspAnswer.Refuse(OcspRefusal.Unauthorized), await AskAsync(authority, asked));
            Assert.Equal(OcspAnswer.Refuse(OcspRefusal.Unauthorized), await AskAsync(authority, asked, nonce: [1, 2, 3, 4]));
        }

        await Patience.UntilAsync(
            async () => await authority.Store.ReadAsync(db => db.OcspAnswers.CountAsync(None), None) == 0 ? "none" : null, "an answer that nobody can be given any more is kept");
    }

    [SkippableFact]
    public async Task With_Delegated_false_the_issuer_signs_its_answers_itself_and_OpenSSL_takes_them()
    {
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            StatusBed.Configure(o);
            o.Issuance.Ocsp.Delegated = false;
        });
        using var client = await authority.RegisteredAsync();
        var serial = await IssueAsync(authority, client, "a.example.test");
        var answer = OcspFacts.Read(await AskAsync(authority, serial)).Value!;
        Assert.Empty(answer.Certificates);
        Assert.Empty(await authority.Store.ReadAsync(db => db.OcspSigners.ToListAsync(None), None));
        Assert.Equal(0, await CountAsync(authority, "ocsp-signer.intended"));

        var folder = Path.Combine(authority.Options.Server.DataDirectory, "ca");
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        foreach (var nonce in new[] { "-nonce", "-no_nonce" })
        {
            var (exit, output) = await StatusBed.RunAsync(
                "openssl",
                ["ocsp", "-issuer", Path.Combine(folder, "issuing.pem"), "-serial", "0x" + serial, nonce, "-url", $"{authority.Options.Server.PublicationUrl}/ocsp/{issuer.IssuerId}", "-CAfile", Path.Combine(folder, "root.pem")]);
            Assert.True(exit == 0 && output.Contains(": good", StringComparison.Ordinal) && output.Contains("Response verify OK", StringComparison.Ordinal), output);
        }
    }
}
