using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Perspective;

/// <summary>The door of the role perspective: a server of its own, with its own address and certificate. It has no database, no issuer's key and no memory.</summary>
internal static class PerspectiveHost
{
    /// <summary>True when the node has this role.</summary>
    public static bool IsWanted(PersistCaOptions options) => options.Server.Roles.Contains(PerspectiveRules.Role);

    /// <summary>True when the node has no other role.</summary>
    public static bool IsAlone(PersistCaOptions options) => IsWanted(options) && options.Server.Roles.TrueForAll(r => r == PerspectiveRules.Role);

    /// <summary>Starts it.</summary>
    /// <exception cref="StartRefusedException">A file cannot be used, the address is taken, or the resolvers do not validate as they should.</exception>
    public static async Task<WebApplication> StartAsync(PersistCaOptions options, TimeProvider clock, CancellationToken cancel)
    {
        // Checked with the rest of the configuration already; this guards those who start without reading one: nobody is admitted by omission.
        if (PerspectiveRules.Check(options).FirstOrDefault() is { } fault)
        {
            throw new StartRefusedException(fault.Key, fault.Message);
        }

        var (trust, identity) = Watched(options, clock);
        var policy = AuthorityRegistration.Policy(options);
        var resolver = DnsSetup.Create(options.Validation.Dns, policy, clock);
        await DnsSetup.RequireValidationAsync(resolver, options.Validation.Dns, clock, cancel);
        RequireFree(options.Perspective.Listen);
        // The host would watch the working directory, where the database may be: each commit would wake it.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Configuration.Sources.Clear();
        builder.AddCaTelemetry(options.Log);
        builder.Services.AddSystemd();
        builder.Services.AddSingleton<IDnsResolver>(resolver);
        builder.Services.AddSingleton(AuthorityRegistration.Checks(options, resolver, clock));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.Server.MaxConnections;
            kestrel.Limits.MaxRequestBodySize = options.Perspective.MaxBodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.MaxRequestLineSize = 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            var logger = kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(PerspectiveHost));
            kestrel.Listen(IPEndPoint.Parse(options.Perspective.Listen), listen => listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                // Without a certificate that is known the handshake fails: no request of a stranger is ever read.
                OnConnection = _ =>
                {
                    var known = trust.Current(logger);
                    return new ValueTask<SslServerAuthenticationOptions>(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = identity.Current(logger),
                        ClientCertificateRequired = true,
#pragma warning disable CA5398 // not less than TLS 1.2, whatever the system's default is
                        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
                        RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                            known.Admits(certificate as X509Certificate2, chain?.ChainPolicy.ExtraStore),
                    });
                },
            }));
        });
        var app = builder.Build();
        PerspectiveEndpoints.Map(app, options.Perspective.MaxBodyBytes);
        await app.StartAsync(cancel);
        return app;
    }

    /// <summary>Reads what the role rests on, without starting anything.</summary>
    /// <exception cref="StartRefusedException">A file cannot be used.</exception>
    public static void RequireFiles(PersistCaOptions options, TimeProvider clock) => Watched(options, clock);

    private static (WatchedFiles<PeerTrust> Trust, WatchedFiles<SslStreamCertificateContext> Identity) Watched(PersistCaOptions options, TimeProvider clock)
    {
        var (p, every) = (options.Perspective, options.Server.TlsFileCheckInterval);
        return (
            new([p.ClientTrustFile], () => PeerTrust.Load("Perspective:ClientTrustFile", p.ClientTrustFile, p.ClientFingerprints, PeerTrust.ClientUsage, clock), every, clock),
            new([p.TlsCertificateFile, p.TlsKeyFile], () => TlsIdentity.Certificate("Perspective:TlsCertificateFile", p.TlsCertificateFile, p.TlsKeyFile, clock), every, clock));
    }

    private static void RequireFree(string address)
    {
        try
        {
            using var probe = new TcpListener(IPEndPoint.Parse(address));
            probe.Start();
        }
        catch (SocketException e)
        {
            throw new StartRefusedException("Perspective:Listen", $"{address} cannot be listened on ({e.Message}); choose another address or port, or stop the program that has it");
        }
    }
}
