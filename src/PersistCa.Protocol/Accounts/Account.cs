using System.Collections.Immutable;

namespace PersistCa.Protocol.Accounts;

/// <summary>Account states (RFC 8555 section 7.1.6).</summary>
public enum AccountStatus
{
    /// <summary>May act.</summary>
    Valid = 1,

    /// <summary>Closed by its owner; for ever.</summary>
    Deactivated = 2,

    /// <summary>Closed by the authority; for ever.</summary>
    Revoked = 3,
}

/// <summary>A key that an account has or had. Kept for the life of the account (dns-persist-01 rules section 4).</summary>
public sealed class AccountKey
{
    private AccountKey()
    {
        Thumbprint = Jwk = "";
    }

    internal AccountKey(string thumbprint, string jwk, DateTimeOffset addedAt)
    {
        Thumbprint = thumbprint;
        Jwk = jwk;
        AddedAt = addedAt;
    }

    /// <summary>A key as a store kept it.</summary>
    public static AccountKey Restore(long id, long accountId, string thumbprint, string jwk, DateTimeOffset addedAt) =>
        new() { Id = id, AccountId = accountId, Thumbprint = thumbprint, Jwk = jwk, AddedAt = addedAt };

    /// <summary>Internal id, rising with time.</summary>
    public long Id { get; private set; }

    /// <summary>Internal id of the account.</summary>
    public long AccountId { get; private set; }

    /// <summary>RFC 7638 SHA-256 thumbprint.</summary>
    public string Thumbprint { get; private set; }

    /// <summary>The public key as RFC 7638 canonical JSON.</summary>
    public string Jwk { get; private set; }

    /// <summary>When the account took this key.</summary>
    public DateTimeOffset AddedAt { get; private set; }
}

/// <summary>An ACME account (RFC 8555 section 7.1.2).</summary>
public sealed class Account
{
    private static readonly Lifecycle<AccountStatus> Life = new(
        "an account",
        (AccountStatus.Valid, AccountStatus.Deactivated),
        (AccountStatus.Valid, AccountStatus.Revoked));

    private readonly List<AccountKey> keys = [];

    private Account()
    {
        PublicId = CurrentThumbprint = "";
        Contacts = [];
    }

    /// <summary>Opens an account.</summary>
    /// <param name="publicId">Random id, last segment of the account URL.</param>
    /// <param name="thumbprint">RFC 7638 thumbprint of its key.</param>
    /// <param name="jwk">The key as canonical JSON.</param>
    /// <param name="contacts">Contact URLs, judged already.</param>
    /// <param name="termsAgreed">Whether the client agreed to the terms of service.</param>
    /// <param name="now">The time.</param>
    /// <param name="externalKeyId">Internal id of the external account key that it is bound to; null for none.</param>
    /// <param name="externalBinding">The binding that was verified, as <c>BindingResource</c> in JSON; null for none.</param>
    public Account(
        string publicId,
        string thumbprint,
        string jwk,
        IReadOnlyList<string> contacts,
        bool termsAgreed,
        DateTimeOffset now,
        long? externalKeyId = null,
        string? externalBinding = null)
    {
        ExternalKeyId = externalKeyId;
        ExternalBinding = externalBinding;
        PublicId = publicId;
        CurrentThumbprint = thumbprint;
        Contacts = [.. contacts];
        Status = AccountStatus.Valid;
        CreatedAt = now;
        TermsAgreedAt = termsAgreed ? now : null;
        keys.Add(new AccountKey(thumbprint, jwk, now));
    }

    /// <summary>An account as a store kept it, without its keys.</summary>
    public static Account Restore(
        long id,
        string publicId,
        AccountStatus status,
        List<string> contacts,
        DateTimeOffset createdAt,
        DateTimeOffset? termsAgreedAt,
        DateTimeOffset? closedAt,
        string currentThumbprint,
        DateTimeOffset? provedByRecordAt,
        DateTimeOffset? suspendedAt,
        AccountRestrictions? restrictions,
        long? externalKeyId,
        string? externalBinding,
        int version) => new()
        {
            Id = id,
            PublicId = publicId,
            Status = status,
            Contacts = contacts,
            CreatedAt = createdAt,
            TermsAgreedAt = termsAgreedAt,
            ClosedAt = closedAt,
            CurrentThumbprint = currentThumbprint,
            ProvedByRecordAt = provedByRecordAt,
            SuspendedAt = suspendedAt,
            Restrictions = restrictions,
            ExternalKeyId = externalKeyId,
            ExternalBinding = externalBinding,
            Version = version,
        };

    /// <summary>Takes a key that a store kept with it; they come oldest first.</summary>
    public void Restore(AccountKey key) => keys.Add(key);

    /// <summary>A store has kept it in this version.</summary>
    public void Kept(int version) => Version = version;

    /// <summary>Internal id.</summary>
    public long Id { get; private set; }

    /// <summary>Last segment of the account URL.</summary>
    public string PublicId { get; private set; }

    /// <summary>State.</summary>
    public AccountStatus Status { get; private set; }

    /// <summary>Contact URLs.</summary>
    public List<string> Contacts { get; private set; }

    /// <summary>When it was opened.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When the terms were agreed to, null if never.</summary>
    public DateTimeOffset? TermsAgreedAt { get; private set; }

    /// <summary>When it was closed, null while it is open.</summary>
    public DateTimeOffset? ClosedAt { get; private set; }

    /// <summary>Thumbprint of the key that signs for the account now. No two accounts have the same.</summary>
    public string CurrentThumbprint { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>Every key it ever had, oldest first.</summary>
    public IReadOnlyList<AccountKey> Keys => keys;

    /// <summary>When it first proved a name by dns-persist-01, null while it has not: only then are records looked up before it asks (dns-persist-01 rules, section 6.7).</summary>
    public DateTimeOffset? ProvedByRecordAt { get; private set; }

    /// <summary>Since when an operator keeps it from acting; null while nobody does. Unlike a closed account it may act again.</summary>
    public DateTimeOffset? SuspendedAt { get; private set; }

    /// <summary>What an operator allows it; null for whatever the configuration does.</summary>
    public AccountRestrictions? Restrictions { get; private set; }

    /// <summary>Internal id of the external account key that it is bound to, for ever; null for none.</summary>
    public long? ExternalKeyId { get; private set; }

    /// <summary>The binding that was verified, as <c>BindingResource</c> in JSON; null for none.</summary>
    public string? ExternalBinding { get; private set; }

    /// <summary>True while the account may act.</summary>
    public bool IsValid => Status == AccountStatus.Valid && SuspendedAt is null;

    /// <summary>Replaces the contacts.</summary>
    public void ChangeContacts(IReadOnlyList<string> contacts) => Contacts = [.. contacts];

    /// <summary>Notes its first success by dns-persist-01.</summary>
    public void ProvedByRecord(DateTimeOffset now) => ProvedByRecordAt ??= now;

    /// <summary>Rolls over to another key (RFC 8555 section 7.3.5). The old key stays on record.</summary>
    public void ReplaceKey(string thumbprint, string jwk, DateTimeOffset now)
    {
        if (!IsValid)
        {
            throw new InvalidOperationException("only a valid account can change its key");
        }

        keys.Add(new AccountKey(thumbprint, jwk, now));
        CurrentThumbprint = thumbprint;
    }

    /// <summary>Closes the account at its owner's wish (RFC 8555 section 7.3.6).</summary>
    public void Deactivate(DateTimeOffset now)
    {
        Status = Life.Step(Status, AccountStatus.Deactivated);
        ClosedAt = now;
    }

    /// <summary>Closes the account at the authority's wish.</summary>
    public void Revoke(DateTimeOffset now)
    {
        Status = Life.Step(Status, AccountStatus.Revoked);
        ClosedAt = now;
    }

    /// <summary>Keeps it from acting until it is resumed: its requests are refused, its orders come to nothing, its records match no more.</summary>
    /// <exception cref="InvalidOperationException">It is closed, or suspended already.</exception>
    public void Suspend(DateTimeOffset now)
    {
        if (!IsValid)
        {
            throw new InvalidOperationException($"an account that is {(SuspendedAt is null ? Status.ToString() : "suspended")} cannot be suspended");
        }

        SuspendedAt = now;
    }

    /// <summary>Lets it act again.</summary>
    /// <exception cref="InvalidOperationException">It is closed, or not suspended.</exception>
    public void Resume()
    {
        if (Status != AccountStatus.Valid || SuspendedAt is null)
        {
            throw new InvalidOperationException("only an account that is suspended can be resumed");
        }

        SuspendedAt = null;
    }

    /// <summary>Sets what it may have.</summary>
    public void Restrict(AccountRestrictions restrictions) => Restrictions = restrictions.IsNone ? null : restrictions;

    /// <summary>What validation must know.</summary>
    /// <param name="url">The account's URL.</param>
    public AccountFacts Facts(string url)
    {
        var thumbprints = ImmutableArray.CreateBuilder<string>(keys.Count);
        thumbprints.Add(CurrentThumbprint);
        // Newest first: keys that are not saved yet have no id and stand last in the list.
        foreach (var key in keys.AsEnumerable().Reverse().OrderByDescending(k => k.Id == 0 ? long.MaxValue : k.Id))
        {
            if (!thumbprints.Contains(key.Thumbprint))
            {
                thumbprints.Add(key.Thumbprint);
            }
        }

        return new AccountFacts(PublicId, url, thumbprints.ToImmutable(), IsValid);
    }
}
