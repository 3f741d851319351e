namespace PersistCa.Issuance.KeyStores.Kms;

/// <summary>How AWS KMS is reached. Credentials are not among it: the SDK finds them in its own chain.</summary>
public sealed record KmsOptions
{
    /// <summary>Region, such as eu-central-1; empty for the one the SDK finds (AWS_REGION).</summary>
    public string Region { get; init; } = "";

    /// <summary>Endpoint in place of the region's own; empty for none.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>Longest wait for one attempt.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Further attempts after one that was throttled, timed out or met a fault of the service.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>Days between the order to destroy a key and its end; KMS allows 7 to 30.</summary>
    public int DeletionDays { get; init; } = 30;
}
