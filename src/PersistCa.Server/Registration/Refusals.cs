using PersistCa.Protocol.Acme;

namespace PersistCa.Server.Registration;

/// <summary>Refusals that several desks give.</summary>
internal static class Refusals
{
    public static AcmeProblem NoSuchResource(string what) =>
        new(ProblemCatalog.Malformed, $"There is no such {what} here.") { Status = 404 };

    /// <summary>The state of things does not allow it.</summary>
    public static AcmeProblem Conflict(string detail) => new(ProblemCatalog.Malformed, detail) { Status = 409 };

    public static AcmeProblem NotYours(string what) =>
        new(ProblemCatalog.Unauthorized, $"This {what} belongs to another account.");

    /// <summary>The key is on the list of those that are compromised.</summary>
    public static AcmeProblem BlockedKey(string where) =>
        new(ProblemCatalog.BadPublicKey, $"The key of the {where} is known to be compromised and blocked for ever (lint L18); make a new key.");

    /// <summary>A stranger's text, cut for a sentence.</summary>
    public static string Shorten(string text, int most = 100) => text.Length <= most ? text : text[..most] + "...";
}
