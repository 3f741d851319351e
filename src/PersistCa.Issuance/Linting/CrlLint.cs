using System.Numerics;

namespace PersistCa.Issuance.Linting;

/// <summary>What a revocation list is held against. What is null is not known, and rules that need it find nothing.</summary>
public sealed record CrlLintContext
{
    /// <summary>Which rules hold.</summary>
    public Regime Regime { get; init; } = Regime.Private;

    /// <summary>Key identifier of the issuer.</summary>
    public ReadOnlyMemory<byte>? IssuerKeyIdentifier { get; init; }

    /// <summary>Subject of the issuer, DER.</summary>
    public ReadOnlyMemory<byte>? IssuerSubjectDer { get; init; }

    /// <summary>Number of the list before.</summary>
    public BigInteger? NumberBefore { get; init; }

    /// <summary>Longest time from one list to the next.</summary>
    public TimeSpan? MaxInterval { get; init; }

    /// <summary>Whether the certificates in it are authorities' rather than subscribers'; null when it is not known, and reasons of either are accepted.</summary>
    public bool? OfAuthorities { get; init; }

    /// <summary>Where certificates say that the list is: each must stand in the list of a part.</summary>
    public IReadOnlyList<string> DistributionUris { get; init; } = [];
}

/// <summary>One rule about revocation lists.</summary>
public interface ICrlLint : ILintRule
{
    /// <summary>Looks.</summary>
    /// <returns>What is against the rule.</returns>
    /// <exception cref="System.Formats.Asn1.AsnContentException">What it needs to see cannot be read; the runner makes a finding of it.</exception>
    public IEnumerable<LintObservation> Check(CrlFacts facts, CrlLintContext context);
}

/// <summary>Runs the lints over revocation lists.</summary>
public static class CrlLint
{
    /// <summary>Checks a signed list.</summary>
    /// <returns>The findings. Bytes that cannot be read are one finding, L00.</returns>
    public static IReadOnlyList<LintFinding> Check(ReadOnlyMemory<byte> der, CrlLintContext context)
    {
        var facts = CrlFacts.Read(der);
        return facts.IsValid ? Check(facts.Value, context) : [new LintFinding(TbsLint.Unreadable, facts.Reason, Citation: "RFC 5280 section 5.1")];
    }

    /// <summary>Checks a list that has been read.</summary>
    public static IReadOnlyList<LintFinding> Check(CrlFacts facts, CrlLintContext context) => TbsLint.Run(Lints.Crl, context.Regime, lint => lint.Check(facts, context));
}

/// <summary>A rule about revocation lists.</summary>
internal abstract class RevocationListLint(string id, string rule, string citation) : LintRule(id, rule, citation), ICrlLint
{
    /// <inheritdoc/>
    public abstract IEnumerable<LintObservation> Check(CrlFacts facts, CrlLintContext context);
}
