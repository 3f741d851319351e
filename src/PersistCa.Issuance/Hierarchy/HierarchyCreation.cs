using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>Makes the certificates of a new hierarchy (Baseline Requirements sections 7.1.2.1 and 7.1.2.6).</summary>
public static class HierarchyCreation
{
    /// <summary>Longest organization or common name (RFC 5280 appendix A.1, ub-organization-name and ub-common-name).</summary>
    public const int MaxNameLength = 64;

    /// <summary>Makes a self-signed root and an issuing authority below it.</summary>
    /// <param name="request">What they are to look like.</param>
    /// <param name="rootKey">Signs both.</param>
    /// <param name="issuingKey">The issuing authority's key; only its public half is used.</param>
    /// <param name="cancellationToken">Stops before a signature.</param>
    /// <exception cref="ArgumentException">A name, country or validity of the request is outside its limits, or both keys are one.</exception>
    public static async ValueTask<NewHierarchy> CreateAsync(HierarchyRequest request, ISigningKey rootKey, ISigningKey issuingKey, CancellationToken cancellationToken = default)
    {
        if (rootKey.SubjectPublicKeyInfo.AsSpan().SequenceEqual(issuingKey.SubjectPublicKeyInfo))
        {
            throw new ArgumentException("the root and the issuing authority need different keys", nameof(issuingKey));
        }

        if (request.RootValidity < TimeSpan.FromDays(1) || request.IssuingValidity < TimeSpan.FromDays(1))
        {
            throw new ArgumentException("a validity is shorter than a day", nameof(request));
        }

        var rootName = Name(request, request.RootCommonName ?? request.Organization + " Root");
        var issuingName = Name(request, request.IssuingCommonName ?? request.Organization + " Issuing 1");
        if (rootName.AsSpan().SequenceEqual(issuingName))
        {
            throw new ArgumentException("the root and the issuing authority need different names", nameof(request));
        }

        // Never later than the signing, at most 24 hours earlier (Baseline Requirements section 7.1.2.1.1).
        var notBefore = CertificateTbs.WholeSeconds(request.Now);
        var second = TimeSpan.FromSeconds(1);
        var rootEnd = CertificateTbs.WholeSeconds(notBefore + request.RootValidity - second);
        var issuingEnd = CertificateTbs.WholeSeconds(notBefore + request.IssuingValidity - second);
        var rootId = CertificateTbs.KeyIdentifier(rootKey.SubjectPublicKeyInfo);

        var rootTbs = new CertificateTbs
        {
            Serial = SerialNumbers.Next(),
            IssuerDer = rootName,
            SubjectDer = rootName,
            Algorithm = rootKey.Algorithm,
            NotBefore = notBefore,
            NotAfter = rootEnd,
            SubjectPublicKeyInfo = rootKey.SubjectPublicKeyInfo,
        }.Encode(
        [
            (X509Extensions.BasicConstraints, true, request.RootPathLength is { } length ? new BasicConstraints(length) : new BasicConstraints(true)),
            (X509Extensions.KeyUsage, true, new KeyUsage(rootKey.Algorithm.AuthorityUsage)),
            (X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(rootId)),
            (X509Extensions.SubjectKeyIdentifier, false, new SubjectKeyIdentifier(rootId)),
        ]);

        var extensions = new List<(DerObjectIdentifier, bool, Asn1Encodable)>
        {
            (X509Extensions.BasicConstraints, true, new BasicConstraints(0)),
            (X509Extensions.KeyUsage, true, new KeyUsage(issuingKey.Algorithm.AuthorityUsage)),
            (X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeID.id_kp_serverAuth, KeyPurposeID.id_kp_clientAuth)),
            (X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(rootId)),
            (X509Extensions.SubjectKeyIdentifier, false, new SubjectKeyIdentifier(CertificateTbs.KeyIdentifier(issuingKey.SubjectPublicKeyInfo))),
        };
        if (request.RootCertificateUrl is { } certificateUrl)
        {
            extensions.Add(CertificateTbs.CaIssuers(certificateUrl));
        }

        if (request.RootCrlUrl is { } crlUrl)
        {
            extensions.Add(CertificateTbs.CrlDistributionPoint(crlUrl));
        }

        var issuingTbs = new CertificateTbs
        {
            Serial = SerialNumbers.Next(),
            IssuerDer = rootName,
            SubjectDer = issuingName,
            Algorithm = rootKey.Algorithm,
            NotBefore = notBefore,
            NotAfter = issuingEnd < rootEnd ? issuingEnd : rootEnd,
            SubjectPublicKeyInfo = issuingKey.SubjectPublicKeyInfo,
        }.Encode(extensions);

        return new NewHierarchy(
            await SignedParts.SignAsync(rootTbs, rootKey, cancellationToken),
            await SignedParts.SignAsync(issuingTbs, rootKey, cancellationToken));
    }

    /// <summary>C, O, CN in the order of Baseline Requirements section 7.1.4.2, one attribute in each RDN.</summary>
    private static byte[] Name(HierarchyRequest request, string commonName)
    {
        if (request.Organization.Length is 0 or > MaxNameLength || commonName.Length is 0 or > MaxNameLength)
        {
            throw new ArgumentException($"organization and common name need 1 to {MaxNameLength} characters", nameof(request));
        }

        var oids = new List<DerObjectIdentifier>();
        var values = new List<string>();
        if (request.Country is { } country)
        {
            if (country.Length != 2 || !country.All(char.IsAsciiLetterUpper))
            {
                throw new ArgumentException("the country needs two upper-case letters", nameof(request));
            }

            oids.Add(X509Name.C);
            values.Add(country);
        }

        oids.AddRange([X509Name.O, X509Name.CN]);
        values.AddRange([request.Organization, commonName]);
        return new X509Name(oids, values).GetEncoded(Asn1Encodable.Der);
    }
}
