using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>A certificate as it is made here, and what it is held against: a private authority's, of www.example.com.</summary>
internal sealed record SoundCertificate(byte[] Tbs, LintContext Context);

/// <summary>Something that a rule passes, or of which it says one thing.</summary>
/// <param name="Id">The rule.</param>
/// <param name="Says">A part of what it says; null when it passes.</param>
/// <param name="Weight">The weight of the finding where it is not the rule's own.</param>
internal abstract record LintFixture(string Id, string? Says, LintSeverity? Weight)
{
    /// <summary>Holds it against the rule, or against a mutant of the rule.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="sound">The certificate that those of fixtures are made of.</param>
    /// <returns>What differs from what is expected; null when nothing does.</returns>
    public string? Fault(ILintRule rule, SoundCertificate sound)
    {
        var findings = Run(rule, sound);
        if (Says is null)
        {
            return findings.Count == 0 ? null : $"{Id} is to pass and says: {findings[0].Message}";
        }

        return findings is [var only] && only.Message.Contains(Says, StringComparison.Ordinal) && only.Severity == (Weight ?? rule.Severity(RegimeOf(sound)))
            ? null
            : $"{Id} is to say '{Says}' once and as {Weight?.ToString() ?? "its rule weighs"}; it says: {string.Join(" | ", findings.Select(f => $"{f.Severity} {f.Message}"))}";
    }

    /// <summary>Whose rules hold.</summary>
    protected abstract Regime RegimeOf(SoundCertificate sound);

    /// <summary>The findings of one rule.</summary>
    protected abstract IReadOnlyList<LintFinding> Run(ILintRule rule, SoundCertificate sound);
}

/// <summary>A certificate, by a small change of a sound one.</summary>
internal sealed record CertificateFixture(string Id, string? Says, Func<TbsDraft, TbsDraft> Bend, Func<LintContext, LintContext> Change, LintSeverity? Weight = null) : LintFixture(Id, Says, Weight)
{
    /// <summary>A certificate that passes.</summary>
    public static CertificateFixture Pass(string id, Func<TbsDraft, TbsDraft> bend, Func<LintContext, LintContext>? change = null) => new(id, null, bend, change ?? (c => c));

    /// <summary>A certificate of which the rule says something.</summary>
    public static CertificateFixture Fail(string id, string says, Func<TbsDraft, TbsDraft> bend, Func<LintContext, LintContext>? change = null, LintSeverity? weight = null) =>
        new(id, says, bend, change ?? (c => c), weight);

    /// <summary>The rules of the public web.</summary>
    public static LintContext Public(LintContext context) => context with { Regime = Regime.CabfBr };

    /// <summary>The certificate of an authority below another.</summary>
    public static LintContext Authority(LintContext context) => context with { Kind = CertificateKind.SubordinateAuthority };

    /// <summary>The certificate of a root.</summary>
    public static LintContext Root(LintContext context) => context with { Kind = CertificateKind.Root };

    /// <summary>The certificate of a signer of OCSP answers.</summary>
    public static LintContext Signer(LintContext context) => context with { Kind = CertificateKind.OcspSigner };

    public override string ToString() => $"{Id} {Says}";

    protected override Regime RegimeOf(SoundCertificate sound) => Change(sound.Context).Regime;

    protected override IReadOnlyList<LintFinding> Run(ILintRule rule, SoundCertificate sound)
    {
        var context = Change(sound.Context);
        var draft = Bend(TbsDraft.Of(sound.Tbs));
        var facts = draft.OuterAlgorithm is null ? CertificateFacts.OfTbs(draft.Encode()) : CertificateFacts.OfCertificate(draft.Encode());
        Assert.True(facts.IsValid, facts.Reason);
        return TbsLint.Run([(ICertificateLint)rule], context.Regime, l => l.Check(facts.Value, context));
    }
}

/// <summary>A revocation list, by a small change of a sound one.</summary>
internal sealed record ListFixture(string Id, string? Says, Func<CrlDraft, CrlDraft> Bend, Func<CrlLintContext, CrlLintContext> Change, LintSeverity? Weight = null) : LintFixture(Id, Says, Weight)
{
    public static ListFixture Pass(string id, Func<CrlDraft, CrlDraft> bend, Func<CrlLintContext, CrlLintContext>? change = null) => new(id, null, bend, change ?? (c => c));

    public static ListFixture Fail(string id, string says, Func<CrlDraft, CrlDraft> bend, Func<CrlLintContext, CrlLintContext>? change = null) => new(id, says, bend, change ?? (c => c));

    public override string ToString() => $"{Id} {Says}";

    protected override Regime RegimeOf(SoundCertificate sound) => Change(new CrlLintContext()).Regime;

    protected override IReadOnlyList<LintFinding> Run(ILintRule rule, SoundCertificate sound)
    {
        var context = Change(new CrlLintContext());
        var facts = CrlFacts.Read(Bend(CrlDraft.Sound).Encode());
        Assert.True(facts.IsValid, facts.Reason);
        return TbsLint.Run([(ICrlLint)rule], context.Regime, l => l.Check(facts.Value, context));
    }
}

/// <summary>An OCSP answer, by a small change of a sound one.</summary>
internal sealed record AnswerFixture(string Id, string? Says, Func<AnswerDraft, AnswerDraft> Bend, Func<OcspLintContext, OcspLintContext> Change, LintSeverity? Weight = null) : LintFixture(Id, Says, Weight)
{
    public static AnswerFixture Pass(string id, Func<AnswerDraft, AnswerDraft> bend, Func<OcspLintContext, OcspLintContext>? change = null) => new(id, null, bend, change ?? (c => c));

    public static AnswerFixture Fail(string id, string says, Func<AnswerDraft, AnswerDraft> bend, Func<OcspLintContext, OcspLintContext>? change = null, LintSeverity? weight = null) =>
        new(id, says, bend, change ?? (c => c), weight);

    public override string ToString() => $"{Id} {Says}";

    protected override Regime RegimeOf(SoundCertificate sound) => Change(new OcspLintContext()).Regime;

    protected override IReadOnlyList<LintFinding> Run(ILintRule rule, SoundCertificate sound)
    {
        var context = Change(new OcspLintContext());
        var facts = OcspFacts.Read(Bend(AnswerDraft.Sound).Encode());
        Assert.True(facts.IsValid, facts.Reason);
        return TbsLint.Run([(IOcspLint)rule], context.Regime, l => l.Check(facts.Value, context));
    }
}
