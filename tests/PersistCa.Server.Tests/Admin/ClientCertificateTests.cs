using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Operators by client certificates of the configured issuer, on the door of ACME and on one of their own.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-clients-").FullName;
    private readonly X509Certificate2 ca;

    public ClientCertificateTests()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Operators' CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        ca = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        File.WriteAllText(CaFile, ca.ExportCertificatePem());
    }

    private string CaFile => Path.Combine(folder, "ca.pem");

    public void Dispose()
    {
        ca.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private X509Certificate2 Client(string subject, string? email = null, string purpose = "1.3.6.1.5.5.7.3.2", DateTimeOffset? until = null, X509Certificate2? by = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        if (email is not null)
        {
            var san = new SubjectAlternativeNameBuilder();
            san.AddEmailAddress(email);
            request.CertificateExtensions.Add(san.Build());
        }

        using var made = request.Create(by ?? ca, DateTimeOffset.UnixEpoch.AddYears(1), until ?? DateTimeOffset.UnixEpoch.AddYears(80), RandomNumberGenerator.GetBytes(8));
        using var whole = made.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    private void Configure(PersistCaOptions o)
    {
        o.Limits.FailedOperatorCallsPerAddress = "off";
        o.Operators.ClientCertificates.CaFile = CaFile;
        o.Operators.ClientCertificates.Mappings =
        [
            new CertificateMappingOptions { Subject = "CN=Olga", Name = "olga", Role = "operator" },
            new CertificateMappingOptions { San = "email:arno@example.com", Name = "arno", Role = "auditor" },
        ];
    }

    private static async Task<int> KnockAsync(OperatorBed bed, string url, X509Certificate2? certificate, string path, string? secret = null)
    {
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { X509Certificate2.CreateFromPem(bed.Authority.RootPem) }, RevocationMode = X509RevocationMode.NoCheck },
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
                ClientCertificates = certificate is null ? null : [certificate],
            },
        };
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url + "/admin/v1/" + path));
        if (secret is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + secret);
        }

        return (int)(await http.SendAsync(request)).StatusCode;
    }

    [Fact]
    public async Task A_certificate_of_the_issuer_is_the_operator_that_it_is_mapped_to()
    {
        var bed = await OperatorBed.StartAsync(Configure);
        var url = bed.Authority.Options.Server.BaseUrl;
        using var olga = Client("CN=Olga");
        using var arno = Client("CN=whoever", "arno@example.com");
        Assert.Equal(200, await KnockAsync(bed, url, olga, "jobs"));
        Assert.Equal(403, await KnockAsync(bed, url, olga, "audit"));
        Assert.Equal(200, await KnockAsync(bed, url, arno, "audit"));
        Assert.Equal(401, await KnockAsync(bed, url, null, "jobs"));
        Assert.Equal(200, await KnockAsync(bed, url, null, "jobs", bed.Anna));

        // What is in the header counts, good or not.
        Assert.Equal(401, await KnockAsync(bed, url, olga, "jobs", "pca_wrong"));
        Assert.Contains(await bed.AuditAsync(AuditKinds.OperatorCalled), e => e.Actor == "operator:olga" && e.Subject == "client-certificate:" + Convert.ToHexStringLower(SHA256.HashData(olga.RawData)));
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task A_certificate_with_one_thing_wrong_is_nobody_s()
    {
        var bed = await OperatorBed.StartAsync(Configure);
        var url = bed.Authority.Options.Server.BaseUrl;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var twin = new CertificateRequest("CN=Operators' CA", key, HashAlgorithmName.SHA256);
        twin.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var other = twin.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        foreach (var (bad, why) in new[]
        {
            (Client("CN=Nobody"), "of nobody"),
            (Client("CN=Olga", "arno@example.com"), "of several"),
            (Client("CN=Olga", purpose: "1.3.6.1.5.5.7.3.1"), "NotValidForUsage"),
            (Client("CN=Olga", until: DateTimeOffset.UnixEpoch.AddYears(2)), "NotTimeValid"),
            (Client("CN=Olga", by: other), "client certificate"),
        })
        {
            Assert.Equal((why, 401), (why, await KnockAsync(bed, url, bad, "jobs")));
            Assert.Contains(why, (await bed.AuditAsync(AuditKinds.OperatorRefused))[^1].Facts, StringComparison.Ordinal);
            bad.Dispose();
        }

        await bed.DisposeAsync();
    }

    [Fact]
    public async Task Where_operators_have_a_door_of_their_own_the_other_has_none_of_it_and_asks_for_no_certificate()
    {
        var port = RunningAuthority.FreePort();
        var bed = await OperatorBed.StartAsync(o =>
        {
            Configure(o);
            o.Operators.Listen = $"127.0.0.1:{port}";
        });
        using var olga = Client("CN=Olga");
        Assert.Equal(200, await KnockAsync(bed, $"https://localhost:{port}", olga, "jobs"));
        Assert.Equal(200, await KnockAsync(bed, $"https://localhost:{port}", null, "jobs", bed.Anna));
        Assert.Equal(404, await KnockAsync(bed, bed.Authority.Options.Server.BaseUrl, null, "jobs", bed.Anna));
        using var http = bed.Authority.Http();
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri($"https://localhost:{port}/directory"))).StatusCode);
        await bed.DisposeAsync();
    }

    [Theory]
    [InlineData("", "", "olga", "operator", "Operators:ClientCertificates:Mappings:0")]
    [InlineData("CN=Olga", "email:a@b", "olga", "operator", "Operators:ClientCertificates:Mappings:0")]
    [InlineData("", "a@b", "olga", "operator", "Operators:ClientCertificates:Mappings:0:San")]
    [InlineData("CN=Olga", "", "Olga", "operator", "Operators:ClientCertificates:Mappings:0:Name")]
    [InlineData("CN=Olga", "", "olga", "king", "Operators:ClientCertificates:Mappings:0:Role")]
    public void A_mapping_that_cannot_be_stops_the_start(string subject, string san, string name, string role, string key) => Assert.Equal(key, Assert.Single(OperatorRules.Check(new OperatorOptions
    {
        ClientCertificates = new ClientCertificateOptions { CaFile = "ca.pem", Mappings = [new CertificateMappingOptions { Subject = subject, San = san, Name = name, Role = role }] },
    })).Key);

    [Fact]
    public void A_file_of_issuers_that_has_none_stops_the_start()
    {
        File.WriteAllText(CaFile, "nothing");
        Assert.Contains("has no certificate", Assert.Throws<StartRefusedException>(() => CertificateTrust.Anchors(CaFile)).Message, StringComparison.Ordinal);
        Assert.Throws<StartRefusedException>(() => CertificateTrust.Anchors(Path.Combine(folder, "none")));
    }
}
