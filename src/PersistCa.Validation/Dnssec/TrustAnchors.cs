using System.Collections.Immutable;
using System.Globalization;
using PersistCa.Protocol;

namespace PersistCa.Validation.Dnssec;

/// <summary>What the chain of signatures starts from, and where it is known not to hold (RFC 7646). Pure.</summary>
public sealed class TrustAnchors
{
    private readonly ImmutableArray<Anchor> anchors;
    private readonly ImmutableArray<CanonicalName> islands;

    private TrustAnchors(ImmutableArray<Anchor> anchors, ImmutableArray<CanonicalName> islands) => (this.anchors, this.islands) = (anchors, islands);

    /// <summary>
    /// The keys of the root: KSK-2017 and KSK-2024, as IANA publishes their digests (https://data.iana.org/root-anchors/root-anchors.xml, RFC 9718).
    /// </summary>
    public static ImmutableArray<string> Root { get; } =
    [
        ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
        ". DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
    ];

    /// <summary>Zones with an anchor, as text.</summary>
    public IEnumerable<string> Zones => anchors.Select(a => a.Zone.Text);

    internal ImmutableArray<Anchor> All => anchors;

    /// <summary>Reads one anchor.</summary>
    /// <param name="text">"ZONE DS TAG ALGORITHM DIGEST-TYPE DIGEST" or "ZONE DNSKEY FLAGS PROTOCOL ALGORITHM KEY", as in zone files; TTL and class may stand there.</param>
    /// <returns>The zone, or why the text is no anchor.</returns>
    public static Parsed<string> Check(string text)
    {
        var read = Read(text);
        return read.IsValid ? Parsed<string>.Ok(read.Value.Zone.Text) : Parsed<string>.Refused(read.Reason);
    }

    /// <summary>Joins anchors and declared islands.</summary>
    /// <param name="texts">Anchors. Those of the root stand in place of <see cref="Root"/>.</param>
    /// <param name="insecureZones">Zones that are known not to be signed; "." for all without a nearer anchor.</param>
    /// <returns>The anchors, or what is wrong.</returns>
    public static Parsed<TrustAnchors> Create(IEnumerable<string> texts, IEnumerable<string> insecureZones)
    {
        var found = new Dictionary<CanonicalName, List<DelegationRecord>>();
        foreach (var text in texts)
        {
            var read = Read(text);
            if (!read.IsValid)
            {
                return Parsed<TrustAnchors>.Refused(read.Reason);
            }

            if (!found.TryGetValue(read.Value.Zone, out var records))
            {
                found[read.Value.Zone] = records = [];
            }

            records.Add(read.Value.Keys[0]);
        }

        var islands = ImmutableArray.CreateBuilder<CanonicalName>();
        foreach (var zone in insecureZones)
        {
            if (CanonicalName.FromText(zone) is not { } name)
            {
                return Parsed<TrustAnchors>.Refused($"'{zone}' is not a zone");
            }

            if (found.ContainsKey(name))
            {
                return Parsed<TrustAnchors>.Refused($"{name} is declared not to be signed and has a trust anchor");
            }

            islands.Add(name);
        }

        if (!found.ContainsKey(CanonicalName.Root) && !islands.Contains(CanonicalName.Root))
        {
            found[CanonicalName.Root] = [.. Root.Select(t => Read(t).Value!.Keys[0])];
        }

        return Parsed<TrustAnchors>.Ok(new TrustAnchors([.. found.Select(f => new Anchor(f.Key, [.. f.Value])).OrderBy(a => a.Zone.LabelCount)], islands.ToImmutable()));
    }

    /// <summary>The nearest anchor at or above a name; null where the name lies in a declared island that is nearer, or no anchor is above it.</summary>
    internal Anchor? For(CanonicalName name)
    {
        var anchor = anchors.LastOrDefault(a => name.IsWithin(a.Zone));
        return anchor is null || islands.Any(i => name.IsWithin(i) && i.LabelCount > anchor.Zone.LabelCount) ? null : anchor;
    }

    /// <summary>Whether a name lies in a declared island, and no anchor is nearer to it than the island is.</summary>
    internal bool IsDeclaredInsecure(string name) => CanonicalName.FromText(name) is { } read && islands.Any(read.IsWithin) && For(read) is null;

    private static Parsed<Anchor> Read(string text)
    {
        static Parsed<Anchor> Refused(string text, string why) => Parsed<Anchor>.Refused($"'{PrintableText.Shorten(text, 200)}' is no trust anchor: {why}");

        string[] words = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var type = Array.FindIndex(words, w => w.Equals("DS", StringComparison.OrdinalIgnoreCase) || w.Equals("DNSKEY", StringComparison.OrdinalIgnoreCase));
        var between = type < 1 ? [] : words[1..type];
        if (type < 1 || words.Length < type + 5 || between.Any(w => !w.Equals("IN", StringComparison.OrdinalIgnoreCase) && !uint.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            return Refused(text, "\"ZONE DS TAG ALGORITHM DIGEST-TYPE DIGEST\" or \"ZONE DNSKEY FLAGS 3 ALGORITHM KEY\" expected");
        }

        if (CanonicalName.FromText(words[0]) is not { } zone)
        {
            return Refused(text, $"'{words[0]}' is not a zone");
        }

        if (!ushort.TryParse(words[type + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !byte.TryParse(words[type + 2], NumberStyles.None, CultureInfo.InvariantCulture, out var second)
            || !byte.TryParse(words[type + 3], NumberStyles.None, CultureInfo.InvariantCulture, out var third))
        {
            return Refused(text, "three numbers were expected behind the type");
        }

        byte[] data;
        try
        {
            var last = string.Concat(words[(type + 4)..]);
            var isDs = words[type].Equals("DS", StringComparison.OrdinalIgnoreCase);
            data = [(byte)(first >> 8), (byte)first, second, third, .. isDs ? Convert.FromHexString(last) : Convert.FromBase64String(last)];
            var record = isDs ? DelegationRecord.Read(data)
                : KeyRecord.Read(data) is { MaySign: true } key ? DelegationRecord.For(zone, key)
                : null;
            return record is null ? Refused(text, isDs ? "the digest has not the length of its type" : "the key is not one of a zone")
                : !record.IsSupported ? Refused(text, $"algorithm {record.Algorithm} or digest type {record.DigestType} is not known here")
                : Parsed<Anchor>.Ok(new Anchor(zone, [record]));
        }
        catch (FormatException)
        {
            return Refused(text, "the last part is neither hexadecimal (DS) nor base64 (DNSKEY)");
        }
    }
}

/// <summary>The keys by which a zone is known.</summary>
/// <param name="Zone">The zone.</param>
/// <param name="Keys">Digests of its keys.</param>
internal sealed record Anchor(CanonicalName Zone, ImmutableArray<DelegationRecord> Keys);
