using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Linting;

/// <summary>Lints what anyone has in a file: certificates, revocation lists and OCSP answers, PEM or DER. Nothing is known of their issuer.</summary>
public static class FileLint
{
    private const int MaxBlocks = 64;

    /// <summary>Reads and lints.</summary>
    /// <param name="file">The file's octets.</param>
    /// <param name="regime">Which rules hold.</param>
    /// <returns>The findings, for several PEM blocks in their order; or why there is nothing to lint.</returns>
    public static Parsed<ImmutableArray<LintFinding>> Check(ReadOnlyMemory<byte> file, Regime regime)
    {
        if (file.Length > CrlFacts.MaxOctets * 2L)
        {
            return Parsed<ImmutableArray<LintFinding>>.Refused($"the file has {file.Length} octets; at most {CrlFacts.MaxOctets * 2L} are read");
        }

        const byte sequence = 0x30;
        return file.Span is [sequence, ..] ? CheckDer(file, regime) : CheckText(Encoding.Latin1.GetString(file.Span), regime);
    }

    private static Parsed<ImmutableArray<LintFinding>> CheckText(ReadOnlySpan<char> text, Regime regime)
    {
        var findings = ImmutableArray.CreateBuilder<LintFinding>();
        var blocks = 0;
        for (; PemEncoding.TryFind(text, out var fields); text = text[fields.Location.End..], blocks++)
        {
            var label = text[fields.Label];
            if (blocks == MaxBlocks || label is not ("CERTIFICATE" or "X509 CRL" or "OCSP RESPONSE"))
            {
                return Parsed<ImmutableArray<LintFinding>>.Refused($"block {blocks + 1} is '{label}'; at most {MaxBlocks} blocks of CERTIFICATE, X509 CRL or OCSP RESPONSE are expected");
            }

            var checkedBlock = CheckDer(Convert.FromBase64String(text[fields.Base64Data].ToString()), regime);
            if (!checkedBlock.IsValid)
            {
                return checkedBlock;
            }

            findings.AddRange(checkedBlock.Value);
        }

        return blocks == 0
            ? Parsed<ImmutableArray<LintFinding>>.Refused("it is neither DER nor PEM")
            : Parsed<ImmutableArray<LintFinding>>.Ok(findings.ToImmutable());
    }

    private static Parsed<ImmutableArray<LintFinding>> CheckDer(ReadOnlyMemory<byte> der, Regime regime)
    {
        if (LooksLikeAnswer(der))
        {
            return CheckAnswer(der, regime);
        }

        if (LooksLikeList(der))
        {
            var list = CrlFacts.Read(der);
            return list.IsValid
                ? Parsed<ImmutableArray<LintFinding>>.Ok([.. CrlLint.Check(list.Value, new CrlLintContext { Regime = regime })])
                : Parsed<ImmutableArray<LintFinding>>.Refused(list.Reason);
        }

        var facts = CertificateFacts.OfCertificate(der);
        return facts.IsValid
            ? Parsed<ImmutableArray<LintFinding>>.Ok([.. TbsLint.Check(facts.Value, new LintContext { Regime = regime, Kind = facts.Value.ApparentKind, Purposes = null })])
            : Parsed<ImmutableArray<LintFinding>>.Refused(facts.Reason);
    }

    /// <summary>The answer, and the certificates in it.</summary>
    private static Parsed<ImmutableArray<LintFinding>> CheckAnswer(ReadOnlyMemory<byte> der, Regime regime)
    {
        var answer = OcspFacts.Read(der);
        if (!answer.IsValid)
        {
            return Parsed<ImmutableArray<LintFinding>>.Refused("the OCSP answer cannot be judged: " + answer.Reason);
        }

        var findings = OcspLint.Check(answer.Value, new OcspLintContext { Regime = regime }).ToImmutableArray();
        foreach (var certificate in answer.Value.Certificates)
        {
            var read = CheckDer(certificate, regime);
            if (!read.IsValid)
            {
                return Parsed<ImmutableArray<LintFinding>>.Refused("a certificate in the OCSP answer cannot be read: " + read.Reason);
            }

            findings = findings.AddRange(read.Value);
        }

        return Parsed<ImmutableArray<LintFinding>>.Ok(findings);
    }

    /// <summary>An answer begins with its status, an ENUMERATED.</summary>
    private static bool LooksLikeAnswer(ReadOnlyMemory<byte> der)
    {
        try
        {
            var body = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            return body.HasData && body.PeekTag() == Asn1Tag.Enumerated;
        }
        catch (AsnContentException)
        {
            return false; // whoever reads it next says what is wrong
        }
    }

    /// <summary>A list's third or fourth field is a time, where a certificate has a name and a pair of times.</summary>
    private static bool LooksLikeList(ReadOnlyMemory<byte> der)
    {
        try
        {
            var body = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            for (var field = 0; field < 4 && body.HasData; field++)
            {
                var tag = body.PeekTag();
                if (tag == Asn1Tag.UtcTime || tag == Asn1Tag.GeneralizedTime)
                {
                    return true;
                }

                body.ReadEncodedValue();
            }
        }
        catch (AsnContentException)
        {
            // Whoever reads it next says what is wrong.
        }

        return false;
    }
}
