using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Policy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Registration;

/// <summary>A profile: everything about a certificate that its order does not say (draft-ietf-acme-profiles).</summary>
public sealed record CaProfile
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in a line.</summary>
    public required string Description { get; init; }

    /// <summary>Whether orders may have it. One that is known and not offered is one that was withdrawn.</summary>
    public required bool Offered { get; init; }

    /// <summary>The regime by whose rules names are proved, as authorizations have it: private, cabf-br, or one of its own made from these.</summary>
    public required string Regime { get; init; }

    /// <summary>The regime without what the profile says of its own.</summary>
    public string BaseRegime => ProfileProofs.BaseOf(Regime);

    /// <summary>What it says of proofs besides.</summary>
    public ProfileProofs Proofs { get; init; } = ProfileProofs.None;

    /// <summary>Which names it is for, of those that are served.</summary>
    public SubjectNames Names { get; init; } = SubjectNames.Every;

    /// <summary>The issuers that sign, best first.</summary>
    public required ImmutableArray<string> Issuers { get; init; }

    /// <summary>What its certificates look like; where their issuer is found is filled in when it is chosen.</summary>
    public required ServerProfile Certificate { get; init; }

    /// <summary>How status is told.</summary>
    public required StatusKind Status { get; init; }

    /// <summary>Whether certificates say where OCSP answers.</summary>
    public bool Ocsp { get; init; }

    /// <summary>Where the issuer's certificate is found, {issuer} for its id; empty for here, none for not said.</summary>
    public string IssuerUrl { get; init; } = "";

    /// <summary>Kinds of keys that are accepted.</summary>
    public required FrozenSet<KeyKind> Keys { get; init; }

    /// <summary>Challenges by which names may be proved; empty for all on offer.</summary>
    public ImmutableArray<ChallengeType> Challenges { get; init; } = [];

    /// <summary>Public ids of the accounts that may have it; empty for all.</summary>
    public FrozenSet<string> Accounts { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Whether a way of proving a name is accepted for it.</summary>
    public bool Accepts(ChallengeType type) => Challenges.IsEmpty || Challenges.Contains(type);

    /// <summary>Says why a key is not accepted; null when it is.</summary>
    public AcmeProblem? Refuse(KeyKind key) => Keys.Contains(key)
        ? null
        : new AcmeProblem(ProblemCatalog.BadPublicKey, $"The profile {Name} is not for {key} keys; expected is one of {string.Join(", ", Keys.Order())}.");
}

/// <summary>The profiles of this authority, and who signs by them.</summary>
public sealed class ProfileBook
{
    private readonly FrozenDictionary<string, CaProfile> profiles;
    private readonly ConcurrentDictionary<(string Profile, string Issuer), CertificateIssuer> signers = new();
    private readonly IssuerBook issuers;
    private readonly AuthorityUrls urls;
    private readonly SwitchBoard switches;
    private readonly int crlShards;

    /// <summary>A book.</summary>
    /// <param name="profiles">At least one; the first is the default.</param>
    /// <param name="issuers">The issuers.</param>
    /// <param name="urls">Where issuers and lists are published.</param>
    /// <param name="switches">What operators switched off.</param>
    /// <param name="crlShards">In how many parts certificates with a list are.</param>
    public ProfileBook(IReadOnlyList<CaProfile> profiles, IssuerBook issuers, AuthorityUrls urls, SwitchBoard switches, int crlShards = 1)
    {
        this.crlShards = crlShards;
        this.profiles = profiles.ToFrozenDictionary(p => p.Name, StringComparer.Ordinal);
        this.issuers = issuers;
        this.urls = urls;
        this.switches = switches;
        Default = profiles[0];
    }

    /// <summary>The one of orders that name none.</summary>
    public CaProfile Default { get; }

    /// <summary>All that are known, by name.</summary>
    public IEnumerable<CaProfile> All => profiles.Values.OrderBy(p => p.Name, StringComparer.Ordinal);

    /// <summary>Those on offer with their descriptions, as the directory shows them.</summary>
    public IReadOnlyDictionary<string, string> Offered => profiles.Values.Where(IsOffered).OrderBy(p => p.Name != Default.Name).ThenBy(p => p.Name, StringComparer.Ordinal)
        .ToDictionary(p => p.Name, p => p.Description);

    /// <summary>Whether there is a profile of a name, offered or not.</summary>
    public bool Knows(string name) => profiles.ContainsKey(name);

    /// <summary>Whether a profile is on offer: configured so, and not withdrawn by operators.</summary>
    public bool IsOffered(CaProfile profile) => profile.Offered && !switches.Current.Profiles.Contains(profile.Name);

    /// <summary>The profile of a name, on offer or not; null when there is none.</summary>
    public CaProfile? Find(string name) => profiles.GetValueOrDefault(name);

    /// <summary>The profile of a name, if the account may have it. Whoever decides by it has looked at the switches before, in the deciding transaction.</summary>
    /// <param name="name">The name; null for the default.</param>
    /// <param name="account">Who asks.</param>
    /// <param name="scope">What the account may do by its external account.</param>
    /// <returns>The profile; invalidProfile when it is not offered, to anybody or to this account (draft-ietf-acme-profiles section 4).</returns>
    public Outcome<CaProfile> For(string? name, Account account, AccountScope scope)
    {
        // Who names none gets one that they may have: the default, or the first of those that the external account is for.
        name ??= scope.RefuseProfile(Default.Name) is null ? null : scope.Profiles.FirstOrDefault(p => profiles.GetValueOrDefault(p) is { } known && IsOffered(known));
        var profile = name is null ? Default : profiles.GetValueOrDefault(name);
        var offered = profile is not null && IsOffered(profile);
        if (offered && scope.RefuseProfile(profile!.Name) is { } outside)
        {
            return outside;
        }

        return offered && (profile!.Accounts.Count == 0 || profile.Accounts.Contains(account.PublicId)) && account.Restrictions?.AcceptsProfile(profile.Name) != false
            ? profile
            : new AcmeProblem(
                ProblemCatalog.InvalidProfile,
                $"The profile '{Refusals.Shorten(name ?? profile!.Name)}' is not offered{(offered ? " to this account" : "")}; the directory lists {string.Join(", ", Offered.Keys)}.");
    }

    /// <summary>Who signs by a profile at a time.</summary>
    /// <returns>The signer; serverInternal when it is the time of none of its issuers, which an operator has to mend, and with 503 when operators stopped them.</returns>
    public Outcome<CertificateIssuer> SignerAt(CaProfile profile, DateTimeOffset at)
    {
        var signer = issuers.SignerAt(profile.Issuers, at, switches.Current.Issuers);
        if (signer is null && issuers.SignerAt(profile.Issuers, at) is not null)
        {
            return Stopped(profile.Name);
        }

        return signer is null
            ? new AcmeProblem(ProblemCatalog.ServerInternal, $"No issuer signs by the profile {profile.Name} at this time; its operator has to name one.")
            : By(profile, signer.Issuer);
    }

    /// <summary>An issuer as it signs by a profile: for the intent that was made for it, too, when another has followed it meanwhile.</summary>
    public CertificateIssuer By(CaProfile profile, Issuer issuer) => signers.GetOrAdd((profile.Name, issuer.IssuerId), _ => new CertificateIssuer(issuer, profile.Certificate with
    {
        CaIssuersUrl = profile.IssuerUrl switch
        {
            "" => urls.Issuer(issuer.IssuerId),
            ProfileSetup.NoneOfThem => null,
            var own => own.Replace("{issuer}", issuer.IssuerId, StringComparison.Ordinal),
        },
        CrlUrl = profile.Status == StatusKind.Crl ? urls.Crl(issuer.IssuerId) : null,
        CrlShardUrls = profile.Status == StatusKind.Crl ? [.. urls.CrlShards(issuer.IssuerId, crlShards)] : [],
        OcspUrl = profile.Ocsp ? urls.Ocsp(issuer.IssuerId) : null,
        NoRevocationAvailable = profile.Status == StatusKind.NoRevAvail,
    }));

    /// <summary>Whether operators stopped an issuer.</summary>
    public bool IsStopped(string issuerId) => switches.Current.Issuers.Contains(issuerId);

    /// <summary>The refusal while operators have stopped the issuers of a profile: it passes, so what is under way waits.</summary>
    public static AcmeProblem Stopped(string profile) =>
        new(ProblemCatalog.ServerInternal, $"Operators have stopped the issuers of the profile {profile} for now.") { Status = 503, RetryAfterSeconds = 300 };
}
