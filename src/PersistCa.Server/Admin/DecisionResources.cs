using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>A change that was proposed, as operators see it. What changes under four eyes answers with one, done or not.</summary>
public sealed record ProposalResource
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("pending: it waits for another operator; expired; withdrawn; done.")]
    [AllowedValues("pending", "expired", "withdrawn", "done")]
    public required string Status { get; init; }

    [Description("What kind of change, such as profile.withdraw.")]
    public required string Kind { get; init; }

    [Description("What it is done to, such as account:ID.")]
    public required string Subject { get; init; }

    [Description("What will be, or was, done.")]
    public required JsonElement Payload { get; init; }

    [Description("SHA-256 over kind, subject and payload, a line feed between them: what is approved.")]
    public required string Sha256 { get; init; }

    [Description("Why.")]
    public string? Comment { get; init; }

    [Description("Name of the operator who proposed it.")]
    public required string Proposer { get; init; }

    [Description("When it was proposed.")]
    public required DateTimeOffset Created { get; init; }

    [Description("Until when it can be approved.")]
    public required DateTimeOffset Expires { get; init; }

    [Description("Name of the operator who approved it; left out where none was needed, or not yet.")]
    public string? Approver { get; init; }

    [Description("When it was carried out.")]
    public DateTimeOffset? Done { get; init; }

    [Description("When its proposer took it back.")]
    public DateTimeOffset? Withdrawn { get; init; }

    /// <summary>Puts a proposal into this form.</summary>
    public static ProposalResource Of(OperatorProposal p, DateTimeOffset now) => new()
    {
        Id = p.PublicId,
        Status = p.StatusAt(now).ToString().ToLowerInvariant(),
        Kind = p.Kind,
        Subject = p.Subject,
        Payload = JsonSerializer.Deserialize<JsonElement>(p.Payload),
        Sha256 = p.Sha256,
        Comment = p.Comment.Length == 0 ? null : p.Comment,
        Proposer = p.Proposer,
        Created = p.CreatedAt,
        Expires = p.ExpiresAt,
        Approver = p.Approver,
        Done = p.DoneAt,
        Withdrawn = p.WithdrawnAt,
    };
}

/// <summary>Why something is done.</summary>
public sealed record Remark
{
    [Description("Why, in a line for those who approve and audit.")]
    public string? Comment { get; init; }
}
