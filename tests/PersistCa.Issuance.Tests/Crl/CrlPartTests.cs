using System.Diagnostics;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.X509;
using Org.BouncyCastle.X509.Extension;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Crl;

/// <summary>Lists of parts (RFC 5280 section 5.2.5, Baseline Requirements section 7.2.2.1).</summary>
public sealed class CrlPartTests
{
    private static readonly DateTimeOffset This = TestAuthority.Now.AddDays(1);
    private static readonly string[] Urls = [.. Enumerable.Range(1, 4).Select(i => $"http://ca.example/crl/x/{i}.crl")];

    [Fact]
    public async Task A_list_of_a_part_has_a_critical_point_of_subscribers_certificates_with_every_url_it_ever_had()
    {
        string[] urls = ["http://ca.example/crl/x/1.crl", "http://old.example/crl/x/1.crl"];
        var der = await CrlBuilder.BuildAsync(await TestAuthority.IssuingAsync(), Content(1) with { Urls = urls });
        var crl = new X509CrlParser().ReadCrl(der);
        Assert.Equal(["2.5.29.28"], crl.GetCriticalExtensionOids());
        var point = IssuingDistributionPoint.GetInstance(X509ExtensionUtilities.FromExtensionValue(crl.GetExtensionValue(X509Extensions.IssuingDistributionPoint)));
        Assert.True(point.OnlyContainsUserCerts);
        Assert.False(point.OnlyContainsCACerts || point.IsIndirectCrl || point.OnlyContainsAttributeCerts);
        Assert.Equal(urls, GeneralNames.GetInstance(point.DistributionPoint.Name).GetNames().Select(n => n.Name.ToString()));
    }

    [Fact]
    public async Task A_number_that_does_not_rise_is_not_signed()
    {
        var issuer = await TestAuthority.IssuingAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => CrlBuilder.BuildAsync(issuer, Content(7) with { NumberBefore = 7 }).AsTask());
        Assert.Contains("L57", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_has_the_pointer_of_the_part_that_its_intent_names()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync(new ServerProfile { CrlShardUrls = [.. Urls], CrlUrl = "http://ca.example/crl/x.crl", OcspUrl = "http://ca.example/ocsp/x" });
        var seen = new HashSet<int>();
        for (var i = 0; i < 64; i++)
        {
            var intent = issuer.Prepare(TestAuthority.Request()).Value;
            Assert.Equal(Urls[intent.CrlShard - 1], intent.CrlUrl);
            var certificate = await issuer.IssueAsync(IssuanceTicket.FromIntent(intent));
            var point = CrlDistPoint.GetInstance(X509ExtensionUtilities.FromExtensionValue(
                new X509CertificateParser().ReadCertificate(certificate).GetExtensionValue(X509Extensions.CrlDistributionPoints)));
            Assert.Equal(intent.CrlUrl, GeneralNames.GetInstance(Assert.Single(point.GetDistributionPoints()).DistributionPointName.Name).GetNames().Single().Name.ToString());
            Assert.True(intent.HasOcsp);
            seen.Add(intent.CrlShard);
        }

        Assert.Equal([1, 2, 3, 4], seen.Order());
    }

    [Fact]
    public async Task Without_parts_a_certificate_points_at_the_one_list()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync(new ServerProfile { CrlUrl = "http://ca.example/crl/x.crl" });
        var intent = issuer.Prepare(TestAuthority.Request()).Value;
        Assert.Equal((0, "http://ca.example/crl/x.crl", false), (intent.CrlShard, intent.CrlUrl, intent.HasOcsp));
    }

    [Fact]
    public async Task A_hundred_thousand_entries_in_sixteen_parts_are_built_linted_and_signed_in_seconds()
    {
        var issuer = await TestAuthority.IssuingAsync();
        var revoked = Enumerable.Range(0, 100_000).Select(i => new RevokedCertificate(SerialNumbers.Next(), This.AddMinutes(-i % 1000), i % 3 == 0 ? 4 : null)).ToList();
        var time = Stopwatch.StartNew();
        foreach (var part in revoked.Chunk(100_000 / 16))
        {
            await CrlBuilder.BuildAsync(issuer, Content(1) with { Revoked = part, Urls = [Urls[0]] });
        }

        // The figure of a quiet machine stands in docs/operations/performance.md; a busy one gets room.
        Assert.InRange(time.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        Console.WriteLine($"16 lists of 6,250 entries: {time.ElapsedMilliseconds} ms");
        time.Restart();
        await CrlBuilder.BuildAsync(issuer, Content(1) with { Revoked = revoked });
        Console.WriteLine($"one list of 100,000 entries: {time.ElapsedMilliseconds} ms");
    }

    private static CrlContent Content(long number) => new() { Number = number, Revoked = [], ThisUpdate = This, NextUpdate = This.AddDays(4) };
}
