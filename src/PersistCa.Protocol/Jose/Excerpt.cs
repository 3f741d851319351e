namespace PersistCa.Protocol.Jose;

/// <summary>Puts a stranger's text into a sentence: short, and printable whatever it holds.</summary>
internal static class Excerpt
{
    /// <summary>Most characters that are shown.</summary>
    public const int MaxShown = 40;

    public static string Of(string text)
    {
        var shown = string.Create(Math.Min(text.Length, MaxShown), text, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++)
            {
                to[i] = from[i] is >= ' ' and <= '~' and not '\'' ? from[i] : '?';
            }
        });
        return text.Length > MaxShown ? shown + "..." : shown;
    }
}
