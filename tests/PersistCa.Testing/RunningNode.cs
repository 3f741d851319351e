using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;

namespace PersistCa.Testing;

/// <summary>Another node of a running authority: the same database, keys, URLs and time, and doors of its own.</summary>
public sealed class RunningNode : IAsyncDisposable
{
    private readonly string folder;
    private readonly RunningServer server;
    private readonly RunningAuthority first;
    private readonly IPEndPoint door;

    private RunningNode(string folder, RunningServer server, RunningAuthority first, int https, int http)
    {
        this.folder = folder;
        this.server = server;
        this.first = first;
        door = new IPEndPoint(IPAddress.Loopback, https);
        Publication = $"http://127.0.0.1:{http}";
    }

    /// <summary>Where its publication door is, whatever the URLs in certificates say.</summary>
    public string Publication { get; }

    /// <summary>What it is made of.</summary>
    public IServiceProvider Services => server.Services;

    internal static async Task<RunningNode> StartAsync(RunningAuthority first, string name, string files)
    {
        var folder = Directory.CreateTempSubdirectory("persistca-node-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "ca"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(files, "ca")))
        {
            File.Copy(file, Path.Combine(folder, "ca", Path.GetFileName(file)));
        }

        var options = new PersistCaOptions();
        var (https, http) = (RunningAuthority.FreePort(), RunningAuthority.FreePort());
        options.Server.DataDirectory = folder;
        options.Server.NodeName = name;
        options.Server.BaseUrl = first.Options.Server.BaseUrl;
        options.Server.PublicationUrl = first.Options.Server.PublicationUrl;
        options.Server.Listen = $"127.0.0.1:{https}";
        options.Server.ListenPublication = $"127.0.0.1:{http}";
        options.Validation = first.Options.Validation;
        options.Issuance = first.Options.Issuance;
        options.Authority = first.Options.Authority;
        options.Authority.PassphraseFile = Path.Combine(files, Passphrase.GeneratedFile);
        options.Store = first.Options.Store;
        options.Server.StopTimeout = TimeSpan.FromSeconds(1); // what a test left under way goes back into the queue
        options.Log.Level = Microsoft.Extensions.Logging.LogLevel.Error;
        try
        {
            return new RunningNode(folder, await ServerHost.StartAsync(options, first.Clock, CancellationToken.None), first, https, http);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A client of an account that is known to the authority, whose requests all come to this node.</summary>
    public AcmeClient Client(AcmeClient known)
    {
        var root = X509Certificate2.CreateFromPem(first.RootPem);
        var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(door, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, leaf, sent, _) =>
                {
                    using var chain = new X509Chain();
                    chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                    chain.ChainPolicy.CustomTrustStore.Add(root);
                    chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                    chain.ChainPolicy.ExtraStore.AddRange(sent!.ChainElements.Select(e => e.Certificate).ToArray());
                    return chain.Build((X509Certificate2)leaf!);
                },
            },
        });
        return new AcmeClient(http, first.DirectoryUrl, known.AccountKey) { AccountUrl = known.AccountUrl };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
