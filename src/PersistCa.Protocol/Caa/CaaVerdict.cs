using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Caa;

/// <summary>Whether the records let this authority issue.</summary>
public enum CaaOutcome
{
    /// <summary>They do, or there are none.</summary>
    Permitted = 1,

    /// <summary>They do not.</summary>
    Forbidden = 2,

    /// <summary>A look-up failed, so that nobody can tell. Refused like a prohibition, but worth trying again.</summary>
    Unknown = 3,
}

/// <summary>Why a verdict is as it is.</summary>
public enum CaaReason
{
    /// <summary>Permitted: neither the name nor one above it has CAA records.</summary>
    NoRecords = 1,

    /// <summary>Permitted: there are records, but none that says who may issue.</summary>
    NoIssueProperty = 2,

    /// <summary>Permitted: a record authorises this authority.</summary>
    Authorized = 3,

    /// <summary>Permitted: no records were found, and every failed look-up is excused (BR section 3.2.2.8).</summary>
    FailureExcused = 4,

    /// <summary>Permitted without looking: the operator turned CAA off for the name.</summary>
    SwitchedOff = 5,

    /// <summary>Forbidden: the records name nobody.</summary>
    NobodyMayIssue = 6,

    /// <summary>Forbidden: the records name other authorities.</summary>
    OtherIssuer = 7,

    /// <summary>Forbidden: the records that name this authority are for another account.</summary>
    AccountDiffers = 8,

    /// <summary>Forbidden: the records that name this authority are for other ways of proving control.</summary>
    MethodDiffers = 9,

    /// <summary>Forbidden: no record authorises this authority, and one breaks the grammar of its property.</summary>
    ValueMalformed = 10,

    /// <summary>Forbidden: a critical property is not understood here.</summary>
    CriticalUnknown = 11,

    /// <summary>Forbidden: RDATA cannot be read, so that it cannot be told what it forbids.</summary>
    RecordUnreadable = 12,

    /// <summary>Unknown: a look-up failed.</summary>
    LookupFailed = 13,

    /// <summary>Unknown: a name was not asked, because the name has more labels than are looked at.</summary>
    NameNotAsked = 14,

    /// <summary>Unknown: permitted as seen from here, and too few remote perspectives see the same (BR section 3.2.2.9).</summary>
    NotCorroborated = 15,
}

/// <summary>What one record of the relevant set comes to.</summary>
public enum CaaRecordReason
{
    /// <summary>It authorises this authority.</summary>
    Authorizes = 1,

    /// <summary>It does not decide: another property, or issue where issuewild does.</summary>
    DoesNotDecide = 2,

    /// <summary>It names nobody.</summary>
    NamesNobody = 3,

    /// <summary>It names another authority.</summary>
    OtherIssuer = 4,

    /// <summary>It names this authority and another account.</summary>
    AccountDiffers = 5,

    /// <summary>It names this authority and other methods.</summary>
    MethodDiffers = 6,

    /// <summary>Its value breaks the grammar.</summary>
    Malformed = 7,

    /// <summary>It is critical and not understood.</summary>
    CriticalUnknown = 8,

    /// <summary>Its RDATA cannot be read.</summary>
    Unreadable = 9,
}

/// <summary>One record of the relevant set and what it comes to.</summary>
/// <param name="Found">The record as found.</param>
/// <param name="Reason">What it comes to.</param>
/// <param name="Detail">What is wrong with it, as a clause; empty when nothing is.</param>
public sealed record CaaRecordVerdict(FoundCaa Found, CaaRecordReason Reason, string Detail)
{
    /// <summary>The record, null when it cannot be read.</summary>
    public CaaRecord? Record { get; init; }

    /// <summary>Value of an issue or issuewild property, null when it is none or malformed.</summary>
    public CaaIssueValue? Issue { get; init; }

    /// <summary>The account URL that its accounturi names; null without one, or when it names another account.</summary>
    public string? MatchedAccountUrl { get; init; }
}

/// <summary>The verdict on the CAA records of one name. It does not depend on the order of records.</summary>
/// <param name="Outcome">Whether the records let this authority issue.</param>
/// <param name="Reason">Why.</param>
/// <param name="Detail">What was found and what was expected, in sentences fit for the account's owner.</param>
public sealed record CaaVerdict(CaaOutcome Outcome, CaaReason Reason, string Detail)
{
    /// <summary>The name whose records decide (RFC 8659 section 3), null when there is none or it cannot be told.</summary>
    public DnsName? RelevantName { get; init; }

    /// <summary>The record that authorises; null unless one does.</summary>
    public CaaRecordVerdict? Matched { get; init; }

    /// <summary>Every record of the relevant set, in an order of its own.</summary>
    public ImmutableArray<CaaRecordVerdict> Records { get; init; } = [];

    /// <summary>Where the relevant set wants reports: mailto:, http: and https: URLs (RFC 8659 section 4.4). Written by strangers: nothing is sent there unasked.</summary>
    public ImmutableArray<string> IodefContacts { get; init; } = [];

    /// <summary>Names whose look-up failed and was excused; they counted as names without records.</summary>
    public ImmutableArray<DnsName> Excused { get; init; } = [];

    /// <summary>Shortest time to live of the relevant set, in seconds; 0 without one.</summary>
    public int TtlSeconds { get; init; }
}
