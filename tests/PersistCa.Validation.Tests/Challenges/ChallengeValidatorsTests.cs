using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Tests.Challenges;

public sealed class ChallengeValidatorsTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static List<IChallengeValidator> All()
    {
        var resolver = Sample.Resolver(Sample.Options(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 53)));
        var policy = new PersistPolicy([IssuerName.Parse("ca.example").Value!], [], PersistDialects.All.ToHashSet());
        return
        [
            new Http01Validator(resolver, new Http01Options(), TimeProvider.System),
            new Dns01Validator(resolver, TimeProvider.System),
            new TlsAlpn01Validator(resolver, new TlsAlpn01Options(), TimeProvider.System),
            new DnsAccount01Validator(resolver, TimeProvider.System),
            new DnsPersist01Validator(resolver, policy, TimeProvider.System),
        ];
    }

    [Fact]
    public void Every_challenge_type_has_its_validator()
    {
        var validators = new ChallengeValidators(All());

        Assert.All(ChallengeTypes.All, type => Assert.Equal(type, validators.For(type).Type));
    }

    [Fact]
    public void A_missing_validator_is_refused_by_name()
    {
        var refused = Assert.Throws<ArgumentException>(() => new ChallengeValidators(All().Where(v => v.Type != ChallengeType.TlsAlpn01)));

        Assert.Contains("0 validators for tls-alpn-01", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_validator_is_refused_by_name()
    {
        var refused = Assert.Throws<ArgumentException>(() => new ChallengeValidators([.. All(), All()[1]]));

        Assert.Contains("2 validators for dns-01", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ChallengeType.Http01, "connection")]
    [InlineData(ChallengeType.TlsAlpn01, "connection")]
    [InlineData(ChallengeType.Dns01, "dns")]
    [InlineData(ChallengeType.DnsAccount01, "dns")]
    [InlineData(ChallengeType.DnsPersist01, "dns")]
    public void A_passed_deadline_is_a_result_with_its_times(ChallengeType type, string problem)
    {
        var result = ChallengeResult.DeadlinePassed(type, Sample.Attempt(), At, At.AddSeconds(30), TimeSpan.FromSeconds(30));

        Assert.False(result.IsValid);
        Assert.Equal(problem, result.Problem!.Type.Name);
        Assert.Contains("within 30 seconds", result.Problem.Detail, StringComparison.Ordinal);
        Assert.Equal([At, At.AddSeconds(30)], [result.Evidence.StartedAt, result.Evidence.FinishedAt]);
        Assert.Equal(ProblemCatalog.All.Single(p => p.Name == problem), result.Problem.Type);
    }
}
