using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.ExternalAccounts;

/// <summary>RFC 8555 section 7.3.4, as far as it can be decided from the request and the MAC key alone.</summary>
public sealed class ExternalAccountBindingTests
{
    private static readonly JsonElement File = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "external-account.json"))).RootElement;

    private static readonly string Url = File.GetProperty("url").GetString()!;

    private static readonly Jwk AccountKey = Jwk.Parse(File.GetProperty("accountKey")).Value;

    private static readonly byte[] Secret = Base64UrlText.Decode(File.GetProperty("secret").GetString()!).Value!;

    public static TheoryData<string> Names => [.. File.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_binding_is_verified_or_refused_for_its_own_reason(string name)
    {
        var vector = File.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name);
        var secret = vector.TryGetProperty("secret", out var own) ? Base64UrlText.Decode(own.GetString()!).Value! : Secret;

        var problem = Judge(Encoding.UTF8.GetBytes(vector.GetProperty("binding").GetRawText()), secret);

        if (!vector.TryGetProperty("problem", out var expected))
        {
            Assert.Null(problem);
            return;
        }

        Assert.Equal(expected.GetString(), problem!.Type.Name);
        Assert.Contains(vector.GetProperty("detail").GetString()!, problem.Detail, StringComparison.Ordinal);
        Assert.All(problem.Detail, c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(problem.Type == ProblemCatalog.BadSignatureAlgorithm ? ["HS256", "HS384", "HS512"] : [], problem.Algorithms.AsEnumerable());
    }

    [Fact]
    public void The_table_has_every_check_of_the_section() => Assert.True(Names.Count >= 45, $"{Names.Count} cases");

    [Fact]
    public void A_binding_that_holds_is_shown_as_it_came()
    {
        var sent = File.GetProperty("cases")[0].GetProperty("binding");
        var binding = ExternalAccountBinding.Read(Encoding.UTF8.GetBytes(sent.GetRawText()), Url, AccountKey).Value;
        Assert.Equal("kid-1", binding.KeyId);
        Assert.Equal(
            new BindingResource(sent.GetProperty("protected").GetString()!, sent.GetProperty("payload").GetString()!, sent.GetProperty("signature").GetString()!), binding.Resource);
    }

    [Fact]
    public void A_good_binding_does_not_hold_for_another_request()
    {
        var good = Encoding.UTF8.GetBytes(File.GetProperty("cases")[0].GetProperty("binding").GetRawText());
        Assert.Equal("unauthorized", ExternalAccountBinding.Read(good, Url + "x", AccountKey).Problem!.Type.Name);
        var other = Jwk.Parse(JsonDocument.Parse("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""").RootElement).Value;
        Assert.Equal("unauthorized", ExternalAccountBinding.Read(good, Url, other).Problem!.Type.Name);
    }

    [Fact]
    public void Whatever_octets_come_nothing_but_the_good_binding_is_verified() => Gen.Select(Gen.Byte.Array[0, 400], Gen.Int[0, 5], Gen.Int[0, 400], Gen.Byte).Sample((octets, kind, at, with) =>
    {
        var good = Encoding.UTF8.GetBytes(File.GetProperty("cases")[0].GetProperty("binding").GetRawText());
        var bent = kind switch
        {
            0 => octets,
            1 => [.. good.Take(at)],
            2 => [.. good.Take(at), with, .. good.Skip(at)],
            3 => [.. good.Take(at), .. good.Skip(at + 1)],
            _ => [.. good.Select((b, i) => i == at ? with : b)],
        };
        if (Judge(bent, Secret) is { } problem)
        {
            Assert.All(problem.Detail, c => Assert.InRange(c, ' ', '~'));
            return;
        }

        // White space between members may have changed, and nothing else.
        Assert.Equal(JsonNode.Parse(good)!.ToJsonString(), JsonNode.Parse(bent)!.ToJsonString());
    });

    private static AcmeProblem? Judge(byte[] octets, byte[] secret) =>
        ExternalAccountBinding.Read(octets, Url, AccountKey).TryGet(out var binding, out var problem) ? binding.Verify(secret) : problem;
}
