using System.Collections.Immutable;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ocsp;

/// <summary>
/// Who signs answers: somebody in an issuer's place, so that the issuing key is touched once for each signer and not for each answer, or the issuer itself
/// (RFC 6960 section 4.2.2.2). The key stays its giver's to dispose.
/// </summary>
public sealed class OcspSigner
{
    /// <summary>Longest validity of a signer's certificate: nobody can revoke it, since clients do not ask about it.</summary>
    public static readonly TimeSpan MaxValidity = TimeSpan.FromDays(30);

    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(1);

    private OcspSigner(string issuerId, byte[] certificateDer, ISigningKey key, TbsFields fields, bool isDelegated)
    {
        IsDelegated = isDelegated;
        IssuerId = issuerId;
        CertificateDer = certificateDer;
        Key = key;
        Serial = Convert.ToHexStringLower(fields.Serial.Span);
        NotBefore = fields.NotBefore.At;
        NotAfter = fields.NotAfter.At;
    }

    /// <summary>For which issuer it signs.</summary>
    public string IssuerId { get; }

    /// <summary>Whether it signs in the issuer's place; its certificate stands in its answers then.</summary>
    public bool IsDelegated { get; }

    /// <summary>Its certificate, DER.</summary>
    public byte[] CertificateDer { get; }

    /// <summary>Its key.</summary>
    public ISigningKey Key { get; }

    /// <summary>Serial number of its certificate, lower-case hex.</summary>
    public string Serial { get; }

    /// <summary>Start of its validity.</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>End of its validity, inclusive.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>When another should take its place: at half of its life, long before any answer could outlive it.</summary>
    public DateTimeOffset ReplaceAt => NotBefore + ((NotAfter - NotBefore) / 2);

    /// <summary>Lets an issuer make the certificate of a signer: OCSPSigning alone, nocheck, no revocation pointer and no name (Baseline Requirements section 7.1.2.8).</summary>
    /// <param name="issuer">Who signs the certificate.</param>
    /// <param name="key">The signer's key, not the issuer's.</param>
    /// <param name="now">The time.</param>
    /// <param name="validity">Validity, inclusive; at most <see cref="MaxValidity"/>, cut to the issuer's.</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <exception cref="ArgumentException">The validity is too long, the key is the issuer's, or the issuer has expired.</exception>
    /// <exception cref="InvalidOperationException">The lint found an error in what was to be signed.</exception>
    public static async ValueTask<OcspSigner> CreateAsync(Issuer issuer, ISigningKey key, DateTimeOffset now, TimeSpan validity, CancellationToken cancellationToken = default)
    {
        if (validity > MaxValidity || key.SubjectPublicKeyInfo.AsSpan().SequenceEqual(issuer.Key.SubjectPublicKeyInfo))
        {
            throw new ArgumentException($"a signer's certificate lives at most {MaxValidity.TotalDays} days and has a key of its own", nameof(validity));
        }

        var from = CertificateTbs.WholeSeconds(now - Backdate);
        from = from > issuer.NotBefore ? from : issuer.NotBefore;
        var to = CertificateTbs.WholeSeconds(from + validity - TimeSpan.FromSeconds(1));
        to = to < issuer.NotAfter ? to : issuer.NotAfter;
        if (to <= now)
        {
            throw new ArgumentException($"no validity is left: the issuer expires at {issuer.NotAfter:u}", nameof(issuer));
        }

        var tbs = Encode(issuer, key, from, to);
        var errors = TbsLint.Check(tbs, Context(issuer, now)).Where(f => f.Severity == LintSeverity.Error).Select(f => $"{f.Id}: {f.Message}").ToList();
        return errors.Count > 0
            ? throw new InvalidOperationException("the signer's certificate was not signed, because its lint found: " + string.Join("; ", errors))
            : Load(issuer, await SignedParts.SignAsync(tbs, issuer.Key, cancellationToken), key).Value!;
    }

    /// <summary>The issuer itself, with its own key.</summary>
    public static OcspSigner Of(Issuer issuer) =>
        new(issuer.IssuerId, issuer.CertificateDer, issuer.Key, TbsFields.Read(SignedParts.Read(issuer.CertificateDer).Value!.ToBeSigned).Value!, isDelegated: false);

    /// <summary>Takes a signer that was made before.</summary>
    /// <param name="issuer">For which issuer.</param>
    /// <param name="certificateDer">Its certificate.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The signer; or why certificate, key and issuer do not belong together.</returns>
    public static Parsed<OcspSigner> Load(Issuer issuer, byte[] certificateDer, ISigningKey key)
    {
        var parts = SignedParts.Read(certificateDer);
        var fields = parts.IsValid ? TbsFields.Read(parts.Value.ToBeSigned) : Parsed<TbsFields>.Refused(parts.Reason);
        if (!fields.IsValid)
        {
            return Parsed<OcspSigner>.Refused("the signer's certificate cannot be read: " + fields.Reason);
        }

        if (!fields.Value.SubjectPublicKeyInfo.Span.SequenceEqual(key.SubjectPublicKeyInfo))
        {
            return Parsed<OcspSigner>.Refused("the key is not that of the signer's certificate");
        }

        return fields.Value.Issuer.Span.SequenceEqual(issuer.SubjectDer.Span)
            && SigningAlgorithms.Verify(issuer.Key.SubjectPublicKeyInfo, issuer.Key.Algorithm, parts.Value!.ToBeSigned.Span, parts.Value.Signature.Span)
            ? Parsed<OcspSigner>.Ok(new OcspSigner(issuer.IssuerId, certificateDer, key, fields.Value, isDelegated: true))
            : Parsed<OcspSigner>.Refused("the signer's certificate was not signed by the issuer");
    }

    private static LintContext Context(Issuer issuer, DateTimeOffset now) => new()
    {
        Kind = CertificateKind.OcspSigner,
        IssuerSubjectDer = issuer.SubjectDer,
        IssuerKeyIdentifier = issuer.KeyIdentifier,
        IssuerNotAfter = issuer.NotAfter,
        SignatureAlgorithm = issuer.Key.Algorithm.AlgorithmIdentifier,
        MaxValidity = MaxValidity,
        SignedAt = now,
        Purposes = [Oids.OcspSigning],
        Names = ImmutableArray<Protocol.Identifiers.Identifier>.Empty,
    };

    private static byte[] Encode(Issuer issuer, ISigningKey key, DateTimeOffset from, DateTimeOffset to) => new CertificateTbs
    {
        Serial = SerialNumbers.Next(),
        IssuerDer = issuer.SubjectDer,
        SubjectDer = new X509Name([X509Name.CN], new List<string> { "OCSP signer of " + issuer.IssuerId }).GetEncoded(Asn1Encodable.Der),
        Algorithm = issuer.Key.Algorithm,
        NotBefore = from,
        NotAfter = to,
        SubjectPublicKeyInfo = key.SubjectPublicKeyInfo,
    }.Encode(
    [
        (X509Extensions.KeyUsage, true, new KeyUsage(KeyUsage.DigitalSignature)),
        (X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeID.id_kp_OCSPSigning)),
        (X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(issuer.KeyIdentifier)),
        (new DerObjectIdentifier(Oids.OcspNoCheck), false, DerNull.Instance),
    ]);
}
