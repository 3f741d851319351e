using System.Reflection;
using NetArchTest.Rules;
using PersistCa.Protocol;
using PersistCa.Server.Commands;

namespace PersistCa.Server.Tests.Architecture;

/// <summary>The directions of the house.</summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Protocol = typeof(PublicId).Assembly;
    private static readonly Assembly Validation = typeof(PersistCa.Validation.Dns.DnsOptions).Assembly;
    private static readonly Assembly Issuance = typeof(PersistCa.Issuance.Hierarchy.Issuer).Assembly;
    private static readonly Assembly Storage = typeof(PersistCa.Storage.CaStore).Assembly;
    private static readonly Assembly Server = typeof(PersistCaCommand).Assembly;

    [Fact]
    public void Protocol_knows_the_base_class_library_only() =>
        Assert.All(References(Protocol), r => Assert.StartsWith("System.", r, StringComparison.Ordinal));

    [Fact]
    public void The_three_middle_rooms_know_protocol_and_not_each_other()
    {
        foreach (var room in new[] { Validation, Issuance, Storage })
        {
            Assert.Equal(["PersistCa.Protocol"], References(room).Where(r => r.StartsWith("PersistCa.", StringComparison.OrdinalIgnoreCase)));
        }
    }

    [Theory]
    [InlineData("PersistCa.Server.Registration", "Microsoft.AspNetCore")]
    [InlineData("PersistCa.Server.Acme", "Microsoft.EntityFrameworkCore")]
    [InlineData("PersistCa.Server.Acme", "PersistCa.Server.Workers")]
    [InlineData("PersistCa.Server.Acme", "PersistCa.Issuance")]
    [InlineData("PersistCa.Server.Acme", "PersistCa.Validation")]
    public void A_folder_is_free_of(string folder, string forbidden)
    {
        var result = Types.InAssembly(Server).That().ResideInNamespaceStartingWith(folder).ShouldNot().HaveDependencyOnAny(forbidden).GetResult();
        Assert.True(result.IsSuccessful, $"{folder} depends on {forbidden}: {string.Join(", ", result.FailingTypeNames ?? [])}");
    }

    [Fact]
    public void Only_registration_and_workers_and_hosting_join_the_middle_rooms()
    {
        var joining = Types.InAssembly(Server).That().HaveDependencyOn("PersistCa.Issuance").And().HaveDependencyOn("PersistCa.Storage").GetTypes();
        Assert.All(joining, t => Assert.Matches(@"^PersistCa\.Server\.(Registration|Workers|Hosting|Publication|Commands)\b", t.FullName ?? ""));
    }

    [Theory]
    [InlineData("PersistCa.Protocol")]
    [InlineData("PersistCa.Validation")]
    [InlineData("PersistCa.Issuance")]
    [InlineData("PersistCa.Storage")]
    [InlineData("PersistCa.Server")]
    public void No_type_has_a_name_that_says_nothing(string room)
    {
        var assembly = new[] { Protocol, Validation, Issuance, Storage, Server }.Single(a => string.Equals(a.GetName().Name, room == "PersistCa.Server" ? "persistca" : room, StringComparison.Ordinal));
        var bad = assembly.GetTypes().Where(t => t.Name.Split('`')[0] is var n && new[] { "Helper", "Util", "Utils", "Manager", "Common", "Core" }.Any(w => n.EndsWith(w, StringComparison.Ordinal)));
        Assert.Empty(bad.Select(t => t.FullName));
    }

    [Fact]
    public void Every_problem_type_has_its_page()
    {
        var pages = Server.GetManifestResourceNames();
        Assert.All(PersistCa.Protocol.Acme.ProblemCatalog.All.Concat(PersistCa.Protocol.Acme.ProblemCatalog.Cases), t => Assert.Contains($"problems.{t.Page}.md", pages));
    }

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(r => r.Name!);
}
