using CsCheck;
using PersistCa.Issuance.Ceremonies;

namespace PersistCa.Issuance.Tests.Ceremonies;

public sealed class SecretSharingTests
{
    [Fact]
    public void The_field_is_that_of_AES()
    {
        Assert.Equal(0xc1, SecretSharing.Multiply(0x57, 0x83)); // FIPS 197 section 4.2
        for (var a = 1; a < 256; a++)
        {
            Assert.Equal(1, SecretSharing.Multiply((byte)a, SecretSharing.Inverse((byte)a)));
        }
    }

    [Fact]
    public void Any_M_of_N_shares_restore_the_secret()
    {
        var numbers = Gen.Select(Gen.Int[2, SecretSharing.MaxShares], Gen.Int[2, SecretSharing.MaxShares], (a, b) => (M: Math.Min(a, b), N: Math.Max(a, b)));
        Gen.Select(numbers, Gen.Byte.Array[1, 40], Gen.Int).Sample((mn, secret, seed) =>
        {
            var shares = SecretSharing.Split(secret, mn.M, mn.N);
            var order = Enumerable.Range(0, mn.N).OrderBy(i => unchecked((uint)((i + 1) * 2654435761 ^ seed))).Take(mn.M);
            return SecretSharing.Restore([.. order.Select(i => (i + 1, shares[i]))]).AsSpan().SequenceEqual(secret);
        });
    }

    [Fact]
    public void M_less_1_shares_fit_every_secret_by_exactly_one_polynomial()
    {
        var shares = SecretSharing.Split([0x2a], 3, 5);
        (int, byte[])[] two = [(2, shares[1]), (5, shares[4])];

        // Each candidate at 0 and the two shares are three points, through which goes one polynomial of degree 2: so one value at any third share, and a
        // different one for each candidate.
        var thirds = Enumerable.Range(0, 256).Select(candidate => SecretSharing.ValueAt(1, [.. two, (0, [(byte)candidate])])[0]).ToList();
        Assert.Equal(256, thirds.Distinct().Count());
        Assert.Equal(shares[0][0], thirds[0x2a]);
        Assert.All(thirds.Select((third, candidate) => (third, candidate)), t => Assert.Equal(t.candidate, SecretSharing.Restore([.. two, (1, [t.third])])[0]));
    }

    [Fact]
    public void M_less_1_shares_of_a_secret_are_spread_as_if_there_were_none()
    {
        var seen = new HashSet<byte>();
        for (var i = 0; i < 20_000 && seen.Count < 256; i++)
        {
            seen.Add(SecretSharing.Split([0], 2, 2)[0][0]);
        }

        Assert.Equal(256, seen.Count);
    }

    [Theory]
    [InlineData(1, 3, "1 of 3 shares cannot be made")]
    [InlineData(4, 3, "4 of 3 shares cannot be made")]
    [InlineData(2, 17, "2 of 17 shares cannot be made; 2 or more of at most 16 are")]
    public void Numbers_outside_their_limits_are_refused(int threshold, int shares, string reason)
    {
        Assert.StartsWith(reason, ShareSet.Make(threshold, shares).Reason, StringComparison.Ordinal);
        Assert.True(ShareSet.Make(2, 16).IsValid);
    }
}
