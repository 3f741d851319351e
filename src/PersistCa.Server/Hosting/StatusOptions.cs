using PersistCa.Storage;

namespace PersistCa.Server.Hosting;

/// <summary>Section Issuance:Ocsp: answers about single certificates.</summary>
public sealed class OcspOptions
{
    /// <summary>Whether new certificates say where OCSP answers. Those that say so are answered for, whatever this is.</summary>
    public bool Enabled { get; set; }

    /// <summary>Whether answers are signed by a delegated signer, for which the issuing key is used once in a fortnight, or by the issuing key itself, each of them.</summary>
    public bool Delegated { get; set; } = true;

    /// <summary>How long an answer may be used; another takes its place after two fifths of that.</summary>
    public TimeSpan Validity { get; set; } = TimeSpan.FromDays(4);

    /// <summary>Whether a question with a nonce gets an answer of its own with it (RFC 9654), or the one that everybody gets.</summary>
    public bool Nonce { get; set; } = true;

    /// <summary>Most answers in a second that are signed for one question: with a nonce, about several certificates, about what is not known. Beyond it a nonce is passed over, and the others are told to try later.</summary>
    public int FreshPerSecond { get; set; } = 200;

    /// <summary>Most answers in a second that a node signs ahead of questions.</summary>
    public int AheadPerSecond { get; set; } = 500;
}

/// <summary>What the section Issuance may say about the status of certificates, beyond its types.</summary>
internal static class StatusRules
{
    /// <summary>Most parts of a revocation list.</summary>
    public const int MaxCrlShards = 1024;

    /// <summary>Checks the values.</summary>
    public static IEnumerable<ConfigurationFault> Check(IssuanceOptions i) =>
        OptionRules.Range("Issuance:CrlShards", i.CrlShards, 1, MaxCrlShards)
            .Concat(OptionRules.Range("Issuance:StatusMaxAge", i.StatusMaxAge, TimeSpan.Zero, TimeSpan.FromHours(1)))
            .Concat(OptionRules.Range("Issuance:Ocsp:Validity", i.Ocsp.Validity, TimeSpan.FromHours(8), TimeSpan.FromDays(10)))
            .Concat(OptionRules.Range("Issuance:Ocsp:FreshPerSecond", i.Ocsp.FreshPerSecond, 1, 100_000))
            .Concat(OptionRules.Range("Issuance:Ocsp:AheadPerSecond", i.Ocsp.AheadPerSecond, 1, 100_000));
}
