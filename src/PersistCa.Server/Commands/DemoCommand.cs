using System.CommandLine;
using System.Net;
using PersistCa.Issuance.Signing;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca demo.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var arguments = new ConfigurationArguments();
        var once = new Option<bool>("--once") { Description = "Stop after the verified certificate; the exit status tells whether it was." };
        var temp = new Option<bool>("--temp") { Description = "Use a temporary folder instead of ./data, and remove it at the end." };
        var dns = new Option<string>("--dns-listen") { Description = "Address and port of the demonstration's DNS zone.", DefaultValueFactory = _ => "127.0.0.1:8053" };
        var command = new Command("demo", "Show the whole way on this machine: make an authority, publish a record, get a certificate; then stay up to be tried.");
        arguments.AddTo(command);
        command.Options.Add(once);
        command.Options.Add(temp);
        command.Options.Add(dns);
        command.SetAction(async (result, cancel) =>
        {
            var folder = result.GetValue(temp) ? Directory.CreateTempSubdirectory("persistca-").FullName : null;
            try
            {
                return await RunAsync(result, arguments, result.GetValue(dns)!, folder, result.GetValue(once), cancel);
            }
            finally
            {
                if (folder is not null)
                {
                    Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
                    Directory.Delete(folder, recursive: true);
                }
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, ConfigurationArguments arguments, string dns, string? folder, bool once, CancellationToken cancel)
    {
        if (!IPEndPoint.TryParse(dns, out var at) || !IPAddress.IsLoopback(at.Address))
        {
            throw new StartRefusedException("--dns-listen", $"'{dns}' is not a loopback address with a port; write one such as 127.0.0.1:8053");
        }

        var output = result.InvocationConfiguration.Output;
        using var zone = StartZone(at);
        var defaults = new Dictionary<string, string?>
        {
            ["Validation:Dns:Resolvers"] = zone.EndPoint.ToString(),
            ["Validation:Http:Port"] = "5002",
            ["Validation:TlsAlpnPort"] = "5001",
            ["Validation:Targets:AllowLoopback"] = "true",
            ["Log:Level"] = "Warning",
        };
        if (folder is not null)
        {
            defaults["Server:DataDirectory"] = folder;
        }

        var options = arguments.Read(result, defaults);
        var known = AuthorityFiles.Exist(options);
        if (!known)
        {
            Passphrase.Generate(options.Server.DataDirectory);
            await AuthorityFiles.CreateAsync(options, SigningAlgorithms.EcdsaP256, Passphrase.Find(options), TimeProvider.System.GetUtcNow(), cancel);
        }

        await output.WriteLineAsync($"authority   {(known ? "found" : "made")} in {AuthorityFiles.Folder(options)}");
        await using var app = await ServerHost.StartAsync(options, TimeProvider.System, cancel);
        await output.WriteLineAsync($"ACME        {options.Server.BaseUrl}{AuthorityUrls.Paths.Directory}");
        await output.WriteLineAsync($"DNS         {zone.EndPoint}, the zone of this demonstration: every name is at 127.0.0.1");
        var failure = await new DemoRun(options, zone, Passphrase.Find(options), output, TimeProvider.System).RunAsync(cancel);
        if (failure is not null)
        {
            await Console.Error.WriteLineAsync("persistca: " + failure);
            return 1;
        }

        if (once)
        {
            return 0;
        }

        await output.WriteLineAsync(TryNext(options));
        await app.WaitAsync(cancel);
        return 0;
    }

    private static LoopbackZone StartZone(IPEndPoint at)
    {
        try
        {
            return LoopbackZone.Start(at, new LoopbackZoneOptions { DefaultAddress = IPAddress.Loopback });
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new StartRefusedException("--dns-listen", $"{at} cannot be used ({e.Message}); choose another port");
        }
    }

    private static string TryNext(PersistCaOptions options) => $"""

        Still serving; Ctrl+C stops. Try, in another terminal:
          REQUESTS_CA_BUNDLE={AuthorityFiles.RootCertificate(options)} certbot certonly --standalone --http-01-port {options.Validation.Http.Port} \
            --server {options.Server.BaseUrl}{AuthorityUrls.Paths.Directory} -d anything.demo.test \
            --agree-tos -m you@example.org --no-eff-email --config-dir cb --work-dir cb --logs-dir cb
          curl --cacert {AuthorityFiles.RootCertificate(options)} {options.Server.BaseUrl}{AuthorityUrls.Paths.Directory}
        Run the demo again: it finds this authority and account, and issues at once.
        """;
}
