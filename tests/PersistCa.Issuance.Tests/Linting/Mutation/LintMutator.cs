using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace PersistCa.Issuance.Tests.Linting.Mutation;

/// <summary>One change of the source of one rule.</summary>
/// <param name="File">Name of the source file, without its ending.</param>
/// <param name="Kind">What sort of change; see <see cref="LintMutator"/>.</param>
/// <param name="From">What stood there, on one line; with a number where the same change can be made in several places.</param>
/// <param name="To">What stands there instead.</param>
/// <param name="Changed">The whole file with the change.</param>
internal sealed record LintMutation(string File, string Kind, string From, string To, SyntaxNode Changed)
{
    /// <summary>Removes a check as a whole.</summary>
    public const string WholeCheck = "check";

    /// <summary>Removes one finding.</summary>
    public const string Finding = "finding";

    public override string ToString() => $"{File}: {Kind}: {From} => {To}";
}

/// <summary>
/// Makes every small change of a rule's source that takes away a part of what it checks: the whole check; each finding; each condition and each operand
/// of one, each alternative of a pattern; each entry of a table; the bound of each comparison and each number; the weight of a finding.
/// </summary>
internal static class LintMutator
{
    private const int LongestText = 160;
    private const string Entry = "entry";

    /// <summary>The changes of a file.</summary>
    public static IReadOnlyList<LintMutation> Mutate(string file, SyntaxNode root)
    {
        var found = new List<LintMutation>();
        var times = new Dictionary<(string Kind, string From, string To), int>();
        foreach (var node in root.DescendantNodes(n => n is not (InterpolatedStringExpressionSyntax or AttributeListSyntax or PrimaryConstructorBaseTypeSyntax)))
        {
            foreach (var (kind, old, changed) in ChangesOf(node))
            {
                var (from, to) = kind == Entry ? (Line(EntryOf(old, changed)), "none") : (Line(old), Line(changed));
                var time = times[(kind, from, to)] = times.GetValueOrDefault((kind, from, to)) + 1;
                found.Add(new LintMutation(file, kind, time == 1 ? from : $"{from} #{time}", to, root.ReplaceNode(old, changed)));
            }
        }

        return found;
    }

    private static IEnumerable<(string Kind, SyntaxNode Old, SyntaxNode Changed)> ChangesOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax { Body: { } body } method when MakesFindings(method) =>
            [(LintMutation.WholeCheck, node, method.WithBody(SyntaxFactory.Block(Statement(body.DescendantNodes().OfType<YieldStatementSyntax>().Any() ? "yield break;" : "return [];"))))],
        YieldStatementSyntax { Expression: not null } => [(LintMutation.Finding, node, Statement("if (false) { yield break; }"))],
        ReturnStatementSyntax { Expression: { } value } when value.ToString() != "[]" && node.FirstAncestorOrSelf<MethodDeclarationSyntax>() is { } method && MakesFindings(method) =>
            [(LintMutation.Finding, node, Statement("return [];"))],
        IfStatementSyntax branch => Decisions(branch.Condition),
        ConditionalExpressionSyntax choice => Decisions(choice.Condition),
        WhileStatementSyntax loop => [("condition", loop.Condition, False)],
        ForStatementSyntax { Condition: { } condition } => [("condition", condition, False)],
        SimpleLambdaExpressionSyntax { ExpressionBody: { } body } lambda when IsPredicate(lambda) => Decisions(body),
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalAndExpression or (int)SyntaxKind.LogicalOrExpression or (int)SyntaxKind.CoalesceExpression } binary =>
            [("operand", node, binary.Left.WithoutTrivia()), ("operand", node, binary.Right.WithoutTrivia())],
        BinaryExpressionSyntax binary when Beside(binary.OperatorToken.Kind()) is { } beside =>
            [("bound", node, SyntaxFactory.ParseExpression($"{binary.Left} {SyntaxFacts.GetText(beside)} {binary.Right}"))],
        BinaryPatternSyntax pattern => [("operand", node, pattern.Left.WithoutTrivia()), ("operand", node, pattern.Right.WithoutTrivia())],
        UnaryPatternSyntax pattern => [("negation", node, pattern.Pattern.WithoutTrivia())],
        RelationalPatternSyntax pattern when Beside(pattern.OperatorToken.Kind()) is { } beside => [("bound", node, pattern.WithOperatorToken(SyntaxFactory.Token(beside)))],
        PropertyPatternClauseSyntax clause => clause.Subpatterns.Where(s => s.Pattern is not VarPatternSyntax).Select(s => ("operand", node, (SyntaxNode)clause.WithSubpatterns(clause.Subpatterns.Remove(s)))),
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression } not => [("negation", node, not.Operand)],
        LiteralExpressionSyntax { RawKind: (int)SyntaxKind.NumericLiteralExpression, Token.Value: int number } => [("number", node, Number(number + 1)), ("number", node, Number(number - 1))],
        LiteralExpressionSyntax { RawKind: (int)SyntaxKind.StringLiteralExpression, Parent.Parent: VariableDeclaratorSyntax } text =>
            [("text", node, SyntaxFactory.LiteralExpression(SyntaxKind.StringLiteralExpression, SyntaxFactory.Literal(text.Token.ValueText + "~")))],
        CollectionExpressionSyntax list when node.Parent is not (ReturnStatementSyntax or ConditionalExpressionSyntax) =>
            list.Elements.Select(e => (Entry, node, (SyntaxNode)list.WithElements(list.Elements.Remove(e)))),
        InitializerExpressionSyntax list when list.Expressions.Count > 1 || node.Parent is BaseObjectCreationExpressionSyntax =>
            list.Expressions.Select(e => (Entry, node, (SyntaxNode)list.WithExpressions(list.Expressions.Remove(e)))),
        MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "LintSeverity" } } weight =>
            [("weight", node, weight.WithName(SyntaxFactory.IdentifierName(weight.Name.Identifier.Text == "Error" ? "Warning" : "Error")))],
        _ => [],
    };

    /// <summary>The entry of a table that is gone.</summary>
    private static SyntaxNode EntryOf(SyntaxNode whole, SyntaxNode changed) =>
        whole.ChildNodes().Zip(changed.ChildNodes()).FirstOrDefault(p => p.First.ToString() != p.Second.ToString()).First ?? whole.ChildNodes().Last();

    private static IEnumerable<(string Kind, SyntaxNode Old, SyntaxNode Changed)> Decisions(ExpressionSyntax condition) =>
        condition is LiteralExpressionSyntax ? [] : [("condition", condition, True), ("condition", condition, False)];

    /// <summary>The operator that differs at the bound alone; of equality the opposite.</summary>
    private static SyntaxKind? Beside(SyntaxKind token) => token switch
    {
        SyntaxKind.LessThanToken => SyntaxKind.LessThanEqualsToken,
        SyntaxKind.LessThanEqualsToken => SyntaxKind.LessThanToken,
        SyntaxKind.GreaterThanToken => SyntaxKind.GreaterThanEqualsToken,
        SyntaxKind.GreaterThanEqualsToken => SyntaxKind.GreaterThanToken,
        SyntaxKind.EqualsEqualsToken => SyntaxKind.ExclamationEqualsToken,
        SyntaxKind.ExclamationEqualsToken => SyntaxKind.EqualsEqualsToken,
        _ => null,
    };

    private static bool MakesFindings(MethodDeclarationSyntax method) => method.ReturnType.ToString() == "IEnumerable<LintObservation>";

    private static bool IsPredicate(SimpleLambdaExpressionSyntax lambda) =>
        lambda.Parent is ArgumentSyntax { Parent.Parent: InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "Any" or "All" or "Where" or "Count" or "First" or "FirstOrDefault" } } };

    private static LiteralExpressionSyntax True => SyntaxFactory.LiteralExpression(SyntaxKind.TrueLiteralExpression);

    private static LiteralExpressionSyntax False => SyntaxFactory.LiteralExpression(SyntaxKind.FalseLiteralExpression);

    private static ExpressionSyntax Number(int value) => SyntaxFactory.ParseExpression(value < 0 ? $"({value})" : $"{value}");

    private static StatementSyntax Statement(string text) => SyntaxFactory.ParseStatement(text);

    private static string Line(SyntaxNode node)
    {
        var text = node is MethodDeclarationSyntax method ? $"{method.Identifier.Text} {method.Body!}" : node.ToString();
        text = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length > LongestText ? text[..LongestText] : text;
    }
}
