using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Ocsp;
using Org.BouncyCastle.X509;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Ocsp;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.Tests.Ocsp;

public sealed class OcspAnswerTests
{
    private const string Serial = "40000000000000000000000000000001";

    private static readonly DateTimeOffset Now = TestAuthority.Now.AddDays(1);
    private static readonly OcspTimes Times = new(Now, Now.AddDays(4), Now);

    private static async Task<OcspSigner> SignerAsync(TimeSpan? validity = null) =>
        await OcspSigner.CreateAsync(await TestAuthority.IssuingAsync(), FileSigningKey.Generate(SigningAlgorithms.EcdsaP256), Now, validity ?? TimeSpan.FromDays(30));

    private static async Task<OcspCertId> IdAsync(OcspHash hash = OcspHash.Sha1, string serial = Serial) => OcspCertId.Of(await TestAuthority.IssuingAsync(), hash, serial);

    private static BasicOcspResp Read(byte[] der)
    {
        var whole = new OcspResp(der);
        Assert.Equal(OcspRespStatus.Successful, whole.Status);
        return (BasicOcspResp)whole.GetResponseObject();
    }

    [Fact]
    public async Task A_signer_has_the_one_purpose_nocheck_and_no_pointer_and_its_issuer_signed_it()
    {
        var issuer = await TestAuthority.IssuingAsync();
        var signer = await SignerAsync();
        var certificate = new X509CertificateParser().ReadCertificate(signer.CertificateDer);
        certificate.Verify(new X509CertificateParser().ReadCertificate(issuer.CertificateDer).GetPublicKey());
        Assert.Equal(["1.3.6.1.5.5.7.3.9"], certificate.GetExtendedKeyUsage().Select(o => o.Id));
        Assert.Equal(["2.5.29.15"], certificate.GetCriticalExtensionOids());
        Assert.Equal(["1.3.6.1.5.5.7.48.1.5", "2.5.29.35", "2.5.29.37"], certificate.GetNonCriticalExtensionOids().Order(StringComparer.Ordinal));
        Assert.Equal([0x05, 0x00], certificate.GetExtensionValue(new Org.BouncyCastle.Asn1.DerObjectIdentifier("1.3.6.1.5.5.7.48.1.5")).GetOctets());
        Assert.Equal(TimeSpan.FromDays(30), signer.NotAfter - signer.NotBefore + TimeSpan.FromSeconds(1));
        Assert.InRange(signer.ReplaceAt, Now.AddDays(14), Now.AddDays(15));
    }

    [Fact]
    public async Task A_signer_lives_at_most_thirty_days_and_has_a_key_of_its_own()
    {
        var issuer = await TestAuthority.IssuingAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => SignerAsync(TimeSpan.FromDays(30) + TimeSpan.FromSeconds(1)));
        await Assert.ThrowsAsync<ArgumentException>(() => OcspSigner.CreateAsync(issuer, issuer.Key, Now, TimeSpan.FromDays(1)).AsTask());
    }

    [Fact]
    public async Task A_signer_of_another_issuer_or_with_another_key_is_not_taken()
    {
        var signer = await SignerAsync();
        Assert.True(OcspSigner.Load(await TestAuthority.IssuingAsync(), signer.CertificateDer, signer.Key).IsValid);
        Assert.False(OcspSigner.Load(await TestAuthority.RootAsync(), signer.CertificateDer, signer.Key).IsValid);
        Assert.False(OcspSigner.Load(await TestAuthority.IssuingAsync(), signer.CertificateDer, FileSigningKey.Generate(SigningAlgorithms.EcdsaP256)).IsValid);
    }

    [Theory]
    [InlineData(OcspHash.Sha1)]
    [InlineData(OcspHash.Sha256)]
    public async Task A_good_answer_is_signed_by_the_signer_and_names_it_by_its_key(OcspHash hash)
    {
        var signer = await SignerAsync();
        var answer = Read(await OcspAnswer.SignAsync(signer, [new OcspSingle(await IdAsync(hash), OcspStatus.Good)], Times));
        var certificate = Assert.Single(answer.GetCerts());
        Assert.Equal(signer.CertificateDer, certificate.GetEncoded());
        Assert.True(answer.Verify(certificate.GetPublicKey()));
        Assert.NotNull(answer.ResponderId.ToAsn1Object().GetKeyHash());
        var single = Assert.Single(answer.Responses);
        Assert.Null(single.GetCertStatus());
        Assert.Equal(Serial, single.GetCertID().SerialNumber.ToString(16));
        Assert.True(single.GetCertID().MatchesIssuer(new X509CertificateParser().ReadCertificate((await TestAuthority.IssuingAsync()).CertificateDer)));
        Assert.Equal(Times.ThisUpdate.UtcDateTime, single.ThisUpdate);
        Assert.Equal(Times.NextUpdate.UtcDateTime, single.NextUpdate);
        Assert.Null(answer.ResponseExtensions);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(9, true)]
    public async Task A_revocation_has_its_time_and_its_reason_unless_that_says_nothing(int? reason, bool told)
    {
        var revokedAt = Now.AddHours(-3);
        var answer = Read(await OcspAnswer.SignAsync(await SignerAsync(), [new OcspSingle(await IdAsync(), OcspStatus.Revoked, revokedAt, reason)], Times));
        var status = Assert.IsType<RevokedStatus>(answer.Responses[0].GetCertStatus());
        Assert.Equal(revokedAt.UtcDateTime, status.RevocationTime);
        Assert.Equal(told, status.HasRevocationReason);
        if (told)
        {
            Assert.Equal(reason, status.RevocationReason);
        }
    }

    [Fact]
    public async Task What_is_not_known_is_told_so_and_the_nonce_comes_back()
    {
        var answer = Read(await OcspAnswer.SignAsync(await SignerAsync(), [new OcspSingle(await IdAsync(), OcspStatus.Unknown)], Times, new byte[] { 1, 2, 3 }));
        Assert.IsType<UnknownStatus>(answer.Responses[0].GetCertStatus());
        Assert.Equal([0x04, 0x03, 1, 2, 3], answer.GetExtensionValue(OcspObjectIdentifiers.PkixOcspNonce).GetOctets());
    }

    [Fact]
    public async Task No_answer_outlives_the_certificate_of_its_signer()
    {
        var signer = await SignerAsync(TimeSpan.FromDays(2));
        var answer = Read(await OcspAnswer.SignAsync(signer, [new OcspSingle(await IdAsync(), OcspStatus.Good)], Times));
        Assert.Equal(signer.NotAfter.UtcDateTime, answer.Responses[0].NextUpdate);
    }

    [Fact]
    public async Task A_revocation_without_a_time_and_a_reason_that_is_not_accepted_are_bugs_of_the_caller()
    {
        var signer = await SignerAsync();
        var id = await IdAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => OcspAnswer.SignAsync(signer, [], Times).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => OcspAnswer.SignAsync(signer, [new OcspSingle(id, OcspStatus.Revoked)], Times).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => OcspAnswer.SignAsync(signer, [new OcspSingle(id, OcspStatus.Revoked, Now, 6)], Times).AsTask());
    }

    [Fact]
    public async Task An_answer_whose_times_are_in_disorder_is_not_signed()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await OcspAnswer.SignAsync(await SignerAsync(), [new OcspSingle(await IdAsync(), OcspStatus.Good)], Times with { ThisUpdate = Now.AddSeconds(1) }));
        Assert.Contains("L60", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ML-DSA-44", true)]
    [InlineData("ML-DSA-65", false)]
    [InlineData("ML-DSA-87", true)]
    [InlineData("ML-DSA-87", false)]
    [InlineData("Ed25519", false)]
    public async Task Answers_of_any_issuer_are_signed_by_a_delegated_signer_or_by_itself(string algorithm, bool delegated)
    {
        using var rootKey = FileSigningKey.Generate(SigningAlgorithms.Find(algorithm)!);
        using var key = FileSigningKey.Generate(SigningAlgorithms.Find(algorithm)!);
        using var own = FileSigningKey.Generate(SigningAlgorithms.Find(algorithm)!);
        var made = await HierarchyCreation.CreateAsync(new HierarchyRequest { Organization = "Example", Now = Now }, rootKey, key);
        var issuer = Issuer.Load(made.IssuingDer, [made.RootDer], key, Now).Value!;
        var signer = delegated ? await OcspSigner.CreateAsync(issuer, own, Now, TimeSpan.FromDays(30)) : OcspSigner.Of(issuer);
        var der = await OcspAnswer.SignAsync(signer, [new OcspSingle(OcspCertId.Of(issuer, OcspHash.Sha256, Serial), OcspStatus.Revoked, Now, 1)], Times);

        // By our own reader, and by BouncyCastle's.
        var facts = OcspFacts.Read(der).Value!;
        Assert.True(SigningAlgorithms.Verify(signer.Key.SubjectPublicKeyInfo, signer.Key.Algorithm, facts.ToBeSigned.Span, facts.Signature.Span));
        Assert.Empty(OcspLint.Check(facts, new OcspLintContext()));
        var read = Read(der);
        var signedBy = new X509CertificateParser().ReadCertificate(delegated ? read.GetCerts().Single().GetEncoded() : issuer.CertificateDer);
        Assert.Equal(delegated ? 1 : 0, read.GetCerts().Length);
        Assert.True(read.Verify(signedBy.GetPublicKey()));
        Assert.Equal(signer.CertificateDer, signedBy.GetEncoded());
        if (delegated)
        {
            signedBy.Verify(new X509CertificateParser().ReadCertificate(issuer.CertificateDer).GetPublicKey());
        }
    }

    [Theory]
    [InlineData(OcspRefusal.MalformedRequest, 1)]
    [InlineData(OcspRefusal.TryLater, 3)]
    [InlineData(OcspRefusal.Unauthorized, 6)]
    public void A_refusal_is_a_status_alone(OcspRefusal refusal, int code) => Assert.Equal([0x30, 0x03, 0x0a, 0x01, (byte)code], OcspAnswer.Refuse(refusal));

    [Fact]
    public async Task L60_finds_a_serial_number_that_is_not_known_another_signer_and_in_public_an_answer_that_lives_too_long()
    {
        var signer = await SignerAsync();
        var der = await OcspAnswer.SignAsync(signer, [new OcspSingle(await IdAsync(), OcspStatus.Good)], Times with { NextUpdate = Now.AddDays(11) });
        Assert.Equal(LintSeverity.Warning, Assert.Single(OcspLint.Check(der, new OcspLintContext())).Severity);
        Assert.Equal(LintSeverity.Error, Assert.Single(OcspLint.Check(der, new OcspLintContext { Regime = Regime.CabfBr })).Severity);

        var sound = await OcspAnswer.SignAsync(signer, [new OcspSingle(await IdAsync(), OcspStatus.Good)], Times);
        Assert.Empty(OcspLint.Check(sound, new OcspLintContext { Regime = Regime.CabfBr, KnownSerials = new HashSet<string> { Serial } }));
        Assert.Contains("not issued here", Assert.Single(OcspLint.Check(sound, new OcspLintContext { KnownSerials = new HashSet<string>() })).Message, StringComparison.Ordinal);
        Assert.Contains("key that signs", Assert.Single(OcspLint.Check(sound, new OcspLintContext { ResponderKeyHash = new byte[20] })).Message, StringComparison.Ordinal);
        Assert.Equal("L00", Assert.Single(OcspLint.Check(OcspAnswer.Refuse(OcspRefusal.TryLater), new OcspLintContext())).Id);
    }
}
