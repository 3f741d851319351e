using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Csr;

namespace PersistCa.Issuance.Tests.Linting;

public sealed class TbsLintTests
{
    private const string Ku = "2.5.29.15";
    private const string San = "2.5.29.17";
    private const string Bc = "2.5.29.19";
    private const string Aki = "2.5.29.35";
    private const string Eku = "2.5.29.37";

    // [2] "www.example.com"
    private const string GoodName = "820f7777772e6578616d706c652e636f6d";

    private static readonly IssuanceRequest Request = TestAuthority.Request("www.example.com");

    /// <summary>Each bends a sound certificate in one thing.</summary>
    private static readonly (string Name, string Id, string Reason, Func<TbsDraft, LintContext, TbsDraft> Bend)[] Cases =
    [
        ("the version is v1", "L01", "version is 1; v3", (d, _) => d with { Version = null }),
        ("the version is v2", "L01", "version is 2; v3", (d, _) => d with { Version = 1 }),
        ("the serial number is negative", "L02", "not positive", (d, _) => d with { Serial = [0x80, .. d.Serial[1..]] }),
        ("the serial number is zero", "L02", "not positive", (d, _) => d with { Serial = [0] }),
        ("the serial number has 7 octets", "L02", "has 7 octets", (d, _) => d with { Serial = d.Serial[..7] }),
        ("the serial number has 21 octets", "L02", "has 21 octets", (d, _) => d with { Serial = [.. d.Serial, 1, 2, 3, 4, 5] }),
        ("the signature algorithm has another hash", "L03", "the issuer's is", (d, _) => d with { SignatureAlgorithm = SigningAlgorithms.EcdsaP384.AlgorithmIdentifier.ToArray() }),
        ("the issuer is another", "L04", "octet for octet", (d, _) => d with { Issuer = [0x30, 0x00] }),
        ("the validity is one second too long", "L06", "is 7776001 seconds; at most 7776000", (d, _) => d with { NotAfter = TbsDraft.Utc("300805070709Z") }),
        ("the validity is empty", "L06", "not later than notBefore", (d, _) => d with { NotAfter = d.NotBefore }),
        ("the issuer ends before", "L06", "later than the issuer's", (d, c) => d with { NotBefore = TbsDraft.Utc("400501000000Z"), NotAfter = TbsDraft.Utc("400601000000Z") }),
        ("a time before 2050 is a GeneralizedTime", "L08", "UTCTime is expected through 2049", (d, _) => d with { NotBefore = TbsDraft.Generalized("20300507070709Z") }),
        ("there is a subjectUniqueID", "L09", "subjectUniqueID", (d, _) => d with { SubjectUniqueId = [1] }),
        ("an extension stands there twice", "L10", "2.5.29.37 stands there 2 times", (d, _) => d.Twice(Eku)),
        ("there is no subjectAltName", "L26", "missing", (d, _) => d.Without(San)),
        ("subjectAltName is empty", "L26", "empty", (d, _) => d.With(San, true, [0x30, 0x00])),
        ("subjectAltName has a mail address", "L26", "type [1]", (d, _) => d.With(San, true, Hex("3016" + GoodName + "8103614062"))),
        ("subjectAltName is not critical under an empty subject", "L27", "not critical while the subject is empty", (d, _) => d.Criticality(San, false)),
        ("subjectAltName is critical beside a subject", "L27", "critical while the subject is not empty", (d, _) => d with { Subject = Hex("300c310a300806035504030c0161") }),
        ("a dNSName has an underscore", "L28", "underscore", (d, _) => d.With(San, true, Hex("3011820f775f772e6578616d706c652e636f6d"))),
        ("an iPAddress has 5 octets", "L33", "has 5 octets", (d, _) => d.With(San, true, Hex("3018" + GoodName + "87057f00000100"))),
        ("an iPAddress is an IPv4 address in IPv6 form", "L33", "127.0.0.1 is expected", (d, _) => d.With(San, true, Hex("3023" + GoodName + "871000000000000000000000ffff7f000001"))),
        ("there is an address that is not in the order", "L35", "www.example.com, 127.0.0.1;", (d, _) => d.With(San, true, Hex("3017" + GoodName + "87047f000001"))),
        ("a dNSName is in upper case, so not the order's", "L35", "the order has www.example.com", (d, _) => d.With(San, true, Hex("3011820f5777772e6578616d706c652e636f6d"))),
        ("a name of the order is missing", "L35", "subjectAltName has a.b;", (d, _) => d.With(San, true, Hex("30058203612e62"))),
        ("there is a name more than in the order", "L35", "www.example.com, a.b;", (d, _) => d.With(San, true, Hex("3016" + GoodName + "8203612e62"))),
        ("a name stands there twice", "L35", "www.example.com, www.example.com;", (d, _) => d.With(San, true, Hex("3022" + GoodName + GoodName))),
        ("there is no keyUsage", "L37", "missing", (d, _) => d.Without(Ku)),
        ("keyUsage is not critical", "L37", "not critical", (d, _) => d.Criticality(Ku, false)),
        ("keyUsage of an EC key has keyEncipherment", "L37", "digitalSignature alone", (d, _) => d.With(Ku, true, Hex("030205a0"))),
        ("keyUsage lacks digitalSignature", "L37", "digitalSignature alone", (d, _) => d.With(Ku, true, Hex("03020308"))),
        ("keyUsage has keyCertSign", "L37", "digitalSignature alone", (d, _) => d.With(Ku, true, Hex("03020284"))),
        ("there is no extKeyUsage", "L38", "missing or critical", (d, _) => d.Without(Eku)),
        ("extKeyUsage has clientAuth besides", "L38", "not serverAuth alone", (d, _) => d.With(Eku, false, Hex("301406082b0601050507030106082b06010505070302"))),
        ("basicConstraints says cA", "L40", "expected to be absent", (d, _) => d.With(Bc, true, Hex("30030101ff"))),
        ("there is no authorityKeyIdentifier", "L41", "missing", (d, _) => d.Without(Aki)),
        ("authorityKeyIdentifier is another's", "L41", "not the issuer's", (d, _) => d.With(Aki, false, Hex("30068004" + "01020304"))),
        ("authorityKeyIdentifier is critical", "L41", "critical", (d, _) => d.Criticality(Aki, true)),
        ("an extension cannot be read", "L41", "cannot be read", (d, _) => d.With(Aki, false, [0x30, 0x05])),
    ];

    public static TheoryData<string> CaseNames => [.. Cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public async Task A_certificate_bent_in_one_thing_has_that_one_finding(string name)
    {
        var (tbs, context) = await SoundAsync();
        var (_, id, reason, bend) = Cases.Single(c => c.Name == name);
        var finding = Assert.Single(TbsLint.Check(bend(TbsDraft.Of(tbs), context).Encode(), context), f => f.Id == id);
        Assert.Contains(reason, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sound_certificate_has_no_finding()
    {
        var (tbs, context) = await SoundAsync();
        Assert.Empty(TbsLint.Check(tbs, context));
        Assert.Equal(tbs, TbsDraft.Of(tbs).Encode());
    }

    [Fact]
    public async Task A_dNSName_that_spells_an_address_of_the_order_is_not_that_address()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var request = TestAuthority.Request("10.0.0.1");
        var (_, sound) = await SoundAsync();
        var context = sound with { Names = request.Names };
        var tbs = issuer.Prepare(request).Value.TbsDer;

        Assert.Empty(TbsLint.Check(tbs, context));
        var bent = TbsDraft.Of(tbs).With(San, true, Hex("300a820831302e302e302e31"));
        Assert.Equal(["L28", "L35"], TbsLint.Check(bent.Encode(), context).Select(f => f.Id));
    }

    [Fact]
    public async Task Bytes_that_cannot_be_read_are_a_finding()
    {
        var (tbs, context) = await SoundAsync();
        Assert.Equal("L00", Assert.Single(TbsLint.Check(tbs.AsMemory(1), context)).Id);
        byte[] longer = [.. tbs, 0];
        Assert.Equal("L00", Assert.Single(TbsLint.Check(longer, context)).Id);
    }

    [Fact]
    public async Task A_time_without_seconds_is_a_finding()
    {
        var (tbs, context) = await SoundAsync();
        var bent = TbsDraft.Of(tbs) with { NotBefore = TbsDraft.Utc("3005070707Z") };
        Assert.Equal("L00", Assert.Single(TbsLint.Check(bent.Encode(), context)).Id);
    }

    [Fact]
    public async Task RSA_may_have_key_encipherment()
    {
        var (tbs, context) = await SoundAsync();
        var rsa = TbsDraft.Of(tbs).With(Ku, true, Hex("030205a0")) with { SubjectPublicKeyInfo = CsrDraft.RsaKey.ExportSubjectPublicKeyInfo() };
        Assert.Empty(TbsLint.Check(rsa.Encode(), context));
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    internal static async Task<(byte[] Tbs, LintContext Context)> SoundAsync()
    {
        var issuer = await TestAuthority.CertificateIssuerAsync();
        var intent = issuer.Prepare(Request).Value;
        return (intent.TbsDer, new LintContext
        {
            IssuerSubjectDer = issuer.Issuer.SubjectDer,
            IssuerKeyIdentifier = issuer.Issuer.KeyIdentifier,
            IssuerNotAfter = issuer.Issuer.NotAfter,
            SignatureAlgorithm = issuer.Issuer.Key.Algorithm.AlgorithmIdentifier,
            Names = Request.Names,
            MaxValidity = issuer.Profile.Validity,
        });
    }
}
