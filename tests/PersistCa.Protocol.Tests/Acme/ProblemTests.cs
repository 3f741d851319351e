using System.Reflection;
using System.Text.Json;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Tests.Acme;

public sealed class ProblemTests
{
    private static readonly AcmeProblem Plain = new(ProblemCatalog.Dns, "no answer");

    [Fact]
    public void Every_row_of_the_catalog_is_listed_once_and_is_its_own()
    {
        var rows = typeof(ProblemCatalog).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.FieldType == typeof(ProblemType)).Select(f => (ProblemType)f.GetValue(null)!).ToList();
        Assert.Equal(rows.OrderBy(r => r.Name, StringComparer.Ordinal), ProblemCatalog.All.Concat(ProblemCatalog.Cases).OrderBy(r => r.Name, StringComparer.Ordinal));
        Assert.Equal(ProblemCatalog.All.Count, rows.Select(r => r.Urn).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Equal(rows.Count, rows.Select(r => r.Title).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(rows, r =>
        {
            Assert.InRange(r.Status, 400, 599);
            Assert.Matches("^(RFC 8555|RFC 9773|draft-ietf-acme-profiles) [0-9.]+$", r.Source);
            Assert.Equal("urn:ietf:params:acme:error:" + r.Name, r.Urn);
        });
    }

    [Fact]
    public void A_problem_has_the_status_of_its_kind_unless_told_otherwise()
    {
        Assert.All(ProblemCatalog.All, t => Assert.Equal(t.Status, new AcmeProblem(t, "x").Status));
        Assert.Equal(401, (Plain with { Status = 401 }).Status);
    }

    [Fact]
    public void One_refusal_stays_as_it_is_and_several_agree_on_their_kind_or_are_malformed()
    {
        Assert.Same(Plain, AcmeProblem.Combine([Plain], "two"));
        var same = AcmeProblem.Combine([Plain, Plain with { Detail = "b" }], "two");
        Assert.Equal((ProblemCatalog.Dns, "two", 2), (same.Type, same.Detail, same.Subproblems.Length));
        Assert.Equal(ProblemCatalog.Malformed, AcmeProblem.Combine([Plain, new AcmeProblem(ProblemCatalog.Caa, "c")], "two").Type);
        Assert.Throws<ArgumentOutOfRangeException>(() => AcmeProblem.Combine([], "none"));
    }

    [Fact]
    public void A_problem_of_every_kind_comes_back_from_the_store() => Assert.All(ProblemCatalog.All, type =>
    {
        var problem = new AcmeProblem(type, "a \"b\" / & < \u00e4 \u2028 \ud83d\ude00\n")
        {
            Status = 418,
            Identifier = AcmeIdentifier.Dns("*.a.test"),
            Algorithms = ["ES256", "RS256"],
            Subproblems = [Plain with { Identifier = AcmeIdentifier.Dns("x") }, new AcmeProblem(ProblemCatalog.Caa, "c")],
        };
        var back = ProblemDocument.Read(ProblemDocument.Write(problem));
        Assert.Equal((type, problem.Detail, 418, problem.Identifier), (back.Type, back.Detail, back.Status, back.Identifier));
        Assert.Equal<string>(problem.Algorithms, back.Algorithms);
        Assert.Equal(problem.Subproblems.Select(p => (p.Type, p.Detail, p.Status, p.Identifier)), back.Subproblems.Select(p => (p.Type, p.Detail, p.Status, p.Identifier)));
    });

    [Fact]
    public void A_plain_problem_comes_back_with_nothing_added()
    {
        var back = ProblemDocument.Read(ProblemDocument.Write(Plain));
        Assert.Equal((Plain.Type, Plain.Detail, Plain.Status, (AcmeIdentifier?)null, 0, 0), (back.Type, back.Detail, back.Status, back.Identifier, back.Algorithms.Length, back.Subproblems.Length));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"type":"urn:ietf:params:acme:error:dns"}""")]
    [InlineData("""{"type":"urn:ietf:params:acme:error:unheardOf","detail":"x"}""")]
    [InlineData("""{"type":"dns","detail":"x"}""")]
    [InlineData("""{"type":"urn:ietf:params:acme:error:dns","detail":"x","detail":"y"}""")]
    public void What_this_server_did_not_write_is_not_read(string json) => Assert.Throws<JsonException>(() => ProblemDocument.Read(json));

    [Fact]
    public void The_document_has_the_page_when_asked_and_subproblems_neither_title_nor_status()
    {
        var document = ProblemDocument.From(Plain with { Subproblems = [Plain] }, "https://ca.example/problems/");
        Assert.Equal(("https://ca.example/problems/dns", "A DNS look-up failed", 400), (document.Help, document.Title, document.Status));
        Assert.Equal((null, null, null), (document.Subproblems![0].Help, document.Subproblems[0].Title, document.Subproblems[0].Status));
        Assert.Null(ProblemDocument.From(Plain).Help);
        Assert.Null(ProblemDocument.From(Plain).Subproblems);
        Assert.Null(ProblemDocument.From(Plain).Algorithms);
    }
}
