using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using PersistCa.Storage.Backup;
using PersistCa.Testing;

namespace PersistCa.Storage.Tests.Backup;

/// <summary>The lines of a backup are read strictly, whoever wrote them.</summary>
public sealed class BackupReaderTests
{
    private static async Task<byte[]> GoodAsync()
    {
        await using var s = await TestStore.OpenAsync(StoreKind.Sqlite);
        await BackupBed.FillAsync(s);
        return await s.LinesAsync(("ca/root.pem", [1, 2]));
    }

    [Fact]
    public async Task Whatever_is_done_to_the_rows_is_found()
    {
        var good = await GoodAsync();
        var first = Array.IndexOf(good, (byte)'\n') + 1;
        Gen.Int[first, good.Length - 2].Select(Gen.Byte).Sample((at, with) =>
        {
            var changed = (byte[])good.Clone();
            changed[at] = with;
            using var reader = new BackupReader(new MemoryStream(changed));
            var read = VerifiedBackup.Read(reader, CancellationToken.None);
            Assert.True(!read.IsValid || InManifest(good, at) || with == good[at] || InTableLine(good, at), $"octet {at} was changed to {with} and nobody saw it");
        });
    }

    [Fact]
    public async Task A_backup_that_was_cut_anywhere_is_refused()
    {
        var good = await GoodAsync();
        Gen.Int[0, good.Length - 1].Sample(length => Assert.NotNull(BackupBed.Refusal(good[..length])));
        Assert.Contains("follows its end", BackupBed.Refusal([.. good, .. "{}\n"u8]), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_octets_come_they_are_refused_with_a_reason() =>
        Gen.Byte.Array[0, 400].Sample(octets => Assert.NotEmpty(BackupBed.Refusal(octets)!));

    [Theory]
    [InlineData("\"version\":1", "\"version\":2", "up to 1")]
    [InlineData("persistca-backup", "another-backup", "no backup of this product")]
    [InlineData("[\"id\",\"Int\"]", "[\"id\",\"Money\"]", "a column that is none")]
    [InlineData("{\"table\":\"accounts\"", "{\"table\":\"Accounts; --\"", "without columns, or in the wrong place")]
    [InlineData("\"name\":\"ca/root.pem\"", "\"name\":\"ca/other.pem\"", "sums do not fit")]
    public async Task A_line_that_is_not_understood_is_refused(string found, string put, string reason)
    {
        var text = Encoding.UTF8.GetString(await GoodAsync());
        Assert.Contains(found, text, StringComparison.Ordinal);
        Assert.Contains(reason, BackupBed.Refusal(Encoding.UTF8.GetBytes(text.Replace(found, put, StringComparison.Ordinal))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_longer_than_the_bound_is_refused_without_being_held()
    {
        using var reader = new BackupReader(new EndlessStream());
        Assert.Contains("longer than", VerifiedBackup.Read(reader, CancellationToken.None).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"at":"2030-01-01T00:00:00Z","audit":null,"lists":null}""")]
    [InlineData("""{"at":"2030-01-01T00:00:00Z","audit":null,"lists":[null]}""")]
    [InlineData("""{"at":"2030-01-01T00:00:00Z","audit":{"id":1,"hash":null},"lists":[]}""")]
    [InlineData("""{"at":"2030-01-01T00:00:00Z","audit":null,"lists":[],"more":1}""")]
    public void Marks_that_are_none_are_refused(string text) => Assert.False(StoreMarksText.Read(text).IsValid);

    private static bool InManifest(byte[] lines, int at) => at >= Array.LastIndexOf(lines, (byte)'\n', lines.Length - 2);

    // Names of columns are held against the database later; kinds and the names of tables here.
    private static bool InTableLine(byte[] lines, int at)
    {
        if (lines[at] == '\n')
        {
            return false;
        }

        var start = Array.LastIndexOf(lines, (byte)'\n', at) + 1;
        return JsonNode.Parse(Encoding.UTF8.GetString(lines[start..Array.IndexOf(lines, (byte)'\n', at)])) is JsonObject;
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            Array.Fill(buffer, (byte)'a', offset, count);
            return count;
        }
    }
}
