using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Registration;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Operators;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Admin;

/// <summary>Queued work as operators see it.</summary>
public sealed record JobResource
{
    [Description("Its number.")]
    public required long Id { get; init; }

    [Description("validate a challenge, or issue a certificate.")]
    [AllowedValues("validate", "issue")]
    public required string Kind { get; init; }

    [Description("running at a node; waiting; delayed: tried in vain, and due again later; parked: tried in vain too often, waits for an operator and is given up when it is due.")]
    [AllowedValues("running", "waiting", "delayed", "parked")]
    public required string State { get; init; }

    [Description("What it is about: order:ID or authorization:ID.")]
    public required string Subject { get; init; }

    [Description("Id of the account.")]
    public required string Account { get; init; }

    [Description("The domain that it asks, where it asks one.")]
    public string? Domain { get; init; }

    [Description("When it was queued.")]
    public required DateTimeOffset Created { get; init; }

    [Description("Not before this.")]
    public required DateTimeOffset Due { get; init; }

    [Description("How often it was begun.")]
    public required int Attempts { get; init; }

    [Description("The node that is at it.")]
    public string? Node { get; init; }

    [Description("Until when that node has it.")]
    public DateTimeOffset? LeasedUntil { get; init; }

    /// <summary>Puts a job into this form.</summary>
    [Description("Why the last attempt was in vain.")]
    public string? Reason { get; init; }

    [Description("Since when it is parked.")]
    public DateTimeOffset? Parked { get; init; }

    public static JobResource Of(JobView view, DateTimeOffset now) => new()
    {
        Id = view.Item.Id,
        Kind = view.Item.Kind == WorkKind.Issue ? "issue" : "validate",
        State = JobView.StateAt(view.Item, now),
        Subject = view.Subject,
        Account = view.Account,
        Domain = view.Item.Domain.Length == 0 ? null : view.Item.Domain,
        Created = view.Item.CreatedAt,
        Due = view.Item.DueAt,
        Attempts = view.Item.Attempts,
        Node = view.Item.LeasedBy,
        LeasedUntil = view.Item.LeasedUntil,
        Reason = view.Item.Reason,
        Parked = view.Item.ParkedAt,
    };
}

/// <summary>A token in a list; its secret is kept nowhere.</summary>
public sealed record TokenResource
{
    [Description("Id by which it is revoked; no secret.")]
    public required string Id { get; init; }

    [Description("Whose it is.")]
    public required string Name { get; init; }

    [Description("What for.")]
    [AllowedValues("viewer", "operator", "revocation-officer", "auditor", "custodian")]
    public required string Role { get; init; }

    [Description("good, expired or revoked.")]
    [AllowedValues("good", "expired", "revoked")]
    public required string State { get; init; }

    [Description("What it is for; left out for everything that its role opens.")]
    public IReadOnlyList<string>? Scopes { get; init; }

    [Description("When it was made.")]
    public required DateTimeOffset Created { get; init; }

    [Description("Until when it is good.")]
    public required DateTimeOffset Expires { get; init; }

    [Description("When it was revoked.")]
    public DateTimeOffset? Revoked { get; init; }

    [Description("The last day of its use; left out for none.")]
    public string? LastUsed { get; init; }

    [Description("Name of the operator who made it; left out where it was made on the host.")]
    public string? MadeBy { get; init; }

    /// <summary>Puts a token into this form.</summary>
    public static TokenResource Of(OperatorToken t, DateTimeOffset now) => new()
    {
        Id = t.PublicId,
        Name = t.Name,
        Role = t.Role.Word(),
        State = t.RevokedAt is not null ? "revoked" : t.IsLive(now) ? "good" : "expired",
        Scopes = t.Scopes,
        Created = t.CreatedAt,
        Expires = t.ExpiresAt,
        Revoked = t.RevokedAt,
        LastUsed = t.LastUsedOn?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        MadeBy = t.MadeBy,
    };
}

/// <summary>A token that is wanted.</summary>
public sealed record CreateToken
{
    [Description("Whose it is: a-z, 0-9, '.', '_', '-', '@'. One name for each person.")]
    public required string Name { get; init; }

    [Description("What for.")]
    [AllowedValues("viewer", "operator", "revocation-officer", "auditor", "custodian")]
    public required string Role { get; init; }

    [Description("How many days it is good.")]
    public required int Days { get; init; }

    [Description("What it is for, such as certificates:read; everything that its role opens unless said.")]
    public IReadOnlyList<string>? Scopes { get; init; }
}

/// <summary>A new token.</summary>
public sealed record NewTokenResource
{
    [Description("Its secret, shown this once.")]
    public required string Secret { get; init; }

    [Description("The token; left out while it waits for a second operator.")]
    public TokenResource? Token { get; init; }

    [Description("The proposal that it waits for, or that made it.")]
    public ProposalResource? Proposal { get; init; }
}

/// <summary>An entry of the audit log.</summary>
public sealed record AuditEntryResource
{
    [Description("Its number, rising.")]
    public required long Id { get; init; }

    [Description("When it happened, by this server's clock.")]
    public required DateTimeOffset At { get; init; }

    [Description("What happened.")]
    public required string Kind { get; init; }

    [Description("Who brought it about: account:ID, key:THUMBPRINT, server, operator (a person at the host), operator:NAME.")]
    public required string Actor { get; init; }

    [Description("What it happened to.")]
    public required string Subject { get; init; }

    [Description("Further facts.")]
    public required IReadOnlyDictionary<string, string> Facts { get; init; }

    [Description("Trace id, where there was a trace.")]
    public string? Trace { get; init; }

    /// <summary>Puts an entry into this form.</summary>
    public static AuditEntryResource Of(AuditEntry e) => new()
    {
        Id = e.Id,
        At = e.At,
        Kind = e.Kind,
        Actor = e.Actor,
        Subject = e.Subject,
        Facts = JsonSerializer.Deserialize(e.Facts, AcmeJson.Wire.DictionaryStringString) ?? [],
        Trace = e.TraceId,
    };
}
