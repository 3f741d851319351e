using System.Security.Cryptography;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.KeyStores;

public sealed class FileKeyStoreTests : IDisposable
{
    private const string Passphrase = "correct horse";
    private static readonly FileKeyStoreOptions Quick = new() { Pbkdf2Iterations = 1000 };
    private readonly string folder = Directory.CreateTempSubdirectory("persistca-keys-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Algorithms => [.. SigningAlgorithms.All.Where(a => a.KeyBits <= 3072).Select(a => a.Name)];

    private FileKeyStore Store(FileKeyStoreOptions? options = null) => new(folder, options ?? Quick);

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task A_created_key_opens_again_and_signs_for_the_same_public_key(string name)
    {
        var algorithm = SigningAlgorithms.Find(name)!;
        using var created = Store().Create("issuing-1", algorithm, Passphrase).Value!;
        using var opened = Store().Open("issuing-1", Passphrase).Value!;

        Assert.Equal(algorithm, opened.Algorithm);
        Assert.Equal(created.SubjectPublicKeyInfo, opened.SubjectPublicKeyInfo);
        byte[] message = [1, 2, 3];
        var signature = await opened.SignAsync(message, default);
        Assert.True(Holds(opened, message, signature));
        Assert.False(Holds(opened, [1, 2, 4], signature));
    }

    [Fact]
    public void A_key_can_be_opened_by_its_path()
    {
        using var created = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        using var opened = Store().Open(Store().PathOf("a"), Passphrase).Value!;
        Assert.Equal(created.SubjectPublicKeyInfo, opened.SubjectPublicKeyInfo);
    }

    [Fact]
    public void A_key_file_is_encrypted_and_readable_by_its_owner_alone()
    {
        using var created = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        var path = Store().PathOf("a");
        var text = File.ReadAllText(path);
        Assert.StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", text, StringComparison.Ordinal);
        Assert.EndsWith("-----END ENCRYPTED PRIVATE KEY-----\n", text, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.Equal(["a.key.pem"], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(2000)]
    public void The_file_names_the_iterations_of_the_options(int iterations)
    {
        using var created = Store(new FileKeyStoreOptions { Pbkdf2Iterations = iterations }).Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        var pem = File.ReadAllText(Store().PathOf("a"));
        var der = Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
        byte[] expected = [0x02, 0x02, (byte)(iterations >> 8), (byte)iterations];
        Assert.True(der.AsSpan().IndexOf(expected) > 0);
        Assert.True(der.AsSpan().IndexOf(Convert.FromHexString("060960864801650304012a")) > 0, "AES-256-CBC is expected");
        Assert.True(der.AsSpan().IndexOf(Convert.FromHexString("06082a864886f70d0209")) > 0, "HMAC-SHA-256 is expected");
    }

    [Fact]
    public void A_key_is_never_overwritten()
    {
        using var first = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        var before = File.ReadAllText(Store().PathOf("a"));
        var second = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase);
        Assert.Contains("never overwritten", second.Reason, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Store().PathOf("a")));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void What_an_interrupted_creation_left_is_named_and_stays()
    {
        var left = Store().PathOf("a") + ".new";
        File.WriteAllText(left, "half");
        Assert.Contains(left, Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Reason, StringComparison.Ordinal);
        Assert.Equal("half", File.ReadAllText(left));
        Assert.False(File.Exists(Store().PathOf("a")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../a")]
    [InlineData("a b")]
    [InlineData("a.b")]
    public void A_name_that_could_lead_elsewhere_is_refused(string name)
    {
        Assert.Contains("letters, digits, hyphens and underscores", Store().Create(name, SigningAlgorithms.EcdsaP256, Passphrase).Reason, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Store().PathOf(name));
    }

    [Fact]
    public void A_passphrase_below_the_limit_is_refused()
    {
        var options = Quick with { MinPassphraseLength = 5 };
        Assert.Equal("the passphrase has 4 characters; at least 5 are expected", Store(options).Create("a", SigningAlgorithms.EcdsaP256, "1234").Reason);
        using var accepted = Store(options).Create("a", SigningAlgorithms.EcdsaP256, "12345").Value;
        Assert.NotNull(accepted);
    }

    [Fact]
    public void A_missing_file_is_told_from_a_wrong_passphrase()
    {
        using var created = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        Assert.Contains("does not exist", Store().Open("b", Passphrase).Reason, StringComparison.Ordinal);
        Assert.Contains("passphrase does not open", Store().Open("a", Passphrase + "r").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_an_encrypted_key_is_no_key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(Store().PathOf("plain"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Store().PathOf("text"), "hello");
        Assert.Contains("is not a key: its PEM block is 'PRIVATE KEY'", Store().Open("plain", Passphrase).Reason, StringComparison.Ordinal);
        Assert.Contains("is not a key: it holds no PEM block", Store().Open("text", Passphrase).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_told_from_a_wrong_passphrase()
    {
        using var created = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        var text = File.ReadAllText(Store().PathOf("a"));
        var block = Convert.FromBase64String(text[PemEncoding.Find(text).Base64Data]);
        File.WriteAllText(Store().PathOf("cut"), PemEncoding.WriteString("ENCRYPTED PRIVATE KEY", block.AsSpan(0, block.Length - 1)));
        File.WriteAllText(Store().PathOf("longer"), PemEncoding.WriteString("ENCRYPTED PRIVATE KEY", [.. block, 0]));
        foreach (var damaged in new[] { "cut", "longer" })
        {
            Assert.Contains("is not a key: its PEM block holds no EncryptedPrivateKeyInfo", Store().Open(damaged, Passphrase).Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_above_the_limit_is_not_read()
    {
        using var created = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        var size = (int)new FileInfo(Store().PathOf("a")).Length;
        Assert.Contains($"has {size} octets where at most {size - 1}", Store(Quick with { MaxFileBytes = size - 1 }).Open("a", Passphrase).Reason, StringComparison.Ordinal);
        using var opened = Store(Quick with { MaxFileBytes = size }).Open("a", Passphrase).Value;
        Assert.NotNull(opened);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_told_from_a_missing_one()
    {
        using var created = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;

        // Locked rather than without its read bit: file modes do not bind every user that runs tests.
        using var locked = new FileStream(Store().PathOf("a"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Contains("cannot be read", Store().Open("a", Passphrase).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_no_key_file()
    {
        Directory.CreateDirectory(Path.Combine(folder, "x.pem"));
        Assert.Contains("does not exist", Store().Open(Path.Combine(folder, "x.pem"), Passphrase).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_named()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        Assert.Contains("cannot be written", new FileKeyStore(file, Quick).Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_a_curve_that_does_not_sign_here_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        var encryption = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
        File.WriteAllText(Store().PathOf("p521"), key.ExportEncryptedPkcs8PrivateKeyPem(Passphrase, encryption));
        Assert.Contains("521 bits and is of no kind that signs here", Store().Open("p521", Passphrase).Reason, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(KeyDerivation.Pbkdf2, "ECDSA-P256-SHA256")]
    [InlineData(KeyDerivation.Scrypt, "ECDSA-P256-SHA256")]
    [InlineData(KeyDerivation.Scrypt, "RSA-2048-SHA256")]
    [InlineData(KeyDerivation.Scrypt, "Ed25519")]
    public void A_key_file_of_either_derivation_is_read_by_OpenSSL(KeyDerivation kdf, string name)
    {
        // At full strength: what OpenSSL refuses is what needs too much memory.
        using var created = Store(new FileKeyStoreOptions { Kdf = kdf }).Create("a", SigningAlgorithms.Find(name)!, Passphrase).Value!;
        using var opened = Store().Open("a", Passphrase).Value!;
        Assert.Equal(created.SubjectPublicKeyInfo, opened.SubjectPublicKeyInfo);
        var shown = OpenSsl("pkey", "-in", Store().PathOf("a"), "-passin", "env:PASS", "-pubout");
        Assert.Equal(created.SubjectPublicKeyInfo, Convert.FromBase64String(shown[PemEncoding.Find(shown).Base64Data]));
    }

    [SkippableTheory]
    [InlineData("EC -pkeyopt ec_paramgen_curve:P-256", "-v2 aes-256-cbc")]
    [InlineData("EC -pkeyopt ec_paramgen_curve:P-384", "-v2 aes-128-cbc -v2prf hmacWithSHA512")]
    [InlineData("RSA -pkeyopt rsa_keygen_bits:2048", "-v2 aes-256-cbc -v2prf hmacWithSHA1")]
    [InlineData("ED25519", "-scrypt")]
    public async Task A_key_file_that_OpenSSL_wrote_is_read(string kind, string encryption)
    {
        var plain = Path.Combine(folder, "plain");
        OpenSsl(["genpkey", "-algorithm", .. kind.Split(' '), "-out", plain]);
        OpenSsl(["pkcs8", "-topk8", "-in", plain, "-out", Store().PathOf("a"), "-passout", "env:PASS", .. encryption.Split(' ')]);
        var opened = Store().Open("a", Passphrase);
        Assert.True(opened.IsValid, opened.Reason);
        using var key = opened.Value!;
        Assert.True(Holds(key, [1], await key.SignAsync(new byte[] { 1 }, default)));
        Assert.Contains("passphrase does not open", Store().Open("a", Passphrase + "r").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_asks_for_more_work_than_the_limits_is_refused()
    {
        using var pbkdf2 = Store().Create("a", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        Assert.Contains("1 to 999 are spent", Store(Quick with { MaxPbkdf2Iterations = 999 }).Open("a", Passphrase).Reason, StringComparison.Ordinal);
        var cheap = Quick with { Kdf = KeyDerivation.Scrypt, ScryptCost = 1024, ScryptParallel = 1 };
        using var scrypt = Store(cheap).Create("b", SigningAlgorithms.EcdsaP256, Passphrase).Value!;
        Assert.Contains("at most 1048575 octets", Store(Quick with { MaxScryptBytes = (1024 * 1024) - 1 }).Open("b", Passphrase).Reason, StringComparison.Ordinal);
        using var opened = Store(Quick with { MaxScryptBytes = 1024 * 1024 }).Open("b", Passphrase).Value;
        Assert.NotNull(opened);
    }

    [Fact]
    public async Task A_key_serves_many_threads_at_once()
    {
        using var key = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, ct) =>
        {
            byte[] message = [(byte)i];
            Assert.True(Holds(key, message, await key.SignAsync(message, ct)));
        });
    }

    [Fact]
    public async Task A_closed_key_does_not_sign()
    {
        var key = FileSigningKey.Generate(SigningAlgorithms.EcdsaP256);
        key.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => key.SignAsync(new byte[] { 1 }, default).AsTask());
    }

    private static bool Holds(FileSigningKey key, byte[] message, byte[] signature)
    {
        return SigningAlgorithms.Verify(key.SubjectPublicKeyInfo, key.Algorithm, message, signature);
    }

    private static string OpenSsl(params string[] arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo(PersistCa.Testing.Requirement.Program("openssl"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PASS"] = Passphrase;
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        return output;
    }
}
