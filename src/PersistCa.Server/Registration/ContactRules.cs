using PersistCa.Protocol.Acme;

namespace PersistCa.Server.Registration;

/// <summary>Which contact URLs an account may have (RFC 8555 section 7.3).</summary>
internal static class ContactRules
{
    /// <summary>Longest contact URL: an address has at most 254 octets, and the scheme seven.</summary>
    public const int MaxLength = 261;

    /// <summary>Judges all contacts.</summary>
    /// <returns>The first fault, null when there is none.</returns>
    public static AcmeProblem? Check(IReadOnlyList<string> contacts, int most)
    {
        if (contacts.Count > most)
        {
            return new AcmeProblem(ProblemCatalog.InvalidContact, $"{contacts.Count} contacts were found where at most {most} are accepted.");
        }

        return contacts.Select(Check).FirstOrDefault(p => p is not null);
    }

    private static AcmeProblem? Check(string contact)
    {
        const string scheme = "mailto:";
        var shown = contact.Length <= 80 ? contact : contact[..80] + "...";
        if (contact.Length > MaxLength || contact.Any(c => c is < '!' or > '~'))
        {
            return new AcmeProblem(
                ProblemCatalog.InvalidContact,
                $"A contact has {contact.Length} characters or one that is not printable ASCII; expected a mailto URL of at most {MaxLength} printable ASCII characters.");
        }

        if (!contact.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return contact.Contains(':', StringComparison.Ordinal)
                ? new AcmeProblem(ProblemCatalog.UnsupportedContact, $"The contact '{shown}' has a scheme that is not supported; only mailto is.")
                : new AcmeProblem(ProblemCatalog.InvalidContact, $"The contact '{shown}' is not a URL; expected one such as mailto:admin@example.org.");
        }

        var address = contact[scheme.Length..];
        if (address.Contains('?', StringComparison.Ordinal))
        {
            return new AcmeProblem(ProblemCatalog.InvalidContact, $"The contact '{shown}' has header fields, which RFC 8555 section 7.3 forbids.");
        }

        if (address.Contains(',', StringComparison.Ordinal))
        {
            return new AcmeProblem(ProblemCatalog.InvalidContact, $"The contact '{shown}' has several addresses; give each its own URL (RFC 8555 section 7.3).");
        }

        var at = address.LastIndexOf('@');
        return at > 0 && at < address.Length - 1 && !address.Contains("..", StringComparison.Ordinal)
            ? null
            : new AcmeProblem(ProblemCatalog.InvalidContact, $"The contact '{shown}' holds no address of the form local@domain.");
    }
}
