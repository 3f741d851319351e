using System.Collections.Immutable;
using System.Net;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Publication;

/// <summary>What the server's own TLS certificate is to be made of.</summary>
public sealed record SelfCertificateRequest
{
    /// <summary>Domain names the server is reached by.</summary>
    public required ImmutableArray<DnsName> Names { get; init; }

    /// <summary>Addresses the server is reached by.</summary>
    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>The server's TLS key, DER: not an issuer's.</summary>
    public required ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; init; }

    /// <summary>The time.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Validity, inclusive; cut to the issuer's.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How far notBefore lies before the time.</summary>
    public TimeSpan Backdate { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>localhost, 127.0.0.1 and ::1.</summary>
    public static SelfCertificateRequest Loopback(ReadOnlyMemory<byte> subjectPublicKeyInfo, DateTimeOffset now) => new()
    {
        Names = [DnsName.Parse("localhost").Value ?? throw new InvalidOperationException("localhost is a name")],
        Addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback],
        SubjectPublicKeyInfo = subjectPublicKeyInfo,
        Now = now,
    };
}

/// <summary>
/// The server's own TLS certificate, from its own authority. Its names and addresses are the operator's, so that no challenge proves them.
/// </summary>
public static class SelfCertificate
{
    /// <summary>Makes and signs it.</summary>
    /// <returns>The certificate, DER.</returns>
    /// <exception cref="ArgumentException">There is neither name nor address, a name lies outside the issuer's name constraints, the key is not accepted or is the issuer's, or the issuer has expired.</exception>
    public static ValueTask<byte[]> IssueAsync(Issuer issuer, SelfCertificateRequest request, CancellationToken cancellationToken = default)
    {
        GeneralName[] names =
        [
            .. request.Names.Distinct().Select(n => new GeneralName(GeneralName.DnsName, n.Text)),
            .. request.Addresses.Distinct().Select(a => new GeneralName(GeneralName.IPAddress, new DerOctetString(a.GetAddressBytes()))),
        ];
        if (names.Length == 0)
        {
            throw new ArgumentException("the server's certificate needs a name or an address", nameof(request));
        }

        var refused = request.Names.Select(n => issuer.Constraints.Refuse(new CertificateName(n, IsWildcard: false)))
            .Concat(request.Addresses.Select(a => issuer.Constraints.Refuse(IpIdentifier.Parse(a.ToString()).Value!)))
            .FirstOrDefault(r => r is not null);
        if (refused is not null)
        {
            throw new ArgumentException("the server's certificate cannot have a name of the request: " + refused, nameof(request));
        }

        var judged = new KeyPolicy().Judge(request.SubjectPublicKeyInfo);
        if (judged.IsRefused)
        {
            throw new ArgumentException(judged.Problem.Detail, nameof(request));
        }

        if (request.SubjectPublicKeyInfo.Span.SequenceEqual(issuer.Key.SubjectPublicKeyInfo))
        {
            throw new ArgumentException("the server's TLS key must not be the issuer's", nameof(request));
        }

        var from = CertificateTbs.WholeSeconds(request.Now - request.Backdate);
        from = from > issuer.NotBefore ? from : issuer.NotBefore;
        var to = CertificateTbs.WholeSeconds(from + request.Validity - TimeSpan.FromSeconds(1));
        to = to < issuer.NotAfter ? to : issuer.NotAfter;
        if (to <= from || to <= request.Now)
        {
            throw new ArgumentException($"no validity is left: the issuer expires at {issuer.NotAfter:u}", nameof(request));
        }

        var usage = KeyKinds.Of(judged.Value).LeafUsage;
        var tbs = new CertificateTbs
        {
            Serial = SerialNumbers.Next(),
            IssuerDer = issuer.SubjectDer,
            SubjectDer = new X509Name([], new List<string>()).GetEncoded(Asn1Encodable.Der),
            Algorithm = issuer.Key.Algorithm,
            NotBefore = from,
            NotAfter = to,
            SubjectPublicKeyInfo = request.SubjectPublicKeyInfo,
        }.Encode(
        [
            (X509Extensions.KeyUsage, true, new KeyUsage(usage)),
            (X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeID.id_kp_serverAuth)),
            (X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(issuer.KeyIdentifier)),
            (X509Extensions.SubjectAlternativeName, true, new GeneralNames(names)),
        ]);
        return SignedParts.SignAsync(tbs, issuer.Key, cancellationToken);
    }
}
