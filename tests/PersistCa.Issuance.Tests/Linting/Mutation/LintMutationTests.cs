using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Tests.Linting.Fixtures;
using Xunit.Abstractions;

namespace PersistCa.Issuance.Tests.Linting.Mutation;

/// <summary>
/// Whatever is taken away from a rule, one of its fixtures says so. What can be taken away without changing anything is written down with its reason in
/// equivalent-lint-mutants.json.
/// </summary>
public sealed class LintMutationTests(ITestOutputHelper output)
{
    private const string Equivalents = "equivalent-lint-mutants.json";

    [Fact]
    public Task A_lint_without_its_check_fails_its_fixtures() => RunAsync(m => m.Kind == LintMutation.WholeCheck, LintFixtures.Rules.Count);

    /// <summary>Every fourth of them; all where PERSISTCA_TEST_MUTANTS=all: see docs/operations/linting.md.</summary>
    [Fact]
    public Task Whatever_is_taken_away_from_a_lint_fails_one_of_its_fixtures() =>
        Environment.GetEnvironmentVariable("PERSISTCA_TEST_MUTANTS") == "all" ? RunAsync(_ => true, 1000) : RunAsync(m => m.Kind != "any" && m.ToString().Sum(c => c) % 4 == 0, 250);

    private async Task RunAsync(Func<LintMutation, bool> which, int atLeast)
    {
        var (tbs, context) = await TbsLintTests.SoundAsync();
        var sound = new SoundCertificate(tbs, context);
        var (mutants, invalid) = LintMutants.Compile(
            [.. LintMutants.Sources.OrderBy(s => s.Key, StringComparer.Ordinal).SelectMany(s => LintMutator.Mutate(s.Key, s.Value)).Where(which)]);
        Nothing(LintFixtures.Rules.SelectMany(r => LintFixtures.ById[r.Id].Select(f => f.Fault(r, sound))).OfType<string>(), "the rules themselves fail");
        var reasons = VectorFile.Read(Equivalents).ToDictionary(r => r.Text("mutant"), r => r.Text("reason"));
        var survivors = mutants.Where(m => !IsKilled(m, sound)).Select(m => m.Mutation.ToString()).ToList();
        var known = mutants.Select(m => m.Mutation.ToString()).ToHashSet();
        output.WriteLine($"{mutants.Count} mutants of {LintFixtures.Rules.Count} rules, {mutants.Count - survivors.Count} killed, {survivors.Count} equivalent; {invalid.Count} more are no C#");
        Assert.True(mutants.Count >= atLeast, $"there are {mutants.Count} mutants");
        Assert.All(mutants, m => Assert.NotEmpty(m.Lints));
        Nothing(survivors.Except(reasons.Keys), "no fixture fails without");
        Nothing(reasons.Keys.Intersect(known).Except(survivors), "a fixture tells apart what is called equivalent");
        if (which(new LintMutation("", "any", "", "", LintMutants.Sources.Values.First())))
        {
            Nothing(reasons.Keys.Except(known), "there is no such mutant any more");
        }
    }

    private static void Nothing(IEnumerable<string> found, string what)
    {
        var all = found.ToList();
        Assert.True(all.Count == 0, $"{what}:\n{string.Join('\n', all)}");
    }

    private static bool IsKilled(LintMutant mutant, SoundCertificate sound) => mutant.Lints.Any(rule => LintFixtures.ById[rule.Id].Any(fixture => Fails(fixture, rule, sound)));

    private static bool Fails(LintFixture fixture, ILintRule rule, SoundCertificate sound)
    {
        try
        {
            return fixture.Fault(rule, sound) is not null;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            return true; // the test of the fixture would fail by it
        }
    }
}
