using PersistCa.Protocol;

namespace PersistCa.Validation;

/// <summary>Makes text that strangers wrote fit for a message: short, on one line, printable ASCII.</summary>
public static class PrintableText
{
    /// <summary>Replaces what is not printable ASCII by "?" and cuts what is longer, with "..." at the cut.</summary>
    /// <param name="text">Untrusted text.</param>
    /// <param name="maxCharacters">Most characters kept, above zero.</param>
    public static string Shorten(string text, int maxCharacters) => Excerpt.Of(text, maxCharacters, "");
}
