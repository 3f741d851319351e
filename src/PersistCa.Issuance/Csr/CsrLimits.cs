namespace PersistCa.Issuance.Csr;

/// <summary>How much of a certificate request is read.</summary>
public sealed record CsrLimits
{
    /// <summary>Longest request, octets: room for a hundred names of full length and an RSA key.</summary>
    public int MaxBytes { get; init; } = 32 * 1024;

    /// <summary>Most names in the subjectAltName; the subject may repeat one of them or add one.</summary>
    public int MaxNames { get; init; } = 100;

    /// <summary>Most attributes of the request, of its subject, and most requested extensions, each.</summary>
    public int MaxItems { get; init; } = 64;
}
