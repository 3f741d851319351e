using System.Collections.Concurrent;
using Amazon;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using SigningAlgorithm = PersistCa.Issuance.Signing.SigningAlgorithm;

namespace PersistCa.Issuance.KeyStores.Kms;

/// <summary>
/// Keys in AWS KMS, an alias for each name. They are opened through the alias and used through their ARN, so that an alias pointed elsewhere changes no
/// issuer that runs. What KMS signs is verified by whoever asked.
/// </summary>
public sealed class KmsKeyStore : IKeyStore
{
    private const string AliasPrefix = "alias/";
    private readonly KmsOptions options;
    private readonly AmazonKeyManagementServiceClient client;
    private readonly ConcurrentDictionary<KmsSigningKey, bool> open = [];

    private KmsKeyStore(KmsOptions options, AmazonKeyManagementServiceClient client)
    {
        this.options = options;
        this.client = client;
    }

    /// <inheritdoc/>
    public string Scheme => KeyReference.Kms;

    /// <summary>A store that has not called the service yet.</summary>
    /// <returns>The store; a reason when there is no region, or the SDK finds no credentials where it looks at once.</returns>
    public static Parsed<KmsKeyStore> Create(KmsOptions options)
    {
        var config = new AmazonKeyManagementServiceConfig
        {
            Timeout = options.Timeout,
            MaxErrorRetry = options.Retries,
            RetryMode = RequestRetryMode.Standard,
        };
        if (options.Endpoint.Length > 0)
        {
            config.ServiceURL = options.Endpoint;
            config.AuthenticationRegion = options.Region.Length > 0 ? options.Region : null;
        }
        else if (options.Region.Length > 0)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }

        try
        {
            return Parsed<KmsKeyStore>.Ok(new KmsKeyStore(options, new AmazonKeyManagementServiceClient(config)));
        }
        catch (AmazonClientException e)
        {
            return Parsed<KmsKeyStore>.Refused($"the client of KMS cannot be made: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Parsed<ISigningKey>> CreateAsync(string name, SigningAlgorithm algorithm, CancellationToken cancel)
    {
        if (KeyName.Judge(name) is { } unfit)
        {
            return Refuse(unfit);
        }

        if (KmsSpecs.Of(algorithm) is not { } spec)
        {
            return Refuse($"KMS makes no {algorithm.Name} keys that certificates can be signed with");
        }

        try
        {
            if (await FindAsync(AliasPrefix + name, cancel) is not null)
            {
                return Refuse($"KMS has an alias {AliasPrefix}{name}; a key is never overwritten");
            }

            var made = await CallAsync(c => c.CreateKeyAsync(new CreateKeyRequest { KeySpec = spec.Key, KeyUsage = KeyUsageType.SIGN_VERIFY, Description = "PersistCA " + name }, cancel));
            try
            {
                await CallAsync(c => c.CreateAliasAsync(new CreateAliasRequest { AliasName = AliasPrefix + name, TargetKeyId = made.KeyMetadata.KeyId }, cancel));
            }
            catch (AlreadyExistsException)
            {
                await CallAsync(c => c.ScheduleKeyDeletionAsync(new ScheduleKeyDeletionRequest { KeyId = made.KeyMetadata.KeyId, PendingWindowInDays = options.DeletionDays }, cancel));
                return Refuse($"KMS has an alias {AliasPrefix}{name}; a key is never overwritten");
            }

            return await OpenAsync(AliasPrefix + name, cancel);
        }
        catch (Exception e) when (Away(e, cancel) is { } away)
        {
            return Refuse(away.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Parsed<ISigningKey>> OpenAsync(KeyReference reference, CancellationToken cancel)
    {
        try
        {
            return await OpenAsync(reference.Target, cancel);
        }
        catch (Exception e) when (Away(e, cancel) is { } away)
        {
            return Refuse(away.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Parsed<IReadOnlyList<string>>> ListAsync(CancellationToken cancel)
    {
        try
        {
            var names = new List<string>();
            string? marker = null;
            do
            {
                var page = await CallAsync(c => c.ListAliasesAsync(new ListAliasesRequest { Marker = marker, Limit = 100 }, cancel));
                names.AddRange((page.Aliases ?? []).Select(a => a.AliasName[AliasPrefix.Length..]).Where(n => KeyName.Judge(n) is null)); // "aws/..." is no name
                marker = page.Truncated == true ? page.NextMarker : null;
            }
            while (marker is not null);
            names.Sort(StringComparer.Ordinal);
            return Parsed<IReadOnlyList<string>>.Ok(names);
        }
        catch (Exception e) when (Away(e, cancel) is { } away)
        {
            return Parsed<IReadOnlyList<string>>.Refused(away.Message);
        }
    }

    /// <summary>Orders a key's destruction, which KMS carries out after <see cref="KmsOptions.DeletionDays"/>, and takes its alias away.</summary>
    public async ValueTask<string?> DestroyAsync(string name, CancellationToken cancel)
    {
        try
        {
            if (await FindAsync(AliasPrefix + name, cancel) is not { } found)
            {
                return $"KMS has no key {AliasPrefix}{name}";
            }

            await CallAsync(c => c.ScheduleKeyDeletionAsync(new ScheduleKeyDeletionRequest { KeyId = found.Arn, PendingWindowInDays = options.DeletionDays }, cancel));
            await CallAsync(c => c.DeleteAliasAsync(new DeleteAliasRequest { AliasName = AliasPrefix + name }, cancel));
            return null;
        }
        catch (Exception e) when (Away(e, cancel) is { } away)
        {
            return away.Message;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<string?> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            foreach (var key in open.Keys)
            {
                var found = await FindAsync(key.Arn, cancel);
                if (found?.KeyState != KeyState.Enabled)
                {
                    return $"the key {key.Arn} is {found?.KeyState.Value ?? "gone"}";
                }
            }

            if (open.IsEmpty)
            {
                await CallAsync(c => c.ListAliasesAsync(new ListAliasesRequest { Limit = 1 }, cancel));
            }

            return null;
        }
        catch (Exception e) when (Away(e, cancel) is { } away)
        {
            return away.Message;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    internal void Closed(KmsSigningKey key) => open.TryRemove(key, out _);

    internal async Task<byte[]> SignAsync(SignRequest request, CancellationToken cancel)
    {
        try
        {
            var answer = await CallAsync(c => c.SignAsync(request, cancel));
            return answer.Signature?.ToArray() ?? [];
        }
        catch (Exception e) when (Away(e, cancel) is { } away)
        {
            throw away;
        }
    }

    /// <summary>What an exception of a call means; null when it is none of the service's or the way to it.</summary>
    private static KeyStoreAwayException? Away(Exception e, CancellationToken cancel) => e switch
    {
        AmazonServiceException s => new KeyStoreAwayException($"KMS refused: {(string.IsNullOrEmpty(s.ErrorCode) ? s.StatusCode.ToString() : s.ErrorCode)}", e),
        AmazonClientException => new KeyStoreAwayException($"KMS cannot be called: {OneLine(e.Message)}", e),
        HttpRequestException or IOException or TimeoutException => new KeyStoreAwayException($"KMS does not answer: {e.Message}", e),
        OperationCanceledException when !cancel.IsCancellationRequested => new KeyStoreAwayException("KMS did not answer in time", e),
        _ => null,
    };

    /// <summary>The SDK tells every place where it looked for credentials, a line each.</summary>
    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private async ValueTask<Parsed<ISigningKey>> OpenAsync(string id, CancellationToken cancel)
    {
        if (await FindAsync(id, cancel) is not { } found)
        {
            return Refuse($"KMS has no key {id}");
        }

        if (found.KeyState != KeyState.Enabled)
        {
            return Refuse($"the key {id} is {found.KeyState.Value}; an enabled one is expected");
        }

        if (found.KeyUsage != KeyUsageType.SIGN_VERIFY)
        {
            return Refuse($"the key {id} is for {found.KeyUsage.Value}; one for SIGN_VERIFY is expected");
        }

        var half = await CallAsync(c => c.GetPublicKeyAsync(new GetPublicKeyRequest { KeyId = found.Arn }, cancel));
        var publicKey = half.PublicKey?.ToArray() ?? [];
        if (SigningAlgorithms.ForPublicKey(publicKey) is not { } algorithm || KmsSpecs.Of(algorithm) is not { } spec || spec.Key != found.KeySpec)
        {
            return Refuse($"the key {id} is {found.KeySpec.Value}, which does not sign here");
        }

        var key = new KmsSigningKey(this, found.Arn, algorithm, publicKey, spec);
        open[key] = true;
        return Parsed<ISigningKey>.Ok(key);
    }

    private async Task<KeyMetadata?> FindAsync(string id, CancellationToken cancel)
    {
        try
        {
            return (await CallAsync(c => c.DescribeKeyAsync(new DescribeKeyRequest { KeyId = id }, cancel))).KeyMetadata;
        }
        catch (NotFoundException)
        {
            return null;
        }
    }

    private Task<T> CallAsync<T>(Func<AmazonKeyManagementServiceClient, Task<T>> call) => call(client);

    private static Parsed<ISigningKey> Refuse(string reason) => Parsed<ISigningKey>.Refused(reason);
}
