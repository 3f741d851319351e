using System.Collections.Frozen;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Limits;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.Limits;
using IPAddress = System.Net.IPAddress;

namespace PersistCa.Server.Registration;

/// <summary>What is limited.</summary>
public enum LimitKind
{
    /// <summary>New accounts per address.</summary>
    NewAccountsPerAddress,

    /// <summary>New orders per address.</summary>
    NewOrdersPerAddress,

    /// <summary>New orders per account.</summary>
    NewOrdersPerAccount,

    /// <summary>Failed validations per account and name.</summary>
    FailedValidations,

    /// <summary>Just-in-time look-ups per domain.</summary>
    JustInTimePerDomain,

    /// <summary>Questions to explain per account.</summary>
    ExplainPerAccount,

    /// <summary>Questions to explain per operator.</summary>
    ExplainPerOperator,

    /// <summary>Revocations that an operator decides alone.</summary>
    LoneRevocationsPerOperator,

    /// <summary>Calls at an operator's door without a good token, per address.</summary>
    FailedOperatorCallsPerAddress,

    /// <summary>External account bindings that fail, per address.</summary>
    FailedBindingsPerAddress,
}

/// <summary>Holds what happens to the configured limits, and says when to come back (RFC 8555 section 6.6).</summary>
public sealed class LimitDesk
{
    private readonly FrozenDictionary<LimitKind, RateLimit> limits;
    private readonly FrozenDictionary<(string Account, LimitKind Kind), RateLimit> perAccount;
    private readonly int pending;

    /// <summary>Reads the limits.</summary>
    /// <exception cref="ArgumentException">One is none: configuration is judged before.</exception>
    public LimitDesk(LimitOptions options)
    {
        limits = Texts(options).ToFrozenDictionary(t => t.Kind, t => Limit(t.Text));
        pending = options.PendingAuthorizations;
        perAccount = options.PerAccount.Select(ReadOverride).ToFrozenDictionary(o => (o.Value!.Account, o.Value.Kind), o => o.Value!.Limit);
    }

    /// <summary>The limits as configured.</summary>
    public static IEnumerable<(LimitKind Kind, string Text)> Texts(LimitOptions o) =>
    [
        (LimitKind.NewAccountsPerAddress, o.NewAccountsPerAddress),
        (LimitKind.NewOrdersPerAddress, o.NewOrdersPerAddress),
        (LimitKind.NewOrdersPerAccount, o.NewOrdersPerAccount),
        (LimitKind.FailedValidations, o.FailedValidations),
        (LimitKind.JustInTimePerDomain, o.JustInTimePerDomain),
        (LimitKind.ExplainPerAccount, o.ExplainPerAccount),
        (LimitKind.ExplainPerOperator, o.ExplainPerOperator),
        (LimitKind.LoneRevocationsPerOperator, o.LoneRevocationsPerOperator),
        (LimitKind.FailedOperatorCallsPerAddress, o.FailedOperatorCallsPerAddress),
        (LimitKind.FailedBindingsPerAddress, o.FailedBindingsPerAddress),
    ];

    /// <summary>The limits that an account can have of its own.</summary>
    public static IReadOnlyList<LimitKind> OfAccounts { get; } = [LimitKind.NewOrdersPerAccount, LimitKind.FailedValidations, LimitKind.ExplainPerAccount];

    /// <summary>Reads the name of a limit of an account; null when there is none of that name.</summary>
    public static LimitKind? ReadOfAccount(string text) => OfAccounts.Where(k => k.ToString() == text).Select(k => (LimitKind?)k).FirstOrDefault();

    /// <summary>Key of the bucket of a limit and its subject.</summary>
    public static string BucketOf(LimitKind kind, string subject) => Key(kind, subject);

    /// <summary>Reads "ACCOUNT-ID LIMIT=COUNT/PERIOD".</summary>
    public static Parsed<LimitOverride> ReadOverride(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (space < 1 || equals < space || !PublicId.LooksRight(text[..space])
            || ReadOfAccount(text[(space + 1)..equals]) is not { } kind)
        {
            return Parsed<LimitOverride>.Refused($"'{text}' is no limit of an account; write ACCOUNT-ID LIMIT=COUNT/PERIOD with one of {string.Join(", ", OfAccounts)}");
        }

        var limit = RateLimit.Parse(text[(equals + 1)..]);
        return limit.IsValid ? Parsed<LimitOverride>.Ok(new LimitOverride(text[..space], kind, limit.Value)) : Parsed<LimitOverride>.Refused(limit.Reason);
    }

    /// <summary>Takes one from a limit, inside the change that it limits.</summary>
    /// <param name="t">The change.</param>
    /// <param name="kind">Which limit.</param>
    /// <param name="subject">Whose: an address, an account, a domain.</param>
    /// <param name="what">What is limited, for the refusal: "new orders of this account".</param>
    /// <param name="account">The account that acts, whose own limits count; null where none does.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>Null when it may happen; rateLimited with the time to wait when not.</returns>
    public async Task<AcmeProblem?> TakeAsync(StoreTransaction t, LimitKind kind, string subject, string what, Account? account, CancellationToken cancel)
    {
        var limit = For(kind, account);
        return await t.TakeAsync(Key(kind, subject), limit, cancel) is { } wait ? Refusal(limit, what, wait) : null;
    }

    /// <summary>Takes one from a limit together with other questions of a change; <see cref="RefuseAsync"/> says what came of it.</summary>
    public LimitQuestion Ask(StoreReads reads, LimitKind kind, string subject, string what, Account? account, DateTimeOffset now)
    {
        var limit = For(kind, account);
        return new LimitQuestion(Key(kind, subject), limit, what, reads.Token(Key(kind, subject), limit, now));
    }

    /// <summary>What came of questions, in their order.</summary>
    /// <returns>Null when each had a token; rateLimited with the time to wait when not.</returns>
    public static async Task<AcmeProblem?> RefuseAsync(StoreTransaction t, IEnumerable<LimitQuestion> questions, CancellationToken cancel)
    {
        foreach (var question in questions)
        {
            if (!question.Taken.Value)
            {
                return Refusal(question.Limit, question.What, await t.WaitAsync(question.Key, question.Limit, cancel));
            }
        }

        return null;
    }

    /// <summary>Takes one from the limits of new orders, together with other questions.</summary>
    public IReadOnlyList<LimitQuestion> AskNewOrder(StoreReads reads, Account account, string address, DateTimeOffset now) =>
    [
        Ask(reads, LimitKind.NewOrdersPerAccount, account.PublicId, "new orders of this account", account, now),
        Ask(reads, LimitKind.NewOrdersPerAddress, address, "new orders from this address", null, now),
    ];

    /// <summary>Takes one from the limits of new orders and pre-authorizations: the account's and the address's.</summary>
    public async Task<AcmeProblem?> NewOrderAsync(StoreTransaction t, Account account, string address, CancellationToken cancel) =>
        await TakeAsync(t, LimitKind.NewOrdersPerAccount, account.PublicId, "new orders of this account", account, cancel)
            ?? await TakeAsync(t, LimitKind.NewOrdersPerAddress, address, "new orders from this address", null, cancel);

    /// <summary>
    /// Takes the place of a validation that may fail, before it is tried: however many are tried at once, no more can fail than the limit says. A success
    /// gives it back.
    /// </summary>
    public Task<AcmeProblem?> TryAsync(StoreTransaction t, Account account, Authorization authorization, CancellationToken cancel) =>
        TakeAsync(t, LimitKind.FailedValidations, Tried(account, authorization), $"failed validations of {authorization.Name}", account, cancel);

    /// <summary>A validation did not fail, or not through anybody's fault outside.</summary>
    public void Succeeded(StoreTransaction t, Account account, Authorization authorization) =>
        t.GiveBack(Key(LimitKind.FailedValidations, Tried(account, authorization)), For(LimitKind.FailedValidations, account));

    /// <summary>Asks together with other questions how many authorizations of an account are pending; null where that is not limited.</summary>
    public Found<long>? AskPending(StoreReads reads, Account account, DateTimeOffset now) => pending == 0 ? null : reads.PendingAuthorizations(account.Id, now);

    /// <summary>Asks whether an account may open so many authorizations more.</summary>
    public async Task<AcmeProblem?> PendingAsync(StoreTransaction t, Account account, int more, CancellationToken cancel)
    {
        var reads = t.Read();
        var open = AskPending(reads, account, t.Now);
        await reads.RunAsync(cancel);
        return RefusePending(open, more);
    }

    /// <summary>Says that an account has too many pending authorizations to open so many more; null when it may.</summary>
    public AcmeProblem? RefusePending(Found<long>? found, int more)
    {
        if (found is null)
        {
            return null;
        }

        var open = found.Value;
        return open + more <= pending
            ? null
            : new AcmeProblem(ProblemCatalog.RateLimited, $"The account has {open} pending authorizations; at most {pending} are accepted. Finish or deactivate some.")
            {
                RetryAfterSeconds = 3600,
            };
    }

    /// <summary>Asks whether an external account has a certificate left, without taking it.</summary>
    /// <returns>Null when it has, or may have any number; rateLimited when not.</returns>
    public async Task<AcmeProblem?> CertificatesLeftAsync(CaDb db, AccountScope scope, DateTimeOffset now, CancellationToken cancel) =>
        !scope.Certificates.IsOff && await db.WaitAsync(CertificatesOf(scope), scope.Certificates, now, cancel) is { } wait ? Refusal(scope.Certificates, "certificates of the external account " + scope.KeyId, wait) : null;

    /// <summary>Takes a certificate from what an external account may have, inside the change that intends it.</summary>
    /// <returns>Null when there was one; rateLimited when not.</returns>
    public async Task<AcmeProblem?> TakeCertificateAsync(StoreTransaction t, AccountScope scope, CancellationToken cancel) =>
        !scope.Certificates.IsOff && await t.TakeAsync(CertificatesOf(scope), scope.Certificates, cancel) is { } wait ? Refusal(scope.Certificates, "certificates of the external account " + scope.KeyId, wait) : null;

    /// <summary>A certificate that was taken did not come about.</summary>
    public static void GiveBackCertificate(StoreTransaction t, AccountScope scope) => t.GiveBack(CertificatesOf(scope), scope.Certificates);

    /// <summary>An address as limits count it: IPv4 by itself, IPv6 by its /64, since whoever has one has them all.</summary>
    public static string Subject(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexStringLower(plain.GetAddressBytes().AsSpan(0, 8)) + "/64"
            : plain.ToString();
    }

    private static string CertificatesOf(AccountScope scope) => "ExternalAccountCertificates " + scope.KeyId;

    private static string Tried(Account account, Authorization authorization) => account.PublicId + " " + authorization.Name;

    private static string Key(LimitKind kind, string subject) => $"{kind} {subject}";

    private static RateLimit Limit(string text)
    {
        var read = RateLimit.Parse(text);
        return read.IsValid ? read.Value : throw new ArgumentException(read.Reason);
    }

    private static AcmeProblem Refusal(RateLimit limit, string what, TimeSpan wait)
    {
        var seconds = (int)Math.Min(int.MaxValue, Math.Ceiling(wait.TotalSeconds));
        return new AcmeProblem(
            ProblemCatalog.RateLimited,
            string.Create(CultureInfo.InvariantCulture, $"There were too many {what}: at most {limit.Count} in {limit.Period:c} are accepted; try again in {seconds} seconds."))
        {
            RetryAfterSeconds = seconds,
        };
    }

    /// <summary>The limits that the configuration has for an account, by name.</summary>
    public IReadOnlyDictionary<string, RateLimit> ConfiguredFor(string accountId) =>
        OfAccounts.ToDictionary(k => k.ToString(), k => perAccount.TryGetValue((accountId, k), out var own) ? own : limits[k]);

    /// <summary>The limits for all, as they are configured.</summary>
    public IEnumerable<KeyValuePair<LimitKind, RateLimit>> Configured => limits;

    /// <summary>The limit that holds: the one that an operator set for the account, else the one that the configuration has for it, else the one for all.</summary>
    public RateLimit For(LimitKind kind, Account? account) =>
        account?.Restrictions?.Limits.GetValueOrDefault(kind.ToString()) ?? (account is not null && perAccount.TryGetValue((account.PublicId, kind), out var own) ? own : limits[kind]);
}

/// <summary>A limit of one account.</summary>
/// <param name="Account">Public id.</param>
/// <param name="Kind">Which limit.</param>
/// <param name="Limit">The limit.</param>
public sealed record LimitOverride(string Account, LimitKind Kind, RateLimit Limit);

/// <summary>A token that was asked for.</summary>
/// <param name="Key">Of its bucket.</param>
/// <param name="Limit">The limit.</param>
/// <param name="What">What is limited, for the refusal.</param>
/// <param name="Taken">Whether there was one.</param>
public sealed record LimitQuestion(string Key, RateLimit Limit, string What, Found<bool> Taken);
