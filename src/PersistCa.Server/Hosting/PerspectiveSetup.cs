using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
    /// <returns>Null when there are no perspectives and none are demanded.</returns>
    /// <exception cref="StartRefusedException">There are too few for the regime at this date, or a file cannot be used.</exception>
    public static PerspectivePanel? Create(PersistCaOptions options, PersistPolicy policy, TimeProvider clock)
    {
        var v = options.Validation;
        var quorum = v.PerspectiveRegime == PerspectiveRules.CabfBr ? MpicQuorum.CabfBr : MpicQuorum.Private;
        var row = quorum.At(clock.GetUtcNow());
        if (v.PerspectiveRegime == PerspectiveRules.CabfBr && v.Perspectives.Count < row.LeastRemotes)
        {
            throw new StartRefusedException(
                "Validation:Perspectives",
                $"there are {v.Perspectives.Count}; since {row.From:yyyy-MM-dd} {PerspectiveRules.CabfBr} demands {row.LeastRemotes} remote perspectives (BR 3.2.2.9); add some");
        }

        return v.Perspectives.Count == 0 ? null : new PerspectivePanel(
            v.PerspectiveRegime,
            quorum,
            [.. v.Perspectives.Select(p => p.Url.Length > 0 ? (IPerspective)Remote(options, policy, p, clock) : Local(options, policy, p, clock))],
            v.PerspectiveDeadline);
    }

    private static ResolverPerspective Local(PersistCaOptions options, PersistPolicy policy, RemotePerspectiveOptions p, TimeProvider clock)
    {
        // The zones of the primary, and whose word on DNSSEC counts, are about its resolvers. A remote perspective need not validate (BR 3.2.2.8.1).
        var resolver = DnsSetup.Create(options.Validation.Dns.Over(p.Resolvers), policy, clock);
        return new ResolverPerspective(
            p.Id, p.Region, AuthorityRegistration.Validators(options, policy, resolver, clock), AuthorityRegistration.Caa(options, policy, resolver, clock), clock);
    }

    private static RemotePerspective Remote(PersistCaOptions options, PersistPolicy policy, RemotePerspectiveOptions p, TimeProvider clock)
    {
        var (v, tls) = (options.Validation, options.Validation.PerspectiveTls);
        var trust = PeerTrust.Load("Validation:PerspectiveTls:TrustFile", tls.TrustFile, p.Fingerprint.Length > 0 ? [p.Fingerprint] : [], PeerTrust.ServerUsage, clock);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = v.PerspectiveDeadline,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = TlsIdentity.Certificate("Validation:PerspectiveTls:CertificateFile", tls.CertificateFile, tls.KeyFile, clock),
#pragma warning disable CA5398 // not less than TLS 1.2, whatever the system's default is
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398

                // A pinned certificate is the perspective itself, whatever name it has; one that is vouched for must have the name of the URL.
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    (trust.Pins || !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
                    && trust.Admits(certificate as X509Certificate2, chain?.ChainPolicy.ExtraStore),
            },
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
}
