using System.Text.Json;
using CsCheck;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.ExternalAccounts;

public sealed class NameRuleTests
{
    private static readonly JsonElement File = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "name-rules.json"))).RootElement;

    private static readonly Gen<string> Labels = Gen.OneOf(Gen.Const("a"), Gen.Const("b"), Gen.Const("corp"), Gen.Const("db01"), Gen.Const("x-y"));

    private static readonly Gen<string> Names = Labels.Array[1, 4].Select(Gen.Bool, (labels, wildcard) => (wildcard ? "*." : "") + string.Join('.', labels) + ".example");

    private static readonly Gen<string> Rules = Gen.Select(
        Gen.OneOf(Gen.Const(""), Gen.Const("."), Gen.Const("*."), Gen.Const("d*.")), Labels.Array[1, 3], (front, labels) => front + string.Join('.', labels) + ".example");

    public static TheoryData<string, string, bool> Judged
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var rule in File.GetProperty("rules").EnumerateArray())
            {
                var text = rule.GetProperty("rule").GetString()!;
                foreach (var (member, permits) in new[] { ("permits", true), ("refuses", false) })
                {
                    foreach (var name in rule.GetProperty(member).EnumerateArray())
                    {
                        data.Add(text, name.GetString()!, permits);
                    }
                }
            }

            return data;
        }
    }

    public static TheoryData<string, string> Refused
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var rule in File.GetProperty("refused").EnumerateArray())
            {
                data.Add(rule.GetProperty("rule").GetString()!, rule.GetProperty("reason").GetString()!);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Judged))]
    public void A_rule_permits_what_its_text_says_and_nothing_else(string rule, string identifier, bool permits) =>
        Assert.Equal(permits, NameRule.Parse(rule).Value!.Permits(Identifier.Of(identifier)));

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_text_that_is_no_rule_is_refused_with_its_reason(string rule, string reason) =>
        Assert.Contains(reason, NameRule.Parse(rule).Reason!, StringComparison.Ordinal);

    [Fact]
    public void A_rule_is_read_back_from_its_one_spelling() => Assert.All(
        File.GetProperty("rules").EnumerateArray(),
        r =>
        {
            var rule = NameRule.Parse(r.GetProperty("rule").GetString()!).Value!;
            Assert.Equal(r.TryGetProperty("text", out var text) ? text.GetString() : r.GetProperty("rule").GetString(), rule.Text);
            Assert.Equal(rule.Text, NameRule.Parse(rule.Text).Value!.Text);
        });

    [Fact]
    public void A_suffix_permits_what_is_under_it_and_a_pattern_never_more_than_the_suffix_behind_its_star() => Gen.Select(Rules, Names).Sample((rule, name) =>
    {
        var identifier = (CertificateName)Identifier.Of(name);
        var permits = NameRule.Parse(rule).Value!.Permits(identifier);
        if (rule[0] == '.')
        {
            Assert.Equal(("." + identifier.Name.Text).EndsWith(rule, StringComparison.Ordinal), permits);
        }
        else if (permits)
        {
            var behind = rule.Contains('*', StringComparison.Ordinal) ? rule[rule.IndexOf('.', StringComparison.Ordinal)..] : rule;
            Assert.EndsWith(behind, name, StringComparison.Ordinal);
            Assert.Equal(rule.Count(c => c == '.'), name.Count(c => c == '.'));
        }
    });

    [Fact]
    public void Whatever_text_comes_a_rule_is_read_or_refused_with_a_reason() => Gen.String[Gen.Char[' ', '\u00ff'], 0, 40].Sample(text =>
    {
        var read = NameRule.Parse(text);
        Assert.True(read.IsValid ? NameRule.Parse(read.Value.Text).IsValid : read.Reason.Length > 0);
    });
}
