using PersistCa.Issuance.Csr;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Registration;

/// <summary>Takes certificate requests and queues issuance (step 8 of docs/order-flow.md).</summary>
public sealed class Finalization(
    CaStore store,
    CsrReader reader,
    WorkSignal signal,
    Completions completions,
    BlockedKeyList blocked,
    ProfileBook profiles,
    SwitchBoard switches,
    IssuerBook issuers,
    AccountScopes scopes,
    PersistCaOptions options,
    TimeProvider clock)
{
    /// <summary>Queues issuance for a ready order, and waits a moment for it (RFC 8555 section 7.4).</summary>
    /// <param name="account">The account.</param>
    /// <param name="actor">The account as the one who acts.</param>
    /// <param name="orderId">Public id of the order.</param>
    /// <param name="csr">The request, base64url DER.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<LoadedOrder>> SubmitAsync(Account account, Actor actor, string orderId, string csr, CancellationToken cancel)
    {
        var decoded = Base64UrlText.Decode(csr);
        if (!decoded.IsValid)
        {
            return new AcmeProblem(ProblemCatalog.BadCsr, $"The csr is not base64url: {decoded.Reason}. PEM is not expected here.");
        }

        var read = reader.Read(decoded.Value);
        if (!read.TryGet(out var request, out var problem))
        {
            return problem;
        }

        using var waiter = completions.Listen(orderId);
        using var place = new WorkPlace(signal, WorkKind.Issue);
        var outcome = await store.WriteTogetherAsync<LoadedOrder>(actor, t => SubmitAsync(t, account, orderId, request, decoded.Value, place, cancel), cancel);
        if (!outcome.TryGet(out var loaded, out _) || loaded.Order.StatusAt(store.Now, loaded.Authorizations) != OrderStatus.Processing)
        {
            return outcome;
        }

        return await waiter.WaitAsync(options.Acme.FinalizeWait, clock, cancel)
            ? await store.OrderAsync(orderId, cancel) ?? throw new InvalidOperationException("an order vanished")
            : outcome;
    }

    private async Task<Outcome<LoadedOrder>> SubmitAsync(
        StoreTransaction t,
        Account account,
        string orderId,
        SigningRequest request,
        byte[] csr,
        WorkPlace place,
        CancellationToken cancel)
    {
        // Withdrawn since the order was opened: draft-ietf-acme-profiles section 4 wants the refusal here.
        var reads = t.Read();
        var asked = PublicId.LooksRight(orderId) ? reads.Order(orderId) : null;
        var looked = switches.Ask(reads);
        var known = Jwk.FromSubjectPublicKeyInfo(request.SubjectPublicKeyInfo.Span) is { } key ? reads.KeyIsAccounts(key.Thumbprint) : null;
        var isBlocked = reads.IsBlocked(request.KeyFingerprint);
        await reads.RunAsync(cancel);
        looked();
        if (asked?.Value is not { } loaded)
        {
            return Refusals.NoSuchResource("order");
        }

        var (order, authorizations) = loaded;
        if (order.AccountId != account.Id)
        {
            return Refusals.NotYours("order");
        }

        var status = order.StatusAt(t.Now, authorizations);
        if (status is OrderStatus.Processing or OrderStatus.Valid && order.Csr is not null && order.Csr.AsSpan().SequenceEqual(csr))
        {
            return loaded; // the same request again, after an answer was lost
        }

        if (status != OrderStatus.Ready)
        {
            return new AcmeProblem(ProblemCatalog.OrderNotReady, $"The order is {status.ToString().ToLowerInvariant()}; only a ready order can be finalized.");
        }

        var scope = await t.ScopeAsync(account, cancel);
        if (!profiles.For(order.Profile, account, scope).TryGet(out var profile, out var withdrawn))
        {
            return withdrawn;
        }

        if ((scope.RefuseNames(order.Names.Select(Identifier.Of)) ?? await scopes.RefuseOrderAsync(t, account, scope, order.Names, order.Replaces, t.Now, cancel)) is { } outside)
        {
            return outside;
        }

        if ((request.NamesDiffer(order.Names.Select(Identifier.Of)) ?? profile.Refuse(request.KeyKind) ?? AuthorityKeyUsed(request) ?? AccountKeyUsed(known) ?? Blocked(request, isBlocked)) is { } fault)
        {
            return fault;
        }

        order.Finalize(csr, t.Now, authorizations);
        t.Save(order);
        place.Reserve(account.Id);
        var item = t.Enqueue(WorkKind.Issue, order.Id, 0, order.TraceParent, account.Id, lease: place.Lease);
        t.Audit(AuditKinds.OrderFinalized, "order:" + order.PublicId, ("key", request.KeyFingerprint));
        t.AfterCommit(() =>
        {
            CrashPoint.Reached("8.finalized");
            place.Begin(item);
        });
        return loaded;
    }

    /// <summary>No subscriber has an authority's key.</summary>
    private AcmeProblem? AuthorityKeyUsed(SigningRequest request) => issuers.HasKey(request.KeyFingerprint)
        ? new AcmeProblem(ProblemCatalog.BadPublicKey, "The CSR has a key of this authority; a certificate needs a key of its own (lint L18).")
        : null;

    /// <summary>The key of any account, present or former, must not be a certificate's key too (RFC 8555 section 11.1).</summary>
    private static AcmeProblem? AccountKeyUsed(Found<bool>? known) => known is { Value: true }
        ? new AcmeProblem(ProblemCatalog.BadPublicKey, "The CSR has a key that is, or was, an account's; a certificate needs a key of its own (RFC 8555 section 11.1; lint L18).")
        : null;

    /// <summary>A key that was reported as compromised is never certified again (Baseline Requirements section 6.1.1.3).</summary>
    private AcmeProblem? Blocked(SigningRequest request, Found<bool> isBlocked) =>
        isBlocked.Value || blocked.Lists(request.KeyFingerprint) ? Refusals.BlockedKey("CSR") : null;
}
