using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace PersistCa.Protocol.Mpic;

/// <summary>The methods of an Open MPIC check that are served and used here.</summary>
public enum DcvMethod
{
    /// <summary>http-01.</summary>
    AcmeHttp01 = 1,

    /// <summary>dns-01.</summary>
    AcmeDns01 = 2,

    /// <summary>tls-alpn-01.</summary>
    AcmeTlsAlpn01 = 3,

    /// <summary>Any TXT record at a name with a prefix: dns-account-01, and dns-persist-01 in the dialect acme-persist.</summary>
    DnsChange = 4,

    /// <summary>dns-persist-01 under _validation-persist.</summary>
    DnsPersistent = 5,
}

/// <summary>
/// POST /dcv of Open MPIC (specification 3.5.0; "dns-persistent" and tls-alpn-01 as its published code has them): look at one target by one method.
/// Members that do not belong to the method are null.
/// </summary>
/// <param name="Target">Domain name without "*.", or address.</param>
/// <param name="Method">The method.</param>
public sealed record DcvRequest(string Target, DcvMethod Method)
{
    /// <summary>Longest text of a member, in characters.</summary>
    public const int MaxText = 2048;

    /// <summary>Most issuer names.</summary>
    public const int MaxIssuers = 20;

    private static readonly (DcvMethod Method, string Word, string[] Members)[] Methods =
    [
        (DcvMethod.AcmeHttp01, "acme-http-01", ["token", "key_authorization"]),
        (DcvMethod.AcmeDns01, "acme-dns-01", ["key_authorization_hash"]),
        (DcvMethod.AcmeTlsAlpn01, "acme-tls-alpn-01", ["key_authorization_hash"]),
        (DcvMethod.DnsChange, "dns-change", ["challenge_value", "dns_name_prefix"]),
        (DcvMethod.DnsPersistent, "dns-persistent", ["expected_account_uri"]),
    ];

    /// <summary>http-01: the token.</summary>
    public string? Token { get; init; }

    /// <summary>http-01: the key authorization.</summary>
    public string? KeyAuthorization { get; init; }

    /// <summary>SHA-256 of the key authorization: base64url for dns-01, as the record has it; hexadecimal for tls-alpn-01.</summary>
    public string? KeyAuthorizationHash { get; init; }

    /// <summary>dns-change: the text looked for.</summary>
    public string? ChallengeValue { get; init; }

    /// <summary>dns-change: labels before the target.</summary>
    public string? DnsNamePrefix { get; init; }

    /// <summary>dns-change: whether a record must be the text, not only contain it.</summary>
    public bool RequireExactMatch { get; init; }

    /// <summary>dns-persistent: issuer names that a record may have.</summary>
    public ImmutableArray<string> IssuerDomainNames { get; init; } = [];

    /// <summary>dns-persistent: the accounturi that a record must have.</summary>
    public string? ExpectedAccountUri { get; init; }

    /// <summary>Whatever the asker tells requests apart by; null for nothing.</summary>
    public string? TraceIdentifier { get; init; }

    /// <summary>The word of the method.</summary>
    public string MethodWord => Methods.First(m => m.Method == Method).Word;

    /// <summary>Reads a request. A member that is not understood is refused unless it is null: what is not obeyed must not seem to be.</summary>
    /// <param name="body">The body, read strictly already.</param>
    public static Parsed<DcvRequest> Read(JsonElement body)
    {
        var members = MpicMembers.Of(body, "the body", "domain_or_ip_target", "dcv_check_parameters", "trace_identifier", "check_type");
        if (!members.IsValid)
        {
            return Parsed<DcvRequest>.Refused(members.Reason);
        }

        if (!members.Value.TryGetValue("dcv_check_parameters", out var given))
        {
            return Parsed<DcvRequest>.Refused("it has no dcv_check_parameters");
        }

        if (given.ValueKind != JsonValueKind.Object || !given.TryGetProperty("validation_method", out var word) || word.ValueKind != JsonValueKind.String)
        {
            return Parsed<DcvRequest>.Refused("dcv_check_parameters has no validation_method");
        }

        var row = Methods.FirstOrDefault(m => m.Word == word.GetString());
        if (row.Word is null)
        {
            return Parsed<DcvRequest>.Refused($"the validation_method is none of {string.Join(", ", Methods.Select(m => m.Word))}");
        }

        var parameters = MpicMembers.Of(
            given, "dcv_check_parameters", [.. row.Members, "validation_method", "dns_record_type", "dns_name_prefix", "require_exact_match", "issuer_domain_names"]);
        return parameters.IsValid ? Read(members.Value, row.Method, row.Members, parameters.Value) : Parsed<DcvRequest>.Refused(parameters.Reason);
    }

    private static Parsed<DcvRequest> Read(
        IReadOnlyDictionary<string, JsonElement> body, DcvMethod method, string[] needed, IReadOnlyDictionary<string, JsonElement> parameters)
    {
        if (MpicMembers.Text(body, "domain_or_ip_target") is not { } target)
        {
            return Parsed<DcvRequest>.Refused("it has no domain_or_ip_target");
        }

        if (needed.FirstOrDefault(m => MpicMembers.Text(parameters, m) is null) is { } missing)
        {
            return Parsed<DcvRequest>.Refused($"{missing} is missing, empty or longer than {MaxText} characters");
        }

        if (parameters.TryGetValue("dns_record_type", out var type) && !(type.ValueKind == JsonValueKind.String && type.ValueEquals("TXT")))
        {
            return Parsed<DcvRequest>.Refused("dns_record_type is not TXT, the only type that is looked up");
        }

        var issuers = MpicMembers.Texts(parameters, "issuer_domain_names", MaxIssuers);
        if (!issuers.IsValid)
        {
            return Parsed<DcvRequest>.Refused(issuers.Reason);
        }

        if (method == DcvMethod.DnsPersistent && issuers.Value.IsEmpty)
        {
            return Parsed<DcvRequest>.Refused("issuer_domain_names is missing or empty");
        }

        return Parsed<DcvRequest>.Ok(new DcvRequest(target.StartsWith("*.", StringComparison.Ordinal) ? target[2..] : target, method)
        {
            Token = MpicMembers.Text(parameters, "token"),
            KeyAuthorization = MpicMembers.Text(parameters, "key_authorization"),
            KeyAuthorizationHash = MpicMembers.Text(parameters, "key_authorization_hash"),
            ChallengeValue = MpicMembers.Text(parameters, "challenge_value"),
            DnsNamePrefix = method == DcvMethod.DnsChange ? MpicMembers.Text(parameters, "dns_name_prefix") : null,
            RequireExactMatch = parameters.TryGetValue("require_exact_match", out var exact) && exact.ValueKind == JsonValueKind.True,
            IssuerDomainNames = issuers.Value,
            ExpectedAccountUri = MpicMembers.Text(parameters, "expected_account_uri"),
            TraceIdentifier = MpicMembers.Text(body, "trace_identifier"),
        });
    }

    /// <summary>The request as UTF-8 JSON.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("domain_or_ip_target", Target);
            MpicMembers.Write(json, "trace_identifier", TraceIdentifier);
            json.WriteStartObject("dcv_check_parameters");
            json.WriteString("validation_method", MethodWord);
            MpicMembers.Write(json, "token", Token);
            MpicMembers.Write(json, "key_authorization", KeyAuthorization);
            MpicMembers.Write(json, "key_authorization_hash", KeyAuthorizationHash);
            MpicMembers.Write(json, "challenge_value", ChallengeValue);
            MpicMembers.Write(json, "dns_name_prefix", DnsNamePrefix);
            MpicMembers.Write(json, "expected_account_uri", ExpectedAccountUri);
            if (Method == DcvMethod.DnsChange)
            {
                json.WriteString("dns_record_type", "TXT");
                json.WriteBoolean("require_exact_match", RequireExactMatch);
            }

            if (!IssuerDomainNames.IsEmpty)
            {
                MpicMembers.Write(json, "issuer_domain_names", IssuerDomainNames);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
