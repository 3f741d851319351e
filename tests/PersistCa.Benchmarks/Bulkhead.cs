using System.Diagnostics;
using System.Globalization;
using PersistCa.Protocol.Records;
using PersistCa.Testing;

namespace PersistCa.Benchmarks;

/// <summary>A whole server, one account whose domain does not answer and one whose domain does: how long the second waits.</summary>
internal static class Bulkhead
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var dead = arguments.Number("--dead-names", 500);
        // Looks in advance would take the work from the queue that this is about.
        await using var authority = await RunningAuthority.StartAsync(o => o.Validation.Persist.JustInTime = false);
        using var good = await authority.RegisteredAsync();
        using var bad = await authority.RegisteredAsync();
        var alone = await OneAsync("alone.alive.test");
        for (var first = 0; first < dead; first += 50)
        {
            string[] names = [.. Enumerable.Range(first, Math.Min(50, dead - first)).Select(i => $"n{i.ToString(CultureInfo.InvariantCulture)}.dead.test")];
            foreach (var name in names)
            {
                authority.Zone.Drop("_validation-persist." + name);
                authority.Zone.Drop("_acme-persist." + name);
            }

            var order = await bad.OrderAsync(names, CancellationToken.None);
            foreach (var url in order.Json["authorizations"]!.AsArray())
            {
                var authorization = await bad.FetchAsync(url!.GetValue<string>(), CancellationToken.None);
                await bad.PostAsync(authorization.Challenge("dns-persist-01")["url"]!.GetValue<string>(), "{}", CancellationToken.None);
            }
        }

        var beside = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            beside.Add(await OneAsync($"n{i.ToString(CultureInfo.InvariantCulture)}.alive.test"));
        }

        beside.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"one validation alone {alone:0} ms; beside {dead} of a domain that does not answer: p50 {beside[10]:0} ms, worst {beside[^1]:0} ms"));
        return 0;

        async Task<double> OneAsync(string name)
        {
            authority.Publish(good, name, PersistDialect.Draft01);
            var order = await good.OrderAsync([name], CancellationToken.None);
            var started = Stopwatch.GetTimestamp();
            await good.ProveAsync(order.Json["authorizations"]![0]!.GetValue<string>(), "dns-persist-01");
            return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
    }
}
