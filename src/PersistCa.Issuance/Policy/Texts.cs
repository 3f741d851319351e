using System.Globalization;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Policy;

/// <summary>How facts stand in decisions: short, whatever there is of them.</summary>
internal static class Texts
{
    /// <summary>Items that a list names.</summary>
    public const int Most = 10;

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Names(IReadOnlyCollection<Identifier> names) => List(names.Select(n => n.Text), names.Count);

    public static string List(IEnumerable<string> texts, int count) => string.Join(", ", texts.Take(Most)) + (count > Most ? $" and {Number(count - Most)} more" : "");

    public static string Duration(TimeSpan time) => time.ToString("c", CultureInfo.InvariantCulture);
}
