using System.Formats.Asn1;
using PersistCa.Issuance.Linting;

namespace PersistCa.Fuzz;

/// <summary>Lints of certificates and revocation lists: whatever the octets are, there are findings or a reason, and never an exception.</summary>
internal static class LintTarget
{
    // A certificate with every extension that is read, and a list of a part with one entry.
    private const string Certificate =
        "MIIC9DCCApqgAwIBAgIUGM196FB+3M4gAshlZqs5H7SQ7pUwCgYIKoZIzj0EAwIwOTELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxGDAWBgNVBAMM" +
        "D3d3dy5leGFtcGxlLmNvbTAeFw0yNjExMjQxNTI0MjRaFw0yNjEyMjQxNTI0MjRaMDkxCzAJBgNVBAYTAkRFMRAwDgYDVQQKDAdFeGFtcGxlMRgwFgYDVQQD" +
        "DA93d3cuZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ5MSP34vAF7UMLnmzNwE2yKEkwHiKEouXHaPpmHouBBKb9KbYArke8U+Q3kzwg" +
        "KqjCYdZM9vD0aSU2tHYS0y6oo4IBfjCCAXowEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUF" +
        "BwMJMDoGA1UdEQQzMDGCFyoueG4tLWJjaGVyLWt2YS5leGFtcGxlhwQKAAABhxAgAQ24AAAAAAAAAAAAAAABME4GCCsGAQUFBwEBBEIwQDAeBggrBgEFBQcw" +
        "AYYSaHR0cDovL2EuZXhhbXBsZS9vMB4GCCsGAQUFBzAChhJodHRwOi8vYS5leGFtcGxlL2kwJwYDVR0fBCAwHjAcoBqgGIYWaHR0cDovL2EuZXhhbXBsZS8x" +
        "LmNybDA9BgNVHSAENjA0MAgGBmeBDAECATAoBgIqAzAiMCAGCCsGAQUFBwIBFhRodHRwOi8vYS5leGFtcGxlL2NwczAiBgNVHR4BAf8EGDAWoBQwBoIEY29y" +
        "cDAKhwgKAAAA/wAAADAdBgNVHQ4EFgQUgBRDDhujSDlNDohOgRzW8dOYKVQwCgYIKoZIzj0EAwIDSAAwRQIgOsnRjfOEjc8SRoRftmVfQMgYv/p4cFLkYeqS" +
        "1VQmjvkCIQDC1iEUwCxZc0alPib5jJZC/OEOUO54kForraxnl6NBAQ==";

    private const string RevocationList =
        "MIIBSzCB8QIBATAKBggqhkjOPQQDAjA5MQswCQYDVQQGEwJERTEQMA4GA1UECgwHRXhhbXBsZTEYMBYGA1UEAwwPd3d3LmV4YW1wbGUuY29tFw0yNjExMjQx" +
        "NTI0MjRaFw0yNjEyMDExNTI0MjRaMCkwJwIIAQIDBAUGBwgXDTI2MTEyMDAwMDAwMFowDDAKBgNVHRUEAwoBBKBcMFowHwYDVR0jBBgwFoAUgBRDDhujSDlN" +
        "DohOgRzW8dOYKVQwKwYDVR0cAQH/BCEwH6AaoBiGFmh0dHA6Ly9hLmV4YW1wbGUvMS5jcmyBAf8wCgYDVR0UBAMCAQcwCgYIKoZIzj0EAwIDSQAwRgIhAOYo" +
        "zlG4MvmYsJp1bzySsQzFzFWbDsYSnYVOKG/K6M8ZAiEAgRsUGcb6fCKNv3ZKt1pdNZxqpET/E7VOhGbx7gk/Tv8=";

    /// <summary>A whole certificate, its to-be-signed part, and a list.</summary>
    public static IEnumerable<byte[]> Seeds()
    {
        var certificate = Convert.FromBase64String(Certificate);
        yield return certificate;
        yield return new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();
        yield return Convert.FromBase64String(RevocationList);
    }

    public static void Run(byte[] octets)
    {
        foreach (var regime in Enum.GetValues<Regime>())
        {
            FileLint.Check(octets, regime);
            TbsLint.Check(octets, new LintContext { Regime = regime, Kind = (CertificateKind)(octets.Length % 4) });
        }
    }
}
