using System.Security.Cryptography;
using System.Text.Json;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Jose;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.ExternalAccounts;

namespace PersistCa.Server.Registration;

/// <summary>What came with a registration to be judged as its external account binding.</summary>
/// <param name="Json">The object externalAccountBinding as it came; null for none.</param>
/// <param name="Url">The url of the request.</param>
public sealed record BindingWish(byte[]? Json, string Url);

/// <summary>A binding whose MAC holds. Only <see cref="BindingDesk"/> makes one.</summary>
public sealed class VerifiedBinding
{
    internal VerifiedBinding(string keyId, string json) => (KeyId, Json) = (keyId, json);

    /// <summary>The key's identifier.</summary>
    public string KeyId { get; }

    /// <summary>The binding as <see cref="BindingResource"/> in JSON.</summary>
    public string Json { get; }
}

/// <summary>Binds new accounts to external account keys (RFC 8555 section 7.3.4). What the key is worth now is told only to who has its secret.</summary>
public sealed partial class BindingDesk(CaStore store, AuthorityKeys keys, LimitDesk limits, ILogger<BindingDesk> logger)
{
    /// <summary>What seals the secret of a key to its row.</summary>
    internal static string RowOf(string keyId) => "external-account-key " + keyId;

    /// <summary>Checks a binding: its form, its fit to the request, its MAC.</summary>
    /// <param name="json">The object externalAccountBinding.</param>
    /// <param name="url">The url of the request.</param>
    /// <param name="key">The key that signed the request.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Outcome<VerifiedBinding>> VerifyAsync(ReadOnlyMemory<byte> json, string url, Jwk key, CancellationToken cancel)
    {
        if (!ExternalAccountBinding.Read(json, url, key).TryGet(out var binding, out var problem))
        {
            return problem;
        }

        var found = PublicId.LooksRight(binding.KeyId) ? await store.ReadAsync(db => db.ExternalKeyAsync(binding.KeyId, cancel), cancel) : null;
        if (found is null)
        {
            return new AcmeProblem(ProblemCatalog.Unauthorized, $"There is no external account key '{Excerpt.Of(binding.KeyId)}' here; kid is the identifier that the operator of this authority gave out with the key.");
        }

        if (Open(found) is not { } secret)
        {
            return new AcmeProblem(ProblemCatalog.ServerInternal, $"The secret of the external account key {found.PublicId} cannot be opened here; its operator has to make another key.");
        }

        problem = binding.Verify(secret);
        CryptographicOperations.ZeroMemory(secret);
        return problem is null ? new VerifiedBinding(found.PublicId, JsonSerializer.Serialize(binding.Resource, AcmeJson.Wire.BindingResource)) : problem;
    }

    /// <summary>Takes a place of a key, inside the change that makes the account.</summary>
    /// <returns>The key; unauthorized when it was removed, is expired, was used up, or has as many accounts as it may.</returns>
    public static async Task<Outcome<ExternalAccountKey>> TakeAsync(StoreTransaction t, VerifiedBinding binding, CancellationToken cancel)
    {
        var key = await t.HoldExternalKeyAsync(binding.KeyId, cancel) ?? throw new InvalidOperationException("an external account key vanished");
        switch (key.StandingAt(t.Now))
        {
            case KeyStanding.Removed:
                return Refused($"The external account key {key.PublicId} was removed at {AcmeJson.Time(key.RemovedAt!.Value)}; ask the operator of this authority for another.");
            case KeyStanding.Expired:
                return Refused($"The external account key {key.PublicId} expired at {AcmeJson.Time(key.ExpiresAt!.Value)}; ask the operator of this authority for another.");
            default:
                break;
        }

        if (key.SingleUse && key.Bound > 0)
        {
            return Refused($"The external account key {key.PublicId} opens one account and was used at {AcmeJson.Time(key.LastBoundAt!.Value)}; ask the operator of this authority for another.");
        }

        if (key.MaxAccounts > 0 && await t.Db.OpenAccountsAsync(key.Id, cancel) is var open && open >= key.MaxAccounts)
        {
            return Refused($"The external account key {key.PublicId} has {open} open accounts, as many as it may have; deactivate one, or ask the operator of this authority.");
        }

        key.Bind(t.Now);
        return key;
    }

    /// <summary>Notes that an account was bound.</summary>
    public static void Note(StoreTransaction t, ExternalAccountKey key, Account account) =>
        t.Audit(AuditKinds.ExternalAccountBound, "external-account:" + key.PublicId, ("account", account.PublicId), ("owner", key.Owner));

    /// <summary>Counts a binding that failed against its address, and writes it down.</summary>
    /// <param name="key">The key that signed the request.</param>
    /// <param name="address">Where it came from, as limits count it.</param>
    /// <param name="problem">Why it failed.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The same problem; rateLimited when there were too many.</returns>
    public async Task<AcmeProblem> NoteFailureAsync(Jwk key, string address, AcmeProblem problem, CancellationToken cancel)
    {
        if (problem.Type == ProblemCatalog.ServerInternal)
        {
            LogUnopened(logger, problem.Detail);
            return problem; // nobody's fault outside
        }

        var noted = await store.WriteAsync<string>(
            new Actor("key:" + key.Thumbprint),
            async t =>
            {
                // Taken in the change that writes the entry, so that strangers cannot fill the audit log.
                if (await limits.TakeAsync(t, LimitKind.FailedBindingsPerAddress, address, "failed external account bindings from this address", null, cancel) is { } limited)
                {
                    return limited;
                }

                t.Audit(AuditKinds.ExternalAccountRefused, "external-accounts", ("problem", problem.Type.Name), ("detail", problem.Detail));
                return "noted";
            },
            cancel);
        return noted.Problem ?? problem;
    }

    private byte[]? Open(ExternalAccountKey key)
    {
        try
        {
            return SecretSeal.Open(keys.ExternalAccountKeys, key.SealedSecret, RowOf(key.PublicId));
        }
        catch (CryptographicException)
        {
            return null; // sealed by another secret, or changed in the database: the caller says so
        }
    }

    private static AcmeProblem Refused(string detail) => new(ProblemCatalog.Unauthorized, detail);

    [LoggerMessage(LogLevel.Error, "{Detail}")]
    private static partial void LogUnopened(ILogger logger, string detail);
}
