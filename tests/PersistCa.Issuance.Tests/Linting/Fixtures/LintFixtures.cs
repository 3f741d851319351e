using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>Every fixture, by the rule that it is of.</summary>
internal static class LintFixtures
{
    /// <summary>Every rule.</summary>
    public static IReadOnlyList<ILintRule> Rules { get; } = [.. Lints.All, .. Lints.Crl, .. Lints.Ocsp];

    public static ILookup<string, LintFixture> ById { get; } = new IEnumerable<LintFixture>[]
    {
        FieldFixtures.All, KeyFixtures.All, SubjectFixtures.All, NameFixtures.All, UsageFixtures.All, PointerFixtures.All, AuthorityFixtures.All,
        Lints.All.Select(l => CertificateFixture.Pass(l.Id, d => d)), // a sound certificate of a private authority passes them all
        ListFixtures.All, AnswerFixtures.All,
    }.SelectMany(f => f).ToLookup(f => f.Id);
}
