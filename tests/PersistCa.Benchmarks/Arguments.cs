using System.Globalization;

namespace PersistCa.Benchmarks;

/// <summary>The command line: words with a number each.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, int> values = [];

    public static Arguments Read(string[] args)
    {
        var read = new Arguments();
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            read.values[args[i]] = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
        }

        return read;
    }

    public static int Usage()
    {
        Console.Error.WriteLine("usage: validations [--delay MS] [--dead PERCENT] [--places N] [--count N] | bulkhead [--dead-names N]");
        return 2;
    }

    public int Number(string name, int otherwise) => values.GetValueOrDefault(name, otherwise);
}
