using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Server.Registration;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Status;

/// <summary>OCSP through the publication door (RFC 6960, RFC 9919).</summary>
public sealed class OcspTests(StatusBed bed) : IClassFixture<StatusBed>
{
    private const string Unassigned = "4fffffffffffffffffffffffffffffff";

    private static CancellationToken None => CancellationToken.None;

    private StatusIssuers Issuers => bed.Authority.Services.GetRequiredService<StatusIssuers>();

    private OcspCertId Id(string serial, OcspHash hash = OcspHash.Sha1) => OcspCertId.Of(Issuers.All[0], hash, serial);

    private async Task<(HttpResponseMessage Http, byte[] Body)> PostAsync(byte[] question, string type = "application/ocsp-request")
    {
        using var content = new ByteArrayContent(question);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        var response = await bed.Http.PostAsync(new Uri(bed.OcspUrl), content);
        return (response, await response.Content.ReadAsByteArrayAsync());
    }

    private async Task<OcspFacts> AskAsync(byte[] question)
    {
        var (http, body) = await PostAsync(question);
        Assert.Equal("application/ocsp-response", http.Content.Headers.ContentType!.MediaType);
        var read = OcspFacts.Read(body);
        Assert.True(read.IsValid, read.Reason);
        return read.Value;
    }

    private async Task<X509Certificate2> IssueAsync()
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, key) = await bed.IssueAsync(client);
        key.Dispose();
        return leaf;
    }

    [Fact]
    public async Task A_certificate_says_where_ocsp_answers_and_there_it_is_good()
    {
        using var leaf = await IssueAsync();
        var aia = leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single();
        Assert.Equal(bed.OcspUrl, aia.EnumerateOcspUris().Single());
        foreach (var hash in Enum.GetValues<OcspHash>())
        {
            var single = Assert.Single((await AskAsync(Question.Of([Id(StatusBed.Serial(leaf), hash)]))).Singles);
            Assert.Equal((0, StatusBed.Serial(leaf)), (single.Status, single.Serial));
            Assert.Equal(TimeSpan.FromDays(4), single.NextUpdate - single.ThisUpdate);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(null)]
    public async Task A_revocation_is_told_to_the_next_who_asks(int? reason)
    {
        using var client = await bed.Authority.RegisteredAsync();
        var (leaf, key) = await bed.IssueAsync(client);
        var question = Question.Of([Id(StatusBed.Serial(leaf))]);
        Assert.Equal(0, (await AskAsync(question)).Singles[0].Status);
        Assert.Equal(200, (await StatusBed.RevokeAsync(client, leaf, reason)).Status);

        var single = (await AskAsync(question)).Singles[0];
        Assert.Equal((1, reason), (single.Status, single.Reason));
        Assert.InRange(single.RevokedAt!.Value, TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));
        leaf.Dispose();
        key.Dispose();
    }

    [Fact]
    public async Task A_serial_number_that_was_never_issued_is_unknown_and_never_good()
    {
        var (http, body) = await PostAsync(Question.Of([Id(Unassigned)]));
        Assert.Equal(2, Assert.Single(OcspFacts.Read(body).Value!.Singles).Status);
        Assert.Equal("no-store", http.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task Several_certificates_are_answered_in_one_answer()
    {
        using var leaf = await IssueAsync();
        var answer = await AskAsync(Question.Of([Id(StatusBed.Serial(leaf)), Id(Unassigned)]));
        Assert.Equal([0, 2], answer.Singles.Select(s => s.Status));
    }

    [Fact]
    public async Task A_nonce_comes_back_in_an_answer_of_its_own_that_nobody_keeps()
    {
        using var leaf = await IssueAsync();
        byte[] nonce = [1, 2, 3, 4, 5, 6, 7, 8];
        var (http, body) = await PostAsync(Question.Of([Id(StatusBed.Serial(leaf))], nonce));
        var extension = Assert.Single(OcspFacts.Read(body).Value!.Extensions);
        Assert.Equal([0x04, 0x08, .. nonce], extension.Value.ToArray());
        Assert.Equal("no-store", http.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task What_cannot_be_read_is_malformed_and_another_authoritys_certificate_unauthorized()
    {
        var foreign = new OcspCertId(OcspHash.Sha1, new byte[20], new byte[20], "4001");
        Assert.Equal(OcspAnswer.Refuse(OcspRefusal.MalformedRequest), (await PostAsync([1, 2, 3])).Body);
        Assert.Equal(OcspAnswer.Refuse(OcspRefusal.MalformedRequest), (await PostAsync(new byte[OcspQuestion.MaxOctets + 1])).Body);
        Assert.Equal(OcspAnswer.Refuse(OcspRefusal.Unauthorized), (await PostAsync(Question.Of([foreign]))).Body);
        Assert.Equal(OcspAnswer.Refuse(OcspRefusal.Unauthorized), (await PostAsync(Question.Of([Id(Unassigned), foreign]))).Body);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(Question.Of([foreign]), "application/octet-stream")).Http.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await bed.Http.GetAsync(new Uri(bed.Authority.Options.Server.PublicationUrl + "/ocsp/0123456789abcdef/MA"))).StatusCode);
        Assert.Equal(OcspAnswer.Refuse(OcspRefusal.MalformedRequest), await bed.Http.GetByteArrayAsync(new Uri(bed.OcspUrl + "/not-base64")));
    }

    [Fact]
    public async Task A_question_in_the_path_is_answered_as_one_in_the_body_however_it_is_encoded()
    {
        using var leaf = await IssueAsync();
        var question = Question.Of([Id(StatusBed.Serial(leaf), OcspHash.Sha256)]);
        var (_, posted) = await PostAsync(question);
        var base64 = Convert.ToBase64String(question);
        foreach (var path in new[] { base64, Uri.EscapeDataString(base64), base64.Replace("+", "%2b", StringComparison.Ordinal), base64.Replace("/", "%2F", StringComparison.Ordinal) })
        {
            Assert.Equal(posted, await bed.Http.GetByteArrayAsync(new Uri(bed.OcspUrl + "/" + path)));
        }
    }

    [Fact]
    public async Task Plus_slash_and_two_slashes_in_base64_survive_the_path()
    {
        // A nonce of 0xff and 0xfb octets makes every one of them; with a serial number that is not known the answer tells that the question was read.
        var question = Question.Of([Id(Unassigned)], [.. Enumerable.Repeat((byte)0xff, 12), .. Enumerable.Repeat((byte)0xfb, 12), .. Enumerable.Repeat((byte)0xef, 12)]);
        var base64 = Convert.ToBase64String(question);
        Assert.Contains("//", base64, StringComparison.Ordinal);
        Assert.Contains("+", base64, StringComparison.Ordinal);
        foreach (var path in new[] { base64, Uri.EscapeDataString(base64) })
        {
            Assert.Equal(2, OcspFacts.Read(await bed.Http.GetByteArrayAsync(new Uri(bed.OcspUrl + "/" + path))).Value!.Singles[0].Status);
        }
    }

    [Fact]
    public async Task Caches_may_keep_an_answer_for_less_than_a_minute_and_ask_again_by_its_tag()
    {
        using var leaf = await IssueAsync();
        var url = new Uri(bed.OcspUrl + "/" + Uri.EscapeDataString(Convert.ToBase64String(Question.Of([Id(StatusBed.Serial(leaf))]))));
        using var first = await bed.Http.GetAsync(url);
        var control = first.Headers.CacheControl!;
        Assert.True(control.Public && control.NoTransform && control.MustRevalidate);
        Assert.Equal(TimeSpan.FromSeconds(30), control.MaxAge);
        Assert.InRange(first.Content.Headers.Expires!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromSeconds(31));
        var answer = OcspFacts.Read(await first.Content.ReadAsByteArrayAsync()).Value!;
        Assert.Equal(answer.Singles[0].ThisUpdate, first.Content.Headers.LastModified);
        using var again = new HttpRequestMessage(HttpMethod.Get, url);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await bed.Http.SendAsync(again)).StatusCode);
    }

    [Fact]
    public async Task Answers_are_signed_ahead_of_questions_once_and_after_two_fifths_of_their_life_anew()
    {
        await using var authority = await RunningAuthority.StartAsync(StatusBed.Configure);
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "ahead.example.test", Protocol.Records.PersistDialect.Draft02);
        await client.IssueAsync("dns-persist-01", "ahead.example.test");
        var first = await KeptAsync(authority, DateTimeOffset.MinValue);
        Assert.Equal(first.ThisUpdate + ((first.NextUpdate - first.ThisUpdate) * 2 / 5), first.RefreshAt);

        authority.Clock.Ahead = first.RefreshAt - TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(1);
        var second = await KeptAsync(authority, first.ThisUpdate);
        Assert.True(second.ThisUpdate >= first.RefreshAt);
        Assert.Single(await authority.Store.ReadAsync(db => db.OcspSigners.ToListAsync(None), None));
    }

    [Fact]
    public async Task A_signer_is_kept_across_a_restart_and_replaced_at_half_of_its_life()
    {
        await using var authority = await RunningAuthority.StartAsync(StatusBed.Configure);
        await authority.RestartAsync();
        var signers = authority.Services.GetRequiredService<OcspSigners>();
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        var first = await signers.GetAsync(issuer, None);
        await authority.RestartAsync();
        signers = authority.Services.GetRequiredService<OcspSigners>();
        issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        Assert.Equal(first.CertificateDer, (await signers.GetAsync(issuer, None)).CertificateDer);

        authority.Clock.Ahead = TimeSpan.FromDays(15);
        var second = await signers.GetAsync(issuer, None);
        Assert.NotEqual(first.Serial, second.Serial);
        Assert.Equal(second.Serial, (await signers.GetAsync(issuer, None)).Serial);
        var kinds = await authority.Store.ReadAsync(db => db.AuditEntries.Where(e => e.Kind.StartsWith("ocsp-signer")).OrderBy(e => e.Id).Select(e => e.Kind).ToListAsync(None), None);
        Assert.Equal(["ocsp-signer.intended", "ocsp-signer.issued", "ocsp-signer.intended", "ocsp-signer.issued"], kinds);
    }

    [Fact]
    public async Task Without_ocsp_certificates_have_no_pointer_to_it_and_one_list()
    {
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "plain.example.test", Protocol.Records.PersistDialect.Draft02);
        using var leaf = X509Certificate2.CreateFromPem(await client.IssueAsync("dns-persist-01", "plain.example.test"));
        Assert.Empty(leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single().EnumerateOcspUris());
        var issuer = authority.Services.GetRequiredService<StatusIssuers>().All[0];
        Assert.Equal($"{authority.Options.Server.PublicationUrl}/crl/{issuer.IssuerId}.crl", StatusBed.CrlUrl(leaf));
        Assert.Empty(await authority.Store.ReadAsync(db => db.OcspSigners.ToListAsync(None), None));
    }

    private static Task<Storage.Status.OcspAnswerRow> KeptAsync(RunningAuthority authority, DateTimeOffset after) => Patience.UntilAsync(
        async () => await authority.Store.ReadAsync(db => db.OcspAnswers.ToListAsync(None), None) is [{ Der.Length: > 0 } row] && row.ThisUpdate > after ? row : null,
        "no answer was signed ahead of questions");
}
