using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersistCa.Protocol.Acme;

/// <summary>A problem as it stands in JSON (RFC 7807, RFC 8555 section 6.7). Written to clients and kept in the store in this one form.</summary>
public sealed record ProblemDocument
{
    /// <summary>URN of the kind.</summary>
    [JsonPropertyOrder(0)]
    public required string Type { get; init; }

    /// <summary>The kind in words.</summary>
    [JsonPropertyOrder(1)]
    public string? Title { get; init; }

    /// <summary>What was found and what was expected.</summary>
    [JsonPropertyOrder(2)]
    public required string Detail { get; init; }

    /// <summary>HTTP status.</summary>
    [JsonPropertyOrder(3)]
    public int? Status { get; init; }

    /// <summary>The identifier a subproblem is about.</summary>
    [JsonPropertyOrder(4)]
    public AcmeIdentifier? Identifier { get; init; }

    /// <summary>Accepted signature algorithms.</summary>
    [JsonPropertyOrder(5)]
    public IReadOnlyList<string>? Algorithms { get; init; }

    /// <summary>URL of the page that explains the kind (an extension member).</summary>
    [JsonPropertyOrder(6)]
    public string? Help { get; init; }

    /// <summary>One entry for each identifier that failed.</summary>
    [JsonPropertyOrder(7)]
    public IReadOnlyList<ProblemDocument>? Subproblems { get; init; }

    /// <summary>Puts a problem into its JSON form.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="helpBase">URL that the page name is appended to, null to leave the page out.</param>
    public static ProblemDocument From(AcmeProblem problem, string? helpBase = null) => new()
    {
        Type = problem.Type.Urn,
        Title = problem.Type.Title,
        Detail = problem.Detail,
        Status = problem.Status,
        Identifier = problem.Identifier,
        Algorithms = problem.Algorithms.IsDefaultOrEmpty ? null : problem.Algorithms,
        Help = helpBase is null ? null : helpBase + problem.Type.Page,
        Subproblems = problem.Subproblems.IsDefaultOrEmpty
            ? null
            : [.. problem.Subproblems.Select(p => From(p) with { Status = null, Title = null })],
    };

    /// <summary>Reads a problem back from the store.</summary>
    /// <exception cref="JsonException">The text is not a problem this server wrote.</exception>
    public AcmeProblem ToProblem()
    {
        var type = ProblemCatalog.All.FirstOrDefault(t => t.Urn == Type) ?? throw new JsonException($"unknown problem type {Type}");
        return new AcmeProblem(type, Detail)
        {
            Status = Status ?? type.Status,
            Identifier = Identifier,
            Algorithms = Algorithms is null ? [] : [.. Algorithms],
            Subproblems = Subproblems is null ? [] : [.. Subproblems.Select(p => p.ToProblem())],
        };
    }

    /// <summary>The problem as JSON text for the store.</summary>
    public static string Write(AcmeProblem problem) => JsonSerializer.Serialize(From(problem), AcmeJson.Default.ProblemDocument);

    /// <summary>Reads JSON text from the store.</summary>
    public static AcmeProblem Read(string json) =>
        (JsonSerializer.Deserialize(json, AcmeJson.Default.ProblemDocument) ?? throw new JsonException("null is not a problem")).ToProblem();
}
