using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Publication;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Hosting;

/// <summary>The certificate this server shows on HTTPS: the configured one, read again when its files change, or one from its own authority; each renewed while it runs.</summary>
public sealed class TlsIdentity(PersistCaOptions options, IssuerBook issuers, CaStore store, TimeProvider clock, ILogger<TlsIdentity> logger)
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(30);

    private SslStreamCertificateContext? context;
    private WatchedFiles<SslStreamCertificateContext>? configured;

    /// <summary>When the present certificate should be replaced; null when it is configured and so not ours to replace.</summary>
    public DateTimeOffset? RenewAt { get; private set; }

    /// <summary>What a handshake is answered with.</summary>
    public SslServerAuthenticationOptions Answer() => new()
    {
        ServerCertificateContext = Volatile.Read(ref configured)?.Current(logger) ?? Volatile.Read(ref context) ?? throw new InvalidOperationException("the TLS certificate is not there yet"),
    };

    /// <summary>
    /// What a handshake is answered with where operators may show a certificate: one is asked for and not demanded, and whatever comes is taken, since it is
    /// judged where it is used (<see cref="CertificateTrust"/>).
    /// </summary>
    public SslServerAuthenticationOptions AnswerOperators()
    {
        var answer = Answer();
        answer.ClientCertificateRequired = true;
#pragma warning disable CA5359 // this is the server's side: a client's certificate opens nothing by having been taken
        answer.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        answer.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
        return answer;
    }

    /// <summary>Loads the configured certificate or makes one.</summary>
    /// <exception cref="StartRefusedException">The configured files cannot be used.</exception>
    public async Task PrepareAsync(CancellationToken cancel)
    {
        if (options.Server.TlsCertificateFile.Length > 0)
        {
            var files = options.Server;
            Volatile.Write(ref configured, new([files.TlsCertificateFile, files.TlsKeyFile], () => Configured(options, clock), files.TlsFileCheckInterval, clock));
            return;
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = clock.GetUtcNow();
        var (issuer, identifiers) = Named(now);
        var shown = string.Join(' ', identifiers.Select(i => i.Text));
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

        // The intent is durable before the authority's key is touched, as for any other certificate.
        await AuditAsync(AuditKinds.ServerCertificateIntended, issuer, cancel, ("names", shown), ("key", fingerprint));
        var der = await SelfCertificate.IssueAsync(
            issuer,
            new SelfCertificateRequest { Names = [.. identifiers.OfType<CertificateName>().Select(n => n.Name)], Addresses = [.. identifiers.OfType<IpIdentifier>().Select(i => i.Address)], SubjectPublicKeyInfo = key.ExportSubjectPublicKeyInfo(), Now = now, Validity = Validity },
            cancel);
        using var bare = X509CertificateLoader.LoadCertificate(der);
        var leaf = bare.CopyWithPrivateKey(key);
        await AuditAsync(
            AuditKinds.ServerCertificateIssued,
            issuer,
            cancel,
            ("serial", Convert.ToHexStringLower(bare.SerialNumberBytes.Span)),
            ("names", shown),
            ("key", fingerprint),
            ("sha256", Convert.ToHexStringLower(SHA256.HashData(der))));

        // The old context is left to the garbage collector: handshakes may still be using it.
        Volatile.Write(ref context, SslStreamCertificateContext.Create(leaf, Above(issuer.Chain), offline: true));
        RenewAt = now + (Validity * 2 / 3);
    }

    /// <summary>The first issuer that signs now and may certify the host, and the host's names: for localhost its addresses too, where the issuer may certify them.</summary>
    /// <exception cref="StartRefusedException">The host lies outside the name constraints of every issuer that signs now: no client would take such a certificate.</exception>
    private (Issuer Issuer, ImmutableArray<Identifier> Names) Named(DateTimeOffset now)
    {
        const string localhost = "localhost";
        var host = new Uri(options.Server.BaseUrl).Host.Trim('[', ']');
        var named = IPAddress.TryParse(host, out var address) ? Identifier.Parse(IdentifierType.Ip, address.ToString()) : Identifier.Parse(IdentifierType.Dns, host);
        if (!named.IsValid)
        {
            throw new StartRefusedException("Server:BaseUrl", $"no certificate can have its host, {host}: {named.Reason}; configure Server:TlsCertificateFile and Server:TlsKeyFile, or another host");
        }

        var own = named.Value;
        var signing = issuers.All.Where(i => i.SignsAt(now)).DefaultIfEmpty(issuers.All[0]).Select(i => i.Issuer).ToList();
        if (signing.Find(i => i.Constraints.Refuse(own) is null) is not { } issuer)
        {
            throw new StartRefusedException(
                "Server:BaseUrl",
                $"no issuer may certify its host, {host}: {signing[0].Constraints.Refuse(own)}; configure Server:TlsCertificateFile and Server:TlsKeyFile, or an issuer whose certificate permits the host");
        }

        IEnumerable<Identifier> others = host == localhost ? [IpIdentifier.Parse("127.0.0.1").Value!, IpIdentifier.Parse("::1").Value!] : [];
        return (issuer, [own, .. others.Where(o => issuer.Constraints.Refuse(o) is null)]);
    }

    private async Task AuditAsync(string kind, Issuer issuer, CancellationToken cancel, params (string Name, string? Value)[] facts)
    {
        var outcome = await store.WriteAsync<string>(
            Actor.Server,
            t =>
            {
                t.Audit(kind, "issuer:" + issuer.IssuerId, facts);
                return Task.FromResult<PersistCa.Protocol.Outcome<string>>("recorded");
            },
            cancel);
        _ = outcome.Value;
    }

    private static X509Certificate2Collection Above(ImmutableArray<byte[]> chain) =>
        [.. chain.Where((_, i) => i == 0 || i < chain.Length - 1).Select(c => X509CertificateLoader.LoadCertificate(c))];

    /// <summary>Opens the configured certificate and key.</summary>
    /// <exception cref="StartRefusedException">They cannot be used.</exception>
    public static SslStreamCertificateContext Configured(PersistCaOptions options, TimeProvider clock) =>
        Certificate("Server:TlsCertificateFile", options.Server.TlsCertificateFile, options.Server.TlsKeyFile, clock);

    /// <summary>A certificate with its key and the chain above it.</summary>
    /// <exception cref="StartRefusedException">The files cannot be used.</exception>
    public static SslStreamCertificateContext Certificate(string key, string certificateFile, string keyFile, TimeProvider clock)
    {
        try
        {
            var leaf = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            if (leaf.NotAfter.ToUniversalTime() <= clock.GetUtcNow().UtcDateTime)
            {
                throw new StartRefusedException(key, $"the certificate in {certificateFile} expired at {leaf.NotAfter.ToUniversalTime():O}; renew it");
            }

            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(certificateFile);
            chain.RemoveAt(0);
            return SslStreamCertificateContext.Create(leaf, chain, offline: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new StartRefusedException(key, $"{certificateFile} with {keyFile} cannot be used: {e.Message}");
        }
    }
}
