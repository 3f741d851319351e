using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using PersistCa.Protocol.Records;
using PersistCa.Server.Telemetry;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Acme;

/// <summary>What an operator sees of an order from outside.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task One_trace_runs_from_new_order_through_validation_to_issuance_and_the_meters_count()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name is CaTelemetry.Name or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var counted = new ConcurrentDictionary<string, long>();
        using var meters = new MeterListener { InstrumentPublished = (i, l) => { if (i.Meter.Name == CaTelemetry.Name) { l.EnableMeasurementEvents(i); } } };
        meters.SetMeasurementEventCallback<long>((i, n, _, _) => counted.AddOrUpdate(i.Name, n, (_, old) => old + n));
        meters.Start();
        await using var authority = await RunningAuthority.StartAsync();
        using var client = await authority.RegisteredAsync();
        authority.Publish(client, "trace.example.test", PersistDialect.Draft02);

        var order = await client.ReadyOrderAsync("dns-persist-01", "trace.example.test");
        var (csr, key) = RunningAuthority.Csr("trace.example.test");
        key.Dispose();
        await client.FinalizeAsync(order, csr);

        var id = order.Location!.Split('/')[^1];
        await Patience.UntilAsync(() => Task.FromResult(spans.Any(s => s.OperationName == "issue" && Equals(s.GetTagItem("acme.order"), id))), "no span of the issuance");

        var issue = Assert.Single(spans, s => s.OperationName == "issue" && Equals(s.GetTagItem("acme.order"), id));
        var validate = Assert.Single(spans, s => s.OperationName == "validate" && s.TraceId == issue.TraceId);
        Assert.Equal("valid", validate.GetTagItem("acme.verdict"));
        Assert.Contains(spans, s => s.Source.Name == "Microsoft.AspNetCore" && s.TraceId == issue.TraceId && s.SpanId == issue.ParentSpanId);
        Assert.True(counted["persistca.orders.opened"] >= 1 && counted["persistca.validations"] >= 1 && counted["persistca.certificates.issued"] >= 1);
    }
}
