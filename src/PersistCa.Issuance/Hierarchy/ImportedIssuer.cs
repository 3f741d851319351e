using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>An issuing authority that comes from elsewhere: its certificate, what was given of the chain above it, and its key, which is still to be encrypted.</summary>
/// <param name="Certificate">The certificate, DER.</param>
/// <param name="Others">Other certificates that were given, in any order.</param>
/// <param name="Pkcs8">PrivateKeyInfo, DER: secret, to be wiped by whoever takes it over.</param>
public sealed record ImportedIssuer(byte[] Certificate, ImmutableArray<byte[]> Others, byte[] Pkcs8)
{
    /// <summary>Longest file, octets.</summary>
    public const int MaxOctets = 256 * 1024;

    /// <summary>Reads a PKCS #12 file (RFC 7292): a key, its certificate, and others.</summary>
    /// <param name="file">The file.</param>
    /// <param name="passphrase">Opens it.</param>
    /// <returns>What is in it; or why it cannot be read. Nothing secret is told.</returns>
    public static Parsed<ImportedIssuer> ReadPkcs12(byte[] file, string passphrase)
    {
        if (file.Length > MaxOctets)
        {
            return Refuse($"it has {file.Length} octets; at most {MaxOctets} are read");
        }

        X509Certificate2Collection? all = null;
        try
        {
            all = X509CertificateLoader.LoadPkcs12Collection(file, passphrase, X509KeyStorageFlags.EphemeralKeySet | X509KeyStorageFlags.Exportable);
            var own = all.Where(c => c.HasPrivateKey).ToList();
            if (own.Count != 1)
            {
                return Refuse($"it has {own.Count} certificates with their key; one is expected");
            }

            using var key = (AsymmetricAlgorithm?)own[0].GetECDsaPrivateKey() ?? own[0].GetRSAPrivateKey();
            return key is null
                ? Refuse("its key is neither EC nor RSA; other kinds are imported as PEM")
                : Parsed<ImportedIssuer>.Ok(new ImportedIssuer(own[0].RawData, [.. all.Where(c => !c.HasPrivateKey).Select(c => c.RawData)], key.ExportPkcs8PrivateKey()));
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or NotSupportedException)
        {
            return Refuse("it is no PKCS #12 file, or the passphrase does not open it");
        }
        finally
        {
            foreach (var certificate in all ?? [])
            {
                certificate.Dispose();
            }
        }
    }

    /// <summary>Reads a private key, PEM: encrypted or not, PKCS #8 or the older forms of EC and RSA keys (RFC 5915, RFC 8017), or PKCS #8 in DER.</summary>
    /// <param name="file">The file.</param>
    /// <param name="passphrase">Opens it; null where there is none.</param>
    /// <returns>PrivateKeyInfo, DER, to be wiped; or why it cannot be read.</returns>
    public static Parsed<byte[]> ReadKey(byte[] file, string? passphrase)
    {
        if (file.Length > MaxOctets)
        {
            return NoKey($"it has {file.Length} octets; at most {MaxOctets} are read");
        }

        const byte sequence = 0x30;
        if (file is [sequence, ..])
        {
            return NoKey("it is DER; a PEM file is expected");
        }

        var text = Encoding.Latin1.GetString(file);
        for (var rest = text; PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            var label = rest[fields.Label];
            if (label is "EC PARAMETERS" or "CERTIFICATE")
            {
                continue; // what openssl puts in front of a key
            }

            if (rest[fields.Location].Contains("Proc-Type", StringComparison.Ordinal))
            {
                return NoKey("it is encrypted in the old way of OpenSSL; convert it by 'openssl pkcs8 -topk8'");
            }

            return ReadBlock(label, Convert.FromBase64String(rest[fields.Base64Data]), passphrase);
        }

        return text.Contains("Proc-Type", StringComparison.Ordinal)
            ? NoKey("it is encrypted in the old way of OpenSSL; convert it by 'openssl pkcs8 -topk8'")
            : NoKey("there is no PEM block of a private key in it");
    }

    /// <summary>The certificates above a certificate, nearest first, up to a root: found among others by their names and signatures.</summary>
    /// <returns>The chain; or that it ends before a root.</returns>
    public static Parsed<ImmutableArray<byte[]>> Order(byte[] certificate, IReadOnlyList<byte[]> others)
    {
        var chain = ImmutableArray.CreateBuilder<byte[]>();
        var current = certificate;
        while (true)
        {
            var parts = SignedParts.Read(current);
            var fields = parts.IsValid ? Linting.TbsFields.Read(parts.Value.ToBeSigned) : Parsed<Linting.TbsFields>.Refused(parts.Reason);
            if (!fields.IsValid)
            {
                return Parsed<ImmutableArray<byte[]>>.Refused($"certificate {chain.Count} cannot be read: {fields.Reason}");
            }

            if (fields.Value.Issuer.Span.SequenceEqual(fields.Value.Subject.Span))
            {
                return Parsed<ImmutableArray<byte[]>>.Ok(chain.ToImmutable());
            }

            if (chain.Count >= Issuer.MaxChainLength)
            {
                return Parsed<ImmutableArray<byte[]>>.Refused($"the chain has more than {Issuer.MaxChainLength} certificates");
            }

            var named = others.Where(o => Issuer.SubjectOf(o).Span.SequenceEqual(fields.Value.Issuer.Span)).ToList();
            var parent = named.Find(o => Linting.TbsFields.Read(SignedParts.Read(o).Value!.ToBeSigned) is { IsValid: true } p && KnownSignature.Refuse(p.Value.SubjectPublicKeyInfo.Span, parts.Value!) is null);

            // One of the right name and the wrong key stays in: whoever loads the chain says what is wrong with it.
            if ((parent ?? named.FirstOrDefault()) is not { } above)
            {
                return Parsed<ImmutableArray<byte[]>>.Refused($"the chain ends before a root: there is no certificate of {AuthorityName.Show(fields.Value.Issuer)}; give it by --chain");
            }

            chain.Add(above);
            current = above;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => "an issuing authority to be imported"; // and never its key

    private static Parsed<byte[]> ReadBlock(string label, byte[] block, string? passphrase)
    {
        try
        {
            switch (label)
            {
                case "PRIVATE KEY":
                    return Parsed<byte[]>.Ok(block);
                case "EC PRIVATE KEY":
                    using (var ec = ECDsa.Create())
                    {
                        ec.ImportECPrivateKey(block, out _);
                        return Parsed<byte[]>.Ok(ec.ExportPkcs8PrivateKey());
                    }

                case "RSA PRIVATE KEY":
                    using (var rsa = RSA.Create())
                    {
                        rsa.ImportRSAPrivateKey(block, out _);
                        return Parsed<byte[]>.Ok(rsa.ExportPkcs8PrivateKey());
                    }

                case "ENCRYPTED PRIVATE KEY":
                    return passphrase is null ? NoKey("it is encrypted; give its passphrase by --key-passphrase-file or PERSISTCA_KEY_PASSPHRASE") : EncryptedKey.Open(block, passphrase, new FileKeyStoreOptions());
                default:
                    return NoKey($"its PEM block is '{(label.Any(char.IsControl) ? "?" : label)}'; a private key is expected");
            }
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or NotSupportedException)
        {
            return NoKey("its PEM block holds no private key"); // what the exception says is about a secret
        }
    }

    private static Parsed<ImportedIssuer> Refuse(string reason) => Parsed<ImportedIssuer>.Refused(reason);

    private static Parsed<byte[]> NoKey(string reason) => Parsed<byte[]>.Refused(reason);
}
