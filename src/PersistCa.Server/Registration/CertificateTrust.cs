using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol.Certificates;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>
/// Knows operators by client certificates of the configured issuer (Operators:ClientCertificates). The connection has proved the key; here the certificate is
/// judged: its chain, its purpose, its time, whether this authority revoked it, and whose it is.
/// </summary>
public sealed class CertificateTrust(CaStore store, PersistCaOptions options)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string SubjectAlternativeName = "2.5.29.17";

    private readonly ClientCertificateOptions configured = options.Operators.ClientCertificates;
    private readonly X509Certificate2Collection anchors = Anchors(options.Operators.ClientCertificates.CaFile);

    /// <summary>Whether certificates are asked for.</summary>
    public bool IsOn => configured.CaFile.Length > 0;

    /// <summary>Reads the file of those that are trusted.</summary>
    /// <exception cref="StartRefusedException">It cannot be read, or has no certificate.</exception>
    public static X509Certificate2Collection Anchors(string file)
    {
        var anchors = new X509Certificate2Collection();
        try
        {
            if (file.Length > 0)
            {
                anchors.ImportFromPemFile(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartRefusedException("Operators:ClientCertificates:CaFile", $"{file} cannot be read: {e.Message}");
        }

        return file.Length == 0 || anchors.Count > 0 ? anchors : throw new StartRefusedException("Operators:ClientCertificates:CaFile", $"{file} has no certificate (PEM)");
    }

    internal async Task<Seen> SeeAsync(byte[] der, CancellationToken cancel)
    {
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(der));
        var credential = "client-certificate:" + fingerprint;
        if (!IsOn)
        {
            return Seen.Nobody("client certificates are not accepted", credential);
        }

        using var certificate = X509CertificateLoader.LoadCertificate(der);
        if (Chain(certificate) is { } broken)
        {
            return Seen.Nobody(broken, credential);
        }

        // One of ours that was revoked: the store knows before any list does.
        if (await store.ReadAsync(db => db.Certificates.AnyAsync(c => c.Sha256 == fingerprint && c.Status == CertificateStatus.Revoked, cancel), cancel))
        {
            return Seen.Nobody("revoked client certificate", credential);
        }

        var names = Names(certificate);
        var mapped = configured.Mappings.Where(m => m.Subject.Length > 0 ? m.Subject == certificate.Subject : names.Contains(m.San)).ToList();
        return mapped is [var only]
            ? Seen.Somebody(new OperatorIdentity(credential, only.Name, OperatorRoles.Read(only.Role)!.Value, new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero)))
            : Seen.Nobody(mapped.Count == 0 ? "client certificate of nobody" : "client certificate of several", credential);
    }

    private string? Chain(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(anchors);
        chain.ChainPolicy.ExtraStore.AddRange(anchors);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = store.Now.UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));

        // An issuing authority in the file is trusted by itself: its root need not be there.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        var built = chain.Build(certificate);
        var faults = chain.ChainStatus.Where(s => s.Status is not (X509ChainStatusFlags.NoError or X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot)).Select(s => s.Status.ToString()).ToList();
        var anchored = chain.ChainElements.Skip(1).Any(e => anchors.Any(a => a.RawDataMemory.Span.SequenceEqual(e.Certificate.RawDataMemory.Span)));
        return faults.Count > 0 ? "client certificate: " + string.Join(", ", faults) : built && anchored ? null : "client certificate of another issuer";
    }

    /// <summary>Names in a certificate's subjectAltName, each behind its kind: "dns:", "email:", "uri:".</summary>
    internal static HashSet<string> Names(X509Certificate2 certificate)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (certificate.Extensions[SubjectAlternativeName] is not { } extension)
        {
            return names;
        }

        try
        {
            var sequence = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData)
            {
                var tag = sequence.PeekTag();
                var kind = tag is { TagClass: TagClass.ContextSpecific, IsConstructed: false } ? tag.TagValue switch { 1 => "email:", 2 => "dns:", 6 => "uri:", _ => null } : null;
                if (kind is null)
                {
                    sequence.ReadEncodedValue();
                }
                else
                {
                    names.Add(kind + sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                }
            }
        }
        catch (AsnContentException)
        {
            return []; // no name that could be told for certain
        }

        return names;
    }
}
