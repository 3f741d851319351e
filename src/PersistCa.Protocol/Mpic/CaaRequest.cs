using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace PersistCa.Protocol.Mpic;

/// <summary>POST /caa of Open MPIC: look up the CAA records that decide for a name.</summary>
/// <param name="Target">Domain name, "*." before it for a wildcard.</param>
public sealed record CaaRequest(string Target)
{
    private const string Wildcard = "tls-server-wildcard";
    private const string Server = "tls-server";

    /// <summary>Issuer names of the asking authority; empty for none.</summary>
    public ImmutableArray<string> CaaDomains { get; init; } = [];

    /// <summary>Whatever the asker tells requests apart by; null for nothing.</summary>
    public string? TraceIdentifier { get; init; }

    /// <summary>Reads a request, as strictly as <see cref="DcvRequest.Read(JsonElement)"/>.</summary>
    /// <param name="body">The body, read strictly already.</param>
    public static Parsed<CaaRequest> Read(JsonElement body)
    {
        var members = MpicMembers.Of(body, "the body", "domain_or_ip_target", "caa_check_parameters", "trace_identifier", "check_type");
        if (!members.IsValid)
        {
            return Parsed<CaaRequest>.Refused(members.Reason);
        }

        if (MpicMembers.Text(members.Value, "domain_or_ip_target") is not { } target)
        {
            return Parsed<CaaRequest>.Refused("it has no domain_or_ip_target");
        }

        var request = new CaaRequest(target) { TraceIdentifier = MpicMembers.Text(members.Value, "trace_identifier") };
        if (!members.Value.TryGetValue("caa_check_parameters", out var given))
        {
            return Parsed<CaaRequest>.Ok(request);
        }

        var parameters = MpicMembers.Of(given, "caa_check_parameters", "certificate_type", "caa_domains", "allow_lookup_failure");
        if (!parameters.IsValid)
        {
            return Parsed<CaaRequest>.Refused(parameters.Reason);
        }

        // A failed look-up never counts as permission here; whoever asks for that is told.
        if (parameters.Value.TryGetValue("allow_lookup_failure", out var allow) && allow.ValueKind != JsonValueKind.False)
        {
            return Parsed<CaaRequest>.Refused("allow_lookup_failure is not false; a failed look-up permits nothing here");
        }

        var type = MpicMembers.Text(parameters.Value, "certificate_type") ?? Server;
        var domains = MpicMembers.Texts(parameters.Value, "caa_domains", DcvRequest.MaxIssuers);
        return type is not (Server or Wildcard) ? Parsed<CaaRequest>.Refused($"the certificate_type is neither {Server} nor {Wildcard}")
            : !domains.IsValid ? Parsed<CaaRequest>.Refused(domains.Reason)
            : Parsed<CaaRequest>.Ok(request with
            {
                CaaDomains = domains.Value,
                Target = type == Wildcard && !target.StartsWith("*.", StringComparison.Ordinal) ? "*." + target : target,
            });
    }

    /// <summary>The request as UTF-8 JSON. The type of certificate is said too, since older implementations go by it and not by the name.</summary>
    public byte[] ToJson()
    {
        var wildcard = Target.StartsWith("*.", StringComparison.Ordinal);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("domain_or_ip_target", Target);
            MpicMembers.Write(json, "trace_identifier", TraceIdentifier);
            json.WriteStartObject("caa_check_parameters");
            json.WriteString("certificate_type", wildcard ? Wildcard : Server);
            MpicMembers.Write(json, "caa_domains", CaaDomains);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
