using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Authorizations;

/// <summary>Authorization states (RFC 8555 section 7.1.6). <see cref="Expired"/> is never stored: time alone brings it about.</summary>
public enum AuthorizationStatus
{
    /// <summary>No challenge has been decided.</summary>
    Pending = 1,

    /// <summary>Control was proven.</summary>
    Valid = 2,

    /// <summary>A challenge failed.</summary>
    Invalid = 3,

    /// <summary>Given up by the account.</summary>
    Deactivated = 4,

    /// <summary>Past its time.</summary>
    Expired = 5,

    /// <summary>Taken back by the authority.</summary>
    Revoked = 6,
}

/// <summary>Challenge states (RFC 8555 section 7.1.6).</summary>
public enum ChallengeStatus
{
    /// <summary>Waiting for the client.</summary>
    Pending = 1,

    /// <summary>Being validated.</summary>
    Processing = 2,

    /// <summary>Validated.</summary>
    Valid = 3,

    /// <summary>Failed.</summary>
    Invalid = 4,
}

/// <summary>One way of proving control over the identifier of an authorization.</summary>
public sealed class Challenge
{
    internal static readonly Lifecycle<ChallengeStatus> Life = new(
        "a challenge",
        (ChallengeStatus.Pending, ChallengeStatus.Processing),
        (ChallengeStatus.Processing, ChallengeStatus.Valid),
        (ChallengeStatus.Processing, ChallengeStatus.Invalid));

    private Challenge()
    {
        Token = "";
    }

    internal Challenge(int ordinal, ChallengeType type, string token)
    {
        Ordinal = ordinal;
        Type = type;
        Token = token;
        Status = ChallengeStatus.Pending;
    }

    /// <summary>A challenge as a store kept it.</summary>
    public static Challenge Restore(
        long authorizationId, int ordinal, ChallengeType type, string token, string? recordAt, ChallengeStatus status, DateTimeOffset? validatedAt, AcmeProblem? error) => new()
        {
            AuthorizationId = authorizationId,
            Ordinal = ordinal,
            Type = type,
            Token = token,
            RecordAt = recordAt,
            Status = status,
            ValidatedAt = validatedAt,
            Error = error,
        };

    /// <summary>Internal id of the authorization.</summary>
    public long AuthorizationId { get; private set; }

    /// <summary>Position in the authorization, from 0; last segment of the challenge URL.</summary>
    public int Ordinal { get; private set; }

    /// <summary>The method.</summary>
    public ChallengeType Type { get; private set; }

    /// <summary>Random value; dns-persist-01 has one that nothing rests on, for clients that cannot read a challenge without.</summary>
    public string Token { get; private set; }

    /// <summary>dns-persist-01: name at which the client says its record stands ("adn"), null when it says nothing.</summary>
    public string? RecordAt { get; internal set; }

    /// <summary>State.</summary>
    public ChallengeStatus Status { get; internal set; }

    /// <summary>When it became valid.</summary>
    public DateTimeOffset? ValidatedAt { get; internal set; }

    /// <summary>Why it failed.</summary>
    public AcmeProblem? Error { get; internal set; }
}

/// <summary>Who may rest on an authorization.</summary>
[Flags]
public enum AuthorizationReach
{
    /// <summary>The order that opened it, for its very name.</summary>
    Order = 0,

    /// <summary>An order that comes later: it was opened by newAuthz.</summary>
    AnyOrder = 1,

    /// <summary>Names under its name.</summary>
    Subdomains = 2,
}

/// <summary>An account's claim to one identifier (RFC 8555 section 7.1.4).</summary>
public sealed class Authorization
{
    private static readonly Lifecycle<AuthorizationStatus> Life = new(
        "an authorization",
        (AuthorizationStatus.Pending, AuthorizationStatus.Valid),
        (AuthorizationStatus.Pending, AuthorizationStatus.Invalid),
        (AuthorizationStatus.Pending, AuthorizationStatus.Deactivated),
        (AuthorizationStatus.Valid, AuthorizationStatus.Deactivated),
        (AuthorizationStatus.Valid, AuthorizationStatus.Revoked));

    /// <summary>The regime of a private authority, that of every authorization unless its order's profile says otherwise.</summary>
    public const string PrivateRegime = "private";

    private readonly List<Challenge> challenges = [];

    private Authorization()
    {
        PublicId = Name = "";
        Regime = PrivateRegime;
    }

    /// <summary>Opens an authorization.</summary>
    /// <param name="publicId">Random id.</param>
    /// <param name="accountId">Internal id of the account.</param>
    /// <param name="name">The identifier as <c>Identifier.BaseText</c>: a name without "*.", or an address.</param>
    /// <param name="isWildcard">Whether the order asked for "*." before the name.</param>
    /// <param name="offered">Methods on offer, each with its token.</param>
    /// <param name="now">The time.</param>
    /// <param name="expiresAt">When the claim lapses if it is not proven.</param>
    /// <param name="traceParent">W3C trace context of the order that opened it, which its validation joins.</param>
    /// <param name="reach">Who may rest on it.</param>
    /// <param name="regime">The regime whose rules control is to be proven by, as the server names it.</param>
    public Authorization(
        string publicId,
        long accountId,
        string name,
        bool isWildcard,
        IReadOnlyList<(ChallengeType Type, string Token)> offered,
        DateTimeOffset now,
        DateTimeOffset expiresAt,
        string? traceParent = null,
        AuthorizationReach reach = AuthorizationReach.Order,
        string regime = PrivateRegime)
    {
        PublicId = publicId;
        AccountId = accountId;
        TraceParent = traceParent;
        Regime = regime;
        IsPreAuthorization = reach.HasFlag(AuthorizationReach.AnyOrder);
        SubdomainsAllowed = reach.HasFlag(AuthorizationReach.Subdomains);
        Name = name;
        IsWildcard = isWildcard;
        Status = AuthorizationStatus.Pending;
        CreatedAt = now;
        ExpiresAt = expiresAt;
        for (var i = 0; i < offered.Count; i++)
        {
            challenges.Add(new Challenge(i, offered[i].Type, offered[i].Token));
        }
    }

    /// <summary>An authorization as a store kept it, without its challenges.</summary>
    public static Authorization Restore(
        long id,
        string publicId,
        long accountId,
        string name,
        bool isWildcard,
        bool isPreAuthorization,
        bool subdomainsAllowed,
        AuthorizationStatus status,
        DateTimeOffset createdAt,
        DateTimeOffset expiresAt,
        DateTimeOffset? validatedAt,
        string regime,
        string? rules,
        bool isReusable,
        string? traceParent,
        int version) => new()
        {
            Id = id,
            PublicId = publicId,
            AccountId = accountId,
            Name = name,
            IsWildcard = isWildcard,
            IsPreAuthorization = isPreAuthorization,
            SubdomainsAllowed = subdomainsAllowed,
            Status = status,
            CreatedAt = createdAt,
            ExpiresAt = expiresAt,
            ValidatedAt = validatedAt,
            Regime = regime,
            Rules = rules,
            IsReusable = isReusable,
            TraceParent = traceParent,
            Version = version,
        };

    /// <summary>Takes a challenge that a store kept with it; they come in the order of their ordinals.</summary>
    public void Restore(Challenge challenge) => challenges.Add(challenge);

    /// <summary>A store has kept it under this id and in this version.</summary>
    public void Kept(long id, int version) => (Id, Version) = (id, version);

    /// <summary>Internal id.</summary>
    public long Id { get; private set; }

    /// <summary>Last segment of the authorization URL.</summary>
    public string PublicId { get; private set; }

    /// <summary>Internal id of the account.</summary>
    public long AccountId { get; private set; }

    /// <summary>The identifier without "*.".</summary>
    public string Name { get; private set; }

    /// <summary>Whether it stands for the wildcard of <see cref="Name"/>.</summary>
    public bool IsWildcard { get; private set; }

    /// <summary>Whether it was opened by newAuthz, before any order (RFC 8555 section 7.4.1), and no order has taken it.</summary>
    public bool IsPreAuthorization { get; private set; }

    /// <summary>Whether it stands for the names under <see cref="Name"/> too (RFC 9444 section 4.1).</summary>
    public bool SubdomainsAllowed { get; private set; }

    /// <summary>State as stored; ask <see cref="StatusAt"/> for what holds now.</summary>
    public AuthorizationStatus Status { get; private set; }

    /// <summary>When it was opened.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it lapses: for a valid one never after the record's own end (dns-persist-01 rules section 6 item 6).</summary>
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>When control was proven.</summary>
    public DateTimeOffset? ValidatedAt { get; private set; }

    /// <summary>The regime whose rules control is to be proven by.</summary>
    public string Regime { get; private set; }

    /// <summary>By which rules control was proven, as the server names them; null while it was not.</summary>
    public string? Rules { get; private set; }

    /// <summary>Whether another order of the account may rest on it.</summary>
    public bool IsReusable { get; private set; }

    /// <summary>W3C trace context of the order that opened it.</summary>
    public string? TraceParent { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>The methods on offer, in the order in which clients see them.</summary>
    public IReadOnlyList<Challenge> Challenges => challenges;

    /// <summary>The identifier as it stands in a certificate, as <c>Identifier.Text</c>.</summary>
    public string CertificateName => IsWildcard ? "*." + Name : Name;

    /// <summary>Whether a certificate name may rest on it: its own, or, where subdomains are allowed, one under its name (RFC 9444).</summary>
    /// <param name="certificateName">"x" or "*.x".</param>
    public bool Covers(string certificateName)
    {
        if (certificateName == CertificateName)
        {
            return true;
        }

        var name = certificateName.StartsWith("*.", StringComparison.Ordinal) ? certificateName[2..] : certificateName;
        return SubdomainsAllowed && (name == Name || name.EndsWith("." + Name, StringComparison.Ordinal));
    }

    /// <summary>The state that holds at a time.</summary>
    public AuthorizationStatus StatusAt(DateTimeOffset now) =>
        now >= ExpiresAt && (Status is AuthorizationStatus.Pending or AuthorizationStatus.Valid)
            ? AuthorizationStatus.Expired
            : Status;

    /// <summary>The client says that it is ready: the challenge goes to processing (RFC 8555 section 7.5.1).</summary>
    /// <param name="challenge">The challenge.</param>
    /// <param name="now">The time.</param>
    /// <param name="recordAt">dns-persist-01: where the client says that its record stands, null when it says nothing.</param>
    /// <returns>True when validation is to be queued; false when this challenge was accepted before, so that a repeated POST changes nothing.</returns>
    public bool Accept(Challenge challenge, DateTimeOffset now, string? recordAt = null)
    {
        if (challenge.Status != ChallengeStatus.Pending || StatusAt(now) != AuthorizationStatus.Pending)
        {
            return false;
        }

        challenge.Status = Challenge.Life.Step(challenge.Status, ChallengeStatus.Processing);
        challenge.RecordAt = recordAt;
        return true;
    }

    /// <summary>Validation succeeded: the challenge and the authorization become valid.</summary>
    /// <param name="challenge">The challenge that was validated.</param>
    /// <param name="now">The time.</param>
    /// <param name="expiresAt">End of the reuse period or of the record's life, whichever is first.</param>
    /// <param name="isReusable">Whether another order may rest on it.</param>
    /// <param name="rules">By which rules it was proven.</param>
    public void Conclude(Challenge challenge, DateTimeOffset now, DateTimeOffset expiresAt, bool isReusable, string? rules = null)
    {
        challenge.Status = Challenge.Life.Step(challenge.Status, ChallengeStatus.Valid);
        challenge.ValidatedAt = now;
        if (StatusAt(now) != AuthorizationStatus.Pending)
        {
            return; // deactivated, lapsed, or decided by another challenge, while this one was being looked at
        }

        Status = Life.Step(Status, AuthorizationStatus.Valid);
        ValidatedAt = now;
        ExpiresAt = expiresAt;
        Rules = rules;
        IsReusable = isReusable;
    }

    /// <summary>Validation failed: the challenge and the authorization become invalid (RFC 8555 section 7.1.6).</summary>
    public void Fail(Challenge challenge, AcmeProblem error)
    {
        challenge.Status = Challenge.Life.Step(challenge.Status, ChallengeStatus.Invalid);
        challenge.Error = error;
        if (Status == AuthorizationStatus.Pending)
        {
            Status = Life.Step(Status, AuthorizationStatus.Invalid);
        }
    }

    /// <summary>
    /// An order rests on it from now on. One opened in advance is the order's then: whether another may rest on it too is for <see cref="IsReusable"/> to say.
    /// The row changes, so that of two orders at the same moment one looks again.
    /// </summary>
    public void TakeByOrder() => IsPreAuthorization = false;

    /// <summary>True when the account may give the authorization up (RFC 8555 section 7.5.2).</summary>
    public bool CanDeactivate(DateTimeOffset now) => Life.Allows(StatusAt(now), AuthorizationStatus.Deactivated);

    /// <summary>Gives the authorization up.</summary>
    public void Deactivate() => Status = Life.Step(Status, AuthorizationStatus.Deactivated);
}
