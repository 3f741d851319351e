using PersistCa.Protocol.Acme;

namespace PersistCa.Server.Registration;

/// <summary>Refusals that several desks give.</summary>
internal static class Refusals
{
    public static AcmeProblem NoSuchResource(string what) =>
        new(ProblemCatalog.Malformed, $"There is no such {what} here.") { Status = 404 };

    public static AcmeProblem NotYours(string what) =>
        new(ProblemCatalog.Unauthorized, $"This {what} belongs to another account.");
}
