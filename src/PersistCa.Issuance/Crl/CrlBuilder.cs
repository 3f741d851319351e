using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Crl;

/// <summary>An entry of a revocation list.</summary>
/// <param name="Serial">Serial number, hex of its content octets.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="Reason">An accepted reason code, null or 0 for none.</param>
public sealed record RevokedCertificate(string Serial, DateTimeOffset RevokedAt, int? Reason);

/// <summary>Makes certificate revocation lists (RFC 5280 section 5, Baseline Requirements section 7.2).</summary>
public static class CrlBuilder
{
    /// <summary>Makes and signs a complete v2 list.</summary>
    /// <param name="issuer">Whose list it is.</param>
    /// <param name="number">CRL number, 1 or more, higher than that of every list before.</param>
    /// <param name="revoked">The revoked certificates, in any order, each once. A time after thisUpdate is given as thisUpdate.</param>
    /// <param name="thisUpdate">The time of the list.</param>
    /// <param name="nextUpdate">When the next list will be out at the latest.</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <returns>The list, DER; entries sorted by serial number.</returns>
    /// <exception cref="ArgumentException">The number is not positive, the times are in the wrong order, or an entry is double or has a reason that is not accepted.</exception>
    /// <exception cref="InvalidOperationException">The lint found an error in what was to be signed.</exception>
    public static ValueTask<byte[]> BuildAsync(
        Issuer issuer,
        long number,
        IEnumerable<RevokedCertificate> revoked,
        DateTimeOffset thisUpdate,
        DateTimeOffset nextUpdate,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number);
        thisUpdate = CertificateTbs.WholeSeconds(thisUpdate);
        nextUpdate = CertificateTbs.WholeSeconds(nextUpdate);
        if (nextUpdate <= thisUpdate)
        {
            throw new ArgumentException($"nextUpdate {nextUpdate:u} is not later than thisUpdate {thisUpdate:u}", nameof(nextUpdate));
        }

        var generator = new V2TbsCertListGenerator();
        generator.SetSignature(AlgorithmIdentifier.GetInstance(Asn1Object.FromByteArray(issuer.Key.Algorithm.AlgorithmIdentifier.ToArray())));
        generator.SetIssuer(X509Name.GetInstance(Asn1Object.FromByteArray(issuer.SubjectDer.ToArray())));
        generator.SetThisUpdate(new Time(thisUpdate.UtcDateTime));
        generator.SetNextUpdate(new Time(nextUpdate.UtcDateTime));

        // Without an entry the generator leaves the list out, as RFC 5280 section 5.1.2.6 demands.
        var seen = new HashSet<BigInteger>();
        foreach (var (serial, entry) in revoked.Select(r => (new BigInteger(1, Convert.FromHexString(r.Serial)), r)).OrderBy(r => r.Item1))
        {
            if (!seen.Add(serial))
            {
                throw new ArgumentException($"the serial number {entry.Serial} stands there twice", nameof(revoked));
            }

            if (RevocationReasons.Judge(entry.Reason) is { } refusal)
            {
                throw new ArgumentException(refusal.Detail, nameof(revoked));
            }

            // The clock of the node that revoked it may be ahead: the list says that it is revoked now, which is true, rather than nothing.
            var revokedAt = CertificateTbs.WholeSeconds(entry.RevokedAt);
            revokedAt = revokedAt < thisUpdate ? revokedAt : thisUpdate;
            generator.AddCrlEntry(new DerInteger(serial), new Time(revokedAt.UtcDateTime), EntryExtensions(RevocationReasons.Recorded(entry.Reason)));
        }

        var extensions = new X509ExtensionsGenerator();
        extensions.AddExtension(X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(issuer.KeyIdentifier));
        extensions.AddExtension(X509Extensions.CrlNumber, false, new DerInteger(BigInteger.ValueOf(number)));
        generator.SetExtensions(extensions.Generate());
        var tbs = generator.GenerateTbsCertList().GetEncoded(Asn1Encodable.Der);
        RefuseUnsound(tbs, issuer);
        return SignedParts.SignAsync(tbs, issuer.Key, cancellationToken);
    }

    /// <summary>Lints the list with a placeholder for its signature (Baseline Requirements section 4.3.1.2), before the key is touched.</summary>
    private static void RefuseUnsound(byte[] tbs, Issuer issuer)
    {
        var twin = CrlFacts.Read(SignedParts.Assemble(tbs, issuer.Key.Algorithm.AlgorithmIdentifier.Span, [0]), int.MaxValue);
        var context = new CrlLintContext { IssuerKeyIdentifier = issuer.KeyIdentifier, IssuerSubjectDer = issuer.SubjectDer };
        var errors = twin.IsValid
            ? [.. CrlLint.Check(twin.Value, context).Where(f => f.Severity == LintSeverity.Error).Select(f => $"{f.Id}: {f.Message}")]
            : new List<string> { twin.Reason };
        if (errors.Count > 0)
        {
            throw new InvalidOperationException("the list was not signed, because its lint found: " + string.Join("; ", errors));
        }
    }

    private static X509Extensions? EntryExtensions(int? reason)
    {
        if (reason is not { } code)
        {
            return null;
        }

        var extensions = new X509ExtensionsGenerator();
        extensions.AddExtension(X509Extensions.ReasonCode, false, new CrlReason(code));
        return extensions.Generate();
    }
}
