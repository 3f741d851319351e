using System.Text;

namespace PersistCa.Protocol.Records;

/// <summary>Puts text from records into sentences: short and printable, whatever it holds.</summary>
internal static class RecordProse
{
    /// <summary>Most characters of a value that are shown.</summary>
    public const int MaxShown = 160;

    public static string Show(string text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, MaxShown) + 3);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, MaxShown)))
        {
            shown.Append(c is >= ' ' and <= '~' and not '\'' and not '"' ? c : '?');
        }

        return text.Length > MaxShown ? shown.Append("...").ToString() : shown.ToString();
    }
}
