using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Hosting;

/// <summary>Makes the remote perspectives of an authority from its configuration.</summary>
internal static class PerspectiveSetup
{
    /// <summary>Makes the panel.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="policy">What persistent records are judged by.</param>
    /// <param name="clock">The time.</param>
    /// <param name="logger">Is told of TLS files that change while the server runs.</param>
    /// <param name="key">Where they were chosen; empty for Validation:Perspectives.</param>
    /// <param name="needed">How many must see the same at least, whatever the regime says.</param>
    /// <returns>Null when there are no perspectives and none are demanded.</returns>
    /// <exception cref="StartRefusedException">There are too few for the regime at this date, or a file cannot be used.</exception>
    public static PerspectivePanel? Create(PersistCaOptions options, PersistPolicy policy, TimeProvider clock, Func<ILogger>? logger = null, string key = "", int needed = 0)
    {
        var v = options.Validation;
        var quorum = v.PerspectiveRegime == PerspectiveRules.CabfBr ? MpicQuorum.CabfBr : MpicQuorum.Private;
        var row = quorum.At(clock.GetUtcNow());
        if (v.PerspectiveRegime == PerspectiveRules.CabfBr && v.Perspectives.Count < row.LeastRemotes)
        {
            throw new StartRefusedException(
                key.Length > 0 ? key : "Validation:Perspectives",
                $"there are {v.Perspectives.Count}; since {row.From:yyyy-MM-dd} {PerspectiveRules.CabfBr} demands {row.LeastRemotes} remote perspectives (BR 3.2.2.9); add some");
        }

        return v.Perspectives.Count == 0 ? null : new PerspectivePanel(
            v.PerspectiveRegime,
            quorum.Needing(needed),
            [.. v.Perspectives.Select(p => p.Url.Length > 0 ? (IPerspective)Remote(options, policy, p, clock, logger ?? (() => NullLogger.Instance)) : Local(options, policy, p, clock))],
            v.PerspectiveDeadline)
        {
            Grace = v.PerspectiveGrace,
        };
    }

    private static ResolverPerspective Local(PersistCaOptions options, PersistPolicy policy, RemotePerspectiveOptions p, TimeProvider clock)
    {
        // The zones of the primary, and whose word on DNSSEC counts, are about its resolvers. A remote perspective need not validate (BR 3.2.2.8.1).
        var resolver = DnsSetup.Create(options.Validation.Dns.Over(p.Resolvers), policy, clock);
        return new ResolverPerspective(
            p.Id, p.Region, AuthorityRegistration.Validators(options, policy, resolver, clock), AuthorityRegistration.Caa(options, policy, resolver, clock), clock);
    }

    private static RemotePerspective Remote(PersistCaOptions options, PersistPolicy policy, RemotePerspectiveOptions p, TimeProvider clock, Func<ILogger> logger)
    {
        var (v, tls, every) = (options.Validation, options.Validation.PerspectiveTls, options.Server.TlsFileCheckInterval);
        var trust = new WatchedFiles<PeerTrust>(
            [tls.TrustFile],
            () => PeerTrust.Load("Validation:PerspectiveTls:TrustFile", tls.TrustFile, p.Fingerprint.Length > 0 ? [p.Fingerprint] : [], PeerTrust.ServerUsage, clock),
            every,
            clock);
        var own = new WatchedFiles<SslStreamCertificateContext>(
            [tls.CertificateFile, tls.KeyFile],
            () => TlsIdentity.Certificate("Validation:PerspectiveTls:CertificateFile", tls.CertificateFile, tls.KeyFile, clock),
            every,
            clock);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = v.PerspectiveDeadline,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),

            // Connected here, since the handler's own TLS would keep the certificate it was made with.
            ConnectCallback = async (connection, cancel) => await ConnectAsync(connection.DnsEndPoint, own.Current(logger()), trust.Current(logger()), cancel),
        };
        return new RemotePerspective(
            p.Id,
            p.Region,
            new OpenMpicClient(new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }, p.Url),
            new RemoteJudgement(
                policy,
                new CaaPolicy(policy.IssuerNames) { ExcuseInsecureFailures = v.Caa.ExcuseInsecureFailures },
                OptionRules.CaaSuffixes(v.Caa).Value!,
                v.Dns.SharedOwnerGrace),
            clock);
    }

    private static async Task<Stream> ConnectAsync(DnsEndPoint server, SslStreamCertificateContext own, PeerTrust trust, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? secure = null;
        try
        {
            await socket.ConnectAsync(server, cancel);
            secure = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = server.Host,
                    ClientCertificateContext = own,
#pragma warning disable CA5398 // not less than TLS 1.2, whatever the system's default is
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398

                    // A pinned certificate is the perspective itself, whatever name it has; one that is vouched for must have the name of the URL.
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                        (trust.Pins || !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
                        && trust.Admits(certificate as X509Certificate2, chain?.ChainPolicy.ExtraStore),
                },
                cancel);
            return secure;
        }
        catch (Exception failure)
        {
            if (secure is not null)
            {
                await secure.DisposeAsync();
            }

            socket.Dispose();
            if (failure is AuthenticationException or SocketException or IOException)
            {
                throw new HttpRequestException(failure.Message, failure);
            }

            throw;
        }
    }
}
