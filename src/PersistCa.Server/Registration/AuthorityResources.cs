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

    [Description("The regime of its authorizations: the same, or one of its own where the profile has rules of proof of its own.")]
    public required string ProofRegime { get; init; }

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

    [Description("What keyUsage they have, of what the kind of the key can have (RFC 5280 section 4.2.1.3).")]
    public required IReadOnlyList<string> KeyUsages { get; init; }

    [Description("How their status is told: Crl, Ocsp, None or NoRevAvail.")]
    public required string Status { get; init; }

    [Description("Whether they say where OCSP answers.")]
    public required bool Ocsp { get; init; }

    [Description("Where they say that their issuer's certificate is, {issuer} for its id; none where they do not.")]
    public required string IssuerUrl { get; init; }

    [Description("Types of identifiers that it is for; none for all that are served.")]
    public required IReadOnlyList<string> Identifiers { get; init; }

    [Description("Whether it is for wildcards, where they are served.")]
    public required bool Wildcards { get; init; }

    [Description("Names, patterns, suffixes and networks that it is for; none for all that are served.")]
    public required IReadOnlyList<string> Names { get; init; }

    [Description("Challenges by which names may be proved; none for all on offer.")]
    public required IReadOnlyList<string> Challenges { get; init; }

    [Description("Dialects of dns-persist-01 by which names may be proved; none for all that are accepted.")]
    public required IReadOnlyList<string> Dialects { get; init; }

    [Description("Ids of the remote perspectives that are asked, or the word none; empty for all that there are.")]
    public required IReadOnlyList<string> Perspectives { get; init; }

    [Description("How many perspectives must see the same at least; 0 for what the regime says.")]
    public required int PerspectivesNeeded { get; init; }

    [Description("What becomes of CAA records: Enforce, Report or Off; left out for what the configuration says of validation.")]
    public string? Caa { get; init; }

    [Description("How long a proof may be used, seconds, 0 for the one order alone that it was made for; left out for what the configuration says of authorizations.")]
    public long? ReuseSeconds { get; init; }

    [Description("Ids of the accounts that may have it; none for all.")]
    public required IReadOnlyList<string> Accounts { get; init; }

    [Description("Most names of one certificate.")]
    public required int MaxNames { get; init; }
}
