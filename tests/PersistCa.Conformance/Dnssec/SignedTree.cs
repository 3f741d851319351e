using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Testing;
using PersistCa.Validation.Dns;

namespace PersistCa.Conformance.Dnssec;

/// <summary>
/// The zone "test." and zones under it, served and signed by Knot, each wrong in its own way, and a validating Unbound in front of it whose trust
/// anchor is the key of "test.". Nothing leaves the machine.
/// </summary>
public sealed class SignedTree : IAsyncLifetime
{
    private const string Signed = "signed", SignedNsec3 = "nsec3", Unsigned = "";

    // Zone, how it is signed, and whether the parent holds its DS: right, wrong or none.
    private static readonly (string Name, string Policy, string Ds)[] Children =
    [
        ("secure.test", Signed, "right"),
        ("nsec3.test", SignedNsec3, "right"),
        ("insecure.test", Unsigned, "none"),
        ("bogus.test", Signed, "wrong"),
        ("nods.test", Signed, "none"),
        ("stripped.test", Unsigned, "foreign"),
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("persistca-dnssec-").FullName;
    private readonly List<Process> running = [];
    private readonly int knotPort = RunningAuthority.FreePort();
    private bool started;

    /// <summary>The validating resolver.</summary>
    public string Resolver { get; } = $"127.0.0.1:{RunningAuthority.FreePort()}";

    /// <summary>The same resolver over TLS, with a certificate of <see cref="Roots"/> for resolver.test.</summary>
    public string TlsResolver { get; } = $"tls://127.0.0.1:{RunningAuthority.FreePort()}#resolver.test";

    /// <summary>What vouches for it.</summary>
    public X509Certificate2Collection Roots { get; } = [];

    /// <summary>A resolver that takes the present for the year 2099, when every signature has expired.</summary>
    public string LateResolver { get; } = $"127.0.0.1:{RunningAuthority.FreePort()}";

    /// <summary>A resolver without trust anchor.</summary>
    public string CarelessResolver { get; } = $"127.0.0.1:{RunningAuthority.FreePort()}";

    /// <summary>The DS record of "test.", the private anchor of the tree.</summary>
    public string Anchor { get; private set; } = "";

    /// <summary>Knot itself.</summary>
    public string Authority => $"127.0.0.1:{knotPort}";

    /// <inheritdoc/>
    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Starts the servers, the first time. The tests of one class do not run at the same time.</summary>
    public async Task StartAsync()
    {
        string[] programs = [.. new[] { "knotd", "keymgr", "unbound" }.Select(Requirement.Program)];
        if (!started)
        {
            started = true;
            await StartAsync(programs[0], programs[1], programs[2]);
        }
    }

    /// <summary>Our resolver in front of one of these.</summary>
    public static StubResolver Ours(string resolver, Func<DnsOptions, DnsOptions>? change = null)
    {
        var options = new DnsOptions { Resolvers = [resolver], Dnssec = DnssecMode.TrustedResolver, Timeout = TimeSpan.FromSeconds(5), OverallTimeout = TimeSpan.FromSeconds(15) };
        return StubResolver.Create(change?.Invoke(options) ?? options, TimeProvider.System).Value!;
    }

    /// <summary>Our resolver that checks signatures itself, in front of one of these.</summary>
    public StubResolver Validating(string resolver, Func<DnsOptions, DnsOptions>? change = null, TimeProvider? time = null)
    {
        var options = new DnsOptions
        {
            Resolvers = [resolver],
            Dnssec = DnssecMode.Validate,
            TrustAnchors = [Anchor],
            InsecureZones = ["."],
            Timeout = TimeSpan.FromSeconds(5),
            OverallTimeout = TimeSpan.FromSeconds(15),
            Retries = 0,
        };
        return StubResolver.Create(change?.Invoke(options) ?? options, time ?? TimeProvider.System).Value!;
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        foreach (var process in running)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }

    private async Task StartAsync(string knotd, string keymgr, string unbound)
    {
        var configuration = Path.Combine(folder, "knot.conf");
        await File.WriteAllTextAsync(configuration, KnotConfiguration());
        var ds = new Dictionary<string, string>();
        foreach (var zone in Children.Where(c => c.Policy.Length > 0).Select(c => c.Name).Append("test"))
        {
            await RunAsync(keymgr, "-c", configuration, zone + ".", "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes");
            ds[zone] = (await RunAsync(keymgr, "-c", configuration, zone + ".", "ds")).Split('\n').First(l => l.Contains(" 13 2 ", StringComparison.Ordinal));
        }

        await WriteZonesAsync(ds);
        Start(knotd, "-c", configuration);
        await AnswersAsync(IPEndPoint.Parse($"127.0.0.1:{knotPort}"));
        Anchor = ds["test"];
        var anchor = ds["test"].Replace(" DS ", " IN DS ", StringComparison.Ordinal);
        await UnboundAsync(unbound, Resolver, $"trust-anchor: \"{anchor}\"\n{await TlsAsync()}");
        await UnboundAsync(unbound, LateResolver, $"trust-anchor: \"{anchor}\"\n  val-override-date: \"20990101000000\"");
        await UnboundAsync(unbound, CarelessResolver, "");
    }

    private string KnotConfiguration()
    {
        var zones = Children.Append(("test", Signed, "none")).Select(c => $"  - domain: {c.Item1}\n    file: {c.Item1}.zone\n"
            + (c.Item2.Length > 0 ? $"    dnssec-signing: on\n    dnssec-policy: {c.Item2}\n" : ""));
        return $"""
            server:
              rundir: {folder}
              listen: 127.0.0.1@{knotPort}
            database:
              storage: {folder}
            log:
              - target: stderr
                any: warning
            policy:
              - id: signed
                manual: on
              - id: nsec3
                manual: on
                nsec3: on
            template:
              - id: default
                storage: {folder}
                zonefile-sync: -1
                zonefile-load: difference-no-serial
                journal-content: all
            zone:

            """ + string.Concat(zones);
    }

    private async Task WriteZonesAsync(Dictionary<string, string> ds)
    {
        var parent = Head("test");
        foreach (var (zone, policy, kind) in Children)
        {
            parent += $"{zone}. 60 NS ns.{zone}.\nns.{zone}. 60 A 127.0.0.1\n" + kind switch
            {
                "right" => ds[zone] + "\n",

                // The digest of another key than the zone is signed with.
                "wrong" => ds[zone][..^8] + "00000000\n",

                // The zone that stands here is not signed at all, though the parent says so: what somebody in between would serve.
                "foreign" => ds["secure.test"].Replace("secure.test.", zone + ".", StringComparison.Ordinal) + "\n",
                _ => "",
            };
            await File.WriteAllTextAsync(
                Path.Combine(folder, zone + ".zone"),
                Head(zone) + $"www.{zone}. 60 TXT \"here\"\nalias.{zone}. 60 CNAME www.insecure.test.\nsafe.{zone}. 60 CNAME www.nsec3.test.\n*.wild.{zone}. 60 TXT \"any\"\n");
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "test.zone"), parent);
    }

    private static string Head(string zone) => $"{zone}. 60 SOA ns.{zone}. host.{zone}. 1 60 60 60 60\n{zone}. 60 NS ns.{zone}.\nns.{zone}. 60 A 127.0.0.1\n";

    private async Task UnboundAsync(string unbound, string listen, string lines)
    {
        var at = IPEndPoint.Parse(listen);
        var file = Path.Combine(folder, $"unbound-{at.Port}.conf");
        var stubs = string.Concat(Children.Select(c => c.Name).Append("test").Select(z => $"stub-zone:\n  name: \"{z}.\"\n  stub-addr: 127.0.0.1@{knotPort}\n"));
        await File.WriteAllTextAsync(file, $"""
            server:
              interface: 127.0.0.1@{at.Port}
              username: ""
              chroot: ""
              directory: "{folder}"
              pidfile: ""
              use-syslog: no
              logfile: "{file}.log"
              do-daemonize: no
              num-threads: 1
              do-not-query-localhost: no
              local-zone: "test." nodefault
              module-config: "validator iterator"
              cache-max-ttl: 1
              ede: yes
              {lines}
            remote-control:
              control-enable: no
            {stubs}
            """);
        Start(unbound, "-d", "-c", file);
        await AnswersAsync(at);
    }

    /// <summary>A certificate for the resolver, and the lines that make it serve with it.</summary>
    private async Task<string> TlsAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=resolver.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("resolver.test");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        Roots.Add(certificate);
        var (keyFile, certificateFile) = (Path.Combine(folder, "tls.key"), Path.Combine(folder, "tls.pem"));
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem());
        var port = ResolverAddress.Parse(TlsResolver).Value!.EndPoint.Port;
        return $"  interface: 127.0.0.1@{port}\n  tls-port: {port}\n  tls-service-key: \"{keyFile}\"\n  tls-service-pem: \"{certificateFile}\"";
    }

    private void Start(string program, params string[] arguments) =>
        running.Add(Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder }) ?? throw new InvalidOperationException($"{program} does not start"));

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{program} does not start");
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
    }

    private static async Task AnswersAsync(IPEndPoint server)
    {
        var resolver = Ours(server.ToString(), o => o with { Dnssec = DnssecMode.Off, Timeout = TimeSpan.FromMilliseconds(500), Retries = 0 });
        await Patience.UntilAsync(async () => (await resolver.AskAsync("ns.insecure.test", DnsRecordKind.A, CancellationToken.None)).ResponseCode is not null, $"{server} does not answer");
    }
}
