namespace PersistCa.Issuance.KeyStores;

/// <summary>Names that keys may be given: such as are safe in paths, URIs and aliases.</summary>
internal static class KeyName
{
    /// <summary>Longest name, characters.</summary>
    public const int MaxLength = 100;

    /// <summary>Says why a text is no name; null when it is one.</summary>
    public static string? Judge(string name) =>
        name.Length is 0 or > MaxLength || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            ? $"the key's name must be 1 to {MaxLength} letters, digits, hyphens and underscores"
            : null;
}
