using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Jose;

namespace PersistCa.Fuzz;

/// <summary>External account bindings, rules about their names, and ids of certificates: each a stranger's, or an operator's who slipped.</summary>
internal static class BindingTarget
{
    private static readonly JsonElement File = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "external-account.json"))).RootElement;

    private static readonly string Url = File.GetProperty("url").GetString()!;

    private static readonly Jwk Key = Jwk.Parse(File.GetProperty("accountKey")).Value;

    private static readonly byte[] Secret = Base64UrlText.Decode(File.GetProperty("secret").GetString()!).Value!;

    /// <summary>Every binding of the vectors, and a text of each other kind.</summary>
    public static IEnumerable<byte[]> Seeds() =>
    [
        .. File.GetProperty("cases").EnumerateArray().Select(c => Encoding.UTF8.GetBytes(c.GetProperty("binding").GetRawText())).Where(b => b.Length < 2000),
        "*.corp.example"u8.ToArray(),
        "10.0.0.0/8"u8.ToArray(),
        "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"u8.ToArray(),
    ];

    /// <summary>Reads the octets as each of them.</summary>
    public static void Run(byte[] octets)
    {
        var read = ExternalAccountBinding.Read(octets, Url, Key);
        Show(read.Problem);
        if (!read.IsRefused)
        {
            Show(read.Value.Verify(Secret));
            var again = ExternalAccountBinding.Read(JsonSerializer.SerializeToUtf8Bytes(read.Value.Resource, AcmeJson.Wire.BindingResource), Url, Key);
            if (again.IsRefused || again.Value.Resource != read.Value.Resource || again.Value.Verify(Secret) is null != read.Value.Verify(Secret) is null)
            {
                throw new InvalidOperationException("a binding does not read to itself");
            }
        }

        var text = Encoding.UTF8.GetString(octets);
        if (NameRule.Parse(text) is { IsValid: true, Value: var rule } && NameRule.Parse(rule.Text).Value?.Text != rule.Text)
        {
            throw new InvalidOperationException("a rule about names does not read to itself");
        }

        if (CertificateId.Parse(text) is { IsValid: true, Value: var id } && id.ToString() != text)
        {
            throw new InvalidOperationException("the id of a certificate has two spellings");
        }
    }

    private static void Show(AcmeProblem? problem)
    {
        if (problem?.Detail.Any(c => c is < ' ' or > '~') == true)
        {
            throw new InvalidOperationException("a problem shows what is not printable");
        }
    }
}
