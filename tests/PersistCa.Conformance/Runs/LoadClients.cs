using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Testing;

namespace PersistCa.Conformance.Runs;

/// <summary>
/// Clients that get certificates by dns-persist-01, one name each, and revoke every fifth. What a server told them they keep: certificates that they
/// downloaded and revocations that were answered with 200. Half of them keep their connections, half take a new one for each request.
/// </summary>
internal sealed class LoadClients : IAsyncDisposable
{
    private readonly NodeCluster cluster;
    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> running = [];
    private int names;

    public LoadClients(NodeCluster cluster)
    {
        this.cluster = cluster;
    }

    /// <summary>Certificates that a client saw, by serial number.</summary>
    public ConcurrentDictionary<string, byte[]> Certificates { get; } = new();

    /// <summary>Serial numbers that came twice.</summary>
    public ConcurrentBag<string> Twice { get; } = [];

    /// <summary>Serial numbers whose revocation a client was told.</summary>
    public ConcurrentBag<string> Revoked { get; } = [];

    /// <summary>Requests that failed, whatever for.</summary>
    public ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>Times at which a certificate was downloaded, by the clock that only goes forward.</summary>
    public ConcurrentQueue<long> Downloads { get; } = new();

    /// <summary>Requests.</summary>
    public long Requests => requests;

    private long requests;

    /// <summary>Starts so many clients.</summary>
    public void Start(int clients)
    {
        for (var client = 0; client < clients; client++)
        {
            var keeps = client % 2 == 0;
            running.Add(Task.Run(() => LiveAsync(keeps, stop.Token)));
        }
    }

    /// <summary>Waits until so many more certificates were downloaded.</summary>
    public Task MoreAsync(int certificates)
    {
        var before = Certificates.Count;
        return Patience.UntilAsync(() => Task.FromResult(Certificates.Count >= before + certificates), "no certificates come any more: " + string.Join('\n', Failures.TakeLast(5)) + cluster.Log);
    }

    /// <summary>Lets each client finish what it is at.</summary>
    public async Task FinishAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running);
    }

    public async ValueTask DisposeAsync()
    {
        await FinishAsync();
        stop.Dispose();
    }

    private async Task LiveAsync(bool keeps, CancellationToken stopping)
    {
        using var client = new AcmeClient(new HttpClient(new Watch(this, keeps)) { Timeout = TimeSpan.FromSeconds(60) }, cluster.DirectoryUrl, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        for (var turn = 1; !stopping.IsCancellationRequested; turn++)
        {
            try
            {
                if (client.AccountUrl is null)
                {
                    await client.RegisterAsync(CancellationToken.None);
                }

                await IssueAsync(client, revoke: turn % 5 == 0);
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or AcmeRefusedException or InvalidOperationException or System.Text.Json.JsonException)
            {
                // Noted where it failed. What the server had told before stands; the next turn is a new order.
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private async Task IssueAsync(AcmeClient client, bool revoke)
    {
        var name = $"n{Interlocked.Increment(ref names).ToString(CultureInfo.InvariantCulture)}.run.example.test";
        var record = RecordText.For(
            PersistDialect.Draft01,
            DnsName.Parse(name).Value!,
            new AccountFacts("x", client.AccountUrl!, [client.Thumbprint], true),
            new PersistPolicy([IssuerName.Parse("localhost").Value!], ["https://unused/"], PersistDialects.All.ToHashSet()),
            wildcard: false,
            until: null);
        cluster.Zone.SetTxt(record.Owner, record.Value);
        var chain = await client.IssueAsync("dns-persist-01", name);
        using var leaf = X509Certificate2.CreateFromPem(chain);
        var serial = leaf.SerialNumber.ToLowerInvariant();
        if (!Certificates.TryAdd(serial, leaf.RawData))
        {
            Twice.Add(serial);
        }

        Downloads.Enqueue(TimeProvider.System.GetTimestamp());
        if (revoke)
        {
            var payload = $$"""{"certificate":"{{Base64Url.EncodeToString(leaf.RawData)}}","reason":4}""";
            await client.PostAsync(await client.UrlAsync("revokeCert", CancellationToken.None), payload, CancellationToken.None);
            Revoked.Add(serial);
        }
    }

    /// <summary>Counts requests, and keeps what was answered to those that failed.</summary>
    private sealed class Watch : DelegatingHandler
    {
        private readonly LoadClients owner;
        private readonly bool keeps;

        public Watch(LoadClients owner, bool keeps)
            : base(RootTrust.Handler(owner.cluster.DoorPem))
        {
            this.owner = owner;
            this.keeps = keeps;
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref owner.requests);
            request.Headers.ConnectionClose = !keeps;
            try
            {
                var response = await base.SendAsync(request, cancellationToken);
                if (!response.IsSuccessStatusCode)
                {
                    await response.Content.LoadIntoBufferAsync(cancellationToken);
                    owner.Failures.Enqueue($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {request.Method} {request.RequestUri!.AbsolutePath}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}");
                }

                return response;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                owner.Failures.Enqueue($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {request.Method} {request.RequestUri!.AbsolutePath}: {e.Message} {e.InnerException?.Message}");
                throw;
            }
        }
    }
}
