using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting.Mutation;

/// <summary>A change and the rules that have it: one, or all that use a changed reader of several.</summary>
internal sealed record LintMutant(LintMutation Mutation, IReadOnlyList<ILintRule> Lints);

/// <summary>
/// Compiles mutants of the rules. The sources of src/PersistCa.Issuance/Linting/Rules are in this assembly as resources; each mutant gets a namespace below
/// that of the rules, so that it finds everything else where the rule does, and all of them are compiled at once.
/// </summary>
internal static class LintMutants
{
    private const string Namespace = "PersistCa.Issuance.Linting.Rules";

    private static readonly CSharpParseOptions Language = new(LanguageVersion.CSharp14);

    /// <summary>The sources of the rules by their names.</summary>
    public static IReadOnlyDictionary<string, SyntaxNode> Sources { get; } = ReadSources();

    /// <summary>Compiles mutations.</summary>
    /// <returns>The mutants, and the mutations that are no C#: what they take away cannot be taken away.</returns>
    public static (IReadOnlyList<LintMutant> Mutants, IReadOnlyList<LintMutation> Invalid) Compile(IReadOnlyList<LintMutation> mutations)
    {
        var trees = new Dictionary<SyntaxTree, int>();
        for (var i = 0; i < mutations.Count; i++)
        {
            trees.Add(Place(mutations[i].Changed, i, WithFuel), i);
            foreach (var user in UsersOf(mutations[i].File))
            {
                trees.Add(Place(Sources[user], i, n => n), i);
            }
        }

        var compilation = CSharpCompilation.Create(
            // Internals of the rules are visible to an assembly of this name.
            typeof(LintMutants).Assembly.GetName().Name,
            trees.Keys.Append(Usings()),
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(p => MetadataReference.CreateFromFile(p)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var broken = compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => trees[d.Location.SourceTree!]).ToHashSet();
        compilation = compilation.RemoveSyntaxTrees(trees.Where(t => broken.Contains(t.Value)).Select(t => t.Key));

        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(5)));
        image.Position = 0;
        var assembly = new AssemblyLoadContext("mutants", isCollectible: false).LoadFromStream(image);
        return ([.. Enumerable.Range(0, mutations.Count).Where(i => !broken.Contains(i)).Select(i => new LintMutant(mutations[i], Instances(assembly, i)))], [.. broken.Order().Select(i => mutations[i])]);
    }

    /// <summary>The rules that use a reader; none when the file is a rule.</summary>
    private static IEnumerable<string> UsersOf(string file) => IsRule(file) ? [] : Uses(file).Where(IsRule).Distinct();

    private static IEnumerable<string> Uses(string file) => Sources.Where(s => s.Key != file && s.Value.DescendantNodes().OfType<IdentifierNameSyntax>().Any(n => n.Identifier.Text == file)).Select(s => s.Key);

    private static bool IsRule(string file) => file is ['L', >= '0' and <= '9', >= '0' and <= '9', ..];

    private static List<ILintRule> Instances(Assembly assembly, int number) =>
        [.. assembly.GetTypes().Where(t => t.Namespace == $"{Namespace}.M{number}" && t.IsAssignableTo(typeof(ILintRule))).Select(t => (ILintRule)Activator.CreateInstance(t)!)];

    private static SyntaxTree Place(SyntaxNode root, int number, Func<FileScopedNamespaceDeclarationSyntax, FileScopedNamespaceDeclarationSyntax> change)
    {
        var space = root.DescendantNodes().OfType<FileScopedNamespaceDeclarationSyntax>().Single();
        return CSharpSyntaxTree.Create((CSharpSyntaxNode)root.ReplaceNode(space, change(space.WithName(SyntaxFactory.ParseName($"{Namespace}.M{number}")))), Language);
    }

    /// <summary>A change may take away what ends a loop: each round takes of a supply, and without it the mutant fails.</summary>
    private static FileScopedNamespaceDeclarationSyntax WithFuel(FileScopedNamespaceDeclarationSyntax space)
    {
        var take = SyntaxFactory.ParseStatement("Fuel.Take();");
        var guarded = space.ReplaceNodes(
            space.DescendantNodes().Where(n => n is WhileStatementSyntax or ForStatementSyntax),
            (_, loop) => loop is WhileStatementSyntax w ? w.WithStatement(SyntaxFactory.Block(take, w.Statement)) : ((ForStatementSyntax)loop).WithStatement(SyntaxFactory.Block(take, ((ForStatementSyntax)loop).Statement)));
        return guarded.AddMembers(SyntaxFactory.ParseMemberDeclaration(
            "internal static class Fuel { private static int left = 100000; public static void Take() { if (--left < 0) { throw new InvalidOperationException(\"a loop does not end\"); } } }")!);
    }

    private static SyntaxTree Usings() => CSharpSyntaxTree.ParseText(
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;", Language);

    private static Dictionary<string, SyntaxNode> ReadSources()
    {
        const string prefix = "Rules/";
        var assembly = typeof(LintMutants).Assembly;
        return assembly.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(n => n[prefix.Length..], n =>
        {
            using var stream = assembly.GetManifestResourceStream(n)!;
            using var reader = new StreamReader(stream);
            return CSharpSyntaxTree.ParseText(reader.ReadToEnd(), Language).GetRoot();
        });
    }
}
