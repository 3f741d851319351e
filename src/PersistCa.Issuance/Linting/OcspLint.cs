namespace PersistCa.Issuance.Linting;

/// <summary>What an OCSP answer is held against. What is null is not known, and rules that need it find nothing.</summary>
public sealed record OcspLintContext
{
    /// <summary>Which rules hold.</summary>
    public Regime Regime { get; init; } = Regime.Private;

    /// <summary>KeyHash of the signer.</summary>
    public ReadOnlyMemory<byte>? ResponderKeyHash { get; init; }

    /// <summary>Serial numbers of the certificates that were issued; of others nothing but unknown may be said.</summary>
    public IReadOnlySet<string>? KnownSerials { get; init; }
}

/// <summary>One rule about OCSP answers.</summary>
public interface IOcspLint : ILintRule
{
    /// <summary>Looks.</summary>
    /// <returns>What is against the rule.</returns>
    /// <exception cref="System.Formats.Asn1.AsnContentException">What it needs to see cannot be read; the runner makes a finding of it.</exception>
    public IEnumerable<LintObservation> Check(OcspFacts facts, OcspLintContext context);
}

/// <summary>Runs the lints over OCSP answers.</summary>
public static class OcspLint
{
    /// <summary>Checks a successful answer.</summary>
    /// <returns>The findings. Bytes that cannot be read are one finding, L00.</returns>
    public static IReadOnlyList<LintFinding> Check(ReadOnlyMemory<byte> der, OcspLintContext context)
    {
        var facts = OcspFacts.Read(der);
        return facts.IsValid ? Check(facts.Value, context) : [new LintFinding(TbsLint.Unreadable, facts.Reason, Citation: "RFC 6960 section 4.2.1")];
    }

    /// <summary>Checks an answer that has been read.</summary>
    public static IReadOnlyList<LintFinding> Check(OcspFacts facts, OcspLintContext context) => TbsLint.Run(Lints.Ocsp, context.Regime, lint => lint.Check(facts, context));
}
