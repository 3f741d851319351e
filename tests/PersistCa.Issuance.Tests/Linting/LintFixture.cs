using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting;

/// <summary>For one lint, a certificate that it passes and one that it does not.</summary>
/// <param name="Id">The lint.</param>
/// <param name="Passing">Makes the passing certificate out of a sound one.</param>
/// <param name="Failing">Makes the failing certificate out of the same.</param>
/// <param name="Context">What both are held against, out of the context of the sound certificate.</param>
internal sealed record LintFixture(string Id, Func<TbsDraft, TbsDraft> Passing, Func<TbsDraft, TbsDraft> Failing, Func<LintContext, LintContext> Context)
{
    /// <summary>A sound certificate passes.</summary>
    public static LintFixture Of(string id, Func<TbsDraft, TbsDraft> failing, Func<LintContext, LintContext>? context = null) => new(id, d => d, failing, context ?? (c => c));

    /// <summary>Both are bent.</summary>
    public static LintFixture Of(string id, Func<TbsDraft, TbsDraft> passing, Func<TbsDraft, TbsDraft> failing, Func<LintContext, LintContext>? context = null) =>
        new(id, passing, failing, context ?? (c => c));
}
