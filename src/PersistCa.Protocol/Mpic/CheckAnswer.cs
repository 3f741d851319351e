using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace PersistCa.Protocol.Mpic;

/// <summary>
/// What a perspective answers to POST /dcv and POST /caa of Open MPIC. <see cref="Passed"/> is its own opinion, which an authority that can judge
/// <see cref="RecordsSeen"/> itself takes for a cross-check and no more.
/// </summary>
/// <param name="IsCaa">Whether it answers /caa.</param>
/// <param name="Completed">Whether it could look at all.</param>
/// <param name="Passed">Its opinion.</param>
public sealed record CheckAnswer(bool IsCaa, bool Completed, bool Passed)
{
    /// <summary>Most records that are read from one answer; more make it unreadable.</summary>
    public const int MaxRecords = 1000;

    /// <summary>What went wrong there, in words; empty for nothing.</summary>
    public ImmutableArray<string> Errors { get; init; } = [];

    /// <summary>The method that was asked for, null for CAA.</summary>
    public string? ValidationMethod { get; init; }

    /// <summary>Records seen: TXT as text, CAA as zone files write it.</summary>
    public ImmutableArray<string> RecordsSeen { get; init; } = [];

    /// <summary>DNS response code (IANA DNS RCODEs), null when none is told.</summary>
    public int? ResponseCode { get; init; }

    /// <summary>AD bit.</summary>
    public bool AuthenticData { get; init; }

    /// <summary>Name at which the records stand; null when none is told.</summary>
    public string? FoundAt { get; init; }

    /// <summary>Aliases followed.</summary>
    public ImmutableArray<string> CnameChain { get; init; } = [];

    /// <summary>CAA: whether there are records; null when it is not told.</summary>
    public bool? CaaRecordPresent { get; init; }

    /// <summary>http-01: status of the last response; null without one.</summary>
    public int? ResponseStatusCode { get; init; }

    /// <summary>When it was looked.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Reads an answer of any implementation: members that are not known are passed over, since nothing rests on them.</summary>
    /// <param name="body">The body, read strictly already.</param>
    /// <param name="isCaa">Whether /caa was asked.</param>
    public static Parsed<CheckAnswer> Read(JsonElement body, bool isCaa)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return Parsed<CheckAnswer>.Refused("it is no object");
        }

        if (Member(body, "check_passed") is not { ValueKind: JsonValueKind.True or JsonValueKind.False } passed)
        {
            return Parsed<CheckAnswer>.Refused("it has no check_passed");
        }

        var type = Text(body, "check_type");
        if (type is not null && type != (isCaa ? "caa" : "dcv"))
        {
            return Parsed<CheckAnswer>.Refused("its check_type is another than was asked for");
        }

        var details = Member(body, "details") is { ValueKind: JsonValueKind.Object } given ? given : default;
        var errors = Member(body, "errors") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Take(8).Select(e => e.ValueKind == JsonValueKind.Object ? $"{Text(e, "error_type")}: {Text(e, "error_message")}" : "").ToImmutableArray()
            : [];
        var records = Records(details);
        if (!records.IsValid)
        {
            return Parsed<CheckAnswer>.Refused(records.Reason);
        }

        // Older implementations say only by an error that they could not look.
        var completed = Member(body, "check_completed") is { } told ? told.ValueKind == JsonValueKind.True : errors.IsEmpty;
        return Parsed<CheckAnswer>.Ok(new CheckAnswer(isCaa, completed, passed.ValueKind == JsonValueKind.True)
        {
            Errors = errors,
            ValidationMethod = Text(details, "validation_method"),
            RecordsSeen = records.Value,
            ResponseCode = Number(details, "response_code"),
            AuthenticData = Member(details, "ad_flag") is { ValueKind: JsonValueKind.True },
            FoundAt = Text(details, "found_at"),
            CaaRecordPresent = Member(details, "caa_record_present") is { ValueKind: JsonValueKind.True or JsonValueKind.False } present ? present.ValueKind == JsonValueKind.True : null,
            ResponseStatusCode = Number(details, "response_status_code"),
            CnameChain = Member(details, "cname_chain") is { ValueKind: JsonValueKind.Array } chain
                ? [.. chain.EnumerateArray().Take(32).Where(c => c.ValueKind == JsonValueKind.String).Select(c => c.GetString()!)]
                : [],
        });
    }

    /// <summary>The answer as UTF-8 JSON.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("check_type", IsCaa ? "caa" : "dcv");
            json.WriteBoolean("check_completed", Completed);
            json.WriteBoolean("check_passed", Passed);
            WriteErrors(json);
            if (At is { } at)
            {
                json.WriteNumber("timestamp_ns", (at - DateTimeOffset.UnixEpoch).Ticks * 100);
            }

            json.WriteStartObject("details");
            if (IsCaa)
            {
                json.WriteBoolean("caa_record_present", CaaRecordPresent ?? false);
            }

            MpicMembers.Write(json, "validation_method", ValidationMethod);
            MpicMembers.Write(json, "records_seen", RecordsSeen);
            MpicMembers.Write(json, "found_at", FoundAt);
            if (ResponseCode is { } code)
            {
                json.WriteNumber("response_code", code);
                json.WriteBoolean("ad_flag", AuthenticData);
                MpicMembers.Write(json, "cname_chain", CnameChain);
            }

            if (ResponseStatusCode is { } status)
            {
                json.WriteNumber("response_status_code", status);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private void WriteErrors(Utf8JsonWriter json)
    {
        if (Errors.IsEmpty)
        {
            json.WriteNull("errors");
            return;
        }

        json.WriteStartArray("errors");
        foreach (var error in Errors)
        {
            json.WriteStartObject();
            json.WriteString("error_type", IsCaa ? "mpic_error:caa_checker:lookup" : "mpic_error:dcv_checker:lookup");
            json.WriteString("error_message", error);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>A list in published code; one text with a record a line where the specification is followed.</summary>
    private static Parsed<ImmutableArray<string>> Records(JsonElement details) => Member(details, "records_seen") switch
    {
        null => Parsed<ImmutableArray<string>>.Ok([]),
        { ValueKind: JsonValueKind.String } text => Parsed<ImmutableArray<string>>.Ok([.. text.GetString()!.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(MaxRecords)]),
        { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() <= MaxRecords && list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) =>
            Parsed<ImmutableArray<string>>.Ok([.. list.EnumerateArray().Select(e => e.GetString()!)]),
        _ => Parsed<ImmutableArray<string>>.Refused($"its records_seen is no list of at most {MaxRecords} texts"),
    };

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static int? Number(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : null;
}
