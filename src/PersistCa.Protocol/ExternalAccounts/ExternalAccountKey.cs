using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Limits;

namespace PersistCa.Protocol.ExternalAccounts;

/// <summary>What the end of a key stops for the accounts that are bound to it. None of it touches certificates that are there.</summary>
[Flags]
public enum EndStops
{
    /// <summary>Nothing but further bindings.</summary>
    None = 0,

    /// <summary>Orders for names that the account has no certificate for.</summary>
    NewOrders = 1,

    /// <summary>Orders that renew: the same names as a live certificate of the account, or one that they say they replace (RFC 9773 section 5).</summary>
    Renewals = 2,

    /// <summary>Revocation by the account. Whoever has a certificate's own key can always revoke it.</summary>
    Revocations = 4,
}

/// <summary>Whether a key can be bound to.</summary>
public enum KeyStanding
{
    /// <summary>It can.</summary>
    Live = 1,

    /// <summary>Its time is over.</summary>
    Expired = 2,

    /// <summary>It was taken back; for ever.</summary>
    Removed = 3,
}

/// <summary>What an operator says of a key and can change.</summary>
public sealed record ExternalAccountTerms
{
    /// <summary>Texts of <see cref="NameRule"/>; at least one.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Profiles that orders may have; none for all that are offered.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Challenges by which names may be proved, as on the wire; none for all on offer.</summary>
    public IReadOnlyList<string> Challenges { get; init; } = [];

    /// <summary>Most open accounts at a time; 0 for any number.</summary>
    public int MaxAccounts { get; init; }

    /// <summary>Most names of one certificate; 0 for as many as the profile allows.</summary>
    public int MaxNames { get; init; }

    /// <summary>Certificates in a period, of all its accounts together.</summary>
    public RateLimit Certificates { get; init; } = RateLimit.None;

    /// <summary>Who answers for it.</summary>
    public required string Owner { get; init; }

    /// <summary>The team that uses it; empty for none named.</summary>
    public string Team { get; init; } = "";

    /// <summary>The system that its certificates are for; empty for none named.</summary>
    public string System { get; init; } = "";

    /// <summary>How critical that system is, in the operator's words; empty for none named.</summary>
    public string Criticality { get; init; } = "";

    /// <summary>When it ends by itself; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What its end stops.</summary>
    public EndStops Stops { get; init; } = EndStops.NewOrders | EndStops.Renewals;
}

/// <summary>A key by which ACME accounts are bound to an account elsewhere (RFC 8555 section 7.3.4), with what they may do. Its secret is kept sealed.</summary>
public sealed class ExternalAccountKey
{
    /// <summary>Longest text of owner, team, system and criticality.</summary>
    public const int MaxTextLength = 200;

    /// <summary>Most rules about names.</summary>
    public const int MaxNameRules = 200;

    /// <summary>Octets of a secret: as long as the longest hash, so that each of the MAC algorithms may have it (RFC 7518 section 3.2).</summary>
    public const int SecretOctets = 64;

    private ExternalAccountKey()
    {
        PublicId = CreatedBy = Owner = Team = System = Criticality = "";
        SealedSecret = [];
        (Names, Profiles, Challenges) = ([], [], []); // three lists: what reads rows fills them in place
        Certificates = RateLimit.Off;
    }

    /// <summary>Makes a key.</summary>
    /// <param name="publicId">The key identifier (kid).</param>
    /// <param name="sealedSecret">Its secret, encrypted.</param>
    /// <param name="singleUse">Whether it opens one account and never another.</param>
    /// <param name="terms">What its accounts may do; judged already.</param>
    /// <param name="createdBy">Who made it.</param>
    /// <param name="now">The time.</param>
    public ExternalAccountKey(string publicId, byte[] sealedSecret, bool singleUse, ExternalAccountTerms terms, string createdBy, DateTimeOffset now)
        : this()
    {
        PublicId = publicId;
        SealedSecret = sealedSecret;
        SingleUse = singleUse;
        CreatedBy = createdBy;
        CreatedAt = now;
        Change(terms);
    }

    /// <summary>Internal id.</summary>
    public long Id { get; private set; }

    /// <summary>The key identifier that clients send as kid; no secret.</summary>
    public string PublicId { get; private set; }

    /// <summary>The MAC key, encrypted.</summary>
    public byte[] SealedSecret { get; private set; }

    /// <summary>Whether it opens one account and never another, not even when that one is closed.</summary>
    public bool SingleUse { get; private set; }

    /// <summary>Texts of <see cref="NameRule"/>.</summary>
    public List<string> Names { get; private set; }

    /// <summary>Profiles that orders may have; none for all that are offered.</summary>
    public List<string> Profiles { get; private set; }

    /// <summary>Challenges by which names may be proved; none for all on offer.</summary>
    public List<string> Challenges { get; private set; }

    /// <summary>Most open accounts at a time; 0 for any number.</summary>
    public int MaxAccounts { get; private set; }

    /// <summary>Most names of one certificate; 0 for as many as the profile allows.</summary>
    public int MaxNames { get; private set; }

    /// <summary>Certificates in a period, as <see cref="RateLimit"/> writes it.</summary>
    public string Certificates { get; private set; }

    /// <summary>Who answers for it.</summary>
    public string Owner { get; private set; }

    /// <summary>The team that uses it.</summary>
    public string Team { get; private set; }

    /// <summary>The system that its certificates are for.</summary>
    public string System { get; private set; }

    /// <summary>How critical that system is.</summary>
    public string Criticality { get; private set; }

    /// <summary>Who made it, as the audit log names actors.</summary>
    public string CreatedBy { get; private set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it ends by itself, null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>When it was taken back, null while it was not.</summary>
    public DateTimeOffset? RemovedAt { get; private set; }

    /// <summary>What its end stops.</summary>
    public EndStops Stops { get; private set; }

    /// <summary>Accounts that were ever bound to it.</summary>
    public int Bound { get; private set; }

    /// <summary>When the last was, null for none.</summary>
    public DateTimeOffset? LastBoundAt { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>Whether it can be bound to at a time.</summary>
    public KeyStanding StandingAt(DateTimeOffset now) =>
        RemovedAt is not null ? KeyStanding.Removed : ExpiresAt is { } end && now >= end ? KeyStanding.Expired : KeyStanding.Live;

    /// <summary>When it ended or will end, null for never.</summary>
    public DateTimeOffset? EndsAt => RemovedAt is { } removed && (ExpiresAt is not { } end || removed < end) ? removed : ExpiresAt;

    /// <summary>The operator changes what its accounts may do; for those that are bound already, too.</summary>
    /// <param name="terms">All of them; judged already.</param>
    /// <exception cref="InvalidOperationException">The key was removed.</exception>
    public void Change(ExternalAccountTerms terms)
    {
        Require();
        Names = [.. terms.Names];
        Profiles = [.. terms.Profiles];
        Challenges = [.. terms.Challenges];
        MaxAccounts = terms.MaxAccounts;
        MaxNames = terms.MaxNames;
        Certificates = terms.Certificates.ToString();
        (Owner, Team, System, Criticality) = (terms.Owner, terms.Team, terms.System, terms.Criticality);
        ExpiresAt = terms.ExpiresAt;
        Stops = terms.Stops;
    }

    /// <summary>The key is taken back.</summary>
    /// <param name="stops">What that stops.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="InvalidOperationException">It was removed before.</exception>
    public void Remove(EndStops stops, DateTimeOffset now)
    {
        Require();
        RemovedAt = now;
        Stops = stops;
    }

    /// <summary>An account is bound to it. The row changes, so that of two bindings at the same moment one looks again.</summary>
    /// <exception cref="InvalidOperationException">The key cannot be bound to.</exception>
    public void Bind(DateTimeOffset now)
    {
        if (StandingAt(now) != KeyStanding.Live || (SingleUse && Bound > 0))
        {
            throw new InvalidOperationException($"a key that is {StandingAt(now)} and bound {Bound} times cannot be bound to");
        }

        Bound++;
        LastBoundAt = now;
    }

    /// <summary>What it says now, to be changed in part.</summary>
    public ExternalAccountTerms Terms() => new()
    {
        Names = [.. Names],
        Profiles = [.. Profiles],
        Challenges = [.. Challenges],
        MaxAccounts = MaxAccounts,
        MaxNames = MaxNames,
        Certificates = RateLimit.Parse(Certificates).Value!,
        Owner = Owner,
        Team = Team,
        System = System,
        Criticality = Criticality,
        ExpiresAt = ExpiresAt,
        Stops = Stops,
    };

    /// <summary>What its accounts may do.</summary>
    public AccountScope Scope() => new()
    {
        KeyId = PublicId,
        Names = [.. Names.Select(n => NameRule.Parse(n).Value!)],
        Profiles = [.. Profiles],
        Challenges = [.. Challenges.Select(c => ChallengeTypes.Read(c)!.Value)],
        MaxNames = MaxNames,
        Certificates = RateLimit.Parse(Certificates).Value!,
        EndsAt = EndsAt,
        Removed = RemovedAt is not null,
        Stops = Stops,
    };

    private void Require()
    {
        if (RemovedAt is not null)
        {
            throw new InvalidOperationException("a removed key is not changed");
        }
    }
}
