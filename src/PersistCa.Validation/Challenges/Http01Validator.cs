using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Challenges;

/// <summary>
/// http-01 (RFC 8555 section 8.3): a file with the key authorization. A status other than 2xx is unauthorized, a wrong body is
/// incorrectResponse (RFC 8555 section 6.7), everything that keeps us from a complete response is connection, tls or dns. Bodies and addresses
/// never appear in a problem: the target might be a machine that the account could not read itself.
/// </summary>
public sealed class Http01Validator(IDnsResolver resolver, Http01Options options, TimeProvider time) : IChallengeValidator
{
    /// <summary>Path of the file without the token (RFC 8555 section 8.3).</summary>
    public const string PathPrefix = "/.well-known/acme-challenge/";

    private static readonly HttpRequestOptionsKey<Hop> HopKey = new("hop");

    /// <inheritdoc/>
    public ChallengeType Type => ChallengeType.Http01;

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
            var problem = await FetchAsync(attempt, record, either.Token).ConfigureAwait(false);
            return problem is null ? record.Valid("the file holds the key authorization") : record.Invalid(problem);
        }
        catch (OperationCanceledException) when (overall.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return record.Invalid(new AcmeProblem(
                ProblemCatalog.Connection, $"No complete response came from {attempt.Identifier.Text} within {options.Timeout.TotalSeconds:0.##} seconds."));
        }
    }

    private async Task<AcmeProblem?> FetchAsync(ChallengeAttempt attempt, AttemptRecord record, CancellationToken cancellationToken)
    {
        using var client = NewClient();
        // For an address the Host header is the address (RFC 8738 section 5), in brackets for IPv6: as it follows from this URL.
        var url = new UriBuilder(Uri.UriSchemeHttp, attempt.Identifier.BaseText, options.Port, PathPrefix + attempt.Token).Uri;
        for (var redirects = 0; ; redirects++)
        {
            var addresses = await TargetConnection.ResolveAsync(HostOf(url), resolver, options.Target, record, cancellationToken).ConfigureAwait(false);
            if (addresses.IsRefused)
            {
                return addresses.Problem;
            }

            var hop = new Hop(url, addresses.Value);
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version11 };
                request.Options.Set(HopKey, hop);
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
                hop.Status = (int)response.StatusCode;
                if (!HttpRedirect.IsRedirect(response.StatusCode))
                {
                    return await JudgeAsync(response, attempt, hop, cancellationToken).ConfigureAwait(false);
                }

                var next = HttpRedirect.Read(url, response.Headers.Location, attempt.Identifier, options);
                hop.Location = response.Headers.Location?.OriginalString;
                if (!next.IsValid)
                {
                    return new AcmeProblem(ProblemCatalog.Connection, $"The redirect from {Shown(url)} cannot be followed: {next.Reason}.");
                }

                if (redirects == options.MaxRedirects)
                {
                    return new AcmeProblem(
                        ProblemCatalog.Connection, $"{attempt.Identifier.Text} redirects in a loop or too often; at most {options.MaxRedirects} redirects are followed.");
                }

                url = next.Value;
            }
            catch (HttpRequestException failure)
            {
                return Explain(failure, url);
            }
            catch (IOException)
            {
                return new AcmeProblem(ProblemCatalog.Connection, $"The response from {Shown(url)} broke off before its end.");
            }
            finally
            {
                record.Add(hop.Evidence());
            }
        }
    }

    private async Task<AcmeProblem?> JudgeAsync(HttpResponseMessage response, ChallengeAttempt attempt, Hop hop, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            return new AcmeProblem(ProblemCatalog.Unauthorized, $"{Shown(hop.Url)} answered with status {hop.Status}; 200 was expected.");
        }

        if (response.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            return new AcmeProblem(ProblemCatalog.IncorrectResponse, $"The body from {Shown(hop.Url)} is compressed; it was expected as it is.");
        }

        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[options.MaxBodyOctets + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        hop.BodySha256 = Convert.ToHexStringLower(SHA256.HashData(buffer.AsSpan(0, length)));
        if (length > options.MaxBodyOctets)
        {
            return new AcmeProblem(
                ProblemCatalog.IncorrectResponse, $"The body from {Shown(hop.Url)} is longer than {options.MaxBodyOctets} octets; the key authorization alone was expected.");
        }

        // RFC 8555 section 8.3: white space at the end is ignored.
        var body = Encoding.Latin1.GetString(buffer, 0, length).TrimEnd(' ', '\t', '\r', '\n');
        return body == attempt.KeyAuthorization
            ? null
            : new AcmeProblem(
                ProblemCatalog.IncorrectResponse,
                $"The body from {Shown(hop.Url)} ({length} octets) is not the key authorization; \"{attempt.KeyAuthorization}\" was expected.");
    }

    /// <summary>A URL's host: a name, or an address in its one spelling.</summary>
    private static string HostOf(Uri url) =>
        IPAddress.TryParse(url.IdnHost, out var literal) && IpIdentifier.FromOctets(literal.GetAddressBytes()) is { IsValid: true, Value: var ip } ? ip.Text : url.IdnHost;

    private HttpClient NewClient()
    {
        // One handler for each attempt: no connection, cookie or certificate decision outlives it.
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseProxy = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = TimeSpan.Zero,
            MaxResponseHeadersLength = options.MaxHeaderKibibytes,
            MaxResponseDrainSize = 0,
            ConnectCallback = ConnectAsync,
            SslOptions = UncheckedTls(),
        };
        var client = new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("PersistCA");
        client.DefaultRequestHeaders.Accept.ParseAdd("*/*");
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
        return client;
    }

    // The name is about to get its first certificate: whatever it shows now cannot be checked (RFC 8555 section 8.3 allows https only after a
    // redirect, and the proof lies in the body). The policy keeps the chain from being fetched from addresses the certificate names.
    private static SslClientAuthenticationOptions UncheckedTls() => new()
    {
#pragma warning disable CA5359 // see above
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (!context.InitialRequestMessage.Options.TryGetValue(HopKey, out var hop))
        {
            throw new InvalidOperationException("a request without resolved addresses reached the connection");
        }

        var socket = await TargetConnection
            .ConnectAsync(hop.Addresses, context.DnsEndPoint.Port, options.Target, time, cancellationToken).ConfigureAwait(false);
        hop.Address = socket.RemoteEndPoint?.ToString();
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static AcmeProblem Explain(HttpRequestException failure, Uri url) => failure.HttpRequestError switch
    {
        HttpRequestError.SecureConnectionError => new AcmeProblem(ProblemCatalog.Tls, $"The TLS handshake with {Shown(url)} failed."),
        HttpRequestError.ConfigurationLimitExceeded => new AcmeProblem(ProblemCatalog.Connection, $"The response header from {Shown(url)} is too large."),
        HttpRequestError.InvalidResponse => new AcmeProblem(ProblemCatalog.Connection, $"The response from {Shown(url)} is not HTTP."),
        HttpRequestError.ResponseEnded => new AcmeProblem(ProblemCatalog.Connection, $"{Shown(url)} closed the connection before its response."),
        _ => new AcmeProblem(
            ProblemCatalog.Connection,
            $"Fetching {Shown(url)} failed: {TargetConnection.Explain((failure.InnerException as SocketException)?.SocketErrorCode ?? SocketError.SocketError)}."),
    };

    // Origin only: the path of a redirect was chosen by a stranger.
    private static string Shown(Uri url) => PrintableText.Shorten(url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped), 300);

    private sealed class Hop(Uri url, ImmutableArray<PermittedAddress> addresses)
    {
        public Uri Url { get; } = url;

        public ImmutableArray<PermittedAddress> Addresses { get; } = addresses;

        public string? Address { get; set; }

        public int? Status { get; set; }

        public string? Location { get; set; }

        public string? BodySha256 { get; set; }

        public HttpHopEvidence Evidence() => new()
        {
            Url = Url.AbsoluteUri,
            Address = Address,
            Status = Status,
            Location = Location,
            BodySha256 = BodySha256,
        };
    }
}
