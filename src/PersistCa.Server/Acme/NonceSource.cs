using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using PersistCa.Protocol.Jose;
using PersistCa.Storage;

namespace PersistCa.Server.Acme;

/// <summary>What the server makes of a nonce.</summary>
public enum NonceVerdict
{
    /// <summary>Ours, in time, not used: it is spent now.</summary>
    Fresh,

    /// <summary>Not ours.</summary>
    Forged,

    /// <summary>Used before.</summary>
    Used,

    /// <summary>Past its lifetime, or so far behind the newest that its mark is forgotten.</summary>
    Stale,
}

/// <summary>
/// Nonces (RFC 8555 section 6.5): an instance number, a counter and the minute, under a MAC whose key the store keeps. Any node, and a node after
/// a restart, recognises them without having kept them; a bit per counter says which were used. A request that changes state also writes its nonce in
/// that change's transaction, which covers other nodes and crashes.
/// </summary>
public sealed class NonceSource : IDisposable
{
    /// <summary>Counters remembered per instance; older ones are stale. One bit each.</summary>
    public const int Window = 1 << 21;

    /// <summary>Instances remembered; the one used longest ago gives way.</summary>
    public const int MaxInstances = 64;

    private const int MacOctets = 16;
    private const int Octets = 8 + 6 + 4 + MacOctets;

    private readonly byte[] key;
    private readonly TimeSpan lifetime;
    private readonly TimeProvider clock;
    private readonly ulong instance;
    private readonly Dictionary<ulong, SeenWindow> windows = [];
    private readonly Lock gate = new();
    private long counter;

    /// <summary>Starts an instance.</summary>
    /// <param name="key">MAC key, 32 octets, the same on all nodes.</param>
    /// <param name="lifetime">How long a nonce can be used.</param>
    /// <param name="clock">The time.</param>
    public NonceSource(byte[] key, TimeSpan lifetime, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, 32);
        this.key = key;
        this.lifetime = lifetime;
        this.clock = clock;
        instance = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(8));
    }

    /// <summary>Makes a nonce.</summary>
    public string Next()
    {
        Span<byte> nonce = stackalloc byte[Octets];
        BinaryPrimitives.WriteUInt64BigEndian(nonce, instance);
        Span<byte> count = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(count, Interlocked.Increment(ref counter));
        count[2..].CopyTo(nonce[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[14..], (uint)(clock.GetUtcNow().ToUnixTimeSeconds() / 60));
        Mac(nonce[..18], nonce[18..]);
        return Base64Url.EncodeToString(nonce);
    }

    /// <summary>Spends a nonce.</summary>
    /// <param name="text">The nonce of a request.</param>
    /// <param name="use">What the store must write with a change of state; null unless the verdict is fresh.</param>
    public NonceVerdict Spend(string text, out NonceUse? use)
    {
        use = null;
        if (text.Length != Base64Url.GetEncodedLength(Octets) || Base64UrlText.Decode(text) is not { IsValid: true } decoded)
        {
            return NonceVerdict.Forged;
        }

        ReadOnlySpan<byte> nonce = decoded.Value;
        Span<byte> mac = stackalloc byte[MacOctets];
        Mac(nonce[..18], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, nonce[18..]))
        {
            return NonceVerdict.Forged;
        }

        var born = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadUInt32BigEndian(nonce[14..]) * 60L);
        var expires = born + lifetime + TimeSpan.FromMinutes(1);
        if (clock.GetUtcNow() >= expires)
        {
            return NonceVerdict.Stale;
        }

        Span<byte> count = stackalloc byte[8];
        count.Clear();
        nonce[8..14].CopyTo(count[2..]);
        var verdict = Mark(BinaryPrimitives.ReadUInt64BigEndian(nonce), BinaryPrimitives.ReadInt64BigEndian(count));
        if (verdict == NonceVerdict.Fresh)
        {
            use = new NonceUse(text, expires);
        }

        return verdict;
    }

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(key);

    private void Mac(ReadOnlySpan<byte> body, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[32];
        HMACSHA256.HashData(key, body, full);
        full[..MacOctets].CopyTo(mac);
    }

    private NonceVerdict Mark(ulong from, long count)
    {
        lock (gate)
        {
            if (!windows.TryGetValue(from, out var window))
            {
                if (windows.Count >= MaxInstances)
                {
                    windows.Remove(windows.Where(w => w.Key != instance).MinBy(w => w.Value.LastUse).Key);
                }

                windows[from] = window = new SeenWindow();
            }

            window.LastUse = clock.GetTimestamp();
            return window.Mark(count);
        }
    }

    /// <summary>A ring of bits, one for each of the newest counters.</summary>
    private sealed class SeenWindow
    {
        private readonly ulong[] bits = new ulong[Window / 64];
        private long newest;

        public long LastUse { get; set; }

        public NonceVerdict Mark(long count)
        {
            if (count <= newest - Window)
            {
                return NonceVerdict.Stale;
            }

            if (count - newest >= Window)
            {
                Array.Clear(bits);
                newest = count;
            }

            while (newest < count)
            {
                newest++;
                bits[Slot(newest)] &= ~Bit(newest);
            }

            if ((bits[Slot(count)] & Bit(count)) != 0)
            {
                return NonceVerdict.Used;
            }

            bits[Slot(count)] |= Bit(count);
            return NonceVerdict.Fresh;
        }

        private static int Slot(long count) => (int)(count % Window / 64);

        private static ulong Bit(long count) => 1UL << (int)(count % 64);
    }
}
