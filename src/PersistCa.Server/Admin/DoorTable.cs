using System.Text;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>The tables of docs/operations/admin-api.md, made of the doors' rows.</summary>
internal static class DoorTable
{
    /// <summary>What stands before the tables in the page, and after them.</summary>
    public const string Begin = "<!-- doors -->", End = "<!-- /doors -->";

    /// <summary>A row for each door: what it takes, and to whom it is open.</summary>
    public static string Markdown(IReadOnlyList<AdminDoor> doors)
    {
        var page = new StringBuilder();
        page.Append("| door | what it does | scope |").Append(string.Concat(OperatorRoles.All.Select(r => $" {r.Word()} |"))).Append('\n');
        page.Append("|---|---|---|").Append(string.Concat(OperatorRoles.All.Select(_ => ":-:|"))).Append('\n');
        foreach (var door in doors)
        {
            var summary = door.Summary + (door.Query.Count > 0 ? $" By {string.Join(", ", door.Query.Select(q => q.Name))}." : "") + (door.Body is { } body && AdminSchema.MembersOf(body).ToArray() is { Length: > 0 } members ? $" Takes {string.Join(", ", members)}." : "");
            page.Append(System.Globalization.CultureInfo.InvariantCulture, $"| {door.Method} {door.Path} | {summary} | {door.Scope} |")
                .Append(string.Concat(OperatorRoles.All.Select(r => door.Roles.Contains(r) ? " yes |" : " |"))).Append('\n');
        }

        return page.ToString();
    }
}
