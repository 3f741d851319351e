using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace PersistCa.Server.Registration;

/// <summary>An issuer as operators see it. Nothing of it is a secret.</summary>
public sealed record IssuerResource
{
    [Description("Its id, as in the URLs of its certificate and lists.")]
    public required string Id { get; init; }

    [Description("Its name in the configuration; left out where only its certificate is kept here.")]
    public string? Name { get; init; }

    [Description("signing; later, before its time; ended, when it signs lists and answers alone; stopped by operators; gone, when its key is not here.")]
    [AllowedValues("signing", "later", "ended", "stopped", "gone")]
    public required string State { get; init; }

    [Description("Its subject.")]
    public required string Subject { get; init; }

    [Description("Start of its certificate's validity.")]
    public required DateTimeOffset NotBefore { get; init; }

    [Description("End of its certificate's validity.")]
    public required DateTimeOffset NotAfter { get; init; }

    [Description("When it begins to sign certificates, where the configuration says so.")]
    public DateTimeOffset? From { get; init; }

    [Description("When it stops signing certificates, where the configuration says so.")]
    public DateTimeOffset? Until { get; init; }

    [Description("Where its key is, as the configuration names it.")]
    public string? Key { get; init; }

    [Description("SHA-256 of its key's SubjectPublicKeyInfo.")]
    public string? KeySha256 { get; init; }

    [Description("SHA-256 of its certificate.")]
    public required string Sha256 { get; init; }

    [Description("How many other chains it offers.")]
    public required int AlternateChains { get; init; }

    [Description("Certificates that it signed and that are good now.")]
    public required int ValidCertificates { get; init; }

    [Description("Number of its newest revocation list.")]
    public long? CrlNumber { get; init; }

    [Description("When its newest revocation list was made.")]
    public DateTimeOffset? CrlThisUpdate { get; init; }

    [Description("Until when that list is good.")]
    public DateTimeOffset? CrlNextUpdate { get; init; }
}

/// <summary>A profile as operators see it.</summary>
public sealed record ProfileResource
{
    [Description("Its name, as clients ask for it.")]
    public required string Name { get; init; }

    [Description("offered; withdrawn by operators; or unconfigured, where the configuration does not offer it.")]
    [AllowedValues("offered", "withdrawn", "unconfigured")]
    public required string State { get; init; }

    [Description("Whether orders have it that name none.")]
    public required bool Default { get; init; }

    [Description("What it is for.")]
    public required string Description { get; init; }

    [Description("By whose rules names are proved and certificates made.")]
    public required string Regime { get; init; }

    [Description("Names of the issuers that sign, best first; none for the first whose time it is.")]
    public required IReadOnlyList<string> Issuers { get; init; }

    [Description("How long its certificates live, seconds.")]
    public required long ValiditySeconds { get; init; }

    [Description("What their keys may be used for, object identifiers (RFC 5280 section 4.2.1.12).")]
    public required IReadOnlyList<string> Purposes { get; init; }

    [Description("Policies that they claim, object identifiers.")]
    public required IReadOnlyList<string> Policies { get; init; }

    [Description("Kinds of keys that are accepted.")]
    public required IReadOnlyList<string> Keys { get; init; }

    [Description("How their status is told: Crl, None or NoRevAvail.")]
    public required string Status { get; init; }

    [Description("Challenges by which names may be proved; none for all on offer.")]
    public required IReadOnlyList<string> Challenges { get; init; }

    [Description("Ids of the accounts that may have it; none for all.")]
    public required IReadOnlyList<string> Accounts { get; init; }

    [Description("Most names of one certificate.")]
    public required int MaxNames { get; init; }
}
