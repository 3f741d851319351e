using System.Diagnostics;
using System.Globalization;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Demo;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;

namespace PersistCa.Benchmarks;

/// <summary>dns-persist-01 validations with their CAA climb, through real sockets to a zone in this process: how many in a second, and how long those of living domains take.</summary>
internal static class Validations
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (delay, dead, places, count) = (arguments.Number("--delay", 1), arguments.Number("--dead", 0), arguments.Number("--places", 64), arguments.Number("--count", 5000));
        using var zone = LoopbackZone.Start();
        var account = new AccountFacts("bench", "https://ca.test/acct/1", ["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"], IsValid: true);
        var policy = new PersistPolicy([IssuerName.Parse("ca.test").Value!], ["https://ca.test/account-hash/"], new HashSet<PersistDialect> { PersistDialect.Draft02 });
        var names = new List<(CertificateName Name, bool Dead)>();
        for (var i = 0; i < count; i++)
        {
            // A zone each: this is about many domains, not about many names of one.
            var name = CertificateName.Parse($"www.d{i.ToString(CultureInfo.InvariantCulture)}.test").Value!;
            var isDead = i * dead / 100 != (i + 1) * dead / 100;
            var record = RecordText.For(PersistDialect.Draft02, name.Name, account, policy, wildcard: false, null);
            zone.SetTxt(record.Owner, record.Value);
            if (isDead)
            {
                zone.Drop(record.Owner);
            }
            else if (delay > 0)
            {
                zone.Delay(record.Owner, TimeSpan.FromMilliseconds(delay));
            }

            names.Add((name, isDead));
        }

        var resolver = StubResolver.Create(
            new DnsOptions
            {
                Resolvers = [zone.EndPoint.ToString()],
                ConcurrencyPerResolver = places * 8,
                Timeout = TimeSpan.FromMilliseconds(Math.Max(2000, delay * 2)),
                OverallTimeout = TimeSpan.FromMilliseconds(Math.Max(10_000, delay * 4)),
                FailuresUntilCooling = 1000, // there is one resolver: asking it last would change nothing
            },
            TimeProvider.System).Value!;
        var validator = new DnsPersist01Validator(resolver, policy, TimeProvider.System);
        var caa = new CaaClimb(resolver, new CaaPolicy(policy.IssuerNames), CaaModes.Enforced, new CaaLookupOptions(), TimeProvider.System);
        var living = new List<double>();
        var (valid, refused) = (0, 0);
        using var free = new SemaphoreSlim(places);
        var started = Stopwatch.GetTimestamp();
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        await Task.WhenAll(names.Select(async n =>
        {
            await free.WaitAsync();
            try
            {
                var begun = Stopwatch.GetTimestamp();
                var permission = caa.CheckAsync(CaaQuestion.For(n.Name, account, ChallengeType.DnsPersist01), CancellationToken.None);
                var result = await validator.ValidateAsync(new ChallengeAttempt(n.Name, "", account), CancellationToken.None);
                var good = result.IsValid && (await permission).Result.MayIssue;
                Interlocked.Increment(ref good ? ref valid : ref refused);
                if (!n.Dead)
                {
                    lock (living)
                    {
                        living.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                    }
                }
            }
            finally
            {
                free.Release();
            }
        }));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        living.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} validations, answers after {delay} ms, {dead} % dead, {places} places: {count / seconds:0} per second, {valid} valid, {refused} refused; living domains p50 {At(50):0.0} ms, p99 {At(99):0.0} ms; CPU {cpu.TotalMilliseconds / count:0.00} ms each, the zone's included"));
        return 0;

        double At(int percent) => living[Math.Min(living.Count - 1, living.Count * percent / 100)];
    }
}
