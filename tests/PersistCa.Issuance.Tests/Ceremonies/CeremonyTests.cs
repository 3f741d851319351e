using System.Text;
using CsCheck;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Ceremonies;

public sealed class CeremonyTests : IDisposable
{
    private static readonly DateTimeOffset Now = TestAuthority.Now;
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-ceremony-").FullName;
    private readonly FileSigningKey rootKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
    private readonly FileSigningKey issuingKey = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);

    private CeremonyKey Root => new(rootKey, "file:root", [1, 3]);

    public void Dispose()
    {
        rootKey.Dispose();
        issuingKey.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static byte[] Name(string commonName) => AuthorityName.Of("CH", "Example", commonName).Value!;

    private Ceremony Open(params string[] witnesses) => Ceremony.Open(new CeremonyFolder(folder), new CeremonySetting(Now, "persistca test", witnesses)).Value!;

    private async Task MakeRootAsync(int? pathLength = null)
    {
        var ceremony = Open("Alice", "Bob");
        var planned = ceremony.PlanRoot(new RootPlan(Name("Example Root"), TimeSpan.FromDays(7305), pathLength, Regime.Private), rootKey);
        Assert.Null((await ceremony.RootAsync(planned, Root, ShareSet.Make(3, 5).Value!.Open, default)).Reason);
    }

    private async Task<AuthorityCertificate> SignAsync(AuthorityPlan? plan = null)
    {
        Assert.Null((await Open().RequestAsync("issuing-1", Name("Example Issuing 1"), new CeremonyKey(issuingKey, "file:issuing-1", []), default)).Reason);
        var ceremony = Open("Alice");
        var csr = ceremony.Files["issuing-1.csr"];
        var planned = ceremony.PlanSubordinate(AuthorityRequest.Read(csr).Value!, plan ?? new AuthorityPlan { CrlUrl = "http://ca.example/root.crl" }, rootKey).Value!;
        Assert.Null((await ceremony.SignAsync("issuing-1", csr, planned, Root, default)).Reason);
        return planned;
    }

    private async Task WholeAsync()
    {
        await MakeRootAsync();
        var signed = await SignAsync(new AuthorityPlan { Names = NameRestrictions.Read(["example.com", "10.0.0.0/8"], ["secret.example.com"]).Value! });
        Assert.Null((await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(180)), Root, default)).Reason);
        Assert.Null((await Open().ListAsync(new ListPlan([new RevokedCertificate(signed.Serial, Now, 5)], TimeSpan.FromDays(365)), Root, default)).Reason);
        using var otherKey = FileSigningKey.Generate(SigningAlgorithms.Ed25519);
        var other = (await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Other", Now = Now }, otherKey, issuingKey)).RootDer;
        Assert.Null((await Open().DealAsync(Root, ShareSet.Make(2, 3).Value!.Open, default)).Reason);
        var ceremony = Open();
        var cross = ceremony.PlanCross(other, new AuthorityPlan { PathLength = 1 }, rootKey).Value!;
        Assert.Null((await ceremony.CrossSignAsync("cross-1", other, cross, Root, default)).Reason);
        Assert.Null((await Open().DestroyAsync(Root, PublicKeyFingerprint.Of(rootKey.SubjectPublicKeyInfo), default)).Reason);
    }

    [Fact]
    public async Task A_whole_ceremony_is_replayed_from_its_transcripts()
    {
        await WholeAsync();
        var replayed = CeremonyReplay.Check(new CeremonyFolder(folder).Read().Value!).Value!;
        Assert.Equal(["001-root.json", "002-request.json", "003-sign.json", "004-crl.json", "005-crl.json", "006-deal.json", "007-cross-sign.json", "008-destroy.json"], replayed.Transcripts.Select(t => t.FileName));
        Assert.Empty(replayed.Unnamed);
        Assert.Equal("shares-2.json", replayed.ShareFile);
        Assert.Equal(["Alice", "Bob"], replayed.Transcripts[0].Witnesses);
        Assert.Equal([1, 3], replayed.Transcripts[2].Shares);
        Assert.Equal("persistca test", replayed.Transcripts[2].Tool);
    }

    [Fact]
    public async Task A_key_that_was_destroyed_takes_no_further_step_but_its_destruction_once_more()
    {
        await WholeAsync();
        Assert.Contains("was destroyed by a step before", (await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(180)), Root, default)).Reason, StringComparison.Ordinal);
        Assert.Contains("was destroyed by a step before", (await Open().DealAsync(Root, ShareSet.Make(2, 3).Value!.Open, default)).Reason, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "root-3.crl")));
        Assert.Null((await Open().DestroyAsync(Root, PublicKeyFingerprint.Of(rootKey.SubjectPublicKeyInfo), default)).Reason);
    }

    [Fact]
    public async Task An_issuing_key_that_was_destroyed_gets_no_certificate()
    {
        await MakeRootAsync();
        var issuing = new CeremonyKey(issuingKey, "file:issuing-1", []);
        Assert.Null((await Open().RequestAsync("issuing-1", Name("Example Issuing 1"), issuing, default)).Reason);
        Assert.Null((await Open().DestroyAsync(issuing, PublicKeyFingerprint.Of(issuingKey.SubjectPublicKeyInfo), default)).Reason);
        var ceremony = Open();
        var planned = ceremony.PlanSubordinate(AuthorityRequest.Read(ceremony.Files["issuing-1.csr"]).Value!, new AuthorityPlan(), rootKey).Value!;
        Assert.Contains("the key of the certificate was destroyed", (await ceremony.SignAsync("issuing-1", ceremony.Files["issuing-1.csr"], planned, Root, default)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_that_was_made_elsewhere_goes_on_from_its_last_list()
    {
        await MakeRootAsync();
        var signed = await SignAsync();
        Assert.Null((await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(180)), Root, default)).Reason);
        Assert.Null((await Open().ListAsync(new ListPlan([new RevokedCertificate(signed.Serial, Now, 5)], TimeSpan.FromDays(180)), Root, default)).Reason);
        Assert.Contains("the folder knows the root's last list", (await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(180), ListBefore.None), Root, default)).Reason, StringComparison.Ordinal);
        var rootDer = Pem.ReadCertificates(Encoding.Latin1.GetString(Open().Files["root.pem"])).Value[0];
        var before = ListBefore.Read(Open().Files["root-2.crl"], rootDer).Value!;
        var other = Path.Combine(folder, "other");
        Directory.CreateDirectory(other);
        File.Copy(Path.Combine(folder, "root.pem"), Path.Combine(other, "root.pem"));
        Ceremony Elsewhere() => Ceremony.Open(new CeremonyFolder(other), new CeremonySetting(Now, "persistca test", [])).Value!;

        Assert.Contains("give that list by --last", (await Elsewhere().ListAsync(new ListPlan([], TimeSpan.FromDays(180)), Root, default)).Reason, StringComparison.Ordinal);
        Assert.Contains("not above it in number", (await Elsewhere().ListAsync(new ListPlan([], TimeSpan.FromDays(180), before with { Number = 1 }), Root, default)).Reason, StringComparison.Ordinal);
        Assert.Contains("not revoked any more", (await Elsewhere().ListAsync(new ListPlan([], TimeSpan.FromDays(180), before with { Revoked = [] }), Root, default)).Reason, StringComparison.Ordinal);
        Assert.Null((await Elsewhere().ListAsync(new ListPlan([], TimeSpan.FromDays(180), before), Root, default)).Reason);
        var list = CrlFacts.Read(Elsewhere().Files["root-3.crl"]).Value!;
        Assert.Equal(new System.Numerics.BigInteger(3), list.Number);
        Assert.Equal(signed.Serial, Assert.Single(list.Entries!.Value).Serial);
        Assert.Empty(CeremonyReplay.Check(Elsewhere().Files).Value!.Unnamed);
        Assert.Null((await Elsewhere().ListAsync(new ListPlan([], TimeSpan.FromDays(180)), Root, default)).Reason);
        Assert.Contains("root-4.crl", Elsewhere().Files.Keys);
    }

    [Fact]
    public async Task A_list_of_another_root_is_not_gone_on_from()
    {
        await MakeRootAsync();
        Assert.Null((await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(180)), Root, default)).Reason);
        using var otherKey = FileSigningKey.Generate(SigningAlgorithms.Ed25519);
        var other = (await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Other", Now = Now }, otherKey, issuingKey)).RootDer;
        Assert.Contains("no list of this root", ListBefore.Read(Open().Files["root-1.crl"], other).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flipped_byte_in_any_file_is_found_and_the_file_named()
    {
        await WholeAsync();
        var files = new CeremonyFolder(folder).Read().Value!;
        Assert.Equal(18, files.Count);
        foreach (var (name, octets) in files)
        {
            Gen.Select(Gen.Int[0, octets.Length - 1], Gen.Int[0, 7]).Sample(
                (at, bit) =>
                {
                    var changed = octets.ToArray();
                    changed[at] ^= (byte)(1 << bit);
                    Assert.Contains(name, CeremonyReplay.Check(files.SetItem(name, changed)).Reason, StringComparison.Ordinal);
                },
                iter: 12);
        }
    }

    [Fact]
    public async Task A_missing_file_or_transcript_is_named()
    {
        await WholeAsync();
        var files = new CeremonyFolder(folder).Read().Value!;
        Assert.Equal("003-sign.json: the file issuing-1.pem is missing", CeremonyReplay.Check(files.Remove("issuing-1.pem")).Reason);
        Assert.StartsWith("004-crl.json: it is step 4, crl, where step 3 is expected", CeremonyReplay.Check(files.Remove("003-sign.json")).Reason, StringComparison.Ordinal);
        Assert.True(CeremonyReplay.Check(files.Remove("008-destroy.json")).Value!.Last != CeremonyReplay.Check(files).Value!.Last);
    }

    [Fact]
    public async Task A_certificate_that_the_inputs_do_not_make_is_found_though_the_root_signed_transcript_and_certificate()
    {
        await MakeRootAsync();
        var planned = await SignAsync();
        var files = new CeremonyFolder(folder).Read().Value!;
        var transcript = Transcript.Read(files["003-sign.json"]).Value!;
        var said = transcript with { Certificate = planned with { PathLength = 3 } };
        var reason = CeremonyReplay.Check(files.SetItem("003-sign.json", await said.SignAsync(rootKey, default))).Reason;
        Assert.StartsWith("003-sign.json: issuing-1.pem: its to-be-signed bytes are not those that the inputs make; they differ from octet", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transcript_signed_by_another_key_than_the_roots_is_refused()
    {
        await MakeRootAsync();
        await SignAsync();
        var files = new CeremonyFolder(folder).Read().Value!;
        using var other = FileSigningKey.Generate(SigningAlgorithms.EcdsaP384);
        var forged = Transcript.Read(files["003-sign.json"]).Value! with { Key = other.SubjectPublicKeyInfo };
        Assert.Equal(
            "003-sign.json: the key or name that signed is not that of root.pem",
            CeremonyReplay.Check(files.SetItem("003-sign.json", await forged.SignAsync(other, default))).Reason);
    }

    [Fact]
    public async Task Nothing_is_added_to_a_folder_that_does_not_replay()
    {
        await MakeRootAsync();
        await File.AppendAllTextAsync(Path.Combine(folder, "001-root.json"), " ");
        Assert.Contains("001-root.json", Ceremony.Open(new CeremonyFolder(folder), new CeremonySetting(Now, "t", [])).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_root_is_refused()
    {
        await MakeRootAsync();
        var ceremony = Open();
        var planned = ceremony.PlanRoot(new RootPlan(Name("Another"), TimeSpan.FromDays(7305), null, Regime.Private), rootKey);
        Assert.EndsWith("has a root already", (await ceremony.RootAsync(planned, Root, null, default)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_longer_than_the_roots_is_refused()
    {
        await MakeRootAsync(pathLength: 1);
        var request = new AuthorityRequest(Name("Example Issuing 1"), issuingKey.SubjectPublicKeyInfo);
        Assert.True(Open().PlanSubordinate(request, new AuthorityPlan { PathLength = 0 }, rootKey).IsValid);
        Assert.StartsWith("the root has a path length of 1", Open().PlanSubordinate(request, new AuthorityPlan { PathLength = 1 }, rootKey).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_authority_with_the_roots_name_or_key_is_refused()
    {
        await MakeRootAsync();
        const string reason = "its name or its key is the root's own";
        Assert.Equal(reason, Open().PlanSubordinate(new AuthorityRequest(Name("Example Root"), issuingKey.SubjectPublicKeyInfo), new AuthorityPlan(), rootKey).Reason);
        Assert.Equal(reason, Open().PlanSubordinate(new AuthorityRequest(Name("Example Issuing 1"), rootKey.SubjectPublicKeyInfo), new AuthorityPlan(), rootKey).Reason);
    }

    [Fact]
    public async Task Another_key_than_the_roots_signs_nothing()
    {
        await MakeRootAsync();
        var request = new AuthorityRequest(Name("Example Issuing 1"), issuingKey.SubjectPublicKeyInfo);
        Assert.StartsWith("the key does not belong", Open().PlanSubordinate(request, new AuthorityPlan(), issuingKey).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_lint_refuses_is_not_signed_and_not_written()
    {
        await MakeRootAsync();
        Assert.Null((await Open().RequestAsync("issuing-1", Name("Example Issuing 1"), new CeremonyKey(issuingKey, "file:issuing-1", []), default)).Reason);
        var ceremony = Open();
        var csr = ceremony.Files["issuing-1.csr"];
        var planned = ceremony.PlanSubordinate(AuthorityRequest.Read(csr).Value!, new AuthorityPlan { Regime = Regime.CabfBr }, rootKey).Value!;
        Assert.Contains("L54: the extension 2.5.29.31 is missing", (await ceremony.SignAsync("issuing-1", csr, planned, Root, default)).Reason, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "issuing-1.pem")));
    }

    [Fact]
    public async Task Another_key_than_the_roots_deals_no_shares()
    {
        var shares = ShareSet.Make(2, 3).Value!.Open;
        Assert.Contains("has no root.pem", (await Open().DealAsync(Root, shares, default)).Reason, StringComparison.Ordinal);
        await MakeRootAsync();
        Assert.EndsWith("is not that of root.pem", (await Open().DealAsync(new CeremonyKey(issuingKey, "file:issuing", []), shares, default)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_set_of_shares_that_was_dealt_before_is_not_dealt_again()
    {
        await MakeRootAsync();
        var before = ShareSet.Read(Open().Files["shares.json"]).Value!;
        Assert.EndsWith($"shares-2.json: the set {before.Set} was dealt before", (await Open().DealAsync(Root, before, default)).Reason, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "shares-2.json")));
    }

    [Theory]
    [InlineData("shares.json", 1)]
    [InlineData("shares-2.json", 2)]
    [InlineData("shares-999.json", 999)]
    [InlineData("shares-1.json", null)]
    [InlineData("shares-02.json", null)]
    [InlineData("shares-1000.json", null)]
    [InlineData("shares-.json", null)]
    [InlineData("shares-2.pem", null)]
    public void The_name_of_a_file_says_which_set_it_describes(string name, int? number) => Assert.Equal(number, ShareSet.NumberOf(name));

    [Fact]
    public async Task A_list_of_more_than_twelve_months_is_refused()
    {
        await MakeRootAsync();
        Assert.StartsWith("the list would be good for 366 days", (await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(366)), Root, default)).Reason, StringComparison.Ordinal);
        Assert.Null((await Open().ListAsync(new ListPlan([], TimeSpan.FromDays(365)), Root, default)).Reason);
    }

    [Fact]
    public async Task What_was_revoked_stays_in_the_next_list_and_is_not_revoked_twice()
    {
        await MakeRootAsync();
        var signed = await SignAsync();
        var plan = new ListPlan([new RevokedCertificate(signed.Serial, Now, null)], TimeSpan.FromDays(90));
        Assert.Null((await Open().ListAsync(plan, Root, default)).Reason);
        Assert.EndsWith("is revoked already", (await Open().ListAsync(plan, Root, default)).Reason, StringComparison.Ordinal);
        Assert.Null((await Open().ListAsync(plan with { Revoke = [] }, Root, default)).Reason);
        var list = CrlFacts.Read(Open().Files["root-2.crl"]).Value!;
        Assert.Equal(signed.Serial, Assert.Single(list.Entries!.Value).Serial);
    }

    [Fact]
    public async Task A_key_is_destroyed_under_its_own_fingerprint_only()
    {
        await MakeRootAsync();
        Assert.EndsWith("which is not the one that was confirmed; nothing was destroyed", (await Open().DestroyAsync(Root, new string('0', 64), default)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_not_self_signed_is_not_cross_signed()
    {
        await MakeRootAsync();
        await SignAsync();
        var issuing = Pem.ReadCertificates(Encoding.ASCII.GetString(Open().Files["issuing-1.pem"])).Value[0];
        Assert.StartsWith("the other certificate is no root's", Open().PlanCross(issuing, new AuthorityPlan(), rootKey).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_witness_above_100_characters_or_a_33rd_is_refused()
    {
        Assert.False(Ceremony.Open(new CeremonyFolder(folder), new CeremonySetting(Now, "t", [new string('x', 101)])).IsValid);
        Assert.False(Ceremony.Open(new CeremonyFolder(folder), new CeremonySetting(Now, "t", [.. Enumerable.Repeat("x", 33)])).IsValid);
        Assert.True(Ceremony.Open(new CeremonyFolder(folder), new CeremonySetting(Now, "t", [.. Enumerable.Repeat(new string('x', 100), 32)])).IsValid);
    }

    [Theory]
    [InlineData("ML-DSA-87")]
    [InlineData("Ed25519")]
    [InlineData("RSA-2048-SHA256")]
    public async Task A_root_of_any_algorithm_signs_its_transcripts(string algorithm)
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.Find(algorithm)!);
        var ceremony = Open();
        var planned = ceremony.PlanRoot(new RootPlan(Name("Example Root"), TimeSpan.FromDays(7305), null, Regime.Private), key);
        Assert.Null((await ceremony.RootAsync(planned, new CeremonyKey(key, "file:root", []), null, default)).Reason);
        Assert.Equal(algorithm, Assert.Single(Open().Transcripts).Algorithm);
    }

    [Fact]
    public async Task Any_octets_are_a_transcript_or_a_reason_and_never_a_failure()
    {
        await MakeRootAsync();
        var file = Open().Files["001-root.json"];
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte, Gen.Int[0, file.Length]).Sample((at, octet, length) =>
        {
            var changed = file[..length];
            if (at < changed.Length)
            {
                changed[at] = octet;
            }

            Assert.True(!Transcript.Read(changed).IsValid || changed.AsSpan().SequenceEqual(file));
        });
        Gen.Byte.Array.Sample(octets => Assert.False(Transcript.Read(octets).IsValid));
    }

    [Theory]
    [InlineData("Ali\u001b[2Jce")]
    [InlineData("Ali\u202ece")]
    [InlineData("Ali\nce")]
    public async Task A_transcript_with_text_that_a_terminal_obeys_is_refused_though_its_signature_holds(string witness)
    {
        await MakeRootAsync();
        var forged = Transcript.Read(Open().Files["001-root.json"]).Value! with { Witnesses = [witness] };
        Assert.Contains("characters that are not shown", Transcript.Read(await forged.SignAsync(rootKey, default)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transcript_that_names_a_key_file_is_refused()
    {
        await MakeRootAsync();
        var files = new CeremonyFolder(folder).Read().Value!;
        var forged = Transcript.Read(files["001-root.json"]).Value!;
        forged = forged with { In = [TranscribedFile.Of("root.key.pem", [1])] };
        Assert.Contains("no name of a public file", CeremonyReplay.Check(files.SetItem("001-root.json", await forged.SignAsync(rootKey, default))).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_is_not_written_over_a_folder_that_changed_since_it_was_opened()
    {
        await MakeRootAsync();
        var (first, second) = (Open(), Open());
        Assert.Null((await first.RequestAsync("a", Name("A"), new CeremonyKey(issuingKey, "file:a", []), default)).Reason);
        Assert.Contains("has changed meanwhile", (await second.ListAsync(new ListPlan([], TimeSpan.FromDays(90)), Root, default)).Reason, StringComparison.Ordinal);
        Assert.Equal(2, Open().Transcripts.Length);
    }

    [Fact]
    public void A_transcript_above_its_length_is_refused() =>
        Assert.StartsWith("it has 262145 octets", Transcript.Read(new byte[Transcript.MaxOctets + 1]).Reason, StringComparison.Ordinal);
}
