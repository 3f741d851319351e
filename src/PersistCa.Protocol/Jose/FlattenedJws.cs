using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Jose;

/// <summary>How large a JWS may be.</summary>
public sealed record JwsLimits
{
    /// <summary>Most octets of the whole.</summary>
    public int MaxBytes { get; init; } = 128 * 1024;

    /// <summary>Most characters of the encoded protected header; an RSA key of 8192 bits needs less than 2,000.</summary>
    public int MaxHeaderCharacters { get; init; } = 8 * 1024;

    /// <summary>Deepest nesting: the header's jwk is the only nested object.</summary>
    public int MaxDepth { get; init; } = 4;
}

/// <summary>The protected header (RFC 8555 section 6.2). Exactly one of <see cref="Jwk"/> and <see cref="Kid"/> is there.</summary>
public sealed record ProtectedHeader
{
    /// <summary>Signature algorithm.</summary>
    public required string Alg { get; init; }

    /// <summary>Anti-replay nonce, null when absent.</summary>
    public string? Nonce { get; init; }

    /// <summary>URL the request is meant for, null when absent.</summary>
    public string? Url { get; init; }

    /// <summary>The key, as JSON; null when the header names an account.</summary>
    public JsonElement? Jwk { get; init; }

    /// <summary>Account URL (or key id of an external account); null when the header carries a key.</summary>
    public string? Kid { get; init; }
}

/// <summary>A JWS in flattened JSON serialisation (RFC 7515 section 7.2.2), as strict as RFC 8555 section 6.2 wants it. Not verified yet.</summary>
public sealed class FlattenedJws
{
    private FlattenedJws(ProtectedHeader header, byte[] payload, byte[] signature, byte[] signingInput)
    {
        Header = header;
        Payload = payload;
        Signature = signature;
        SigningInput = signingInput;
    }

    /// <summary>The protected header.</summary>
    public ProtectedHeader Header { get; }

    /// <summary>The payload; empty for POST-as-GET.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The signature.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>What was signed: encoded header, ".", encoded payload.</summary>
    public ReadOnlyMemory<byte> SigningInput { get; }

    /// <summary>Reads a JWS. Every refusal is malformed and says what is wrong.</summary>
    public static Outcome<FlattenedJws> Parse(ReadOnlyMemory<byte> utf8, JwsLimits limits)
    {
        if (utf8.Length > limits.MaxBytes)
        {
            return Malformed($"The JWS has {utf8.Length} octets where at most {limits.MaxBytes} are allowed.");
        }

        var opened = Members("The JWS", utf8, limits.MaxDepth);
        if (!opened.TryGet(out var members, out var problem))
        {
            return problem;
        }

        foreach (var member in members.EnumerateObject())
        {
            if (member.Name is not ("protected" or "payload" or "signature"))
            {
                return Malformed(member.Name switch
                {
                    "header" => "The JWS has an unprotected header, which RFC 8555 section 6.2 forbids.",
                    "signatures" => "The JWS is in general serialisation with 'signatures'; RFC 8555 section 6.2 wants the flattened one.",
                    _ => $"The JWS has the member '{Excerpt.Of(member.Name)}'; expected are protected, payload and signature.",
                });
            }
        }

        if (!Text(members, "The JWS", "protected", out var header, out problem)
            || !Text(members, "The JWS", "payload", out var payload, out problem)
            || !Text(members, "The JWS", "signature", out var signature, out problem))
        {
            return problem!;
        }

        if (header is null || payload is null || signature is null)
        {
            return Malformed("The JWS needs the members protected, payload and signature, all strings.");
        }

        if (header.Length > limits.MaxHeaderCharacters)
        {
            return Malformed($"The protected header has {header.Length} characters where at most {limits.MaxHeaderCharacters} are allowed.");
        }

        return Assemble(header, payload, signature, limits);
    }

    private static Outcome<FlattenedJws> Assemble(string header, string payload, string signature, JwsLimits limits)
    {
        var headerBytes = Base64UrlText.Decode(header);
        var payloadBytes = Base64UrlText.Decode(payload);
        var signatureBytes = Base64UrlText.Decode(signature);
        foreach (var (name, decoded) in new[] { ("protected", headerBytes), ("payload", payloadBytes), ("signature", signatureBytes) })
        {
            if (!decoded.IsValid)
            {
                return Malformed($"The JWS member '{name}' is not base64url: {decoded.Reason}.");
            }
        }

        var read = ReadHeader(headerBytes.Value!, limits);
        return read.TryGet(out var protectedHeader, out var problem)
            ? new FlattenedJws(protectedHeader, payloadBytes.Value!, signatureBytes.Value!, Encoding.ASCII.GetBytes(header + "." + payload))
            : problem;
    }

    private static Outcome<ProtectedHeader> ReadHeader(ReadOnlyMemory<byte> utf8, JwsLimits limits)
    {
        const string what = "The protected header";
        var opened = Members(what, utf8, limits.MaxDepth);
        if (!opened.TryGet(out var members, out var problem))
        {
            return problem;
        }

        if (members.TryGetProperty("crit", out _))
        {
            return Malformed(what + " has 'crit'; no extension is understood here.");
        }

        if (members.TryGetProperty("b64", out _))
        {
            return Malformed(what + " has 'b64'; the payload is always base64url here.");
        }

        if (!Text(members, what, "alg", out var alg, out problem)
            || !Text(members, what, "nonce", out var nonce, out problem)
            || !Text(members, what, "url", out var url, out problem)
            || !Text(members, what, "kid", out var kid, out problem))
        {
            return problem!;
        }

        JsonElement? jwk = members.TryGetProperty("jwk", out var found) ? found : null;
        if (alg is null)
        {
            return Malformed(what + " has no alg.");
        }

        if (jwk is null == kid is null)
        {
            return Malformed(what + (kid is null ? " has neither jwk nor kid; exactly one is expected." : " has both jwk and kid; exactly one is expected."));
        }

        return jwk is { ValueKind: not JsonValueKind.Object }
            ? Malformed(what + " has a jwk that is no object.")
            : new ProtectedHeader { Alg = alg, Nonce = nonce, Url = url, Jwk = jwk, Kid = kid };
    }

    private static Outcome<JsonElement> Members(string what, ReadOnlyMemory<byte> utf8, int depth)
    {
        var read = StrictJson.Read(utf8, depth);
        if (!read.IsValid)
        {
            return Malformed($"{what} cannot be read: {read.Reason}.");
        }

        return read.Value.ValueKind == JsonValueKind.Object ? read.Value : Malformed(what + " is not a JSON object.");
    }

    private static bool Text(JsonElement members, string what, string name, out string? text, out AcmeProblem? problem)
    {
        text = null;
        problem = null;
        if (!members.TryGetProperty(name, out var element))
        {
            return true;
        }

        if (element.ValueKind == JsonValueKind.String)
        {
            text = element.GetString();
            return true;
        }

        problem = Malformed($"{what} has a '{name}' that is no string.");
        return false;
    }

    private static AcmeProblem Malformed(string detail) => new(ProblemCatalog.Malformed, detail);
}
