namespace PersistCa.Protocol.Records;

/// <summary>Puts text from records into sentences: short and printable, whatever it holds.</summary>
internal static class RecordProse
{
    /// <summary>Most characters of a value that are shown.</summary>
    public const int MaxShown = 160;

    public static string Show(string text) => Excerpt.Of(text, MaxShown, "'\"");
}
