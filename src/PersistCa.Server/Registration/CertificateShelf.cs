using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Publication;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Storage;

namespace PersistCa.Server.Registration;

/// <summary>A certificate's chains in PEM: the default first, alternates after it.</summary>
public sealed record CertificateChains(IReadOnlyList<string> Chains);

/// <summary>Hands certificates out (RFC 8555 section 7.4.2). Leaf first, each certificate signed by the next.</summary>
public sealed class CertificateShelf(CaStore store, IssuerBook book, PersistCaOptions options)
{
    // Issuer rows never change once written.
    private readonly ConcurrentDictionary<string, IssuerRow> issuers = new();

    /// <summary>Reads the chains of an account's certificate.</summary>
    public async Task<Outcome<CertificateChains>> FindAsync(Account account, string certificateId, CancellationToken cancel)
    {
        var found = PublicId.LooksRight(certificateId)
            ? await store.CertificateAsync(certificateId, cancel)
            : null;
        if (found?.Der is null)
        {
            return Refusals.NoSuchResource("certificate");
        }

        if (found.AccountId != account.Id)
        {
            return Refusals.NotYours("certificate");
        }

        return await ChainsAsync(found, cancel);
    }

    /// <summary>The chains of a certificate.</summary>
    /// <returns>The chains; malformed with 404 for one that is not signed.</returns>
    internal async Task<Outcome<CertificateChains>> ChainsAsync(IssuedCertificate found, CancellationToken cancel)
    {
        if (found.Der is null)
        {
            return Refusals.NoSuchResource("certificate");
        }

        if (!issuers.TryGetValue(found.IssuerId, out var issuer))
        {
            issuer = await store.ReadAsync(db => db.Issuers.FirstAsync(i => i.Id == found.IssuerId, cancel), cancel);
            issuers[found.IssuerId] = issuer;
        }

        // The root last: without it by default, since who trusts it has it; with it as the alternate, for those who load chains whole.
        List<byte[]> whole = [found.Der, issuer.CertificateDer, .. issuer.ChainDer];
        var full = string.Concat(whole.Select(c => Pem.Certificate(c)));
        var others = book.Find(found.IssuerId)?.AlternateChains.Select(c => string.Concat(c.Prepend(found.Der).Select(d => Pem.Certificate(d)))) ?? [];
        if (issuer.ChainDer.Count == 0)
        {
            return new CertificateChains([full, .. others]);
        }

        var withoutRoot = string.Concat(whole.SkipLast(1).Select(c => Pem.Certificate(c)));
        return new CertificateChains(options.Issuance.RootInChain ? [full, withoutRoot, .. others] : [withoutRoot, full, .. others]);
    }
}
