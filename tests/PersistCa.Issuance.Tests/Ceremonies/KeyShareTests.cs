using CsCheck;
using PersistCa.Issuance.Ceremonies;

namespace PersistCa.Issuance.Tests.Ceremonies;

public sealed class KeyShareTests
{
    private readonly SplitPassphrase split = ShareSet.Make(3, 5).Value!;

    private string Line(int index) => split.Shares[index - 1].Line();

    private (string, string)[] Holders(params int[] indexes) => [.. indexes.Select(i => ($"holder {i}", Line(i)))];

    [Fact]
    public void Three_of_five_shares_restore_the_passphrase_and_tell_which_they_were()
    {
        foreach (int[] three in new int[][] { [1, 2, 3], [5, 3, 1], [2, 4, 5] })
        {
            var restored = split.Open.Restore(Holders(three)).Value!;
            Assert.Equal(split.Passphrase, restored.Passphrase);
            Assert.Equal(three, restored.Indexes);
        }
    }

    [Fact]
    public void Two_shares_are_too_few() => Assert.StartsWith("there are 2 shares of set", split.Open.Restore(Holders(1, 2)).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_share_is_read_as_it_is_spoken()
    {
        var spoken = Line(2).ToLowerInvariant().Replace('-', ' ').Replace('0', 'o').Replace('1', 'l').Replace("pshl", "psh1", StringComparison.Ordinal);
        Assert.Equal(Line(2), KeyShare.Read("  " + spoken + "\n").Value!.Line());
    }

    [Fact]
    public void A_mistyped_share_is_named_whatever_letter_it_is()
    {
        var line = Line(2);
        Gen.Select(Gen.Int[5, line.Length - 1], Gen.Char["0123456789ABCDEFGHJKMNPQRSTVWXYZ"]).Sample((at, letter) =>
        {
            if (line[at] == letter || line[at] == '-')
            {
                return;
            }

            var typed = line[..at] + letter + line[(at + 1)..];
            Assert.Matches("^the share of holder 2 is refused: it is mistyped", split.Open.Restore([Holders(1)[0], ("holder 2", typed), Holders(3)[0]]).Reason!);
        });
    }

    [Fact]
    public void A_share_of_another_set_is_named()
    {
        var other = ShareSet.Make(3, 5).Value!.Shares[1];
        var reason = split.Open.Restore([Holders(1)[0], ("Bob", other.Line()), Holders(3)[0]]).Reason;
        Assert.Equal($"the share of Bob, share 2 of set {other.Set}, is refused: it is of another set than {split.Open.Set}, 3 of which restore", reason);
    }

    [Fact]
    public void A_share_given_twice_is_named() =>
        Assert.Equal("the share of Bob is refused: it is share 1, which holder 1 has given already", split.Open.Restore([Holders(1)[0], ("Bob", Line(1)), Holders(3)[0]]).Reason);

    [Fact]
    public void A_forged_share_is_named()
    {
        var payload = split.Shares[1].Payload.ToArray();
        payload[7] ^= 1;
        var forged = KeyShare.Of(split.Open.Set, 2, 3, payload);
        Assert.True(KeyShare.Read(forged.Line()).IsValid);
        Assert.EndsWith("is refused: it is not the one that was handed out (its commitment differs)", split.Open.Restore([Holders(1)[0], ("Bob", forged.Line()), Holders(3)[0]]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_share_too_many_is_looked_at_too() =>
        Assert.Contains("holder 9", split.Open.Restore([.. Holders(1, 2, 3), ("holder 9", "PSH1-nothing")]).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_share_is_one_line_and_ToString_never_tells_it()
    {
        Assert.True(Line(1).Length <= 100);
        Assert.Equal($"share 1 of set {split.Open.Set}", split.Shares[0].ToString());
        Assert.DoesNotContain(split.Passphrase, split.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(split.Passphrase, split.Open.Restore(Holders(1, 2, 3)).Value!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_above_256_characters_is_refused() => Assert.StartsWith("it has 257 characters", KeyShare.Read(new string('A', KeyShare.MaxLength + 1)).Reason, StringComparison.Ordinal);

    [Fact]
    public void Any_text_is_a_share_or_a_reason_and_never_a_failure() => Gen.String.Sample(text =>
    {
        Assert.False(KeyShare.Read(text).IsValid);
        Assert.False(KeyShare.Read("PSH1-" + text).IsValid);
    });

    [Fact]
    public void The_description_of_shares_survives_its_file_and_any_other_octets_are_a_reason()
    {
        var file = split.Open.Write();
        Assert.True(ShareSet.Read(file).Value!.Restore(Holders(1, 2, 3)).IsValid);
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Sample((at, octet) =>
        {
            var changed = file.ToArray();
            changed[at] = octet;
            _ = ShareSet.Read(changed).IsValid; // whatever it is, it does not fail
        });
    }
}
