using System.Security.Cryptography;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>
/// Shamir's sharing over GF(256), with the polynomial of AES (FIPS 197 section 4.2): each octet of the secret is the value at 0 of a random polynomial of degree
/// M - 1, and share x has its value at x. Any M shares give the secret; fewer fit every secret equally well.
/// </summary>
internal static class SecretSharing
{
    /// <summary>Most shares.</summary>
    public const int MaxShares = 16;

    /// <summary>Fewest shares that restore.</summary>
    public const int MinThreshold = 2;

    /// <summary>Splits.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="threshold">How many shares restore it, 2 or more.</param>
    /// <param name="shares">How many there are, 16 at most.</param>
    /// <returns>The shares; that of index 1 first.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The numbers are outside their limits.</exception>
    public static byte[][] Split(ReadOnlySpan<byte> secret, int threshold, int shares)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, MinThreshold);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threshold, shares);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shares, MaxShares);
        var octets = secret.Length;
        var made = Enumerable.Range(0, shares).Select(_ => new byte[octets]).ToArray();
        Span<byte> coefficients = stackalloc byte[MaxShares];
        for (var i = 0; i < secret.Length; i++)
        {
            RandomNumberGenerator.Fill(coefficients[..threshold]);
            coefficients[0] = secret[i];
            for (var x = 1; x <= shares; x++)
            {
                byte value = 0;
                for (var power = threshold - 1; power >= 0; power--)
                {
                    value = (byte)(Multiply(value, (byte)x) ^ coefficients[power]);
                }

                made[x - 1][i] = value;
            }
        }

        CryptographicOperations.ZeroMemory(coefficients);
        return made;
    }

    /// <summary>Restores, by Lagrange's interpolation at 0.</summary>
    /// <param name="shares">As many shares as the threshold, of different indexes and one length.</param>
    public static byte[] Restore(IReadOnlyList<(int Index, byte[] Octets)> shares) => ValueAt(0, shares);

    /// <summary>The value at a point of the polynomial through the shares.</summary>
    public static byte[] ValueAt(byte point, IReadOnlyList<(int Index, byte[] Octets)> shares)
    {
        var value = new byte[shares[0].Octets.Length];
        foreach (var (index, octets) in shares)
        {
            byte weight = 1;
            foreach (var (other, _) in shares)
            {
                if (other != index)
                {
                    weight = Multiply(weight, Multiply((byte)(point ^ other), Inverse((byte)(index ^ other))));
                }
            }

            for (var i = 0; i < value.Length; i++)
            {
                value[i] ^= Multiply(weight, octets[i]);
            }
        }

        return value;
    }

    /// <summary>Product in the field. Neither a branch nor a look-up depends on the factors, which are secret.</summary>
    public static byte Multiply(byte a, byte b)
    {
        int product = 0, shifted = a;
        for (var bit = 0; bit < 8; bit++)
        {
            product ^= shifted & -((b >> bit) & 1);
            shifted = (shifted << 1) ^ (0x11b & -((shifted >> 7) & 1));
        }

        return (byte)product;
    }

    /// <summary>The inverse: the 254th power, since the 255th is 1; 0 of 0.</summary>
    public static byte Inverse(byte a)
    {
        byte result = 1, square = a;
        for (var bit = 0; bit < 7; bit++)
        {
            square = Multiply(square, square);
            result = Multiply(result, square);
        }

        return result;
    }
}
