using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Server.Registration;

/// <summary>Revokes certificates (RFC 8555 section 7.6).</summary>
public sealed class RevocationDesk(CaStore store, CrlSignal crl)
{
    /// <summary>Largest certificate looked at, octets.</summary>
    public const int MaxCertificateBytes = 64 * 1024;

    /// <summary>Revokes a certificate for its account, for an account that may speak for all its names, or for the holder of its key.</summary>
    /// <param name="account">The account that signed; null when a bare key did.</param>
    /// <param name="key">The key that signed.</param>
    /// <param name="actor">Who acts.</param>
    /// <param name="certificate">The certificate, base64url DER.</param>
    /// <param name="reason">CRL reason code; null for none.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<IssuedCertificate>> RevokeAsync(Account? account, Jwk key, Actor actor, string certificate, int? reason, CancellationToken cancel)
    {
        var decoded = Base64UrlText.Decode(certificate);
        if (!decoded.IsValid)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The certificate is not base64url: {decoded.Reason}. PEM is not expected here.");
        }

        var read = Read(decoded.Value);
        if (!read.TryGet(out var facts, out var problem))
        {
            return problem;
        }

        if (RevocationReasons.Judge(reason) is { } refused)
        {
            return refused;
        }

        var outcome = await store.WriteAsync<IssuedCertificate>(
            actor,
            async t =>
            {
                // The whole certificate is compared: a serial alone is public, and a forged twin must not stand in for ours.
                var found = await t.Db.Certificates.FirstOrDefaultAsync(c => c.Serial == facts.Serial, cancel);
                if (found?.Der is null || !found.Der.AsSpan().SequenceEqual(decoded.Value))
                {
                    return new AcmeProblem(ProblemCatalog.Malformed, "This certificate was not issued here.") { Status = 404 };
                }

                if (!await MayRevokeAsync(t, found, facts, account, key, cancel))
                {
                    return new AcmeProblem(
                        ProblemCatalog.Unauthorized,
                        "The request is signed neither by the certificate's account, nor by one with valid authorizations for all its names, nor by the certificate's own key.");
                }

                if (found.Status == CertificateStatus.Revoked)
                {
                    return new AcmeProblem(ProblemCatalog.AlreadyRevoked, $"The certificate was revoked at {AcmeJson.Time(found.RevokedAt!.Value)}.");
                }

                var recorded = RevocationReasons.Recorded(reason);
                found.Revoke(recorded, t.Now);
                t.Audit(AuditKinds.CertificateRevoked, "certificate:" + found.PublicId, ("serial", found.Serial), ("reason", recorded?.ToString(System.Globalization.CultureInfo.InvariantCulture)));
                t.AfterCommit(crl.Raise);
                return found;
            },
            cancel);
        if (!outcome.IsRefused)
        {
            CaTelemetry.Revoked.Add(1);
        }

        return outcome;
    }

    private static async Task<bool> MayRevokeAsync(StoreTransaction t, IssuedCertificate found, Facts facts, Account? account, Jwk key, CancellationToken cancel)
    {
        if (account is null)
        {
            return key.SubjectPublicKeyInfo().AsSpan().SequenceEqual(facts.SubjectPublicKeyInfo);
        }

        if (found.AccountId == account.Id)
        {
            return true;
        }

        var order = await t.Db.Orders.FirstAsync(o => o.Id == found.OrderId, cancel);
        var now = t.Now;
        var held = await t.Db.Authorizations
            .Where(a => a.AccountId == account.Id && a.Status == AuthorizationStatus.Valid && a.ExpiresAt > now)
            .Select(a => new { a.Name, a.IsWildcard })
            .ToListAsync(cancel);
        return order.Names.All(n => held.Any(h => (h.IsWildcard ? "*." + h.Name : h.Name) == n));
    }

    private static Outcome<Facts> Read(byte[] der)
    {
        if (der.Length > MaxCertificateBytes)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The certificate has {der.Length} octets; at most {MaxCertificateBytes} are read.");
        }

        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return new Facts(Convert.ToHexStringLower(certificate.SerialNumberBytes.Span), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The certificate is not an X.509 certificate in DER.");
        }
    }

    private sealed record Facts(string Serial, byte[] SubjectPublicKeyInfo);
}

/// <summary>Tells the CRL worker of this node that something was revoked.</summary>
public sealed class CrlSignal : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);

    /// <summary>Something was revoked.</summary>
    public void Raise()
    {
        lock (raised)
        {
            if (raised.CurrentCount == 0)
            {
                raised.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => raised.Dispose();

    /// <summary>Waits for a revocation, at most this long.</summary>
    public async Task WaitAsync(TimeSpan most, TimeProvider clock, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = clock.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, most, Timeout.InfiniteTimeSpan);
        try
        {
            await raised.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // The time to look has come.
        }
    }
}
