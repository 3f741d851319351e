using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>What is behind a door.</summary>
internal delegate Task<IResult> DoorHandler(AdminCall call, CancellationToken cancel);

/// <summary>A refusal that a door gives, besides those that every door gives.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">The kind.</param>
/// <param name="When">When, as half a sentence.</param>
internal sealed record DoorFault(int Status, ProblemType Type, string When)
{
    /// <summary>What the path names is not here.</summary>
    public static DoorFault NotFound { get; } = new(StatusCodes.Status404NotFound, ProblemCatalog.Malformed, "there is no such thing");

    /// <summary>Its state does not let it happen.</summary>
    public static DoorFault Conflict { get; } = new(StatusCodes.Status409Conflict, ProblemCatalog.Malformed, "its state does not allow it");

    /// <summary>A limit is reached.</summary>
    public static DoorFault Limited { get; } = new(StatusCodes.Status429TooManyRequests, ProblemCatalog.RateLimited, "there were too many");
}

/// <summary>
/// A door for operators: one row, from which routing, the check of roles and scopes, the OpenAPI document, the tables of the handbook and the tests of who gets
/// through are made.
/// </summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path below /admin/v1/, as routed.</param>
/// <param name="Operation">Name of the operation, unique: a verb and what it is done to.</param>
/// <param name="Scope">What a token must be for, such as "certificates:read".</param>
/// <param name="Roles">Who is let in; nobody else.</param>
/// <param name="Handler">What is behind it.</param>
internal sealed record AdminDoor(string Method, string Path, string Operation, string Scope, IReadOnlyCollection<OperatorRole> Roles, DoorHandler Handler)
{
    /// <summary>The path as routed, with what stands before it.</summary>
    public string Pattern => AuthorityUrls.Paths.Admin + Path;

    /// <summary>Method and path, for the audit.</summary>
    public string Name => $"{Method} {Pattern}";

    /// <summary>What it does, in a line.</summary>
    public required string Summary { get; init; }

    /// <summary>Type of the JSON object that is sent, whose members are all that is accepted; null where nothing is sent.</summary>
    public Type? Body { get; init; }

    /// <summary>Type of the JSON that is answered; null where the answer is of another kind.</summary>
    public Type? Answer { get; init; }

    /// <summary>Media types of an answer that is not JSON of <see cref="Answer"/>.</summary>
    public IReadOnlyList<string> Media { get; init; } = [];

    /// <summary>Whether it may answer 202: what was asked waits for a second operator, or goes on.</summary>
    public bool MayWait { get; init; }

    /// <summary>What may stand in the query; nothing else may.</summary>
    public IReadOnlyList<QueryParameter> Query { get; init; } = [];

    /// <summary>Refusals besides those of every door.</summary>
    public IReadOnlyList<DoorFault> Faults { get; init; } = [];
}

/// <summary>Groups of roles that doors are open to.</summary>
internal static class DoorRoles
{
    /// <summary>Every role: looking at what is no secret.</summary>
    public static IReadOnlyCollection<OperatorRole> All { get; } = [.. OperatorRoles.All];

    /// <summary>Those who run the server.</summary>
    public static IReadOnlyCollection<OperatorRole> Operators { get; } = [OperatorRole.Operator];

    /// <summary>Those who revoke.</summary>
    public static IReadOnlyCollection<OperatorRole> Officers { get; } = [OperatorRole.RevocationOfficer];

    /// <summary>Those who keep keys and tokens.</summary>
    public static IReadOnlyCollection<OperatorRole> Custodians { get; } = [OperatorRole.Custodian];

    /// <summary>Those who decide how the authority works: each of them approves what the other proposes.</summary>
    public static IReadOnlyCollection<OperatorRole> Deciders { get; } = [OperatorRole.Operator, OperatorRole.Custodian];

    /// <summary>Those who look at who did what.</summary>
    public static IReadOnlyCollection<OperatorRole> Overseers { get; } = [OperatorRole.Auditor, OperatorRole.Custodian];
}
