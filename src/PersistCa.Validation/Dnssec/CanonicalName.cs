using PersistCa.Validation.Dns.Wire;

namespace PersistCa.Validation.Dnssec;

/// <summary>A domain name in canonical form (RFC 4034 section 6.2): wire form, not compressed, letters in lower case.</summary>
internal sealed class CanonicalName : IEquatable<CanonicalName>
{
    private const int MostLabelOctets = 63;
    private const int MostNameOctets = 255;

    private readonly byte[] wire;
    private readonly byte[] starts;

    private CanonicalName(byte[] wire, byte[] starts) => (this.wire, this.starts) = (wire, starts);

    /// <summary>The root.</summary>
    public static CanonicalName Root { get; } = new([0], []);

    /// <summary>The name in wire form.</summary>
    public ReadOnlySpan<byte> Wire => wire;

    /// <summary>Labels, the root's not counted.</summary>
    public int LabelCount => starts.Length;

    /// <summary>Labels as an RRSIG counts them: a leading asterisk is none (RFC 4034 section 3.1.3).</summary>
    public int SignedLabelCount => LabelCount - (IsWildcard ? 1 : 0);

    /// <summary>Whether the first label is an asterisk.</summary>
    public bool IsWildcard => wire is [1, (byte)'*', ..];

    /// <summary>The first label; empty for the root.</summary>
    public ReadOnlySpan<byte> FirstLabel => wire.AsSpan(1, wire[0]);

    /// <summary>The name without its first label; the root for the root.</summary>
    public CanonicalName Parent => LabelCount == 0 ? this : Ancestor(LabelCount - 1);

    /// <summary>The name as text, octets escaped as in zone files; "." for the root.</summary>
    public string Text
    {
        get
        {
            var at = 0;
            _ = DnsWireName.Read(wire, ref at, out var text);
            return text.Length == 0 ? "." : text;
        }
    }

    /// <summary>Reads a name in wire form that is not compressed.</summary>
    /// <param name="data">Octets that begin with it.</param>
    /// <param name="length">Octets it takes.</param>
    /// <returns>The name, null where there is none.</returns>
    public static CanonicalName? Read(ReadOnlySpan<byte> data, out int length)
    {
        var starts = new List<byte>();
        for (length = 0; length < data.Length && length < MostNameOctets; length += data[length] + 1)
        {
            if (data[length] == 0)
            {
                length++;
                var wire = data[..length].ToArray();
                foreach (var start in starts)
                {
                    foreach (ref var octet in wire.AsSpan(start + 1, wire[start]))
                    {
                        octet = octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;
                    }
                }

                return new CanonicalName(wire, [.. starts]);
            }

            if (data[length] > MostLabelOctets)
            {
                return null;
            }

            starts.Add((byte)length);
        }

        return null;
    }

    /// <summary>Reads a name as text, escaped as <see cref="DnsWireName"/> writes it, with or without the root's dot.</summary>
    /// <returns>The name, null where the text is none.</returns>
    public static CanonicalName? FromText(string text)
    {
        var rest = text == "." ? "" : text;
        var octets = new List<byte>();
        var label = new List<byte>();
        for (var i = 0; i < rest.Length; i++)
        {
            if (rest[i] == '.')
            {
                if (label.Count is 0 or > MostLabelOctets)
                {
                    return null;
                }

                octets.AddRange([(byte)label.Count, .. label]);
                label.Clear();
                continue;
            }

            if (rest[i] != '\\')
            {
                if (rest[i] is <= ' ' or > '~')
                {
                    return null;
                }

                label.Add((byte)rest[i]);
            }
            else if (i + 3 < rest.Length && byte.TryParse(rest.AsSpan(i + 1, 3), System.Globalization.NumberStyles.None, null, out var octet))
            {
                label.Add(octet);
                i += 3;
            }
            else if (i + 1 < rest.Length && rest[i + 1] is '.' or '\\')
            {
                label.Add((byte)rest[++i]);
            }
            else
            {
                return null;
            }
        }

        if (label.Count > MostLabelOctets)
        {
            return null;
        }

        byte[] last = label.Count > 0 ? [(byte)label.Count, .. label, 0] : [0];
        var whole = (byte[])[.. octets, .. last];
        return Read(whole, out var length) is { } name && length == whole.Length ? name : null;
    }

    /// <summary>The last so many labels.</summary>
    /// <param name="labels">0 (the root) to <see cref="LabelCount"/>.</param>
    public CanonicalName Ancestor(int labels)
    {
        if (labels == LabelCount)
        {
            return this;
        }

        var first = labels == 0 ? wire.Length - 1 : starts[LabelCount - labels];
        return new CanonicalName(wire[first..], [.. starts.Skip(LabelCount - labels).Select(s => (byte)(s - first))]);
    }

    /// <summary>Whether it is a name or lies under it.</summary>
    public bool IsWithin(CanonicalName other) => LabelCount >= other.LabelCount && Ancestor(LabelCount >= other.LabelCount ? other.LabelCount : 0).Equals(other);

    /// <summary>Whether it lies under a name.</summary>
    public bool IsBelow(CanonicalName other) => LabelCount > other.LabelCount && IsWithin(other);

    /// <summary>The wildcard under it; null where that would be too long.</summary>
    public CanonicalName? Wildcard() => Read([1, (byte)'*', .. wire], out _);

    /// <summary>The longest name that both lie under or are.</summary>
    public CanonicalName Common(CanonicalName other)
    {
        var labels = 0;
        while (labels < LabelCount && labels < other.LabelCount && Label(labels).SequenceEqual(other.Label(labels)))
        {
            labels++;
        }

        return Ancestor(labels);
    }

    /// <summary>The order of names in a zone (RFC 4034 section 6.1).</summary>
    /// <returns>Below, at or above zero.</returns>
    public static int Compare(CanonicalName one, CanonicalName other)
    {
        for (var i = 0; i < one.LabelCount && i < other.LabelCount; i++)
        {
            var order = one.Label(i).SequenceCompareTo(other.Label(i));
            if (order != 0)
            {
                return order;
            }
        }

        return one.LabelCount - other.LabelCount;
    }

    /// <inheritdoc/>
    public bool Equals(CanonicalName? other) => other is not null && wire.AsSpan().SequenceEqual(other.wire);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CanonicalName);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(wire);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>A label, counted from the root.</summary>
    private ReadOnlySpan<byte> Label(int fromRoot)
    {
        var start = starts[LabelCount - 1 - fromRoot];
        return wire.AsSpan(start + 1, wire[start]);
    }
}
