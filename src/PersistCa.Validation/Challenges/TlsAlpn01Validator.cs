using System.Collections.Immutable;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Challenges;

/// <summary>
/// tls-alpn-01 (RFC 8737): a TLS server that agrees on "acme-tls/1" and shows a self-signed certificate with the digest of the key
/// authorization. A failed handshake is tls; a handshake with the wrong protocol or certificate is unauthorized. An address is asked for by its
/// name in the reverse tree, since the server name of TLS can be none, and shown as iPAddress (RFC 8738 section 6).
/// </summary>
public sealed class TlsAlpn01Validator(IDnsResolver resolver, TlsAlpn01Options options, TimeProvider time) : IChallengeValidator
{
    /// <summary>The application protocol (RFC 8737 section 6.2).</summary>
    public static readonly SslApplicationProtocol Protocol = new("acme-tls/1");

    /// <inheritdoc/>
    public ChallengeType Type => ChallengeType.TlsAlpn01;

    /// <inheritdoc/>
    public async Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var record = new AttemptRecord(Type, attempt, time);
        if (record.RefuseAtOnce() is { } refusal)
        {
            return refusal;
        }

        using var overall = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, overall.Token);
        try
        {
            var problem = await ConnectAsync(attempt, record, either.Token).ConfigureAwait(false);
            return problem is null ? record.Valid("the certificate holds the digest of the key authorization") : record.Invalid(problem);
        }
        catch (OperationCanceledException) when (overall.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return record.Invalid(new AcmeProblem(
                ProblemCatalog.Connection, $"{attempt.Identifier.Text} completed no TLS handshake within {options.Timeout.TotalSeconds:0.##} seconds."));
        }
    }

    private async Task<AcmeProblem?> ConnectAsync(ChallengeAttempt attempt, AttemptRecord record, CancellationToken cancellationToken)
    {
        var name = attempt.Identifier.BaseText;
        var addresses = await TargetConnection.ResolveAsync(name, resolver, options.Target, record, cancellationToken).ConfigureAwait(false);
        if (addresses.IsRefused)
        {
            return addresses.Problem;
        }

        Socket socket;
        try
        {
            socket = await TargetConnection.ConnectAsync(addresses.Value, options.Port, options.Target, time, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            return new AcmeProblem(
                ProblemCatalog.Connection, $"Connecting to {name} port {options.Port} failed: {TargetConnection.Explain(failure.SocketErrorCode)}.");
        }

        record.Tls = new TlsEvidence { Address = socket.RemoteEndPoint?.ToString() ?? "" };
        using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await stream.AuthenticateAsClientAsync(Settings(attempt.Identifier is IpIdentifier ip ? ip.ReverseName : name), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException)
        {
            return new AcmeProblem(
                ProblemCatalog.Tls, $"The TLS handshake with {name} port {options.Port} failed; TLS 1.2 or 1.3 and the application protocol acme-tls/1 were expected.");
        }

        // The peer owes nothing more: the verdict rests on the handshake, no octet of application data is exchanged (RFC 8737 section 3).
        return Judge(stream, attempt.Identifier, attempt.KeyAuthorizationDigest, record);
    }

    private static AcmeProblem? Judge(SslStream stream, Identifier identifier, ImmutableArray<byte> digest, AttemptRecord record)
    {
        var name = identifier.BaseText;
        var agreed = stream.NegotiatedApplicationProtocol;
        var certificate = stream.RemoteCertificate?.GetRawCertData();
        record.Tls = record.Tls! with
        {
            Protocol = stream.SslProtocol.ToString(),
            Alpn = agreed.Protocol.IsEmpty ? null : PrintableText.Shorten(agreed.ToString(), 64),
            CertificateSha256 = certificate is null ? null : Convert.ToHexStringLower(SHA256.HashData(certificate)),
        };
        if (agreed != Protocol)
        {
            return new AcmeProblem(ProblemCatalog.Unauthorized, $"{name} did not agree on the application protocol acme-tls/1 (RFC 8737 section 3).");
        }

        if (certificate is null)
        {
            return new AcmeProblem(ProblemCatalog.Unauthorized, $"{name} showed no certificate.");
        }

        var fault = AcmeTlsCertificate.Fault(certificate, identifier, [.. digest]);
        return fault is null
            ? null
            : new AcmeProblem(ProblemCatalog.Unauthorized, $"The certificate that {name} showed does not prove control (RFC 8737 section 3): {fault}.");
    }

    // Self-signed by definition, so checked by hand. The policy keeps the chain from being fetched from addresses the certificate names.
    private static SslClientAuthenticationOptions Settings(string serverName) => new()
    {
        TargetHost = serverName,
        ApplicationProtocols = [Protocol],
#pragma warning disable CA5398 // RFC 8737 section 4 demands at least TLS 1.2; the system's default might be lower or higher
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
#pragma warning disable CA5359 // see above
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
    };
}
