using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Acme;

/// <summary>
/// Turns an HTTP request into a <see cref="SignedRequest"/> or a refusal (RFC 8555 sections 6.2 to 6.5): media type, size, JWS, algorithm,
/// url, nonce, key, account. Step 1 of docs/order-flow.md.
/// </summary>
public sealed class SignedRequestReader(
    CaStore store,
    JwsVerifier verifier,
    NonceSource nonces,
    AuthorityUrls urls,
    PersistCaOptions options)
{
    /// <summary>The only media type of signed requests (RFC 8555 section 6.2).</summary>
    public const string MediaType = "application/jose+json";

    private readonly JwsLimits limits = new() { MaxBytes = options.Acme.MaxBodyBytes };

    /// <summary>Reads a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="signedBy">Which key must have signed.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<SignedRequest>> ReadAsync(HttpContext context, SignedBy signedBy, CancellationToken cancel)
    {
        var body = await BodyAsync(context.Request, cancel);
        if (!body.TryGet(out var bytes, out var problem))
        {
            return problem;
        }

        var parsed = FlattenedJws.Parse(bytes, limits);
        if (!parsed.TryGet(out var jws, out problem))
        {
            return problem;
        }

        if ((SignatureAlgorithms.Refuse(jws.Header.Alg) ?? CheckUrl(jws.Header.Url, context.Request) ?? CheckNonceForm(jws.Header.Nonce)) is { } fault)
        {
            return fault;
        }

        var identified = await IdentifyAsync(jws, signedBy, cancel);
        if (!identified.TryGet(out var signer, out problem))
        {
            return problem;
        }

        if (verifier.Verify(jws, signer.Key) is { } unverified)
        {
            return unverified;
        }

        // Spent only now: a request that was not signed by its key must not cost anybody a nonce.
        var verdict = nonces.Spend(jws.Header.Nonce!, out var use);
        if (use is null)
        {
            return BadNonce(verdict);
        }

        if (signer.Account is { IsValid: false } closed)
        {
            return AccountRegistrar.NotValid(closed);
        }

        CrashPoint.Reached("1.verified");
        return new SignedRequest(signer.Key, signer.Account, jws.Payload.ToArray(), use, jws.Header.Url!, LimitDesk.Subject(context.Connection.RemoteIpAddress));
    }

    private async Task<Outcome<byte[]>> BodyAsync(HttpRequest request, CancellationToken cancel)
    {
        var mediaType = request.ContentType?.Split(';', 2)[0].Trim();
        if (!MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase))
        {
            return new AcmeProblem(
                ProblemCatalog.Malformed,
                $"The Content-Type is {(mediaType is null ? "missing" : "'" + Refusals.Shorten(mediaType, 200) + "'")}; expected {MediaType}.")
            { Status = StatusCodes.Status415UnsupportedMediaType };
        }

        var most = options.Acme.MaxBodyBytes;
        if (request.ContentLength > most)
        {
            return TooLarge(most);
        }

        using var buffer = new MemoryStream((int)(request.ContentLength ?? 1024));
        var chunk = new byte[8192];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancel)) > 0)
        {
            if (buffer.Length + read > most)
            {
                return TooLarge(most);
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private AcmeProblem? CheckUrl(string? url, HttpRequest request)
    {
        var expected = urls.Base + request.PathBase + request.Path + request.QueryString;
        return url == expected
            ? null
            : new AcmeProblem(
                ProblemCatalog.Unauthorized,
                url is null
                    ? $"The protected header has no url; expected '{Refusals.Shorten(expected, 200)}' (RFC 8555 section 6.4)."
                    : $"The url in the protected header is '{Refusals.Shorten(url, 200)}'; the request went to '{Refusals.Shorten(expected, 200)}' (RFC 8555 section 6.4).");
    }

    private static AcmeProblem? CheckNonceForm(string? nonce) => nonce switch
    {
        null => new AcmeProblem(ProblemCatalog.BadNonce, "JWS has no anti-replay nonce; take one from newNonce or from the Replay-Nonce of the answer before."),
        _ when nonce.Length == 0 || nonce.Length > 256 || nonce.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) =>
            new AcmeProblem(ProblemCatalog.Malformed, "The nonce in the protected header is not base64url (RFC 8555 section 6.5.2)."),
        _ => null,
    };

    private async Task<Outcome<Signer>> IdentifyAsync(FlattenedJws jws, SignedBy signedBy, CancellationToken cancel)
    {
        if (jws.Header.Kid is { } kid)
        {
            return signedBy == SignedBy.Key
                ? new AcmeProblem(ProblemCatalog.Malformed, "The protected header names an account in kid; this request is to be signed by the key in jwk (RFC 8555 section 6.2).")
                : await AccountAsync(kid, cancel);
        }

        if (signedBy == SignedBy.Account)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The protected header carries a key in jwk; this request is to name the account in kid (RFC 8555 section 6.2).");
        }

        var key = Jwk.Parse(jws.Header.Jwk!.Value);
        return key.TryGet(out var jwk, out var problem) ? new Signer(jwk, null) : problem;
    }

    private async Task<Outcome<Signer>> AccountAsync(string kid, CancellationToken cancel)
    {
        var id = kid.StartsWith(urls.AccountPrefix, StringComparison.Ordinal) ? kid[urls.AccountPrefix.Length..] : "";
        if (!PublicId.LooksRight(id) || await store.AccountAsync(id, cancel) is not { } known)
        {
            return new AcmeProblem(ProblemCatalog.AccountDoesNotExist, $"There is no account '{Refusals.Shorten(kid, 200)}' here; kid is the account URL, {urls.AccountPrefix}ID.");
        }

        return new Signer(known.Key, known.Account);
    }

    private static AcmeProblem BadNonce(NonceVerdict verdict) => new(
        ProblemCatalog.BadNonce,
        "JWS has invalid anti-replay nonce: " + verdict switch
        {
            NonceVerdict.Used => "it was used before.",
            NonceVerdict.Stale => "it is too old.",
            _ => "this server did not issue it.",
        });

    private static AcmeProblem TooLarge(int most) =>
        new(ProblemCatalog.Malformed, $"The request body has more than {most} octets.") { Status = StatusCodes.Status413PayloadTooLarge };

    private sealed record Signer(Jwk Key, Account? Account);
}
