using Org.BouncyCastle.Crypto.Digests;

namespace PersistCa.Testing;

/// <summary>
/// Signs a message representative with ML-DSA (FIPS 204 algorithm 7 from line 7 on, deterministic), as a key store does that is given mu and never the message. Written from
/// the standard alone and for tests alone: neither constant in time nor fast.
/// </summary>
internal sealed class MlDsaRepresentative
{
    private const int Q = 8380417;
    private const int N = 256;
    private const int D = 13;
    private static readonly long[] Zetas = MakeZetas();

    // FIPS 204 table 1.
    private readonly int k;
    private readonly int l;
    private readonly int eta;
    private readonly int tau;
    private readonly int gamma1;
    private readonly int gamma2;
    private readonly int omega;
    private readonly int challengeOctets;

    private readonly byte[] rho;
    private readonly byte[] secret;
    private readonly long[][] s1;
    private readonly long[][] s2;
    private readonly long[][] t0;

    /// <summary>Takes a private key.</summary>
    /// <param name="set">44, 65 or 87.</param>
    /// <param name="encoded">The private key (FIPS 204 algorithm 24).</param>
    public MlDsaRepresentative(int set, byte[] encoded)
    {
        (k, l, eta, tau, gamma1, gamma2, omega, challengeOctets) = set switch
        {
            44 => (4, 4, 2, 39, 1 << 17, (Q - 1) / 88, 80, 32),
            65 => (6, 5, 4, 49, 1 << 19, (Q - 1) / 32, 55, 48),
            _ => (8, 7, 2, 60, 1 << 19, (Q - 1) / 32, 75, 64),
        };
        (rho, secret) = (encoded[..32], encoded[32..64]);
        var at = 128; // behind the hash of the public key, which is in mu already
        var etaBits = eta == 2 ? 3 : 4;
        s1 = Unpack(encoded, ref at, l, etaBits, eta);
        s2 = Unpack(encoded, ref at, k, etaBits, eta);
        t0 = Unpack(encoded, ref at, k, D, 1 << (D - 1));
    }

    /// <summary>Signs.</summary>
    /// <param name="mu">64 octets.</param>
    public byte[] Sign(byte[] mu)
    {
        var matrix = Matrix();
        var (s1Hat, s2Hat, t0Hat) = (Each(s1, Ntt), Each(s2, Ntt), Each(t0, Ntt));
        var mask = Shake([.. secret, .. new byte[32], .. mu], 64);
        for (var kappa = 0; ; kappa += l)
        {
            var y = Mask(mask, kappa);
            var yHat = Each(y, Ntt);
            var w = matrix.Select(row => InverseNtt(Sum(row.Zip(yHat, Product)))).ToArray();
            var high = Each(w, p => [.. p.Select(c => Decompose(c).High)]);
            var challenge = Shake([.. mu, .. high.SelectMany(p => Packed(p, gamma2 == (Q - 1) / 88 ? 6 : 4))], challengeOctets);
            var cHat = Ntt(Ball(challenge));
            var z = y.Zip(s1Hat, (a, s) => Add(a, InverseNtt(Product(cHat, s)))).ToArray();
            var rest = w.Zip(s2Hat, (a, s) => Subtract(a, InverseNtt(Product(cHat, s)))).ToArray();
            var beta = tau * eta;
            if (Norm(z) >= gamma1 - beta || rest.SelectMany(p => p).Max(c => Math.Abs(Decompose(c).Low)) >= gamma2 - beta)
            {
                continue;
            }

            var ct0 = Each(t0Hat, t => InverseNtt(Product(cHat, t)));
            var hints = rest.Zip(ct0, (r, c) => r.Zip(c, (a, b) => Decompose(Modulo(a + b)).High != Decompose(a).High).ToArray()).ToArray();
            if (Norm(ct0) < gamma2 && hints.Sum(p => p.Count(h => h)) <= omega)
            {
                return [.. challenge, .. z.SelectMany(p => Packed([.. p.Select(c => gamma1 - Centred(c))], gamma1 == 1 << 17 ? 18 : 20)), .. Hints(hints)];
            }
        }
    }

    private static long Modulo(long value) => ((value % Q) + Q) % Q;

    private static long Centred(long value) => Modulo(value) > Q / 2 ? Modulo(value) - Q : Modulo(value);

    private static long[][] Each(long[][] vector, Func<long[], long[]> change) => [.. vector.Select(change)];

    private static long[] Add(long[] a, long[] b) => [.. a.Zip(b, (x, y) => Modulo(x + y))];

    private static long[] Subtract(long[] a, long[] b) => [.. a.Zip(b, (x, y) => Modulo(x - y))];

    private static long[] Product(long[] a, long[] b) => [.. a.Zip(b, (x, y) => Modulo(x * y))];

    private static long[] Sum(IEnumerable<long[]> polynomials) => polynomials.Aggregate(new long[N], Add);

    private static long Norm(long[][] vector) => vector.SelectMany(p => p).Max(c => Math.Abs(Centred(c)));

    private static byte[] Shake(byte[] input, int octets, int strength = 256)
    {
        var output = new byte[octets];
        var shake = new ShakeDigest(strength);
        shake.BlockUpdate(input, 0, input.Length);
        shake.OutputFinal(output, 0, octets);
        return output;
    }

    /// <summary>Algorithms 17 and 19: coefficients of so many bits, each written as its distance below a bound.</summary>
    private static long[][] Unpack(byte[] octets, ref int at, int count, int bits, int bound)
    {
        var length = N * bits / 8;
        var from = at;
        at += count * length;
        return [.. Enumerable.Range(0, count).Select(i => Unpack(octets.AsSpan(from + (i * length), length), bits, bound))];
    }

    private static long[] Unpack(ReadOnlySpan<byte> octets, int bits, long bound)
    {
        var found = new long[N];
        for (var bit = 0; bit < N * bits; bit++)
        {
            found[bit / bits] |= (long)((octets[bit / 8] >> (bit % 8)) & 1) << (bit % bits);
        }

        return [.. found.Select(c => Modulo(bound - c))];
    }

    private static byte[] Packed(long[] polynomial, int bits)
    {
        var octets = new byte[N * bits / 8];
        for (var bit = 0; bit < N * bits; bit++)
        {
            octets[bit / 8] |= (byte)(((polynomial[bit / bits] >> (bit % bits)) & 1) << (bit % 8));
        }

        return octets;
    }

    /// <summary>Algorithm 20.</summary>
    private byte[] Hints(bool[][] hints)
    {
        var octets = new byte[omega + k];
        var at = 0;
        for (var i = 0; i < k; i++)
        {
            for (var j = 0; j < N; j++)
            {
                if (hints[i][j])
                {
                    octets[at++] = (byte)j;
                }
            }

            octets[omega + i] = (byte)at;
        }

        return octets;
    }

    /// <summary>Algorithm 36.</summary>
    private (long High, long Low) Decompose(long value)
    {
        var r = Modulo(value);
        var low = r % (2 * gamma2);
        low = low > gamma2 ? low - (2 * gamma2) : low;
        return r - low == Q - 1 ? (0, low - 1) : ((r - low) / (2 * gamma2), low);
    }

    /// <summary>Algorithm 29.</summary>
    private long[] Ball(byte[] seed)
    {
        var stream = Shake(seed, 8 + (8 * N)); // more than is ever needed here
        var signs = BitConverter.ToUInt64(stream.AsSpan(0, 8));
        var c = new long[N];
        var at = 8;
        for (var i = N - tau; i < N; i++)
        {
            while (stream[at] > i)
            {
                at++;
            }

            var j = stream[at++];
            c[i] = c[j];
            c[j] = ((signs >> (i + tau - N)) & 1) == 0 ? 1 : Q - 1;
        }

        return c;
    }

    /// <summary>Algorithm 34.</summary>
    private long[][] Mask(byte[] seed, int kappa) =>
        [.. Enumerable.Range(0, l).Select(r =>
        {
            var bits = gamma1 == 1 << 17 ? 18 : 20;
            return Unpack(Shake([.. seed, (byte)(kappa + r), (byte)((kappa + r) >> 8)], N * bits / 8), bits, gamma1);
        })];

    /// <summary>Algorithms 30 and 32.</summary>
    private long[][][] Matrix() =>
        [.. Enumerable.Range(0, k).Select(r => Enumerable.Range(0, l).Select(s =>
        {
            var stream = Shake([.. rho, (byte)s, (byte)r], 3 * N * 4, 128); // a coefficient in a thousand is passed over
            return Enumerable.Range(0, stream.Length / 3).Select(i => stream[3 * i] | ((long)stream[(3 * i) + 1] << 8) | ((long)(stream[(3 * i) + 2] & 0x7f) << 16)).Where(z => z < Q).Take(N).ToArray();
        }).ToArray())];

    /// <summary>Algorithm 41.</summary>
    private static long[] Ntt(long[] polynomial)
    {
        var w = polynomial.ToArray();
        var m = 0;
        for (var length = 128; length >= 1; length /= 2)
        {
            for (var start = 0; start < N; start += 2 * length)
            {
                var zeta = Zetas[++m];
                for (var j = start; j < start + length; j++)
                {
                    var t = Modulo(zeta * w[j + length]);
                    w[j + length] = Modulo(w[j] - t);
                    w[j] = Modulo(w[j] + t);
                }
            }
        }

        return w;
    }

    /// <summary>Algorithm 42.</summary>
    private static long[] InverseNtt(long[] polynomial)
    {
        const long scale = 8347681; // the inverse of 256
        var w = polynomial.ToArray();
        var m = N;
        for (var length = 1; length < N; length *= 2)
        {
            for (var start = 0; start < N; start += 2 * length)
            {
                var zeta = Q - Zetas[--m];
                for (var j = start; j < start + length; j++)
                {
                    var t = w[j];
                    w[j] = Modulo(t + w[j + length]);
                    w[j + length] = Modulo(zeta * Modulo(t - w[j + length]));
                }
            }
        }

        return [.. w.Select(c => Modulo(c * scale))];
    }

    /// <summary>Powers of 1753 by the reversed bits of their place (FIPS 204 appendix B).</summary>
    private static long[] MakeZetas()
    {
        var powers = new long[N];
        powers[0] = 1;
        for (var i = 1; i < N; i++)
        {
            powers[i] = powers[i - 1] * 1753 % Q;
        }

        return [.. Enumerable.Range(0, N).Select(i => powers[Enumerable.Range(0, 8).Sum(bit => ((i >> bit) & 1) << (7 - bit))])];
    }
}
