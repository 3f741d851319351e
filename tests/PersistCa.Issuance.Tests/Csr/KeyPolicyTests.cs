using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Tests.Csr;

public sealed class KeyPolicyTests
{
    private const string WeakFile = "weak-keys.json";
    private const string SoundFile = "sound-keys.json";

    public static TheoryData<string> Weak => VectorFile.Names(WeakFile);

    public static TheoryData<string> Sound => VectorFile.Names(SoundFile);

    [Theory]
    [MemberData(nameof(Weak))]
    public void A_weak_or_misspelt_key_is_refused_with_its_reason(string name)
    {
        var row = VectorFile.Row(WeakFile, name);
        var judged = new KeyPolicy().Judge(Convert.FromBase64String(row.Text("spki")));
        Assert.True(judged.IsRefused);
        Assert.Equal(ProblemCatalog.BadPublicKey, judged.Problem.Type);
        Assert.Contains(row.Text("reason"), judged.Problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sound))]
    public void A_sound_key_is_accepted(string name)
    {
        var row = VectorFile.Row(SoundFile, name);
        var judged = new KeyPolicy().Judge(Convert.FromBase64String(row.Text("spki")));
        Assert.Null(judged.Problem);
        Assert.Equal(Enum.Parse<KeyKind>(row.Text("kind")), judged.Value);
    }

    [Fact]
    public void Exponent_3_is_accepted_by_option() =>
        Assert.Null(Judge("RSA exponent 3", new KeyPolicyOptions { MinRsaExponent = 3 }));

    [Fact]
    public void The_bound_of_small_factors_is_an_option() =>
        Assert.Null(Judge("RSA modulus divisible by 751", new KeyPolicyOptions { SmallFactorBound = 751 }));

    [Fact]
    public void The_Fermat_rounds_are_an_option() =>
        Assert.Null(Judge("RSA modulus that the hundredth Fermat round factors", new KeyPolicyOptions { FermatRounds = 99 }));

    [Fact]
    public void The_sizes_of_RSA_keys_are_options()
    {
        Assert.Null(Judge("RSA of 1024 bits", new KeyPolicyOptions { MinRsaBits = 1024 }));
        Assert.Null(Judge("RSA of 4104 bits", new KeyPolicyOptions { MaxRsaBits = 8192 }));
    }

    [Fact]
    public void Ed25519_is_refused_by_option()
    {
        var key = Convert.FromBase64String(VectorFile.Row(SoundFile, "Ed25519").Text("spki"));
        var judged = new KeyPolicy(new KeyPolicyOptions { AcceptEd25519 = false }).Judge(key);
        Assert.Equal("Ed25519 keys are not accepted here; accepted are RSA, EC on P-256, P-384 and P-521.", judged.Problem?.Detail);
    }

    private static AcmeProblem? Judge(string weak, KeyPolicyOptions options) =>
        new KeyPolicy(options).Judge(Convert.FromBase64String(VectorFile.Row(WeakFile, weak).Text("spki"))).Problem;
}
