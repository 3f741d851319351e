using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>An account as operators see it.</summary>
public sealed record AccountResource
{
    [Description("Its id: the last segment of its URL.")]
    public required string Id { get; init; }

    [Description("valid; suspended by operators; deactivated by its owner, or revoked by operators, for ever.")]
    [AllowedValues("valid", "suspended", "deactivated", "revoked")]
    public required string Status { get; init; }

    [Description("Its URL.")]
    public required string Url { get; init; }

    [Description("Thumbprint of the key that signs for it now (RFC 7638).")]
    public required string Thumbprint { get; init; }

    [Description("Contact URLs.")]
    public required IReadOnlyList<string> Contacts { get; init; }

    [Description("When it was opened.")]
    public required DateTimeOffset Created { get; init; }

    [Description("When the terms of service were agreed to.")]
    public DateTimeOffset? TermsAgreed { get; init; }

    [Description("When it was closed.")]
    public DateTimeOffset? Closed { get; init; }

    [Description("Since when it is suspended.")]
    public DateTimeOffset? Suspended { get; init; }

    [Description("What operators restrict it to; left out where they do not.")]
    public Restrictions? Restrictions { get; init; }

    [Description("Every key it has or had, the newest first; in the account by itself.")]
    public IReadOnlyList<AccountKeyResource>? Keys { get; init; }

    [Description("How many orders it has; in the account by itself.")]
    public int? Orders { get; init; }

    [Description("How many certificates it has, those that ended too; in the account by itself.")]
    public int? Certificates { get; init; }

    [Description("How many of them are good now; in the account by itself.")]
    public int? ValidCertificates { get; init; }

    /// <summary>Puts an account into this form.</summary>
    public static AccountResource Of(Account a, Func<string, string> urlOf, AccountView? view = null) => new()
    {
        Id = a.PublicId,
        Status = a.Status == AccountStatus.Valid && a.SuspendedAt is not null ? "suspended" : a.Status.ToString().ToLowerInvariant(),
        Url = urlOf(a.PublicId),
        Thumbprint = a.CurrentThumbprint,
        Contacts = a.Contacts,
        Created = a.CreatedAt,
        TermsAgreed = a.TermsAgreedAt,
        Closed = a.ClosedAt,
        Suspended = a.SuspendedAt,
        Restrictions = a.Restrictions is { } r ? Admin.Restrictions.Of(r) : null,
        Keys = view is null ? null : [.. a.Keys.Reverse().Select(k => new AccountKeyResource { Thumbprint = k.Thumbprint, Added = k.AddedAt })],
        Orders = view?.Orders,
        Certificates = view?.Certificates,
        ValidCertificates = view?.ValidCertificates,
    };
}

/// <summary>A key of an account.</summary>
public sealed record AccountKeyResource
{
    [Description("Its thumbprint (RFC 7638).")]
    public required string Thumbprint { get; init; }

    [Description("When the account took it.")]
    public required DateTimeOffset Added { get; init; }
}

/// <summary>What an account is restricted to. A list that is left out or empty restricts nothing.</summary>
public sealed record Restrictions
{
    [Description("Names that may stand in its certificates: x, *.x for everything under x, an address, or a network as 10.0.0.0/8.")]
    public IReadOnlyList<string>? Names { get; init; }

    [Description("Profiles that its orders may have.")]
    public IReadOnlyList<string>? Profiles { get; init; }

    [Description("Challenges by which it may prove names.")]
    public IReadOnlyList<string>? Challenges { get; init; }

    [Description("Limits in place of the configured ones, as COUNT/PERIOD or off, by the name of the limit.")]
    public IReadOnlyDictionary<string, string>? Limits { get; init; }

    /// <summary>Puts restrictions into this form.</summary>
    public static Restrictions Of(AccountRestrictions r) => new()
    {
        Names = r.Names.Count == 0 ? null : r.Names,
        Profiles = r.Profiles.Count == 0 ? null : r.Profiles,
        Challenges = r.Challenges.Count == 0 ? null : [.. r.Challenges.Select(c => c.Wire())],
        Limits = r.Limits.Count == 0 ? null : r.Limits.ToDictionary(l => l.Key, l => l.Value.ToString()),
    };
}

/// <summary>Everything that an account is to be restricted to, in place of what it was.</summary>
public sealed record RestrictAccount
{
    [Description("Names that may stand in its certificates: x, *.x for everything under x, an address, or a network as 10.0.0.0/8. Left out or empty: all.")]
    public IReadOnlyList<string>? Names { get; init; }

    [Description("Profiles that its orders may have. Left out or empty: all.")]
    public IReadOnlyList<string>? Profiles { get; init; }

    [Description("Challenges by which it may prove names. Left out or empty: all.")]
    public IReadOnlyList<string>? Challenges { get; init; }

    [Description("Limits in place of the configured ones, as COUNT/PERIOD or off, by the name of the limit.")]
    public IReadOnlyDictionary<string, string>? Limits { get; init; }

    [Description("Why, in a line for those who approve and audit.")]
    public string? Comment { get; init; }
}

/// <summary>A limit and how much of it is used.</summary>
public sealed record LimitResource
{
    [Description("Its name, as the configuration has it.")]
    public required string Name { get; init; }

    [Description("The limit that holds, COUNT/PERIOD or off.")]
    public required string Limit { get; init; }

    [Description("The name that is counted for, where the limit is of names.")]
    public string? Subject { get; init; }

    [Description("Whether an account has it of its own.")]
    public bool? Own { get; init; }

    [Description("How many more there may be now.")]
    public int? Left { get; init; }

    [Description("When all of them are back.")]
    public DateTimeOffset? Full { get; init; }
}

/// <summary>Which counts of an account are to be forgotten.</summary>
public sealed record ResetLimits
{
    [Description("Name of one limit; all of the account unless said.")]
    public string? Limit { get; init; }
}

/// <summary>How many counts were forgotten.</summary>
/// <param name="Forgotten">How many.</param>
public sealed record ResetResource(int Forgotten);
