using System.Numerics;

namespace PersistCa.Issuance.Csr;

/// <summary>Ways in which an RSA modulus is easily factored (Baseline Requirements sections 4.9.1.1 and 6.1.1.3).</summary>
internal static class RsaWeaknesses
{
    // The smallest odd primes, up to 167: they divide the primorial of every key size that the flawed library knew.
    private const int RocaPrimeBound = 168;

    private static readonly (int Prime, bool[] Powers)[] RocaResidues = [.. OddPrimesBelow(RocaPrimeBound).Select(p => (p, PowersOf65537(p)))];

    /// <summary>The smallest prime below the bound that divides the modulus; null when there is none.</summary>
    public static int? SmallFactor(BigInteger modulus, int bound)
    {
        if (bound > 2 && modulus.IsEven)
        {
            return 2;
        }

        foreach (var prime in OddPrimesBelow(bound))
        {
            if ((modulus % prime).IsZero)
            {
                return prime;
            }
        }

        return null;
    }

    /// <summary>
    /// True when the modulus bears the fingerprint of CVE-2017-15361 (ROCA): modulo each of the small primes it is a power of 65537. Of other
    /// moduli fewer than one in a hundred million do.
    /// </summary>
    public static bool HasRocaFingerprint(BigInteger modulus) => RocaResidues.All(r => r.Powers[(int)(modulus % r.Prime)]);

    /// <summary>True when Fermat's method factors the modulus within the rounds: its primes are too close together.</summary>
    public static bool FermatFactors(BigInteger modulus, int rounds)
    {
        var a = SquareRoot(modulus);
        if (a * a < modulus)
        {
            a++;
        }

        var rest = (a * a) - modulus;
        for (var round = 0; round < rounds; round++)
        {
            if (IsSquare(rest))
            {
                return true;
            }

            rest += (a << 1) + 1; // (a + 1)^2 - n
            a++;
        }

        return false;
    }

    private static bool IsSquare(BigInteger value)
    {
        // A square is 0, 1, 4, 9, 16, 17, 25, 33, 36, 41, 49 or 57 modulo 64: four in five values are settled without a root.
        const ulong squaresModulo64 = 0x0202021202030213;
        if ((squaresModulo64 >> (int)(value & 63) & 1) == 0)
        {
            return false;
        }

        var root = SquareRoot(value);
        return root * root == value;
    }

    /// <summary>The whole part of the square root, by Newton's method from above.</summary>
    private static BigInteger SquareRoot(BigInteger value)
    {
        if (value < 2)
        {
            return value;
        }

        var x = BigInteger.One << (int)((value.GetBitLength() + 1) / 2);
        while (true)
        {
            var next = (x + (value / x)) >> 1;
            if (next >= x)
            {
                return x;
            }

            x = next;
        }
    }

    private static bool[] PowersOf65537(int prime)
    {
        var powers = new bool[prime];
        for (var power = 1; !powers[power]; power = power * (65537 % prime) % prime)
        {
            powers[power] = true;
        }

        return powers;
    }

    private static IEnumerable<int> OddPrimesBelow(int bound)
    {
        for (var candidate = 3; candidate < bound; candidate += 2)
        {
            var isPrime = true;
            for (var divisor = 3; divisor * divisor <= candidate && isPrime; divisor += 2)
            {
                isPrime = candidate % divisor != 0;
            }

            if (isPrime)
            {
                yield return candidate;
            }
        }
    }
}
