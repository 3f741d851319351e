using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Linting;

public sealed class LintsTests
{
    public static TheoryData<string> Ids => [.. Lints.All.Select(l => l.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Each_lint_has_a_passing_and_a_failing_fixture(string id)
    {
        var (tbs, sound) = await TbsLintTests.SoundAsync();
        var fixtures = LintFixtures.All.Where(f => f.Id == id).ToList();
        Assert.NotEmpty(fixtures);
        Assert.All(fixtures, fixture =>
        {
            var context = fixture.Context(sound);
            Assert.DoesNotContain(TbsLint.Check(fixture.Passing(TbsDraft.Of(tbs)).Encode(), context), f => f.Id == id);
            var finding = TbsLint.Check(fixture.Failing(TbsDraft.Of(tbs)).Encode(), context).First(f => f.Id == id);
            Assert.DoesNotContain("cannot be read", finding.Message, StringComparison.Ordinal);
            Assert.NotEqual(LintSeverity.NotApplicable, finding.Severity);
        });
    }

    [Fact]
    public void Lints_stand_in_the_order_of_their_numbers_each_once()
    {
        var ids = Lints.All.Select(l => l.Id).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal).Distinct(), ids);
    }

    [Fact]
    public void Every_lint_cites_its_rule_and_weighs_in_some_regime() =>
        Assert.All(Lints.All, l => Assert.True(l.Citation.Length > 0 && l.Rule.Length > 0 && l.Severity(Regime.CabfBr) != LintSeverity.NotApplicable, l.Id));

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

        var (tbs, sound) = await TbsLintTests.SoundAsync();
        var warned = LintFixtures.All.First(f => f.Id == "L34");
        var finding = TbsLint.Check(warned.Failing(TbsDraft.Of(tbs)).Encode(), sound).Single(f => f.Id == "L34");
        Assert.Equal(LintSeverity.Warning, finding.Severity);
    }
}
