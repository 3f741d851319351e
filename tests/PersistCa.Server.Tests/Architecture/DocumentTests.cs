using System.Text.RegularExpressions;

namespace PersistCa.Server.Tests.Architecture;

/// <summary>What the documents name is there.</summary>
public sealed partial class DocumentTests
{
    private static readonly string Root = PersistCa.Testing.SourceTree.Root;

    [Fact]
    public void Every_test_that_the_conformance_table_names_exists()
    {
        var tests = string.Concat(Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText));
        var named = TestName().Matches(File.ReadAllText(Path.Combine(Root, "docs", "conformance.md"))).Select(m => m.Groups[1].Value).Distinct().ToList();
        Assert.True(named.Count > 100);
        Assert.DoesNotContain(named, n => !tests.Contains($" {n}(", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_rule_of_policy_is_in_its_document()
    {
        var words = Word().Matches(File.ReadAllText(Path.Combine(Root, "docs", "operations", "policy.md"))).Select(m => m.Value).ToHashSet();
        Assert.DoesNotContain(PersistCa.Issuance.Policy.Rulebook.All.Select(r => r.Id), id => !words.Contains(id));
    }

    [GeneratedRegex(@"[a-z]+(?:[-.][a-z]+)*")]
    private static partial Regex Word();

    [Fact]
    public void Nothing_secret_or_made_by_running_is_kept_with_the_sources()
    {
        var found = new[] { "src", "tests", "docs", "deploy" }.Select(d => Path.Combine(Root, d)).Where(Directory.Exists)
            .SelectMany(d => Directory.EnumerateFiles(d, "*", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal) && !f.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(f => f.EndsWith(".key.pem", StringComparison.Ordinal) || f.EndsWith(".db", StringComparison.Ordinal) || Path.GetFileName(f) == "passphrase");
        Assert.Empty(found);
    }

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)`")]
    private static partial Regex TestName();
}
