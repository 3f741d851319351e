namespace PersistCa.Issuance.Csr;

/// <summary>Which subscriber keys are accepted.</summary>
public sealed record KeyPolicyOptions
{
    /// <summary>Shortest RSA modulus, bits (Baseline Requirements section 6.1.5).</summary>
    public int MinRsaBits { get; init; } = 2048;

    /// <summary>Longest RSA modulus, bits: longer ones cost every client time and make nobody safer.</summary>
    public int MaxRsaBits { get; init; } = 4096;

    /// <summary>Smallest RSA public exponent; 3 is the least that Baseline Requirements section 6.1.6 allow.</summary>
    public long MinRsaExponent { get; init; } = 65537;

    /// <summary>Largest RSA public exponent; many clients read no more than 32 bits.</summary>
    public long MaxRsaExponent { get; init; } = uint.MaxValue;

    /// <summary>No prime below this may divide an RSA modulus (Baseline Requirements section 6.1.6).</summary>
    public int SmallFactorBound { get; init; } = 752;

    /// <summary>Rounds of Fermat's factorization that an RSA modulus must withstand (Baseline Requirements section 6.1.1.3).</summary>
    public int FermatRounds { get; init; } = 100;

    /// <summary>Whether Ed25519 keys are accepted. Private clients understand them; browsers and the public regime do not.</summary>
    public bool AcceptEd25519 { get; init; } = true;

    /// <summary>Whether ML-DSA keys (RFC 9881) are accepted: few clients understand them yet, and no public regime allows them.</summary>
    public bool AcceptMlDsa { get; init; }
}
