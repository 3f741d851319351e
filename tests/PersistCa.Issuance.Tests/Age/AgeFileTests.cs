using System.Security.Cryptography;
using System.Text;
using CsCheck;
using PersistCa.Issuance.Age;
using PersistCa.Testing;

namespace PersistCa.Issuance.Tests.Age;

/// <summary>Files encrypted in the form of age: what was changed anywhere is not shown, and the program of that name understands them.</summary>
public sealed class AgeFileTests
{
    private static readonly AgeIdentity Key = AgeIdentity.Generate();

    private static AgePassphrase Word(string text) => new(text) { Work = 4 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(300_000)]
    public void What_is_encrypted_is_read_by_the_private_key_and_by_each_of_several(int octets)
    {
        var content = RandomNumberGenerator.GetBytes(octets);
        var other = AgeIdentity.Generate();
        var file = Encrypt(content, s => AgeFile.Encrypt(s, [other.Recipient, Key.Recipient]));
        Assert.Equal(content, Read(file, Key));
        Assert.Equal(content, Read(file, other));
    }

    [Fact]
    public void What_is_encrypted_by_a_passphrase_is_read_by_it_and_by_no_other()
    {
        var file = Encrypt("content"u8.ToArray(), s => AgeFile.Encrypt(s, Word("right")));
        Assert.Equal("content"u8.ToArray(), Read(file, Word("right")));
        Assert.Contains("the passphrase is another", AgeFile.Decrypt(new MemoryStream(file), [Word("wrong")]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_for_another_key_is_not_opened()
    {
        var file = Encrypt("content"u8.ToArray(), s => AgeFile.Encrypt(s, [Key.Recipient]));
        Assert.Contains("encrypted to other keys", AgeFile.Decrypt(new MemoryStream(file), [AgeIdentity.Generate()]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Work_that_would_take_the_machines_memory_is_not_begun()
    {
        var text = Encoding.ASCII.GetString(Encrypt([], s => AgeFile.Encrypt(s, Word("right")))[..80]).Split('\n')[1];
        var file = Encoding.ASCII.GetBytes($"age-encryption.org/v1\n{text[..^1]}30\n{new string('A', 43)}\n--- {new string('A', 43)}\n");
        Assert.Contains("the passphrase is another", AgeFile.Decrypt(new MemoryStream(file), [Word("right")]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_octet_changed_anywhere_is_found_before_what_it_stands_in_is_shown()
    {
        var content = RandomNumberGenerator.GetBytes(70_000);
        var file = Encrypt(content, s => AgeFile.Encrypt(s, [Key.Recipient]));
        Gen.Int[0, file.Length - 1].Select(Gen.Int[1, 255]).Sample((at, with) =>
        {
            var changed = (byte[])file.Clone();
            changed[at] ^= (byte)with;
            Assert.False(TryRead(changed, content));
        });
    }

    [Fact]
    public void A_file_that_was_cut_is_found_out_wherever_it_was_cut()
    {
        var content = RandomNumberGenerator.GetBytes(140_000);
        var file = Encrypt(content, s => AgeFile.Encrypt(s, [Key.Recipient]));
        int[] chunks = [file.Length - (140_000 % 65_536) - 16, file.Length - (140_000 % 65_536) - 16 - 65_552];
        Gen.OneOf(Gen.Int[0, file.Length - 1], Gen.Int[0, chunks.Length - 1].Select(i => chunks[i])).Sample(length => Assert.False(TryRead(file[..length], content)));
    }

    [Fact]
    public void Something_behind_the_end_is_found() =>
        Assert.False(TryRead([.. Encrypt("content"u8.ToArray(), s => AgeFile.Encrypt(s, [Key.Recipient])), 0], "content"u8.ToArray()));

    [Fact]
    public void Whatever_octets_come_they_are_refused() =>
        Gen.Byte.Array[0, 300].Select(Gen.Bool).Sample((octets, headed) => Assert.False(AgeFile.Decrypt(new MemoryStream(headed ? [.. "age-encryption.org/v1\n-> X25519 "u8, .. octets] : octets), [Key]).IsValid));

    [Fact]
    public void Keys_read_to_themselves_and_not_with_a_letter_changed()
    {
        var text = Key.Recipient.ToString();
        Assert.Equal(text, AgeRecipient.Parse(text).Value!.ToString());
        Assert.Equal(text, Assert.Single(AgeIdentity.ParseFile("# comment\n" + Key.Secret() + "\n").Value!).Recipient.ToString());
        Assert.Contains("checksum", AgeRecipient.Parse(text[..^1] + (text[^1] == 'q' ? 'p' : 'q')).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(Key.Secret()[^10..], AgeIdentity.ParseFile(Key.Secret()[..^1]).Reason, StringComparison.OrdinalIgnoreCase);
    }

    [SkippableFact]
    public async Task The_program_age_reads_what_is_written_here_and_is_read_here()
    {
        var age = Requirement.Program("age");
        var folder = Directory.CreateTempSubdirectory("persistca-age-").FullName;
        try
        {
            var content = RandomNumberGenerator.GetBytes(200_000);
            var (mine, theirs, key) = (Path.Combine(folder, "mine"), Path.Combine(folder, "theirs"), Path.Combine(folder, "key"));
            await File.WriteAllBytesAsync(mine, Encrypt(content, s => AgeFile.Encrypt(s, [Key.Recipient])));
            await File.WriteAllTextAsync(key, Key.Secret() + "\n");
            var (exit, output) = await CommandLine.RunAsync(age, folder, new Dictionary<string, string>(), ["-d", "-i", key, "-o", Path.Combine(folder, "plain"), mine]);
            Assert.True(exit == 0, output);
            Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(folder, "plain")));

            (exit, output) = await CommandLine.RunAsync(age, folder, new Dictionary<string, string>(), ["-r", Key.Recipient.ToString(), "-o", theirs, Path.Combine(folder, "plain")]);
            Assert.True(exit == 0, output);
            Assert.Equal(content, Read(await File.ReadAllBytesAsync(theirs), Key));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Encrypt(byte[] content, Func<Stream, Stream> encrypt)
    {
        var file = new MemoryStream();
        using (var stream = encrypt(file))
        {
            stream.Write(content);
        }

        return file.ToArray();
    }

    private static byte[] Read(byte[] file, AgeOpener opener)
    {
        using var plain = AgeFile.Decrypt(new MemoryStream(file), [opener]).Value!;
        var content = new MemoryStream();
        plain.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>Whether a file is read to its end; what is shown of it before is what was encrypted.</summary>
    private static bool TryRead(byte[] file, byte[] content)
    {
        var opened = AgeFile.Decrypt(new MemoryStream(file), [Key]);
        if (!opened.IsValid)
        {
            return false;
        }

        var shown = new MemoryStream();
        try
        {
            opened.Value.CopyTo(shown);
            return true;
        }
        catch (InvalidDataException)
        {
            Assert.Equal(content[..(int)shown.Length], shown.ToArray());
            return false;
        }
    }
}
