namespace PersistCa.Conformance;

/// <summary>Ceremonies in disorder: names that are none, commands at once, what an interrupted one leaves, folders of strangers.</summary>
public sealed class CeremonyHostileTests : IDisposable
{
    private readonly CeremonyRoom room = CeremonyRoom.Open();

    public void Dispose() => room.Dispose();

    private Task<string> RootAsync()
    {
        room.Variables["PERSISTCA_ROOT_PASSPHRASE"] = "of the root's key";
        return room.StepAsync(0, "root", "--organization", "Example", "--yes");
    }

    [Theory]
    [InlineData("x.key", "no name of a public file")]
    [InlineData("../x", "a file's name is none")]
    [InlineData(".x", "a file's name is none")]
    [InlineData("root", "already")]
    public async Task A_certificate_gets_no_name_by_which_the_folder_could_not_be_read_again(string name, string reason)
    {
        await RootAsync();
        await room.StepAsync(0, "root", "--folder", "other", "--organization", "Other", "--yes");
        Assert.Contains(reason, await room.StepAsync(2, "cross-sign", "--name", name, "--certificate", Path.Combine("other", "root.pem"), "--yes"), StringComparison.Ordinal);
        Assert.Contains("verified     1 steps", await room.RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_commands_at_once_each_is_a_step_of_its_own_or_refused_and_the_folder_stays_sound()
    {
        await RootAsync();
        var all = await Task.WhenAll(Enumerable.Range(1, 4).Select(i => Testing.CommandLine.PersistCaAsync(room.Folder, room.Variables, "ceremony", "request", "--name", $"r{i}")));
        Assert.All(all, one => Assert.True(one.Exit == 0 || one.Output.Contains("another command works there", StringComparison.Ordinal) || one.Output.Contains(".lock", StringComparison.Ordinal), one.Output));
        var made = all.Count(one => one.Exit == 0);
        Assert.InRange(made, 1, 4);
        Assert.Contains($"verified     {made + 1} steps", await room.RunAsync(0, "ceremony", "verify"), StringComparison.Ordinal);
        Assert.Equal(made, Directory.EnumerateFiles(Path.Combine(room.Folder, "ceremony"), "r?.key.pem").Count());
    }

    [Fact]
    public async Task What_an_interrupted_command_left_stops_no_other()
    {
        await RootAsync();

        // A key without a request, a file without a transcript, half a file under its hidden name.
        await File.WriteAllTextAsync(room["issuing-1.key.pem"], "left");
        await File.WriteAllTextAsync(room["stray.pem"], "left");
        await File.WriteAllTextAsync(room[".002-request.json"], "{");
        Assert.Contains("may have left it", await room.StepAsync(2, "request", "--name", "issuing-1"), StringComparison.Ordinal);
        Assert.Contains("issuing-2.pem", await room.StepAsync(0, "rotate", "--yes"), StringComparison.Ordinal);
        var replayed = await room.RunAsync(0, "ceremony", "verify");
        Assert.Contains("unnamed      stray.pem", replayed, StringComparison.Ordinal);
        Assert.Contains("verified     3 steps", replayed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strangers_request_shows_nothing_that_a_terminal_obeys()
    {
        Testing.Requirement.Program("openssl");
        await RootAsync();
        await room.OpenSslAsync("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-keyout", "k.pem", "-out", "r.csr", "-subj", "/O=Example\u001b[2J/CN=Iss\u202euing");
        var shown = await room.StepAsync(0, "sign", "--request", "r.csr", "--yes");
        Assert.Contains("O=Example?[2J", shown, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', shown);
        Assert.DoesNotContain('\u202e', shown);
    }
}
