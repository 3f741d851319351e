using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;
using PersistCa.Server.Tests.Perspectives;
using PersistCa.Server.Tests.Renewal;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Profiles;

/// <summary>Each profile that ships issues through ACME for what it is for, and refuses keys and names that it is not for.</summary>
public sealed class ShippedProfileTests(PerspectiveBed bed) : IClassFixture<PerspectiveBed>
{
    private static int names;

    /// <summary>Profile, kind of key, the problem of finalize or null.</summary>
    public static TheoryData<string, string, string?> Keys => new()
    {
        { "server", "P256", null },
        { "server", "P384", null },
        { "server", "P521", null },
        { "server", "Rsa2048", null },
        { "server", "Rsa1024", "badPublicKey" },
        { "server", "Ed25519", null },
        { "server", "MlDsa44", "badPublicKey" },
        { "server-short-lived", "P256", null },
        { "server-short-lived", "Rsa2048", null },
        { "server-short-lived", "MlDsa44", "badPublicKey" },
        { "client", "P256", null },
        { "client", "Rsa1024", "badPublicKey" },
        { "server-pq", "MlDsa44", null },
        { "server-pq", "MlDsa65", null },
        { "server-pq", "MlDsa87", null },
        { "server-pq", "P256", "badPublicKey" },
        { "server-pq", "Rsa2048", "badPublicKey" },
        { "server-cabf", "P256", null },
        { "server-cabf", "P384", null },
        { "server-cabf", "Rsa2048", null },
        { "server-cabf", "Rsa1024", "badPublicKey" },
        { "server-cabf", "Ed25519", "badPublicKey" },
        { "server-cabf", "MlDsa44", "badPublicKey" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_shipped_profile_issues_for_the_keys_that_it_is_for_and_for_no_other(string profile, string kind, string? problem)
    {
        using var second = await SecondHierarchy.MakeAsync("Second", SigningAlgorithms.MlDsa65);
        await using var authority = await StartAsync(profile, second);
        using var client = await authority.RegisteredAsync();
        var name = Publish(authority, client);
        var order = await client.ReadyOrderOfAsync(profile, "dns-persist-01", name);
        Assert.Equal("ready", order.Json["status"]!.GetValue<string>());

        var final = await RenewalBed.TryAsync(async () => await client.FinalizeAsync(order, await RequestAsync(kind, name)));

        Assert.Equal(problem, final.Problem);
        if (problem is not null)
        {
            return;
        }

        Assert.Equal(profile, final.Json["profile"]!.GetValue<string>());
        using var leaf = X509Certificate2.CreateFromPem((await client.FetchAsync(final.Json["certificate"]!.GetValue<string>(), CancellationToken.None)).Body);
        Assert.Equal("", leaf.Subject);
        Assert.Equal([name], leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
        Assert.Equal(profile == "client" ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1", Assert.Single(leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>()).Value);
    }

    [Theory]
    [InlineData("server", "db01.corp", 201)]
    [InlineData("server", "10.1.2.3", 201)]
    [InlineData("client", "db01.corp", 201)]
    [InlineData("server-cabf", "db01.corp", 400)]
    [InlineData("server-cabf", "*.db01.corp", 400)]
    [InlineData("server-cabf", "10.1.2.3", 400)]
    [InlineData("server-cabf", "intranet", 400)]
    [InlineData("server", "intranet", 400)]
    [InlineData("server-pq", "com", 400)]
    public async Task A_shipped_profile_takes_the_names_that_it_is_for(string profile, string name, int status)
    {
        using var second = await SecondHierarchy.MakeAsync("Second", SigningAlgorithms.MlDsa65);
        await using var authority = await StartAsync(profile, second);
        using var client = await authority.RegisteredAsync();
        var order = await RenewalBed.TryAsync(() => client.OrderAsync([name], CancellationToken.None, profile));
        Assert.Equal(status, order.Status);
        Assert.Equal(status == 201 ? null : "rejectedIdentifier", order.Problem);
    }

    private Task<RunningAuthority> StartAsync(string profile, SecondHierarchy second) => RunningAuthority.StartAsync(o =>
    {
        o.Policy.Ip.AllowedNetworks = ["10.0.0.0/8"];
        if (profile == "server-pq")
        {
            second.AddTo(o);
            o.Profiles = [new ProfileOptions { Name = profile, Issuers = ["Second"] }];
        }

        if (profile == "server-cabf")
        {
            bed.Ask(o, 6, PerspectiveRules.Private);
            o.Validation.Dns.Dnssec = "validate";
            o.Validation.Dns.InsecureZones = ["."];
            o.Validation.Persist.JustInTime = false;
            o.Profiles = [new ProfileOptions { Name = profile }];
        }
    });

    private string Publish(RunningAuthority authority, AcmeClient client)
    {
        var name = $"s{Interlocked.Increment(ref names)}.example.com";
        var record = authority.Publish(client, name, PersistDialect.Draft02);
        bed.Zones.ForEach(z => z.SetTxt(record.Owner, record.Value));
        return name;
    }

    /// <summary>A request by a new key; those that the platform cannot make are put together by hand.</summary>
    private static async Task<byte[]> RequestAsync(string kind, string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        switch (kind)
        {
            case "Rsa2048" or "Rsa1024":
                using (var rsa = RSA.Create(kind == "Rsa1024" ? 1024 : 2048))
                {
                    var request = new CertificateRequest("", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                    request.CertificateExtensions.Add(names.Build());
                    return request.CreateSigningRequest();
                }

            case "P256" or "P384" or "P521":
                using (var ec = ECDsa.Create(ECCurve.CreateFromFriendlyName("nistP" + kind[1..])))
                {
                    var request = new CertificateRequest("", ec, HashAlgorithmName.SHA256);
                    request.CertificateExtensions.Add(names.Build());
                    return request.CreateSigningRequest();
                }

            default:
                using (var key = FileSigningKey.Generate(SigningAlgorithms.Find(kind == "Ed25519" ? kind : "ML-DSA-" + kind[^2..])!))
                {
                    return await ByHandAsync(key, names.Build().RawData);
                }
        }
    }

    /// <summary>A CertificationRequest (RFC 2986 section 4).</summary>
    private static async Task<byte[]> ByHandAsync(FileSigningKey key, byte[] alternativeNames)
    {
        var info = new AsnWriter(AsnEncodingRules.DER);
        using (info.PushSequence())
        {
            info.WriteInteger(0);
            info.PushSequence().Dispose();
            info.WriteEncodedValue(key.SubjectPublicKeyInfo);
            using (info.PushSetOf(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (info.PushSequence())
            {
                info.WriteObjectIdentifier("1.2.840.113549.1.9.14");
                using (info.PushSetOf())
                using (info.PushSequence())
                using (info.PushSequence())
                {
                    info.WriteObjectIdentifier("2.5.29.17");
                    info.WriteOctetString(alternativeNames);
                }
            }
        }

        var signed = info.Encode();
        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue(signed);
            whole.WriteEncodedValue(key.Algorithm.AlgorithmIdentifier.Span);
            whole.WriteBitString(await key.SignAsync(signed, CancellationToken.None));
        }

        return whole.Encode();
    }
}
