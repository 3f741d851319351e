namespace PersistCa.Protocol;

/// <summary>Puts a stranger's text into a sentence: short, on one line, and printable ASCII whatever it holds.</summary>
public static class Excerpt
{
    /// <summary>Replaces what is not printable by "?" and cuts what is longer, with "..." at the cut.</summary>
    /// <param name="text">Untrusted text.</param>
    /// <param name="most">Most characters kept.</param>
    /// <param name="hidden">Printable characters that are replaced too: those that would end the quotation around it.</param>
    public static string Of(string text, int most = 40, string hidden = "'")
    {
        var shown = string.Create(Math.Min(text.Length, most), (text, hidden), static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++)
            {
                var c = from.text[i];
                to[i] = c is >= ' ' and <= '~' && !from.hidden.Contains(c, StringComparison.Ordinal) ? c : '?';
            }
        });
        return text.Length > most ? shown + "..." : shown;
    }
}
