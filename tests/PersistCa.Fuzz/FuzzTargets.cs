using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using PersistCa.Issuance.Csr;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Dns.Wire;

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

    /// <summary>A request for example.com and *.example.com by a key on P-256, always the same, so that a run repeats exactly.</summary>
    private const string Request =
        "MIIBCTCBsAIBADAWMRQwEgYDVQQDDAtleGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABB8HJrBhP7dVkI4pFt2SMCyQNEgqSpJOugymaBCo" +
        "4ZL8OvGc9nE3NNwnI0Hd+/pSHsWyiWnxwgi5Qh7i7Mx9GCKgODA2BgkqhkiG9w0BCQ4xKTAnMCUGA1UdEQQeMByCC2V4YW1wbGUuY29tgg0qLmV4YW1wbGUu" +
        "Y29tMAoGCCqGSM49BAMCA0gAMEUCIQDmcrF+R0lMm9VBl91i+p09Pq2AANUy5Ao4pYlmIG4fUQIgfx1uXgegC9GRhcHCC3q4kGA86gxStWA97VQO91xNqqw=";

    private static readonly CsrReader Csrs = new(new KeyPolicy());

    /// <summary>The targets by name.</summary>
    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>
    {
        ["txt"] = Txt,
        ["jws"] = Jws,
        ["jwk"] = KeyOctets,
        ["binding"] = BindingTarget.Run,
        ["name"] = Name,
        ["csr"] = octets => Csrs.Read(octets),
        ["caa"] = CaaTarget.Run,
        ["dns"] = Dns,
        ["dnssec"] = DnssecTarget.Run,
        ["lint"] = LintTarget.Run,
        ["ocsp"] = OcspTarget.Run,
        ["tlog"] = TlogTarget.Run,
        ["operator"] = OperatorTarget.Run,
        ["backup"] = BackupTarget.Run,
        ["proxy"] = ProxyTarget.Run,
    };

    /// <summary>Seeds: the texts of the golden vectors, and one good sample for each other target.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "persist-records.json")));
        var seeds = file.RootElement.GetProperty("cases").EnumerateArray()
            .SelectMany(c => c.GetProperty("records").EnumerateArray())
            .Select(r => r.TryGetProperty("strings", out var strings) ? string.Concat(strings.EnumerateArray().Select(s => s.GetString())) : r.GetProperty("text").GetString()!)
            .Select(Encoding.Latin1.GetBytes)
            .Where(s => s.Length < 1000)
            .ToList();
        seeds.Add("""{"protected":"eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ","payload":"e30","signature":"AAAA"}"""u8.ToArray());
        seeds.Add("""{"protected":"eyJhbGciOiJFUzI1NiIsIm5vbmNlIjoiQUFBQSIsInVybCI6Imh0dHBzOi8vY2EuZXhhbXBsZS9hY21lL25ldy1hY2NvdW50IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiZjgzT0ozRDJ4RjFCZzh2dWI5dExlMWdITXpWNzZlOFR1czl1UEh2UlZFVSIsInkiOiJ4X0ZFelJ1OW0zNkhMTl90dWU2NTlMTnBYVzZwQ3lTdGlrWWpLSVdJNWEwIn19","payload":"","signature":"AAAA"}"""u8.ToArray());
        seeds.Add("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"""u8.ToArray());
        seeds.Add("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"""u8.ToArray());
        seeds.Add("""{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"""u8.ToArray());
        seeds.Add("*.xn--bcher-kva.example"u8.ToArray());
        seeds.Add(Convert.FromBase64String(Request));
        seeds.AddRange(BindingTarget.Seeds());
        seeds.AddRange(CaaTarget.Seeds());
        seeds.AddRange(DnsSeeds.All);
        seeds.AddRange(DnssecTarget.Seeds());
        seeds.AddRange(LintTarget.Seeds());
        seeds.AddRange(OcspTarget.Seeds());
        seeds.AddRange(TlogTarget.Seeds());
        seeds.AddRange(OperatorTarget.Seeds());
        seeds.AddRange(BackupTarget.Seeds());
        seeds.AddRange(ProxyTarget.Seeds());
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

            if (decision.Winner is { } winner && PersistDecision.Judge(Question, Policy, [winner.Record]).Winner != winner)
            {
                throw new InvalidOperationException("a winner does not win again");
            }

            Show(decision.Problem);
        }
    }

    private static void Dns(byte[] octets)
    {
        var read = DnsMessage.Read(octets);
        if (!read.IsValid)
        {
            return;
        }

        var message = read.Value;
        var records = message.Answers.Length + message.Authorities.Length + message.Additionals.Length;
        const int leastRecord = 11;
        const int mostNameCharacters = 4 * 255;
        if (records * leastRecord > octets.Length || message.Answers.Any(r => r.Owner.Length > mostNameCharacters || r.Data.Length > octets.Length))
        {
            throw new InvalidOperationException("a message holds more than its octets can");
        }
    }

    private static void Jws(byte[] octets)
    {
        var parsed = FlattenedJws.Parse(octets, new JwsLimits());
        Show(parsed.Problem);
        if (parsed.IsRefused)
        {
            return;
        }

        var jws = parsed.Value;
        var pieces = Encoding.ASCII.GetString(jws.SigningInput.Span).Split('.');
        var again = FlattenedJws.Parse(
            Encoding.ASCII.GetBytes($$"""{"protected":"{{pieces[0]}}","payload":"{{pieces[1]}}","signature":"{{Base64UrlText.Encode(jws.Signature.Span)}}"}"""), new JwsLimits());
        if (again.IsRefused || !again.Value.SigningInput.Span.SequenceEqual(jws.SigningInput.Span) || !again.Value.Signature.Span.SequenceEqual(jws.Signature.Span))
        {
            throw new InvalidOperationException("a JWS does not read to itself");
        }
    }

    private static void Show(AcmeProblem? problem)
    {
        if (problem?.Detail.Any(c => c is < ' ' or > '~') == true)
        {
            throw new InvalidOperationException("a problem shows what is not printable");
        }
    }

    private static void KeyOctets(byte[] octets)
    {
        var read = StrictJson.Read(octets, 4);
        if (!read.IsValid)
        {
            return;
        }

        var parsed = Jwk.Parse(read.Value);
        Show(parsed.Problem);
        if (parsed is { IsRefused: false, Value: var key } && Jwk.FromCanonical(key.Canonical).Thumbprint != key.Thumbprint)
        {
            throw new InvalidOperationException("a key does not come back from its canonical form");
        }
    }

    private static void Name(byte[] octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        if (IssuerName.Parse(text) is { IsValid: true, Value: var issuer } && IssuerName.Parse(issuer.Text).Value != issuer)
        {
            throw new InvalidOperationException("an issuer name does not read to itself");
        }

        if (CertificateName.Parse(text) is { IsValid: true, Value: var name } && CertificateName.Parse(name.Text).Value != name)
        {
            throw new InvalidOperationException("a name does not read to itself");
        }

        if (IpIdentifier.Parse(text) is { IsValid: true, Value: var ip } && (ip.Text != text || IpIdentifier.FromOctets(ip.Address.GetAddressBytes()).Value != ip || CertificateName.Parse(text).IsValid))
        {
            throw new InvalidOperationException("an address has two spellings, or is a name too");
        }
    }
}
