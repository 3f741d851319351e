using System.Collections.Concurrent;
using System.Net;
using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>The standard OTEL_ variables send all three signals to a collector.</summary>
public sealed class TelemetryExportTests
{
    [Fact]
    public async Task Traces_metrics_and_logs_reach_the_collector_that_the_variables_name()
    {
        var port = RunningAuthority.FreePort();
        using var collector = new HttpListener();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        var received = new ConcurrentDictionary<string, int>();
        var collecting = CollectAsync(collector, received);
        await using (var server = await ServerProcess.StartAsync(environment: new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{port}",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "500",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "500",
        }))
        {
            using var http = Server.Demo.RootTrust.Client(server.RootPem);
            await http.GetStringAsync(new Uri(server.DirectoryUrl));
            await Patience.UntilAsync(() => Task.FromResult(received.Count >= 3), "not all three kinds of telemetry came");
        }

        collector.Stop();
        await collecting;
        Assert.Equal(["/v1/logs", "/v1/metrics", "/v1/traces"], received.Keys.Order());
    }

    private static async Task CollectAsync(HttpListener collector, ConcurrentDictionary<string, int> received)
    {
        while (collector.IsListening)
        {
            try
            {
                var context = await collector.GetContextAsync();
                received.AddOrUpdate(context.Request.Url!.AbsolutePath, 1, (_, n) => n + 1);
                await context.Request.InputStream.CopyToAsync(Stream.Null);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // stopped
            }
        }
    }
}
