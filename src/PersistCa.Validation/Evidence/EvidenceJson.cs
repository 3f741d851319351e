using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersistCa.Validation.Evidence;

/// <summary>Limits of stored evidence.</summary>
public sealed record EvidenceLimits
{
    /// <summary>The least that can be asked for: below it the fixed members alone might not fit.</summary>
    public const int LeastOctets = 16 * 1024;

    /// <summary>Most octets of the JSON text.</summary>
    public int MaxOctets { get; init; } = 32 * 1024;
}

/// <summary>Writes and reads evidence as JSON, without nulls and within its size.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ValidationEvidence))]
[JsonSerializable(typeof(CaaEvidence))]
public sealed partial class EvidenceJson : JsonSerializerContext
{
    // Each step is tried in turn until the text fits; the first keeps everything that an ordinary validation sees. Replies go first: what they say
    // stands in the records too, and their digest stays.
    private static readonly Step[] Steps =
    [
        new(8192, 200, Replies: true), new(8192, 200), new(1024, 200), new(256, 100), new(160, 40), new(128, 12), new(96, 6), new(64, 3), new(48, 2),
        new(48, 2, Sightings: false),
    ];

    /// <summary>
    /// Writes evidence. Values too long for the limit are cut, with a marker that gives their length and SHA-256 (of the UTF-8 octets); entries
    /// of lists beyond it are left out and counted.
    /// </summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="limits">Its size; null for the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is below <see cref="EvidenceLimits.LeastOctets"/>.</exception>
    public static string Write(ValidationEvidence evidence, EvidenceLimits? limits = null) =>
        Fit(limits, step => JsonSerializer.Serialize(new Cut(step).Apply(evidence), Default.ValidationEvidence));

    /// <summary>Writes evidence of a CAA check, cut in the same way.</summary>
    /// <param name="evidence">The evidence.</param>
    /// <param name="limits">Its size; null for the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is below <see cref="EvidenceLimits.LeastOctets"/>.</exception>
    public static string Write(CaaEvidence evidence, EvidenceLimits? limits = null) =>
        Fit(limits, step => JsonSerializer.Serialize(new Cut(step).Apply(evidence), Default.CaaEvidence));

    /// <summary>Reads evidence that <see cref="Write(ValidationEvidence, EvidenceLimits?)"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not evidence.</exception>
    public static ValidationEvidence Read(string json) =>
        JsonSerializer.Deserialize(json, Default.ValidationEvidence) ?? throw new JsonException("the evidence is null");

    /// <summary>Reads evidence that <see cref="Write(CaaEvidence, EvidenceLimits?)"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not evidence.</exception>
    public static CaaEvidence ReadCaa(string json) =>
        JsonSerializer.Deserialize(json, Default.CaaEvidence) ?? throw new JsonException("the evidence is null");

    private static string Fit(EvidenceLimits? limits, Func<Step, string> write)
    {
        limits ??= new EvidenceLimits();
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.MaxOctets, EvidenceLimits.LeastOctets);
        foreach (var step in Steps)
        {
            var text = write(step);
            if (Encoding.UTF8.GetByteCount(text) <= limits.MaxOctets)
            {
                return text;
            }
        }

        throw new InvalidOperationException("evidence does not fit its limit although every list and value was cut to its least");
    }

    private sealed record Step(int ValueCharacters, int ListEntries, bool Replies = false, bool Sightings = true);

    private sealed class Cut(Step step)
    {
        private int omitted;

        public ValidationEvidence Apply(ValidationEvidence whole)
        {
            var cut = whole with
            {
                Name = Value(whole.Name),
                Reason = Value(whole.Reason),
                Lookups = List(whole.Lookups, Lookup),
                Hops = List(whole.Hops, h => h with { Url = Value(h.Url), Location = Optional(h.Location) }),
                Judged = List(whole.Judged, Record),

                // Never fewer of them: that each was asked, and what it came to, is what must be kept (BR section 5.4.1).
                Perspectives = whole.Perspectives is null ? null : [.. whole.Perspectives.Select(Perspective)],
            };
            return omitted == 0 ? cut : cut with { Omitted = omitted };
        }

        public CaaEvidence Apply(CaaEvidence whole)
        {
            var cut = whole with
            {
                AccountUrl = Optional(whole.AccountUrl),
                Detail = Value(whole.Detail),
                Matched = Optional(whole.Matched),
                Excused = List(whole.Excused, Value),
                Contacts = List(whole.Contacts, Value),
                Lookups = List(whole.Lookups, Lookup),
                Judged = List(whole.Judged, r => r with { Text = Value(r.Text), Detail = Value(r.Detail) }),
                Perspectives = whole.Perspectives is null ? null : [.. whole.Perspectives.Select(Perspective)],
            };
            return omitted == 0 ? cut : cut with { Omitted = omitted };
        }

        private PerspectiveEvidence Perspective(PerspectiveEvidence whole)
        {
            var cut = whole with { Reason = Value(whole.Reason), Account = Optional(whole.Account), Trouble = Optional(whole.Trouble) };
            if (!step.Sightings)
            {
                omitted += (whole.Lookups?.Count ?? 0) + (whole.Judged?.Count ?? 0) + (whole.CaaRecords?.Count ?? 0);
                return cut with { Lookups = null, Judged = null, CaaRecords = null };
            }

            return cut with
            {
                Lookups = List(whole.Lookups, Lookup),
                Judged = List(whole.Judged, Record),
                CaaRecords = List(whole.CaaRecords, Value),
            };
        }

        private RecordEvidence Record(RecordEvidence whole) => whole with { Owner = Value(whole.Owner), Text = Value(whole.Text), Detail = Value(whole.Detail) };

        private LookupEvidence Lookup(LookupEvidence whole) => whole with
        {
            Name = Value(whole.Name),
            Reason = Optional(whole.Reason),
            SecurityReason = Optional(whole.SecurityReason),
            ExtendedErrors = List(whole.ExtendedErrors, Value),
            Reply = step.Replies && whole.Reply?.Length <= step.ValueCharacters ? whole.Reply : null,
            Cnames = List(whole.Cnames, Value),
            Records = List(whole.Records, r => r with { Text = Value(r.Text) }),
        };

        private List<T>? List<T>(IReadOnlyList<T>? whole, Func<T, T> cut)
        {
            if (whole is null)
            {
                return null;
            }

            omitted += Math.Max(0, whole.Count - step.ListEntries);
            return [.. whole.Take(step.ListEntries).Select(cut)];
        }

        private string? Optional(string? text) => text is null ? null : Value(text);

        private string Value(string text)
        {
            if (text.Length <= step.ValueCharacters)
            {
                return text;
            }

            var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
            return $"{text.AsSpan(0, step.ValueCharacters)}[cut: {text.Length} characters, sha256 {digest}]";
        }
    }
}
