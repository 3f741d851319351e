using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using PersistCa.Protocol;

namespace PersistCa.Server.Hosting;

/// <summary>What a balancer says of a connection that it passes on.</summary>
/// <param name="Length">Octets of the header.</param>
/// <param name="Client">Where the client is; null where the balancer speaks for itself (its health checks) or of something else than TCP over IP.</param>
public sealed record ProxyHeader(int Length, IPEndPoint? Client)
{
    /// <summary>Longest header that is read: the fixed part, addresses, and what balancers add to them.</summary>
    public const int MaxOctets = 16 + 2048;

    /// <summary>A header of which not everything has come yet.</summary>
    public static readonly ProxyHeader Unfinished = new(0, null);

    private const int FixedOctets = 16;
    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    /// <summary>Reads a header of version 2 (haproxy.org, "The PROXY protocol", section 2.2) at the beginning of a connection.</summary>
    /// <param name="octets">What has come so far.</param>
    /// <returns>The header, or <see cref="Unfinished"/> while it is not all there; or why it is none.</returns>
    public static Parsed<ProxyHeader> Read(ReadOnlySequence<byte> octets)
    {
        Span<byte> begin = stackalloc byte[FixedOctets];
        var have = (int)Math.Min(FixedOctets, octets.Length);
        octets.Slice(0, have).CopyTo(begin);
        var signed = Math.Min(have, Signature.Length);
        if (!begin[..signed].SequenceEqual(Signature.AsSpan(0, signed)))
        {
            return Parsed<ProxyHeader>.Refused("it does not begin with the signature of version 2");
        }

        if (have < FixedOctets)
        {
            return Parsed<ProxyHeader>.Ok(Unfinished);
        }

        var (version, command) = (begin[12] >> 4, begin[12] & 0x0F);
        if (version != 2 || command > 1)
        {
            return Parsed<ProxyHeader>.Refused($"version {version} with command {command} is not known");
        }

        var length = FixedOctets + BinaryPrimitives.ReadUInt16BigEndian(begin[14..]);
        if (length > MaxOctets)
        {
            return Parsed<ProxyHeader>.Refused($"it has {length} octets; at most {MaxOctets} are read");
        }

        if (octets.Length < length)
        {
            return Parsed<ProxyHeader>.Ok(Unfinished);
        }

        // 0x11: TCP over IPv4, 0x21: over IPv6. A balancer's own connection (command 0) says nothing of a client, whatever stands there.
        var addressOctets = (command, begin[13]) switch
        {
            (1, 0x11) => 4,
            (1, 0x21) => 16,
            _ => 0,
        };
        if (addressOctets == 0)
        {
            return Parsed<ProxyHeader>.Ok(new ProxyHeader(length, null));
        }

        if (length < FixedOctets + (2 * addressOctets) + 4)
        {
            return Parsed<ProxyHeader>.Refused("its addresses are cut off");
        }

        Span<byte> client = stackalloc byte[16];
        Span<byte> port = stackalloc byte[2];
        octets.Slice(FixedOctets, addressOctets).CopyTo(client);
        octets.Slice(FixedOctets + (2 * addressOctets), 2).CopyTo(port);
        return Parsed<ProxyHeader>.Ok(new ProxyHeader(length, new IPEndPoint(new IPAddress(client[..addressOctets]), BinaryPrimitives.ReadUInt16BigEndian(port))));
    }
}
