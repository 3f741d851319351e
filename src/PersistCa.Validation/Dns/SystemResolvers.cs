using System.Collections.Immutable;
using System.Net;

namespace PersistCa.Validation.Dns;

/// <summary>The resolvers that the machine is set up with: the nameserver lines of resolv.conf(5).</summary>
internal static class SystemResolvers
{
    private const int MostOctets = 64 * 1024;
    private const int MostServers = 3; // as the C library (MAXNS)
    private const int DnsPort = 53;

    /// <summary>Reads the file.</summary>
    /// <returns>The resolvers in order; none when there is no such file or it names none.</returns>
    public static ImmutableArray<ResolverAddress> ReadFile(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            var text = new char[MostOctets];
            return Read(new string(text, 0, reader.ReadBlock(text)));
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Reads the text of such a file. As the C library does it, lines that are not understood are passed over.</summary>
    public static ImmutableArray<ResolverAddress> Read(string text)
    {
        var found = ImmutableArray.CreateBuilder<ResolverAddress>();
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (found.Count < MostServers && line.StartsWith("nameserver", StringComparison.Ordinal) && words.Length > 1 && words[0] == "nameserver"
                && IPAddress.TryParse(words[1], out var address))
            {
                found.Add(new ResolverAddress(new IPEndPoint(address, DnsPort)));
            }
        }

        return found.ToImmutable();
    }
}
