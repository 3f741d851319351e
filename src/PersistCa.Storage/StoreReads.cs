using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Limits;
using PersistCa.Storage.Direct;
using PersistCa.Storage.Limits;
using PersistCa.Storage.Operators;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Storage;

/// <summary>What a question to the store found; to be asked once it was put.</summary>
/// <typeparam name="T">What was asked for.</typeparam>
public sealed class Found<T>
{
    private T value = default!;
    private bool known;

    /// <summary>What was found.</summary>
    /// <exception cref="InvalidOperationException">The question was not put yet.</exception>
    public T Value => known ? value : throw new InvalidOperationException("the store was not asked yet");

    internal void Set(T found) => value = found;

    internal void Close() => known = true;
}

/// <summary>
/// Questions that are put to the store together, in one round trip, without the model. What is read is not tracked: whoever changes it keeps it through
/// <see cref="StoreTransaction"/>.
/// </summary>
public sealed class StoreReads
{
    private readonly Func<SqlBatch, CancellationToken, Task> run;
    private readonly SqlBatch batch = new();
    private readonly List<Action> closing = [];

    internal StoreReads(Func<SqlBatch, CancellationToken, Task> run) => this.run = run;

    /// <summary>An order with its authorizations.</summary>
    public Found<LoadedOrder?> Order(string publicId) => Order(reading => OrderSql.Read(batch, publicId, reading));

    /// <summary>An order with its authorizations.</summary>
    public Found<LoadedOrder?> Order(long id) => Order(reading => OrderSql.Read(batch, id, reading));

    /// <summary>An order without its authorizations.</summary>
    public Found<LoadedOrder?> OrderAlone(long id) => Order(reading => OrderSql.ReadAlone(batch, id, reading));

    /// <summary>An authorization with its challenges.</summary>
    public Found<Authorization?> Authorization(string publicId) => First<Authorization>(list => AuthorizationSql.Read(batch, publicId, list));

    /// <summary>An authorization with its challenges.</summary>
    public Found<Authorization?> Authorization(long id) => First<Authorization>(list => AuthorizationSql.Read(batch, id, list));

    /// <summary>An account's valid authorizations for a name that were proved by these rules and another order may rest on, the one that lasts longest first.</summary>
    public Found<IReadOnlyList<Authorization>> Reusable(long accountId, string name, bool wildcard, DateTimeOffset until, string? rules)
    {
        var list = new List<Authorization>();
        AuthorizationSql.ReadValid(batch, accountId, name, wildcard, until, rules, list);
        return Slot<IReadOnlyList<Authorization>>(list);
    }

    /// <summary>How many authorizations of an account are pending.</summary>
    public Found<long> PendingAuthorizations(long accountId, DateTimeOffset now)
    {
        var found = Slot(0L);
        AuthorizationSql.CountPending(batch, accountId, now, found.Set);
        return found;
    }

    /// <summary>An account with its keys.</summary>
    public Found<Account?> Account(long id)
    {
        var found = Slot<Account?>(null);
        AccountSql.Read(batch, id, found.Set);
        return found;
    }

    /// <summary>An account with its keys.</summary>
    public Found<Account?> Account(string publicId)
    {
        var found = Slot<Account?>(null);
        AccountSql.Read(batch, publicId, found.Set);
        return found;
    }

    /// <summary>Whether any account has or had a key.</summary>
    public Found<bool> KeyIsAccounts(string thumbprint) => Tell(yes => AccountSql.ReadHolder(batch, thumbprint, yes));

    /// <summary>Whether a key is blocked.</summary>
    public Found<bool> IsBlocked(string fingerprint) => Tell(yes => CertificateSql.ReadBlocked(batch, fingerprint, yes));

    /// <summary>Whether a key is one that this authority made for a signer of OCSP answers.</summary>
    public Found<bool> IsOcspSigners(string fingerprint) => Tell(yes => CertificateSql.ReadOcspSigner(batch, fingerprint, yes));

    /// <summary>A certificate.</summary>
    public Found<IssuedCertificate?> Certificate(string publicId)
    {
        var found = Slot<IssuedCertificate?>(null);
        CertificateSql.Read(batch, publicId, found.Set);
        return found;
    }

    /// <summary>The certificate of an order.</summary>
    public Found<IssuedCertificate?> CertificateOf(long orderId)
    {
        var found = Slot<IssuedCertificate?>(null);
        CertificateSql.ReadOfOrder(batch, orderId, found.Set);
        return found;
    }

    /// <summary>What CAA said of an authorization's names and is still fresh, the newest first.</summary>
    public Found<IReadOnlyList<CaaCheckRow>> FreshCaa(long authorizationId, DateTimeOffset now)
    {
        var list = new List<CaaCheckRow>();
        WorkSql.ReadFreshCaa(batch, authorizationId, now, list.Add);
        return Slot<IReadOnlyList<CaaCheckRow>>(list);
    }

    /// <summary>What operators switched off.</summary>
    public Found<IReadOnlyList<(SwitchKind Kind, string Name)>> Switches()
    {
        var list = new List<(SwitchKind, string)>();
        WorkSql.ReadSwitches(batch, (kind, name) => list.Add(((SwitchKind)kind, name)));
        return Slot<IReadOnlyList<(SwitchKind, string)>>(list);
    }

    /// <summary>Whether a lease still holds.</summary>
    public Found<bool> Holds(WorkItem item) => Tell(yes => WorkSql.ReadHolds(batch, item, yes));

    /// <summary>Deletes a work item in the transaction that records its outcome: false when its lease was lost, and then nothing may be concluded.</summary>
    public Found<bool> Take(WorkItem item)
    {
        var found = Slot(false);
        WorkSql.Take(batch, item, n => found.Set(n == 1));
        return found;
    }

    /// <summary>Takes a token of a limit: false when there is none. One taken in a change that is refused comes back with the rollback.</summary>
    public Found<bool> Token(string key, RateLimit limit, DateTimeOffset at)
    {
        if (limit.IsOff)
        {
            return Slot(true);
        }

        var now = LimitBuckets.Microseconds(at);
        return Tell(yes => WorkSql.Take(batch, key, now + limit.IntervalMicroseconds, now, limit.IntervalMicroseconds, now + limit.ToleranceMicroseconds, yes));
    }

    /// <summary>Puts the questions.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        await run(batch, cancel);
        batch.Clear();
        closing.ForEach(c => c());
        closing.Clear();
    }

    private Found<LoadedOrder?> Order(Action<OrderReading> read)
    {
        var reading = new OrderReading();
        var found = new Found<LoadedOrder?>();
        read(reading);
        closing.Add(() =>
        {
            found.Set(reading.Loaded);
            found.Close();
        });
        return found;
    }

    private Found<T?> First<T>(Action<List<T>> read)
        where T : class
    {
        var list = new List<T>(1);
        var found = new Found<T?>();
        read(list);
        closing.Add(() =>
        {
            found.Set(list.FirstOrDefault());
            found.Close();
        });
        return found;
    }

    private Found<bool> Tell(Action<Action> read)
    {
        var found = Slot(false);
        read(() => found.Set(true));
        return found;
    }

    private Found<T> Slot<T>(T initial)
    {
        var found = new Found<T>();
        found.Set(initial);
        closing.Add(found.Close);
        return found;
    }
}
