using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Linting.Fixtures;

namespace PersistCa.Issuance.Tests.Linting;

public sealed class LintsTests
{
    public static TheoryData<string> Ids => [.. LintFixtures.Rules.Select(l => l.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Each_lint_passes_its_passing_fixtures_and_says_of_each_failing_one_what_it_is_to_say(string id)
    {
        var fixtures = LintFixtures.ById[id].ToList();
        Assert.Contains(fixtures, f => f.Says is null);
        Assert.Contains(fixtures, f => f.Says is not null);
        var rule = LintFixtures.Rules.Single(l => l.Id == id);
        var (tbs, context) = await TbsLintTests.SoundAsync();
        Assert.Empty(fixtures.Select(f => f.Fault(rule, new SoundCertificate(tbs, context))).OfType<string>());
    }

    [Fact]
    public void Lints_stand_in_the_order_of_their_numbers_each_once()
    {
        var ids = LintFixtures.Rules.Select(l => l.Id).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal).Distinct(), ids);
    }

    [Fact]
    public void Every_lint_weighs_and_cites_what_the_table_of_the_documents_says()
    {
        var rows = File.ReadLines(Path.Combine(Documents(), "operations", "linting.md"))
            .Where(l => l.StartsWith("| L", StringComparison.Ordinal)).Select(l => l.Split('|', StringSplitOptions.TrimEntries)[1..^1]).ToList();
        Assert.Equal(LintFixtures.Rules.Select(r => new[] { r.Id, r.Rule, r.Citation, Weight(r.Severity(Regime.Private)), Weight(r.Severity(Regime.CabfBr)) }), rows);

        static string Weight(LintSeverity severity) => severity == LintSeverity.NotApplicable ? "not run" : severity.ToString().ToLowerInvariant();
    }

    [Fact]
    public async Task An_authority_does_not_certify_its_own_key()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var prepared = issuer.Prepare(TestAuthority.Request() with { SubjectPublicKeyInfo = issuer.Issuer.Key.SubjectPublicKeyInfo });
        Assert.False(prepared.TryGet(out _, out var problem));
        Assert.Contains("L18", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warnings_are_kept_with_the_intent_and_errors_refuse()
    {
        // The Baseline Requirements want one of their own policies claimed; the profile claims none.
        var issuer = await TestAuthority.CertificateIssuerAsync(new ServerProfile { Regime = Regime.CabfBr });
        Assert.False(issuer.Prepare(TestAuthority.Request()).TryGet(out _, out var problem));
        Assert.Contains("L45", problem.Detail, StringComparison.Ordinal);

        var warned = await TestAuthority.CertificateIssuerAsync();
        Assert.True(warned.Prepare(TestAuthority.Request("1.0.0.10.in-addr.arpa")).TryGet(out var intent, out _));
        Assert.Equal(("L34", LintSeverity.Warning), intent.Findings.Select(f => (f.Id, f.Severity)).Single(f => f.Id == "L34"));
    }

    private static string Documents()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at!.FullName, "PersistCa.sln")))
        {
            at = at.Parent;
        }

        return Path.Combine(at.FullName, "docs");
    }
}
