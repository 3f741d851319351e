using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Acme;

/// <summary>
/// A refusal (RFC 8555 section 6.7, RFC 7807): the kind from <see cref="ProblemCatalog"/> and a detail that says what was found and what
/// was expected. Never holds internal addresses, stack traces or text that belongs to somebody else.
/// </summary>
/// <param name="Type">The kind.</param>
/// <param name="Detail">One or two sentences for the person at the other end.</param>
public sealed record AcmeProblem(ProblemType Type, string Detail)
{
    /// <summary>HTTP status; the kind's own unless a section demands another.</summary>
    public int Status { get; init; } = Type.Status;

    /// <summary>The identifier a subproblem is about (RFC 8555 section 6.7.1).</summary>
    public AcmeIdentifier? Identifier { get; init; }

    /// <summary>One entry for each identifier that failed, when there are several.</summary>
    public ImmutableArray<AcmeProblem> Subproblems { get; init; } = [];

    /// <summary>The list that badSignatureAlgorithm must carry (RFC 8555 section 6.2); empty otherwise.</summary>
    public ImmutableArray<string> Algorithms { get; init; } = [];

    /// <summary>Seconds after which a retry makes sense, sent as Retry-After; null when there is no such time.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Location header to send along, used where a refusal points at an existing resource (RFC 8555 section 7.3.5).</summary>
    public string? Location { get; init; }

    /// <summary>
    /// Combines the refusals of identifiers: they become subproblems of one problem whose kind is theirs when they agree and malformed when they differ.
    /// One alone gives its detail too, and has its identifier in a subproblem all the same: at the top none may stand (RFC 8555 section 6.7.1).
    /// </summary>
    /// <param name="problems">At least one problem.</param>
    /// <param name="summary">Detail of the combined problem.</param>
    public static AcmeProblem Combine(IReadOnlyList<AcmeProblem> problems, string summary)
    {
        ArgumentOutOfRangeException.ThrowIfZero(problems.Count);
        if (problems is [var only])
        {
            return only.Identifier is null ? only : only with { Identifier = null, Subproblems = [only] };
        }

        var first = problems[0].Type;
        var type = problems.All(p => p.Type == first) ? first : ProblemCatalog.Malformed;
        return new AcmeProblem(type, summary)
        {
            Subproblems = [.. problems],

            // Worth trying again only where every one of them is.
            RetryAfterSeconds = problems.All(p => p.RetryAfterSeconds is not null) ? problems.Max(p => p.RetryAfterSeconds) : null,
        };
    }
}

/// <summary>An identifier as it stands in ACME JSON (RFC 8555 section 9.7.7, RFC 8738 section 3).</summary>
/// <param name="Type">"dns" or "ip"; in what a client sent, anything.</param>
/// <param name="Value">The name or address.</param>
public sealed record AcmeIdentifier(string Type, string Value)
{
    /// <summary>A dns identifier.</summary>
    public static AcmeIdentifier Dns(string value) => new(IdentifierType.Dns.Wire(), value);
}
