using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>Makes the certificates of a new hierarchy (Baseline Requirements sections 7.1.2.1 and 7.1.2.6).</summary>
public static class HierarchyCreation
{
    /// <summary>Longest organization or common name, characters.</summary>
    public const int MaxNameLength = AuthorityName.MaxLength;

    /// <summary>Makes a self-signed root and an issuing authority below it.</summary>
    /// <param name="request">What they are to look like.</param>
    /// <param name="rootKey">Signs both.</param>
    /// <param name="issuingKey">The issuing authority's key; only its public half is used.</param>
    /// <param name="cancellationToken">Stops before a signature.</param>
    /// <exception cref="ArgumentException">A name, country or validity of the request is outside its limits, both keys are one, or the lint found an error.</exception>
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

        var rootName = Sound(AuthorityName.Of(request.Country, request.Organization, request.RootCommonName ?? request.Organization + " Root"));
        var issuingName = Sound(AuthorityName.Of(request.Country, request.Organization, request.IssuingCommonName ?? request.Organization + " Issuing 1"));
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
        var root = new AuthorityCertificate
        {
            Kind = AuthorityKind.Root,
            Serial = SerialNumbers.Next(),
            Issuer = rootName,
            Subject = rootName,
            Algorithm = rootKey.Algorithm.Name,
            NotBefore = notBefore,
            NotAfter = rootEnd,
            Key = rootKey.SubjectPublicKeyInfo,
            IssuerKeyIdentifier = rootId,
            KeyIdentifier = rootId,
            PathLength = request.RootPathLength,
        };
        var issuing = new AuthorityCertificate
        {
            Kind = AuthorityKind.Subordinate,
            Serial = SerialNumbers.Next(),
            Issuer = rootName,
            Subject = issuingName,
            Algorithm = rootKey.Algorithm.Name,
            NotBefore = notBefore,
            NotAfter = issuingEnd < rootEnd ? issuingEnd : rootEnd,
            Key = issuingKey.SubjectPublicKeyInfo,
            IssuerKeyIdentifier = rootId,
            KeyIdentifier = CertificateTbs.KeyIdentifier(issuingKey.SubjectPublicKeyInfo),
            PathLength = 0,
            Purposes = AuthorityCertificate.ServersAndClients,
            Names = request.IssuingNames,
            CertificateUrl = request.RootCertificateUrl,
            CrlUrl = request.RootCrlUrl,
        };
        var (rootTbs, issuingTbs) = (Sound(root.Encode()), Sound(issuing.Encode()));
        return new NewHierarchy(
            await SignedParts.SignAsync(rootTbs, rootKey, cancellationToken),
            await SignedParts.SignAsync(issuingTbs, rootKey, cancellationToken));
    }

    private static byte[] Sound(Parsed<byte[]> made) => made.IsValid ? made.Value : throw new ArgumentException("the request cannot be met: " + made.Reason);
}
