using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.X509;
using Org.BouncyCastle.X509.Extension;
using PersistCa.Issuance.Crl;
using PersistCa.Protocol.Acme;
using BigInteger = Org.BouncyCastle.Math.BigInteger;
using DerEnumerated = Org.BouncyCastle.Asn1.DerEnumerated;
using DerInteger = Org.BouncyCastle.Asn1.DerInteger;
using X509Extensions = Org.BouncyCastle.Asn1.X509.X509Extensions;

namespace PersistCa.Issuance.Tests.Crl;

public sealed class CrlBuilderTests
{
    private static readonly DateTimeOffset This = TestAuthority.Now.AddDays(1);
    private static readonly DateTimeOffset Next = This.AddDays(7);
    private const string SerialA = "40000000000000000000000000000001";
    private const string SerialB = "7fffffffffffffffffffffffffffffff";

    private static async Task<X509Crl> BuildAsync(long number, params RevokedCertificate[] revoked)
    {
        var der = await CrlBuilder.BuildAsync(await TestAuthority.IssuingAsync(), number, revoked, This, Next);
        return new X509CrlParser().ReadCrl(der);
    }

    [Fact]
    public async Task A_list_is_signed_by_its_issuer_and_names_it()
    {
        var issuing = await TestAuthority.IssuingAsync();
        var crl = await BuildAsync(17);
        var issuer = new X509CertificateParser().ReadCertificate(issuing.CertificateDer);
        crl.Verify(issuer.GetPublicKey());
        Assert.Equal(2, crl.Version);
        Assert.Equal(issuing.SubjectDer.ToArray(), crl.IssuerDN.GetEncoded());
        Assert.Equal(This.UtcDateTime, crl.ThisUpdate);
        Assert.Equal(Next.UtcDateTime, crl.NextUpdate);
        Assert.Equal(BigInteger.ValueOf(17), DerInteger.GetInstance(X509ExtensionUtilities.FromExtensionValue(crl.GetExtensionValue(X509Extensions.CrlNumber))).Value);
        var aki = Org.BouncyCastle.Asn1.X509.AuthorityKeyIdentifier.GetInstance(X509ExtensionUtilities.FromExtensionValue(crl.GetExtensionValue(X509Extensions.AuthorityKeyIdentifier)));
        Assert.Equal(issuing.KeyIdentifier, aki.KeyIdentifier.GetOctets());
        Assert.Empty(crl.GetCriticalExtensionOids());
    }

    [Fact]
    public async Task An_entry_keeps_its_serial_number_time_and_reason()
    {
        var revokedAt = This.AddHours(-5).AddMilliseconds(700);
        var crl = await BuildAsync(1, new RevokedCertificate(SerialB, revokedAt, 1), new RevokedCertificate(SerialA, This, 4));
        Assert.Equal([SerialA, SerialB], crl.GetRevokedCertificates().Select(e => e.SerialNumber.ToString(16)));
        var entry = crl.GetRevokedCertificate(new BigInteger(SerialB, 16));
        Assert.Equal(This.AddHours(-5).UtcDateTime, entry.RevocationDate);
        var reason = X509ExtensionUtilities.FromExtensionValue(entry.GetExtensionValue(X509Extensions.ReasonCode));
        Assert.Equal(1, DerEnumerated.GetInstance(reason).IntValueExact);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    public async Task A_reason_of_nothing_is_left_out(int? reason)
    {
        var entry = Assert.Single((await BuildAsync(1, new RevokedCertificate(SerialA, This, reason))).GetRevokedCertificates());
        Assert.False(entry.HasExtensions);
    }

    [Fact]
    public async Task A_list_of_nothing_has_no_list()
    {
        var der = await CrlBuilder.BuildAsync(await TestAuthority.IssuingAsync(), 1, [], This, Next);
        Assert.Empty(new X509CrlParser().ReadCrl(der).GetRevokedCertificates() ?? (ISet<X509CrlEntry>)new HashSet<X509CrlEntry>());
        var tbs = new System.Formats.Asn1.AsnReader(der, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence().ReadSequence();
        tbs.ReadInteger();
        tbs.ReadSequence();
        tbs.ReadSequence();
        tbs.ReadUtcTime();
        tbs.ReadUtcTime();
        Assert.Equal(new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 0, isConstructed: true), tbs.PeekTag());
    }

    [Fact]
    public async Task The_platform_reads_the_list()
    {
        var der = await CrlBuilder.BuildAsync(await TestAuthority.IssuingAsync(), 5, [new RevokedCertificate(SerialA, This, 5)], This, Next);
        var builder = CertificateRevocationListBuilder.Load(der, out var number);
        Assert.Equal(5, number);
        Assert.True(builder.RemoveEntry(Convert.FromHexString(SerialA)));
        Assert.False(builder.RemoveEntry(Convert.FromHexString(SerialB)));
    }

    [Fact]
    public async Task A_revocation_by_a_node_whose_clock_is_ahead_stands_in_the_list_at_its_own_time()
    {
        var der = await CrlBuilder.BuildAsync(await TestAuthority.IssuingAsync(), 5, [new RevokedCertificate(SerialA, This.AddSeconds(1), null)], This, Next);
        var entry = new Org.BouncyCastle.X509.X509CrlParser().ReadCrl(der).GetRevokedCertificate(new Org.BouncyCastle.Math.BigInteger(SerialA, 16));
        Assert.Equal(This.UtcDateTime, entry.RevocationDate.ToUniversalTime());
    }

    [Fact]
    public async Task What_would_make_a_wrong_list_is_a_bug_of_the_caller()
    {
        var issuer = await TestAuthority.IssuingAsync();
        var good = new RevokedCertificate(SerialA, This, null);
        await Throws("twice", [good, good with { Serial = SerialA.ToUpperInvariant() }]);
        await Throws("reason 6", [good with { Reason = 6 }]);
        await Assert.ThrowsAsync<ArgumentException>(() => CrlBuilder.BuildAsync(issuer, 1, [], This, This).AsTask());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => CrlBuilder.BuildAsync(issuer, 0, [], This, Next).AsTask());

        async Task Throws(string reason, RevokedCertificate[] revoked)
        {
            var thrown = await Assert.ThrowsAsync<ArgumentException>(() => CrlBuilder.BuildAsync(issuer, 1, revoked, This, Next).AsTask());
            Assert.Contains(reason, thrown.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, false)]
    [InlineData(7, false)]
    [InlineData(8, false)]
    [InlineData(9, true)]
    [InlineData(10, false)]
    [InlineData(-1, false)]
    public void Only_the_listed_reasons_are_accepted(int? code, bool accepted)
    {
        var problem = RevocationReasons.Judge(code);
        Assert.Equal(accepted, problem is null);
        if (problem is not null)
        {
            Assert.Equal(ProblemCatalog.BadRevocationReason, problem.Type);
            Assert.Contains("0 (unspecified), 1 (keyCompromise), 3 (affiliationChanged), 4 (superseded), 5 (cessationOfOperation), 9 (privilegeWithdrawn)", problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Unspecified_is_recorded_as_none()
    {
        Assert.Null(RevocationReasons.Recorded(0));
        Assert.Equal(4, RevocationReasons.Recorded(4));
    }
}
