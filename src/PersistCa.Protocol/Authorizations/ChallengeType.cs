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
}

/// <summary>The words for <see cref="ChallengeType"/> on the wire and what each may prove.</summary>
public static class ChallengeTypes
{
    /// <summary>Order in which challenges stand in an authorization: dns-persist-01 last, since five installed clients stumble over an unknown first entry.</summary>
    public static IReadOnlyList<ChallengeType> All { get; } =
        [ChallengeType.Http01, ChallengeType.Dns01, ChallengeType.TlsAlpn01, ChallengeType.DnsPersist01];

    /// <summary>The word in ACME JSON.</summary>
    public static string Wire(this ChallengeType type) => type switch
    {
        ChallengeType.Http01 => "http-01",
        ChallengeType.Dns01 => "dns-01",
        ChallengeType.TlsAlpn01 => "tls-alpn-01",
        ChallengeType.DnsPersist01 => "dns-persist-01",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a challenge type"),
    };

    /// <summary>Only DNS methods may prove a wildcard (BR 3.2.2.4.7 and 3.2.2.4.22; RFC 8555 section 7.1.3).</summary>
    public static bool ProvesWildcards(this ChallengeType type) => type is ChallengeType.Dns01 or ChallengeType.DnsPersist01;

    /// <summary>Reads the word, null when it is none of ours.</summary>
    public static ChallengeType? Read(string wire)
    {
        foreach (var type in All)
        {
            if (type.Wire() == wire)
            {
                return type;
            }
        }

        return null;
    }
}
