using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Publication;

/// <summary>Limits of <see cref="Pem.ReadCertificates"/>.</summary>
public sealed record PemLimits
{
    /// <summary>Longest text, characters.</summary>
    public int MaxCharacters { get; init; } = 256 * 1024;

    /// <summary>Most certificates.</summary>
    public int MaxCertificates { get; init; } = 16;
}

/// <summary>Certificates as text (RFC 7468; RFC 8555 section 9.1 for chains: nothing but certificates, each followed by a line feed).</summary>
public static class Pem
{
    private const string CertificateLabel = "CERTIFICATE";

    /// <summary>One certificate, ending in a line feed.</summary>
    public static string Certificate(ReadOnlySpan<byte> der) => PemEncoding.WriteString(CertificateLabel, der) + "\n";

    /// <summary>One revocation list, ending in a line feed.</summary>
    public static string RevocationList(ReadOnlySpan<byte> der) => PemEncoding.WriteString("X509 CRL", der) + "\n";

    /// <summary>The chain of a subscriber's certificate, leaf first.</summary>
    /// <param name="leaf">The subscriber's certificate, DER.</param>
    /// <param name="issuer">Who signed it.</param>
    /// <param name="withRoot">Whether to send the root too, which clients have by themselves or must not trust.</param>
    public static string Chain(ReadOnlySpan<byte> leaf, Issuer issuer, bool withRoot = false)
    {
        var text = new StringBuilder(Certificate(leaf));
        var count = issuer.Chain.Length - (issuer.ReachesRoot && !withRoot ? 1 : 0);
        foreach (var certificate in issuer.Chain.AsSpan(0, count))
        {
            text.Append(Certificate(certificate));
        }

        return text.ToString();
    }

    /// <summary>Reads certificates; text between blocks is passed over, another kind of block is refused.</summary>
    /// <returns>The certificates in their order, DER, at least one; or what was found instead.</returns>
    public static Parsed<ImmutableArray<byte[]>> ReadCertificates(ReadOnlySpan<char> text, PemLimits? limits = null)
    {
        limits ??= new PemLimits();
        if (text.Length > limits.MaxCharacters)
        {
            return Parsed<ImmutableArray<byte[]>>.Refused($"the text has {text.Length} characters; at most {limits.MaxCharacters} are read");
        }

        var found = ImmutableArray.CreateBuilder<byte[]>();
        while (PemEncoding.TryFind(text, out var fields))
        {
            var label = text[fields.Label];
            if (label is not CertificateLabel)
            {
                return Parsed<ImmutableArray<byte[]>>.Refused($"block {found.Count + 1} is '{label}'; '{CertificateLabel}' is expected");
            }

            if (found.Count == limits.MaxCertificates)
            {
                return Parsed<ImmutableArray<byte[]>>.Refused($"there are more than {limits.MaxCertificates} certificates");
            }

            found.Add(Convert.FromBase64String(text[fields.Base64Data].ToString()));
            text = text[fields.Location.End..];
        }

        return found.Count == 0
            ? Parsed<ImmutableArray<byte[]>>.Refused("there is no PEM block in it; '-----BEGIN CERTIFICATE-----' is expected")
            : Parsed<ImmutableArray<byte[]>>.Ok(found.ToImmutable());
    }
}
