using System.Collections.Immutable;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Caa;

/// <summary>What is to be decided.</summary>
/// <param name="Requested">The name, wildcard or not.</param>
/// <param name="AccountUrls">URLs of the account: the present one first, then former ones that are still accepted.</param>
/// <param name="ValidationMethod">Word of the challenge type by which control was proved, such as "dns-persist-01".</param>
public sealed record CaaQuestion(CertificateName Requested, ImmutableArray<string> AccountUrls, string ValidationMethod)
{
    /// <summary>The question for a name whose control an account proved.</summary>
    public static CaaQuestion For(CertificateName requested, AccountFacts account, ChallengeType method) =>
        new(requested, [account.Url, .. account.FormerUrls], method.Wire());

    /// <summary>
    /// Names whose records can decide, nearest first: the name without "*.", and every one above it. The root is none of them, a top-level domain is
    /// (RFC 8659 section 3).
    /// </summary>
    public IEnumerable<DnsName> Climb() => Requested.Name.Ancestors().Prepend(Requested.Name);
}

/// <summary>A CAA record that was found.</summary>
/// <param name="Rdata">Its RDATA, one character for each octet.</param>
/// <param name="TtlSeconds">Time to live, in seconds.</param>
public sealed record FoundCaa(string Rdata, int TtlSeconds);

/// <summary>A look-up after which nothing is known.</summary>
/// <param name="What">What happened: a clause without capital or full stop that names no resolver.</param>
public sealed record CaaLookupFailure(string What)
{
    /// <summary>The zone is proven, by DNSSEC of a zone above it, not to be signed.</summary>
    public bool ZoneIsInsecure { get; init; }

    /// <summary>The question was sent more than once.</summary>
    public bool WasRetried { get; init; }

    /// <summary>The fault lies at somebody else's server, not at a resolver or a line of the authority.</summary>
    public bool IsTheirs { get; init; }

    /// <summary>The three conditions under which BR section 3.2.2.8.1 lets a failed look-up pass.</summary>
    public bool CanBeExcused => ZoneIsInsecure && WasRetried && IsTheirs;
}

/// <summary>What asking one name of the climb brought.</summary>
public sealed record CaaAnswer
{
    private CaaAnswer(DnsName name) => Name = name;

    /// <summary>The name asked for. Where it is an alias the records are those of its target, but the climb goes on from this name.</summary>
    public DnsName Name { get; }

    /// <summary>Records found, none when the name has none or the look-up failed.</summary>
    public ImmutableArray<FoundCaa> Records { get; private init; } = [];

    /// <summary>Why nothing is known; null when the look-up succeeded.</summary>
    public CaaLookupFailure? Failure { get; private init; }

    /// <summary>The name has these records; none is the same as <see cref="None"/>.</summary>
    public static CaaAnswer Found(DnsName name, ImmutableArray<FoundCaa> records) => new(name) { Records = records };

    /// <summary>The name has no CAA records, or does not exist.</summary>
    public static CaaAnswer None(DnsName name) => new(name);

    /// <summary>Nothing is known.</summary>
    public static CaaAnswer Failed(DnsName name, CaaLookupFailure failure) => new(name) { Failure = failure };
}
