using System.Globalization;
using System.Text;

namespace PersistCa.Protocol.Caa;

/// <summary>A CAA record read from its RDATA (RFC 8659 section 4.1).</summary>
/// <param name="Flags">The flags octet. Only <see cref="CriticalFlag"/> has a meaning; the other bits are reserved and ignored.</param>
/// <param name="Tag">Property tag in lower case: tags compare without case.</param>
/// <param name="Value">Property value, one character for each octet (U+0000 to U+00FF).</param>
public sealed record CaaRecord(byte Flags, string Tag, string Value)
{
    /// <summary>Issuer Critical: who does not understand the property must not issue.</summary>
    public const byte CriticalFlag = 0x80;

    /// <summary>Tag of the property that says who may issue (section 4.2).</summary>
    public const string IssueTag = "issue";

    /// <summary>Tag of the property that says who may issue for wildcards (section 4.3).</summary>
    public const string IssueWildTag = "issuewild";

    /// <summary>Tag of the property that says where to report (section 4.4).</summary>
    public const string IodefTag = "iodef";

    /// <summary>True when the flag is set.</summary>
    public bool IsCritical => (Flags & CriticalFlag) != 0;

    /// <summary>
    /// True for properties that are understood here. Others are ignored unless critical; those of other certificates (issuemail of RFC 9495, issuevmc)
    /// and of other methods (contactemail) count among the others, since nothing here acts on them.
    /// </summary>
    public bool IsUnderstood => Tag is IssueTag or IssueWildTag or IodefTag;

    /// <summary>Reads RDATA. Never throws, whatever it holds.</summary>
    /// <param name="rdata">The octets of the RDATA, one character each.</param>
    public static Parsed<CaaRecord> Read(string rdata)
    {
        if (rdata.Length < 2)
        {
            return Parsed<CaaRecord>.Refused($"it has {rdata.Length} octets where flags and the length of a tag are expected");
        }

        if (rdata.Any(c => c > '\u00FF'))
        {
            return Parsed<CaaRecord>.Refused("it holds characters that are no octets");
        }

        var length = (int)rdata[1];
        if (length == 0)
        {
            return Parsed<CaaRecord>.Refused("its tag is empty");
        }

        if (length > rdata.Length - 2)
        {
            return Parsed<CaaRecord>.Refused($"its tag should have {length} octets and {rdata.Length - 2} are there");
        }

        var tag = rdata.Substring(2, length);
        return tag.All(char.IsAsciiLetterOrDigit)
            ? Parsed<CaaRecord>.Ok(new CaaRecord((byte)rdata[0], tag.ToLowerInvariant(), rdata[(2 + length)..]))
            : Parsed<CaaRecord>.Refused("its tag has other characters than letters and digits");
    }

    /// <summary>The record as RDATA, one character for each octet.</summary>
    public string ToRdata() => $"{(char)Flags}{(char)Tag.Length}{Tag}{Value}";

    /// <summary>
    /// RDATA as zone files write it (RFC 8659 section 4.1.1): <c>0 issue "ca.example"</c>, with what is not printable as \DDD; RDATA that cannot be
    /// read in the form of RFC 3597 section 5, <c>\# 2 00ff</c>. Nothing is lost, and nothing in it needs escaping in databases.
    /// </summary>
    /// <param name="rdata">The octets of the RDATA, one character each.</param>
    public static string Present(string rdata)
    {
        var read = Read(rdata);
        if (!read.IsValid)
        {
            var octets = Convert.ToHexStringLower(Encoding.Latin1.GetBytes(rdata));
            return string.Create(CultureInfo.InvariantCulture, $"\\# {rdata.Length} {octets}").TrimEnd();
        }

        // The tag as it was written: its case is part of what was seen.
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{read.Value.Flags} {rdata.AsSpan(2, read.Value.Tag.Length)} \"");
        foreach (var c in read.Value.Value)
        {
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                >= ' ' and <= '~' => text.Append(c),
                _ => text.Append('\\').Append(((int)c).ToString("000", CultureInfo.InvariantCulture)),
            };
        }

        return text.Append('"').ToString();
    }
}
