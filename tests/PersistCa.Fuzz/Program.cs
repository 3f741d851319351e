// Fuzzing of every parser of a stranger's octets.
//
//   dotnet run --project tests/PersistCa.Fuzz -- smoke [--iterations N [--target TARGET]]   a bounded, repeatable run over the golden vectors
//   dotnet run --project tests/PersistCa.Fuzz -- afl TARGET               under afl-fuzz, after `sharpfuzz` has instrumented PersistCa.Protocol.dll
//   dotnet run --project tests/PersistCa.Fuzz -- seeds FOLDER             writes the seed corpus for afl-fuzz -i
//
// See docs/operations/fuzzing.md.
using System.Globalization;
using PersistCa.Fuzz;

switch (args)
{
    case ["smoke"]:
        return Smoke(200_000);
    case ["smoke", .. var rest] when rest is [_] or ["--iterations", _]
        && int.TryParse(rest[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations):
        return Smoke(iterations);
    case ["smoke", "--iterations", var count, "--target", var only] when FuzzTargets.All.ContainsKey(only)
        && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var times):
        return Smoke(times, only);
    case ["seeds", var folder]:
        Directory.CreateDirectory(folder);
        var seeds = FuzzTargets.Seeds();
        for (var i = 0; i < seeds.Count; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, i.ToString("000", CultureInfo.InvariantCulture)), seeds[i]);
        }

        return 0;
    case ["afl", var name] when FuzzTargets.All.TryGetValue(name, out var target):
        SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
        {
            using var buffer = new MemoryStream();
            stream.CopyTo(buffer);
            target(buffer.ToArray());
        });
        return 0;
    default:
        Console.Error.WriteLine($"usage: smoke [--iterations N [--target TARGET]] | seeds FOLDER | afl TARGET; targets: {string.Join(", ", FuzzTargets.All.Keys)}");
        return 2;
}

static int Smoke(int iterations, string? only = null)
{
    var random = new Random(20260920);
    var corpus = only == "ocsp" ? [.. OcspTarget.Seeds()] : FuzzTargets.Seeds();
    for (var i = 0; i < iterations; i++)
    {
        var sample = Mutate(random, corpus);
        foreach (var (name, target) in FuzzTargets.All.Where(t => only is null || t.Key == only))
        {
            try
            {
                target(sample);
            }
            catch (Exception e)
            {
                Console.Error.WriteLine($"{name} fails on {Convert.ToBase64String(sample)} (iteration {i}): {e}");
                return 1;
            }
        }
    }

    Console.WriteLine($"{iterations} samples, {(only is null ? FuzzTargets.All.Count : 1)} targets, no finding");
    return 0;
}

static byte[] Mutate(Random random, IReadOnlyList<byte[]> corpus)
{
    var sample = corpus[random.Next(corpus.Count)].ToList();
    for (var changes = random.Next(1, 6); changes > 0; changes--)
    {
        var at = random.Next(sample.Count + 1);
        switch (random.Next(5))
        {
            case 0 when at < sample.Count:
                sample[at] = (byte)random.Next(256);
                break;
            case 1:
                sample.Insert(at, " ;=\t.\"{}\\,_-*0"u8.ToArray()[random.Next(14)]);
                break;
            case 2 when at < sample.Count:
                sample.RemoveRange(at, random.Next(1, Math.Min(8, sample.Count - at) + 1));
                break;
            case 3:
                sample.InsertRange(at, sample.Take(random.Next(Math.Min(64, sample.Count + 1))).ToList());
                break;
            default:
                var other = corpus[random.Next(corpus.Count)];
                sample = [.. sample.Take(at), .. other.Skip(random.Next(other.Length + 1))];
                break;
        }
    }

    return [.. sample];
}
