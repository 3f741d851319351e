using PersistCa.Testing;

namespace PersistCa.Conformance;

/// <summary>What a root's key is needed for later: new shares, another root, reasons of its list.</summary>
public sealed class CeremonyLaterTests : IDisposable
{
    private readonly CeremonyRoom room = CeremonyRoom.Open();

    public void Dispose() => room.Dispose();

    private Task<string> RootAsync() => room.StepAsync(0, "root", "--organization", "Example", "--threshold", "2", "--shares", "3", "--yes");

    [SkippableFact]
    public async Task A_root_is_cross_signed_and_those_who_trust_the_other_alone_take_what_is_below_it()
    {
        Requirement.Program("openssl");
        await RootAsync();
        var old = Path.Combine(room.Folder, "old");
        room.Variables["PERSISTCA_ROOT_PASSPHRASE"] = "of the old root's key";
        await room.StepAsync(0, "root", "--folder", old, "--organization", "Old Example", "--path-length", "2", "--yes");
        await room.StepAsync(0, "request");
        await room.StepAsync(0, ["sign", "--yes", .. CeremonyRoom.Shares(1, 3)]);

        Assert.Contains("no root's", await room.StepAsync(2, "cross-sign", "--folder", old, "--name", "example", "--certificate", room["issuing-1.pem"], "--yes"), StringComparison.Ordinal);
        Assert.Contains("path length of 2", await room.StepAsync(2, "cross-sign", "--folder", old, "--name", "example", "--certificate", room["root.pem"], "--path-length", "2", "--yes"), StringComparison.Ordinal);
        var signed = await room.StepAsync(0, "cross-sign", "--folder", old, "--name", "example", "--certificate", room["root.pem"], "--crl-url", "http://ca.example.com/old.crl", "--yes");
        Assert.Contains("AlternateChainFiles", signed, StringComparison.Ordinal);
        Assert.Contains("already", await room.StepAsync(2, "cross-sign", "--folder", old, "--name", "example", "--certificate", room["root.pem"], "--yes"), StringComparison.Ordinal);
        Assert.Contains("verified     2 steps", await room.RunAsync(0, "ceremony", "verify", "--folder", old), StringComparison.Ordinal);

        await room.OpenSslAsync("verify", "-CAfile", Path.Combine(old, "root.pem"), "-untrusted", Path.Combine(old, "example.pem"), room["issuing-1.pem"]);
        var chain = await File.ReadAllTextAsync(Path.Combine(old, "example-chain.pem"));
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(old, "example.pem")) + await File.ReadAllTextAsync(Path.Combine(old, "root.pem")), chain);

        // A byte of the copy of the other root's certificate is a byte of the ceremony.
        await File.AppendAllTextAsync(Path.Combine(old, "example-other.pem"), "\n");
        Assert.Contains("002-cross-sign.json: the file example-other.pem is not the one", await room.RunAsync(1, "ceremony", "verify", "--folder", old), StringComparison.Ordinal);
    }

    [Fact]
    public async Task New_shares_take_the_place_of_those_before_which_restore_nothing_any_more()
    {
        await RootAsync();
        Assert.Contains("there are 1 shares", await room.StepAsync(2, ["deal", "--threshold", "3", "--shares", "4", "--yes", .. CeremonyRoom.Shares(1)]), StringComparison.Ordinal);
        Assert.Contains("nobody agreed", await room.StepAsync(2, ["deal", "--threshold", "3", "--shares", "4", .. CeremonyRoom.Shares(1, 2)]), StringComparison.Ordinal);
        Assert.Contains("cannot be made", await room.StepAsync(2, ["deal", "--threshold", "5", "--shares", "4", "--yes", .. CeremonyRoom.Shares(1, 2)]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(room.Folder, "new-shares")));
        var before = await File.ReadAllTextAsync(room["root.key.pem"]);
        await File.WriteAllTextAsync(room["copy.key.pem"], before);

        await room.StepAsync(0, ["deal", "--threshold", "3", "--shares", "4", "--witness", "Alice", "--yes", .. CeremonyRoom.Shares(1, 2)]);
        Assert.NotEqual(before, await File.ReadAllTextAsync(room["root.key.pem"]));
        Assert.False(File.Exists(room["root.key.pem.next"]));
        Assert.Contains("of another set", await room.StepAsync(2, ["crl", .. CeremonyRoom.Shares(1, 2)]), StringComparison.Ordinal);
        Assert.Contains("there are 2 shares", await room.StepAsync(2, ["crl", .. CeremonyRoom.SharesIn("new-shares", 1, 2)]), StringComparison.Ordinal);
        Assert.Contains("opened", await room.RunAsync(0, ["ceremony", "shares", .. CeremonyRoom.SharesIn("new-shares", 4, 2, 1)]), StringComparison.Ordinal);
        await room.StepAsync(0, ["crl", .. CeremonyRoom.SharesIn("new-shares", 1, 2, 3)]);

        // And once more; the transcripts say by which shares.
        await room.StepAsync(0, ["deal", "--threshold", "2", "--shares", "2", "--shares-to", "newest", "--yes", .. CeremonyRoom.SharesIn("new-shares", 1, 3, 4)]);
        await room.StepAsync(0, ["crl", .. CeremonyRoom.SharesIn("newest", 1, 2)]);
        var replayed = await room.RunAsync(0, "ceremony", "verify");
        Assert.Contains("002-deal.json", replayed, StringComparison.Ordinal);
        Assert.Contains("shares 1, 3, 4", replayed, StringComparison.Ordinal);
        Assert.Contains("verified     5 steps", replayed, StringComparison.Ordinal);

        await File.WriteAllTextAsync(room["shares-3.json"], await File.ReadAllTextAsync(room["shares-2.json"]));
        Assert.Contains("004-deal.json: the file shares-3.json is not the one", await room.RunAsync(1, "ceremony", "verify"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deal_that_was_interrupted_after_its_transcript_is_ended_by_the_new_shares()
    {
        await RootAsync();
        var before = await File.ReadAllBytesAsync(room["root.key.pem"]);
        await room.StepAsync(0, ["deal", "--threshold", "2", "--shares", "2", "--yes", .. CeremonyRoom.Shares(1, 2)]);

        // As a crash between transcript and key leaves it.
        File.Move(room["root.key.pem"], room["root.key.pem.next"]);
        await File.WriteAllBytesAsync(room["root.key.pem"], before);
        Assert.Contains("finished     the deal", await room.StepAsync(0, ["crl", .. CeremonyRoom.SharesIn("new-shares", 1, 2)]), StringComparison.Ordinal);
        Assert.False(File.Exists(room["root.key.pem.next"]));
        Assert.DoesNotContain("finished", await room.StepAsync(0, ["crl", .. CeremonyRoom.SharesIn("new-shares", 1, 2)]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deal_that_was_interrupted_before_its_transcript_changed_nothing_and_the_next_one_is_made()
    {
        await RootAsync();
        await File.WriteAllTextAsync(room["root.key.pem.next"], "half a ke");
        await room.StepAsync(0, ["crl", .. CeremonyRoom.Shares(1, 2)]);
        await room.StepAsync(0, ["deal", "--threshold", "2", "--shares", "2", "--yes", .. CeremonyRoom.Shares(2, 3)]);
        await room.StepAsync(0, ["crl", .. CeremonyRoom.SharesIn("new-shares", 1, 2)]);
    }

    [Fact]
    public async Task A_passphrase_that_had_no_shares_gets_some()
    {
        room.Variables["PERSISTCA_ROOT_PASSPHRASE"] = "of the root's key";
        await room.StepAsync(0, "root", "--organization", "Example", "--yes");
        await room.StepAsync(0, "deal", "--threshold", "2", "--shares", "3", "--yes");
        Assert.Contains("passphrase does not open", await room.StepAsync(2, "crl"), StringComparison.Ordinal);
        await room.StepAsync(0, ["crl", .. CeremonyRoom.SharesIn("new-shares", 3, 1)]);
    }

    [SkippableFact]
    public async Task A_root_revokes_for_every_reason_that_an_authority_may_be_revoked_for_by_name_or_code()
    {
        Requirement.Program("openssl");
        await RootAsync();
        string[] reasons = ["unspecified", "keyCompromise", "cacompromise", "affiliationChanged", "superseded", "5", "privilegeWithdrawn", "aACompromise"];
        await room.StepAsync(0, ["crl", .. reasons.SelectMany((r, i) => new[] { "--revoke", $"4{i}0000000000000000={r}" }), "--revoke", "480000000000000000", .. CeremonyRoom.Shares(1, 2)]);
        var text = await room.OpenSslAsync("crl", "-inform", "DER", "-in", room["root-1.crl"], "-CAfile", room["root.pem"], "-noout", "-text");
        foreach (var shown in new[] { "Key Compromise", "CA Compromise", "Affiliation Changed", "Superseded", "Cessation Of Operation", "Privilege Withdrawn", "AA Compromise" })
        {
            Assert.Contains(shown, text, StringComparison.Ordinal);
        }

        foreach (var refused in new[] { "certificateHold", "removeFromCRL", "6", "11", "", "cACompromised" })
        {
            Assert.Contains("is no reason that is accepted", await room.StepAsync(2, ["crl", "--revoke", "490000000000000000=" + refused, .. CeremonyRoom.Shares(1, 2)]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Under_the_Baseline_Requirements_an_authority_is_revoked_with_a_reason()
    {
        await room.StepAsync(0, "root", "--organization", "Example", "--country", "CH", "--regime", "cabf-br", "--threshold", "2", "--shares", "3", "--yes");
        Assert.Contains("without a reason", await room.StepAsync(2, ["crl", "--revoke", "490000000000000000", .. CeremonyRoom.Shares(1, 2)]), StringComparison.Ordinal);
        await room.StepAsync(0, ["crl", "--revoke", "490000000000000000=superseded", .. CeremonyRoom.Shares(1, 2)]);
    }
}
