using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using PersistCa.Issuance.Csr;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Records;

namespace PersistCa.Fuzz;

/// <summary>What is fuzzed: every parser of a stranger's octets. A target throws when an invariant breaks.</summary>
internal static class FuzzTargets
{
    private const string Url = "https://ca.example/acct/123";

    private static readonly PersistPolicy Policy = new(
        [IssuerName.Parse("ca.example").Value!],
        ["https://ca.example/account-hash/"],
        PersistDialects.All.ToImmutableHashSet());

    private static readonly PersistQuestion Question = new(
        CertificateName.Parse("example.com").Value!,
        new AccountFacts("123", Url, ["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"], IsValid: true),
        DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));

    private static readonly CsrReader Csrs = new(new KeyPolicy());

    /// <summary>The targets by name.</summary>
    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>
    {
        ["txt"] = Txt,
        ["jws"] = octets => FlattenedJws.Parse(octets, new JwsLimits()),
        ["jwk"] = KeyOctets,
        ["name"] = Name,
        ["csr"] = octets => Csrs.Read(octets),
    };

    /// <summary>Seeds: the texts of the golden vectors, and one good sample for each other target.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "persist-records.json")));
        var seeds = file.RootElement.GetProperty("cases").EnumerateArray()
            .SelectMany(c => c.GetProperty("records").EnumerateArray())
            .Select(r => Encoding.Latin1.GetBytes(r.GetProperty("text").GetString()!))
            .Where(s => s.Length < 1000)
            .ToList();
        seeds.Add("""{"protected":"eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ","payload":"e30","signature":"AAAA"}"""u8.ToArray());
        seeds.Add("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"""u8.ToArray());
        seeds.Add("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"""u8.ToArray());
        seeds.Add("*.xn--bcher-kva.example"u8.ToArray());
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=example.com", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        seeds.Add(request.CreateSigningRequest());
        return seeds;
    }

    private static void Txt(byte[] octets)
    {
        var text = Encoding.Latin1.GetString(octets);
        foreach (var label in PersistDialects.Labels)
        {
            var decision = PersistDecision.Judge(Question, Policy, [new FoundTxt(Question.Requested.Name, label, text, 60)]);
            if (decision.Outcome == PersistOutcome.Valid && !text.Contains("ca.example", StringComparison.OrdinalIgnoreCase))
            {
                throw new InvalidOperationException("a record won that does not name this authority");
            }

            if (decision.Problem?.Detail.Any(c => c is < ' ' or > '~') == true)
            {
                throw new InvalidOperationException("a problem shows what is not printable");
            }
        }
    }

    private static void KeyOctets(byte[] octets)
    {
        var read = StrictJson.Read(octets, 4);
        if (read.IsValid && Jwk.Parse(read.Value) is { IsRefused: false, Value: var key } && Jwk.FromCanonical(key.Canonical).Thumbprint != key.Thumbprint)
        {
            throw new InvalidOperationException("a key does not come back from its canonical form");
        }
    }

    private static void Name(byte[] octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        IssuerName.Parse(text);
        if (CertificateName.Parse(text) is { IsValid: true, Value: var name } && CertificateName.Parse(name.Text).Value != name)
        {
            throw new InvalidOperationException("a name does not read to itself");
        }
    }
}
