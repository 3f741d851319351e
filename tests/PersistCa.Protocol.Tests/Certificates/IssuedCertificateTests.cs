using PersistCa.Protocol.Certificates;

namespace PersistCa.Protocol.Tests.Certificates;

public sealed class IssuedCertificateTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Dictionary<CertificateStatus, Action<IssuedCertificate>> Steps = new()
    {
        [CertificateStatus.Issued] = c => c.Record([2], Now.AddMinutes(1)),
        [CertificateStatus.Revoked] = c => c.Revoke(4, Now.AddMinutes(2)),
        [CertificateStatus.Abandoned] = c => c.Abandon(),
    };

    public static IEnumerable<object[]> Pairs =>
        from start in Enum.GetValues<CertificateStatus>()
        from to in Steps.Keys
        let allowed = (start, to) is (CertificateStatus.Intended, CertificateStatus.Issued) or (CertificateStatus.Intended, CertificateStatus.Abandoned)
            or (CertificateStatus.Issued, CertificateStatus.Revoked)
        select new object[] { start, to, allowed };

    private static IssuedCertificate In(CertificateStatus status)
    {
        var certificate = new IssuedCertificate("id", "01", "issuer", 7, 8, "f", [1], Now, Now.AddDays(90), Now);
        if (status is CertificateStatus.Issued or CertificateStatus.Revoked)
        {
            Steps[CertificateStatus.Issued](certificate);
        }

        if (status is CertificateStatus.Revoked or CertificateStatus.Abandoned)
        {
            Steps[status](certificate);
        }

        Assert.Equal(status, certificate.Status);
        return certificate;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_step_that_is_not_in_the_table_changes_nothing(CertificateStatus start, CertificateStatus to, bool allowed)
    {
        var certificate = In(start);
        if (allowed)
        {
            Steps[to](certificate);
            Assert.Equal(to, certificate.Status);
            return;
        }

        var (der, revoked, reason) = (certificate.Der, certificate.RevokedAt, certificate.RevocationReason);
        Assert.Contains($"from {start} to {to}", Assert.Throws<InvalidOperationException>(() => Steps[to](certificate)).Message, StringComparison.Ordinal);
        Assert.Equal((start, der, revoked, reason), (certificate.Status, certificate.Der, certificate.RevokedAt, certificate.RevocationReason));
    }

    [Fact]
    public void An_intent_has_the_bytes_to_sign_and_no_certificate()
    {
        var certificate = In(CertificateStatus.Intended);
        Assert.Equal((7, 8, Now, (byte[]?)null, (DateTimeOffset?)null), (certificate.OrderId, certificate.AccountId, certificate.IntendedAt, certificate.Der, certificate.IssuedAt));
        Assert.Equal([1], certificate.TbsDer);
    }

    [Fact]
    public void A_recorded_certificate_has_its_bytes_once_and_its_time()
    {
        var certificate = In(CertificateStatus.Issued);
        Assert.Equal([2], certificate.Der);
        Assert.Empty(certificate.TbsDer);
        Assert.Equal(Now.AddMinutes(1), certificate.IssuedAt);
    }

    [Fact]
    public void A_revoked_certificate_keeps_its_bytes_its_reason_and_its_time()
    {
        var certificate = In(CertificateStatus.Revoked);
        Assert.Equal([2], certificate.Der);
        Assert.Equal((4, Now.AddMinutes(2)), (certificate.RevocationReason!.Value, certificate.RevokedAt!.Value));
    }
}
