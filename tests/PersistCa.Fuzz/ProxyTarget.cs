using System.Buffers;
using PersistCa.Server.Hosting;

namespace PersistCa.Fuzz;

/// <summary>The header of the PROXY protocol, as balancers send it.</summary>
internal static class ProxyTarget
{
    /// <summary>A header for a client at 192.0.2.1.</summary>
    public static IEnumerable<byte[]> Seeds()
    {
        yield return Convert.FromHexString("0D0A0D0A000D0A515549540A2111000CC0000201C000020AC35001BB");
    }

    public static void Run(byte[] octets)
    {
        var read = ProxyHeader.Read(new ReadOnlySequence<byte>(octets));
        if (read.IsValid && read.Value != ProxyHeader.Unfinished && (read.Value.Length < 16 || read.Value.Length > octets.Length || read.Value.Length > ProxyHeader.MaxOctets))
        {
            throw new InvalidOperationException("a header that is not there was read");
        }
    }
}
