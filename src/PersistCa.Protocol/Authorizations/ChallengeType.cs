using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Authorizations;

/// <summary>The ways of proving control that this server knows. The set is closed: an unknown word is refused, never passed on.</summary>
public enum ChallengeType
{
    /// <summary>RFC 8555 section 8.3.</summary>
    Http01 = 1,

    /// <summary>RFC 8555 section 8.4.</summary>
    Dns01 = 2,

    /// <summary>RFC 8737.</summary>
    TlsAlpn01 = 3,

    /// <summary>draft-ietf-acme-dns-persist.</summary>
    DnsPersist01 = 4,

    /// <summary>draft-ietf-acme-dns-account-label.</summary>
    DnsAccount01 = 5,
}

/// <summary>The words for <see cref="ChallengeType"/> on the wire and what each may prove: one row each.</summary>
public static class ChallengeTypes
{
    /// <summary>
    /// The order of the rows is that in which challenges stand in an authorization: those of drafts last and dns-persist-01 after all, since five
    /// installed clients stumble over an unknown first entry. Wildcards: only DNS methods (BR 3.2.2.4.7 and 3.2.2.4.22; RFC 8555 section 7.1.3).
    /// Addresses: RFC 8738 section 4 allows http-01 and tls-alpn-01, section 7 forbids dns-01; BR 3.2.2.5.8 has persistent records at reverse names.
    /// </summary>
    private static readonly ImmutableArray<Row> Rows =
    [
        new(ChallengeType.Http01, "http-01", Wildcards: false, Addresses: true, OnOfferUnasked: true),
        new(ChallengeType.Dns01, "dns-01", Wildcards: true, Addresses: false, OnOfferUnasked: true),
        new(ChallengeType.TlsAlpn01, "tls-alpn-01", Wildcards: false, Addresses: true, OnOfferUnasked: true),
        new(ChallengeType.DnsAccount01, "dns-account-01", Wildcards: true, Addresses: false, OnOfferUnasked: false),
        new(ChallengeType.DnsPersist01, "dns-persist-01", Wildcards: true, Addresses: true, OnOfferUnasked: true),
    ];

    /// <summary>All, in the order in which challenges stand in an authorization.</summary>
    public static IReadOnlyList<ChallengeType> All { get; } = [.. Rows.Select(r => r.Type)];

    /// <summary>Those on offer when the configuration names none: a challenge that no client had before a draft is the operator's choice.</summary>
    public static IReadOnlyList<ChallengeType> OnOfferUnasked { get; } = [.. Rows.Where(r => r.OnOfferUnasked).Select(r => r.Type)];

    /// <summary>The word in ACME JSON.</summary>
    public static string Wire(this ChallengeType type) => Of(type).Wire;

    /// <summary>Whether it may prove control of an identifier.</summary>
    public static bool Proves(this ChallengeType type, Identifier identifier) => identifier switch
    {
        IpIdentifier => Of(type).Addresses,
        { IsWildcard: true } => Of(type).Wildcards,
        _ => true,
    };

    /// <summary>Whether it may prove wildcards, which is true of exactly those that look records up and connect nowhere.</summary>
    public static bool ProvesWildcards(this ChallengeType type) => Of(type).Wildcards;

    /// <summary>Reads the word, null when it is none of ours.</summary>
    public static ChallengeType? Read(string wire) => Rows.FirstOrDefault(r => r.Wire == wire)?.Type;

    private static Row Of(ChallengeType type) =>
        Rows.FirstOrDefault(r => r.Type == type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, "not a challenge type");

    private sealed record Row(ChallengeType Type, string Wire, bool Wildcards, bool Addresses, bool OnOfferUnasked);
}
