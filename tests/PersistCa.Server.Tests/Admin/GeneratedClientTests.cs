using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.OpenApi.Reader;
using NSwag.CodeGeneration.CSharp;
using PersistCa.Protocol.Records;
using PersistCa.Server.Admin;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>The kept OpenAPI document, as other programs use it: read by its reference implementation, and a client made of it that drives a server.</summary>
public sealed class GeneratedClientTests
{
    private static string DocumentFile => Path.Combine(SourceTree.Root, "docs", "operations", "openapi.json");

    [Fact]
    public async Task The_document_is_openapi_3_1_without_a_fault()
    {
        await using var file = File.OpenRead(DocumentFile);
        var read = await Microsoft.OpenApi.OpenApiDocument.LoadAsync(file, "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(Microsoft.OpenApi.OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        Assert.Equal(AdminRoutes.Doors.Select(d => d.Pattern).Distinct().Order(StringComparer.Ordinal), read.Document!.Paths.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_client_that_is_generated_from_the_document_drives_a_server()
    {
        await using var bed = await DecisionBed.StartAsync();
        using var acme = await bed.Authority.RegisteredAsync();
        bed.Authority.Publish(acme, "a.test", PersistDialect.Draft02);
        await acme.IssueAsync("dns-persist-01", "a.test");
        var account = acme.AccountUrl!.Split('/')[^1];
        var client = Compile(await GenerateAsync());

        using var http = bed.Authority.Http();
        http.BaseAddress = new Uri(bed.Authority.Options.Server.BaseUrl);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bed.Olga);
        dynamic olga = Activator.CreateInstance(client, http)!;

        dynamic found = await olga.ListCertificatesAsync(name: "a.test", under: null, fingerprint: null, key: null, account: account, issuer: null, profile: null, status: null, expiresFrom: null, expiresUntil: null, limit: 10, cursor: null);
        Assert.Equal("a.test", (string)Enumerable.First(Enumerable.First(found.Items).Names));
        dynamic restriction = Activator.CreateInstance(client.Assembly.GetType("Generated.RestrictAccount")!)!;
        restriction.Names = new List<string> { "*.team.test" };
        dynamic done = await olga.RestrictAccountAsync(account, restriction);
        Assert.Equal("Done", done.Status.ToString());
        dynamic shown = await olga.ShowAccountAsync(account);
        Assert.Equal("*.team.test", (string)Enumerable.Single(shown.Restrictions.Names));
        Exception refused = await Assert.ThrowsAnyAsync<Exception>(async () => await olga.ShowAccountAsync("AAAAAAAAAAAAAAAA"));
        Assert.Contains("There is no such account", refused.ToString(), StringComparison.Ordinal);
    }

    private static async Task<string> GenerateAsync()
    {
        var document = await NSwag.OpenApiDocument.FromJsonAsync(await File.ReadAllTextAsync(DocumentFile));
        return new CSharpClientGenerator(document, new CSharpClientGeneratorSettings
        {
            ClassName = "AdminClient",
            UseBaseUrl = false,
            InjectHttpClient = true,
            CSharpGeneratorSettings = { Namespace = "Generated", JsonLibrary = NJsonSchema.CodeGeneration.CSharp.CSharpJsonLibrary.SystemTextJson, GenerateNullableReferenceTypes = false },
        }).GenerateFile();
    }

    private static Type Compile(string source)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(p => MetadataReference.CreateFromFile(p));
        var compilation = CSharpCompilation.Create("Generated", [CSharpSyntaxTree.ParseText(source)], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Disable));
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(10)));
        image.Position = 0;
        return new AssemblyLoadContext("generated", isCollectible: false).LoadFromStream(image).GetType("Generated.AdminClient")!;
    }
}
