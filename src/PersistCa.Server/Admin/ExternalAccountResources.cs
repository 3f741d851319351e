using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PersistCa.Protocol.Limits;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>An external account key; its MAC key is never shown again.</summary>
public sealed record ExternalAccountKeyResource
{
    /// <summary>In place of a time at which it expires.</summary>
    internal const string Never = "never";

    internal static readonly string[] States = ["live", "expired", "removed"];

    [Description("The key identifier that clients are given (kid).")]
    public required string Id { get; init; }

    [Description("Whether it can be bound to.")]
    [AllowedValues("live", "expired", "removed")]
    public required string State { get; init; }

    [Description("Who answers for it.")]
    public required string Owner { get; init; }

    [Description("The team that uses it.")]
    public string? Team { get; init; }

    [Description("The system that its certificates are for.")]
    public string? System { get; init; }

    [Description("How critical that system is.")]
    public string? Criticality { get; init; }

    [Description("Rules of the names that its accounts may have.")]
    public required IReadOnlyList<string> Names { get; init; }

    [Description("Profiles that orders may have; left out for all that are offered.")]
    public IReadOnlyList<string>? Profiles { get; init; }

    [Description("Challenges by which names may be proved; left out for all on offer.")]
    public IReadOnlyList<string>? Challenges { get; init; }

    [Description("Most open accounts at a time; left out for any number.")]
    public int? MaxAccounts { get; init; }

    [Description("Most names of one certificate; left out for as many as the profile allows.")]
    public int? MaxNames { get; init; }

    [Description("Certificates in a period, of all its accounts together, COUNT/PERIOD; left out for any number.")]
    public string? Certificates { get; init; }

    [Description("Whether it opens one account and never another.")]
    public required bool SingleUse { get; init; }

    [Description("What its end stops: new-orders, renewals, revocations.")]
    public required IReadOnlyList<string> Stops { get; init; }

    [Description("When it was made.")]
    public required DateTimeOffset Created { get; init; }

    [Description("Who made it.")]
    public required string CreatedBy { get; init; }

    [Description("When it ends by itself; left out for never.")]
    public DateTimeOffset? Expires { get; init; }

    [Description("When it was removed.")]
    public DateTimeOffset? Removed { get; init; }

    [Description("Accounts that were ever bound to it.")]
    public required int Bound { get; init; }

    [Description("When the last was.")]
    public DateTimeOffset? LastBound { get; init; }

    [Description("How many of its accounts are open.")]
    public required int OpenAccounts { get; init; }

    [Description("Ids of the last accounts bound to it; in a list left out.")]
    public IReadOnlyList<string>? Accounts { get; init; }

    /// <summary>Puts a key into this form.</summary>
    public static ExternalAccountKeyResource Of(ExternalAccountReport report)
    {
        var key = report.Key;
        return new()
        {
            Id = key.PublicId,
            State = report.Standing.ToString().ToLowerInvariant(),
            Owner = key.Owner,
            Team = Some(key.Team),
            System = Some(key.System),
            Criticality = Some(key.Criticality),
            Names = key.Names,
            Profiles = Some(key.Profiles),
            Challenges = Some(key.Challenges),
            MaxAccounts = key.MaxAccounts == 0 ? null : key.MaxAccounts,
            MaxNames = key.MaxNames == 0 ? null : key.MaxNames,
            Certificates = key.Certificates == RateLimit.Off ? null : key.Certificates,
            SingleUse = key.SingleUse,
            Stops = StopWords.List(key.Stops),
            Created = key.CreatedAt,
            CreatedBy = key.CreatedBy,
            Expires = key.ExpiresAt,
            Removed = key.RemovedAt,
            Bound = key.Bound,
            LastBound = key.LastBoundAt,
            OpenAccounts = report.OpenAccounts,
            Accounts = report.Accounts.Count == 0 ? null : report.Accounts,
        };
    }

    private static string? Some(string text) => text.Length == 0 ? null : text;

    private static List<string>? Some(List<string> texts) => texts.Count == 0 ? null : texts;
}

/// <summary>A new external account key.</summary>
public sealed record NewExternalAccountKeyResource
{
    [Description("The MAC key in base64url, as ACME clients take it. It is shown once and kept sealed.")]
    public required string HmacKey { get; init; }

    [Description("The key; its id is what clients call the key identifier.")]
    public required ExternalAccountKeyResource Key { get; init; }
}

/// <summary>What an external account key is to be.</summary>
public sealed record CreateExternalAccountKey : ExternalAccountWish
{
    [Description("Whether it opens one account and never another.")]
    public bool? SingleUse { get; init; }
}

/// <summary>What of an external account key is to be otherwise.</summary>
public sealed record ChangeExternalAccountKey : ExternalAccountWish;

/// <summary>What can be said of an external account key.</summary>
public abstract record ExternalAccountWish
{
    [Description("Who answers for it. A new key needs it.")]
    public string? Owner { get; init; }

    [Description("Rules of names: www.x that name, *.x a pattern, .x the name and everything under it, . every name, 10.1.2.3 an address, 10.0.0.0/8 a network. A new key needs one.")]
    public IReadOnlyList<string>? Names { get; init; }

    [Description("Profiles that orders may have; empty for all that are offered.")]
    public IReadOnlyList<string>? Profiles { get; init; }

    [Description("Challenges by which names may be proved; empty for all on offer.")]
    public IReadOnlyList<string>? Challenges { get; init; }

    [Description("Most open accounts at a time; 0 for any number.")]
    public int? MaxAccounts { get; init; }

    [Description("Most names of one certificate; 0 for as many as the profile allows.")]
    public int? MaxNames { get; init; }

    [Description("Certificates in a period, of all its accounts together, COUNT/PERIOD or off.")]
    public string? Certificates { get; init; }

    [Description("The team that uses it.")]
    public string? Team { get; init; }

    [Description("The system that its certificates are for.")]
    public string? System { get; init; }

    [Description("How critical that system is.")]
    public string? Criticality { get; init; }

    [Description("When it ends by itself, RFC 3339, or never.")]
    public string? Expires { get; init; }

    [Description("What its end stops: new-orders, renewals, revocations.")]
    public IReadOnlyList<string>? Stops { get; init; }
}

/// <summary>How an external account key is to be removed.</summary>
public sealed record RemoveExternalAccountKey
{
    [Description("What that stops: new-orders, renewals, revocations; left out for what the key says.")]
    public IReadOnlyList<string>? Stops { get; init; }
}
