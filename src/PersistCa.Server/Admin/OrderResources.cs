using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Admin;

/// <summary>An order as operators see it.</summary>
public sealed record OrderStateResource
{
    [Description("Its id: the last segment of its URL.")]
    public required string Id { get; init; }

    [Description("Id of the account.")]
    public required string Account { get; init; }

    [Description("open: not finalized yet; processing; valid; failed; lapsed without having been finalized.")]
    [AllowedValues("open", "processing", "valid", "failed", "lapsed")]
    public required string State { get; init; }

    [Description("The state as its client sees it (RFC 8555 section 7.1.6); in the order by itself.")]
    [AllowedValues("pending", "ready", "processing", "valid", "invalid")]
    public string? Status { get; init; }

    [Description("What it is for.")]
    public required IReadOnlyList<string> Names { get; init; }

    [Description("Name of the profile; left out for the default of an old order.")]
    public string? Profile { get; init; }

    [Description("When it was opened.")]
    public required DateTimeOffset Created { get; init; }

    [Description("When it lapses unless it was finalized.")]
    public required DateTimeOffset Expires { get; init; }

    [Description("When it was finalized.")]
    public DateTimeOffset? Finalized { get; init; }

    [Description("Id of its certificate.")]
    public string? Certificate { get; init; }

    [Description("Serial number of its certificate; in the order by itself.")]
    public string? Serial { get; init; }

    [Description("Why it failed.")]
    public ProblemDocument? Error { get; init; }

    [Description("What it rests on; in the order by itself.")]
    public IReadOnlyList<AuthorizationStateResource>? Authorizations { get; init; }

    /// <summary>Puts an order into this form.</summary>
    public static OrderStateResource Of(OrderView view, DateTimeOffset now)
    {
        var o = view.Order;
        var error = view.Authorizations is { } proofs ? o.ErrorAt(now, proofs) : o.Error;
        return new OrderStateResource
        {
            Id = o.PublicId,
            Account = view.Account,
            State = o.CertificateId is not null ? "valid" : o.Error is not null ? "failed" : o.FinalizedAt is not null ? "processing" : now < o.ExpiresAt ? "open" : "lapsed",
            Status = view.Authorizations is { } a ? o.StatusAt(now, [.. a]).ToString().ToLowerInvariant() : null,
            Names = o.Names,
            Profile = o.Profile,
            Created = o.CreatedAt,
            Expires = o.ExpiresAt,
            Finalized = o.FinalizedAt,
            Certificate = o.CertificateId,
            Serial = view.Serial,
            Error = error is null ? null : ProblemDocument.From(error),
            Authorizations = view.Authorizations is { } rests ? [.. rests.Select(r => AuthorizationStateResource.Of(new AuthorizationView(r, view.Account), now))] : null,
        };
    }
}

/// <summary>An authorization as operators see it.</summary>
public sealed record AuthorizationStateResource
{
    [Description("Its id: the last segment of its URL.")]
    public required string Id { get; init; }

    [Description("Id of the account.")]
    public required string Account { get; init; }

    [Description("Its state now.")]
    [AllowedValues("pending", "valid", "invalid", "deactivated", "expired", "revoked")]
    public required string Status { get; init; }

    [Description("The identifier, without '*.'.")]
    public required string Name { get; init; }

    [Description("Whether it stands for the wildcard of the name.")]
    public required bool Wildcard { get; init; }

    [Description("Whether it stands for the names under it (RFC 9444).")]
    public required bool Subdomains { get; init; }

    [Description("By whose rules control is to be proven.")]
    public required string Regime { get; init; }

    [Description("When it was opened.")]
    public required DateTimeOffset Created { get; init; }

    [Description("When it lapses.")]
    public required DateTimeOffset Expires { get; init; }

    [Description("When control was proven.")]
    public DateTimeOffset? Validated { get; init; }

    [Description("Its challenges.")]
    public required IReadOnlyList<ChallengeStateResource> Challenges { get; init; }

    [Description("What each validation saw, whatever its verdict; in the authorization by itself.")]
    public IReadOnlyList<EvidenceResource>? Validations { get; init; }

    [Description("What CAA records said; in the authorization by itself.")]
    public IReadOnlyList<CaaEvidenceResource>? CaaChecks { get; init; }

    /// <summary>Puts an authorization into this form.</summary>
    public static AuthorizationStateResource Of(AuthorizationView view, DateTimeOffset now)
    {
        var a = view.Authorization;
        return new AuthorizationStateResource
        {
            Id = a.PublicId,
            Account = view.Account,
            Status = a.StatusAt(now).ToString().ToLowerInvariant(),
            Name = a.Name,
            Wildcard = a.IsWildcard,
            Subdomains = a.SubdomainsAllowed,
            Regime = a.Regime,
            Created = a.CreatedAt,
            Expires = a.ExpiresAt,
            Validated = a.ValidatedAt,
            Challenges = [.. a.Challenges.Select(c => new ChallengeStateResource
            {
                Type = c.Type.Wire(),
                Status = c.Status.ToString().ToLowerInvariant(),
                Validated = c.ValidatedAt,
                Error = c.Error is null ? null : ProblemDocument.From(c.Error),
            })],
            Validations = view.Validations is null ? null : [.. view.Validations.Select(v => new EvidenceResource
            {
                Challenge = v.ChallengeType,
                At = v.At,
                Succeeded = v.Succeeded,
                JustInTime = v.JustInTime,
                Dialect = v.Dialect,
                Evidence = JsonSerializer.Deserialize<JsonElement>(v.Evidence),
            })],
            CaaChecks = view.CaaChecks is null ? null : [.. view.CaaChecks.Select(c => new CaaEvidenceResource
            {
                Name = c.Name,
                At = c.CheckedAt,
                FreshUntil = c.FreshUntil,
                Outcome = c.Outcome,
                Evidence = JsonSerializer.Deserialize<JsonElement>(c.Evidence),
            })],
        };
    }
}

/// <summary>A challenge as operators see it.</summary>
public sealed record ChallengeStateResource
{
    [Description("Its type.")]
    public required string Type { get; init; }

    [Description("Its state.")]
    [AllowedValues("pending", "processing", "valid", "invalid")]
    public required string Status { get; init; }

    [Description("When it was validated.")]
    public DateTimeOffset? Validated { get; init; }

    [Description("Why it failed.")]
    public ProblemDocument? Error { get; init; }
}

/// <summary>The evidence of one validation.</summary>
public sealed record EvidenceResource
{
    [Description("Type of the challenge.")]
    public required string Challenge { get; init; }

    [Description("When it was.")]
    public required DateTimeOffset At { get; init; }

    [Description("Whether control was proven.")]
    public required bool Succeeded { get; init; }

    [Description("Whether the server looked by itself, before the client asked.")]
    public required bool JustInTime { get; init; }

    [Description("Dialect of the record that matched, for dns-persist-01.")]
    public string? Dialect { get; init; }

    [Description("What was asked, what was answered, what was concluded.")]
    public required JsonElement Evidence { get; init; }
}

/// <summary>What the CAA records of a name said.</summary>
public sealed record CaaEvidenceResource
{
    [Description("The name as it stands in a certificate.")]
    public required string Name { get; init; }

    [Description("When it was.")]
    public required DateTimeOffset At { get; init; }

    [Description("Until when a certificate may be signed on it; left out when it permits nothing.")]
    public DateTimeOffset? FreshUntil { get; init; }

    [Description("The verdict in one word.")]
    public required string Outcome { get; init; }

    [Description("What was asked and answered.")]
    public required JsonElement Evidence { get; init; }
}
