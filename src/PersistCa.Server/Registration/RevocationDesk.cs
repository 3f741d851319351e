using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Crl;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Hosting;
using PersistCa.Server.Telemetry;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Storage.Status;

namespace PersistCa.Server.Registration;

/// <summary>Revokes certificates (RFC 8555 section 7.6).</summary>
public sealed class RevocationDesk(CaStore store, CrlSignal crl, PersistCaOptions options)
{
    /// <summary>Largest certificate looked at, octets.</summary>
    public const int MaxCertificateBytes = 64 * 1024;

    /// <summary>Most certificates that one transaction revokes; more of them with one key follow a moment later.</summary>
    public const int MostAtOnce = 500;

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

                var right = await RightAsync(t, found, facts, account, key, cancel);
                if (right == Right.None)
                {
                    return new AcmeProblem(
                        ProblemCatalog.Unauthorized,
                        "The request is signed neither by the certificate's account, nor by one with valid authorizations for all its names, nor by the certificate's own key.");
                }

                if (right != Right.Key && (await t.Db.ScopeAsync(account!, cancel)).RefuseAct(ScopedAct.Revocation, t.Now) is { } stopped)
                {
                    return stopped;
                }

                return await DecideAsync(t, found, right, RevocationReasons.Recorded(reason), cancel);
            },
            cancel);
        if (!outcome.IsRefused)
        {
            CaTelemetry.Revoked.Add(1);
        }

        return outcome;
    }

    /// <summary>Revokes certificates whose key was proven to be compromised and that no request reached, because there were too many or one was just being issued.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RevokeCompromisedAsync(CancellationToken cancel)
    {
        if (!options.Issuance.RevokeSameKey || (await store.ReadAsync(db => db.CompromisedCertificatesAsync(store.Now, 1, cancel), cancel)).Count == 0)
        {
            return 0;
        }

        var outcome = await store.WriteAsync<List<IssuedCertificate>>(
            Actor.Server,
            async t =>
            {
                var found = await t.Db.CompromisedCertificatesAsync(t.Now, MostAtOnce, cancel);
                await ChangeAsync(t, found, RevocationReasons.KeyCompromise, cancel);
                return found;
            },
            cancel);
        CaTelemetry.Revoked.Add(outcome.Value.Count);
        return outcome.Value.Count;
    }

    /// <summary>Revokes, or upgrades what is revoked already to keyCompromise (Baseline Requirements section 7.2.2).</summary>
    private async Task<Outcome<IssuedCertificate>> DecideAsync(StoreTransaction t, IssuedCertificate found, Right right, int? reason, CancellationToken cancel)
    {
        var compromise = reason == RevocationReasons.KeyCompromise;
        var proven = compromise && right == Right.Key;
        if (found.Status == CertificateStatus.Revoked)
        {
            // Who may speak for the names today need not know what became of a key of yesterday.
            var upgrade = compromise && right != Right.Authorizations && found.RevocationReason != RevocationReasons.KeyCompromise;
            var news = proven && !await t.Db.BlockedKeys.AnyAsync(b => b.Fingerprint == found.KeyFingerprint && b.Proven, cancel);
            if (!upgrade && !news)
            {
                return new AcmeProblem(ProblemCatalog.AlreadyRevoked, $"The certificate was revoked at {AcmeJson.Time(found.RevokedAt!.Value)}.");
            }
        }

        List<IssuedCertificate> changed = [found];
        if (compromise)
        {
            await t.BlockKeyAsync(found.KeyFingerprint, found.Serial, proven, cancel);
            t.Audit(AuditKinds.KeyBlocked, "certificate:" + found.PublicId, ("key", found.KeyFingerprint), ("proven", proven ? "yes" : null));
        }

        if (proven && options.Issuance.RevokeSameKey)
        {
            var now = t.Now;
            changed.AddRange(await t.Db.Certificates
                .Where(c => c.KeyFingerprint == found.KeyFingerprint && c.Id != found.Id && c.NotAfter >= now
                    && (c.Status == CertificateStatus.Issued || (c.Status == CertificateStatus.Revoked && c.RevocationReason != RevocationReasons.KeyCompromise)))
                .OrderBy(c => c.Id)
                .Take(MostAtOnce)
                .ToListAsync(cancel));
        }

        await ChangeAsync(t, changed, reason, cancel);
        return found;
    }

    /// <summary>Revokes certificates, or upgrades them to keyCompromise, with everything that goes with it: audit, OCSP answers, the next list.</summary>
    /// <param name="t">The change.</param>
    /// <param name="certificates">The certificates; those for which there is nothing to do stay as they are.</param>
    /// <param name="reason">The reason as recorded.</param>
    /// <param name="cancel">Stops.</param>
    /// <param name="proposal">Id of the proposal that is carried out, for the audit; null for none.</param>
    internal async Task ChangeAsync(StoreTransaction t, IReadOnlyList<IssuedCertificate> certificates, int? reason, CancellationToken cancel, string? proposal = null)
    {
        foreach (var certificate in certificates)
        {
            var kind = AuditKinds.CertificateRevoked;
            if (certificate.Status != CertificateStatus.Revoked)
            {
                certificate.Revoke(reason, t.Now);
            }
            else if (reason == RevocationReasons.KeyCompromise && certificate.RevocationReason != reason)
            {
                certificate.UpgradeToKeyCompromise(t.Now);
                kind = AuditKinds.RevocationUpgraded;
            }
            else
            {
                continue; // its key is only now proven to be compromised
            }

            t.Audit(
                kind,
                "certificate:" + certificate.PublicId,
                ("serial", certificate.Serial),
                ("reason", reason?.ToString(CultureInfo.InvariantCulture)),
                ("proposal", proposal));
        }

        await t.WithdrawOcspAnswersAsync([.. certificates.Select(c => c.Serial)], cancel);
        t.AfterCommit(crl.Raise);
    }

    /// <summary>By what right a request may revoke (RFC 8555 section 7.6).</summary>
    private static async Task<Right> RightAsync(StoreTransaction t, IssuedCertificate found, Facts facts, Account? account, Jwk key, CancellationToken cancel)
    {
        if (account is null)
        {
            return key.SubjectPublicKeyInfo().AsSpan().SequenceEqual(facts.SubjectPublicKeyInfo) ? Right.Key : Right.None;
        }

        if (found.AccountId == account.Id)
        {
            return Right.Account;
        }

        var order = await t.Db.Orders.FirstAsync(o => o.Id == found.OrderId, cancel);
        var now = t.Now;
        var held = await t.Db.Authorizations
            .Where(a => a.AccountId == account.Id && a.Status == AuthorizationStatus.Valid && a.ExpiresAt > now)
            .Select(a => new { a.Name, a.IsWildcard })
            .ToListAsync(cancel);
        return order.Names.All(n => held.Any(h => (h.IsWildcard ? "*." + h.Name : h.Name) == n)) ? Right.Authorizations : Right.None;
    }

    private enum Right
    {
        None = 0,
        Authorizations = 1,
        Account = 2,
        Key = 3,
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
