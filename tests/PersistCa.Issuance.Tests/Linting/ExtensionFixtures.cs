namespace PersistCa.Issuance.Tests.Linting;

/// <summary>The fixtures of the lints about further extensions and about authorities.</summary>
internal static class ExtensionFixtures
{
    public static IEnumerable<LintFixture> All { get; } = [];
}
