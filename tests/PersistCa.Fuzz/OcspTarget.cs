using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;

namespace PersistCa.Fuzz;

/// <summary>OCSP questions of strangers, and answers as the lint reads them.</summary>
internal static class OcspTarget
{
    // A question by SHA-1 with a nonce of 16 octets, as openssl ocsp writes it.
    private const string WithNonce =
        "MHUwczBMMEowSDAJBgUrDgMCGgUABBQAAQIDBAUGBwgJCgsMDQ4PEBESEwQUFBUWFxgZGhscHR4fICEiIyQlJicCD0AAAAAAAAAAAAAAAAAAAaIjMCEwHwYJKwYB" +
        "BQUHMAECBBIEEAABAgMEBQYHCAkKCwwNDg8=";

    /// <summary>A question.</summary>
    public static IEnumerable<byte[]> Seeds()
    {
        yield return Convert.FromBase64String(WithNonce);
    }

    public static void Run(byte[] octets)
    {
        var read = OcspQuestion.Read(octets);
        if (read.IsValid)
        {
            if (read.Value.Certificates.Length is 0 or > OcspQuestion.MaxCertificates || read.Value.Nonce is { Length: 0 or > OcspQuestion.MaxNonceOctets })
            {
                throw new InvalidOperationException("a question beyond its limits was read");
            }

            if (read.Value.Certificates.Any(c => c.Serial.Length is 0 or > 40 || c.IssuerNameHash.Length != c.IssuerKeyHash.Length))
            {
                throw new InvalidOperationException("a certificate's name has parts of the wrong length");
            }
        }

        OcspLint.Check(octets, new OcspLintContext());
    }
}
