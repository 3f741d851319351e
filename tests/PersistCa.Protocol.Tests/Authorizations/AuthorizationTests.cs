using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;

namespace PersistCa.Protocol.Tests.Authorizations;

/// <summary>Every step of authorizations and challenges, allowed and forbidden (RFC 8555 section 7.1.6).</summary>
public sealed class AuthorizationTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly AcmeProblem Problem = new(ProblemCatalog.Dns, "no answer");

    private static Authorization Open(bool wildcard = false) =>
        new("id", 1, "a.test", wildcard, [(ChallengeType.Http01, "t"), (ChallengeType.DnsPersist01, "u")], Now, Now.AddHours(1), "trace");

    private static Authorization In(AuthorizationStatus status)
    {
        var authorization = Open();
        var challenge = authorization.Challenges[0];
        switch (status)
        {
            case AuthorizationStatus.Valid:
                authorization.Accept(challenge, Now);
                authorization.Conclude(challenge, Now, Now.AddHours(2), isReusable: true);
                break;
            case AuthorizationStatus.Invalid:
                authorization.Accept(challenge, Now);
                authorization.Fail(challenge, Problem);
                break;
            case AuthorizationStatus.Deactivated:
                authorization.Deactivate();
                break;
            default:
                break;
        }

        Assert.Equal(status, authorization.Status);
        return authorization;
    }

    private static Challenge ChallengeIn(ChallengeStatus status)
    {
        var authorization = Open();
        var challenge = authorization.Challenges[0];
        if (status != ChallengeStatus.Pending)
        {
            authorization.Accept(challenge, Now);
        }

        if (status == ChallengeStatus.Valid)
        {
            authorization.Conclude(challenge, Now, Now.AddHours(2), true);
        }
        else if (status == ChallengeStatus.Invalid)
        {
            authorization.Fail(challenge, Problem);
        }

        Assert.Equal(status, challenge.Status);
        return challenge;
    }

    [Fact]
    public void A_new_authorization_is_pending_with_its_challenges_in_the_order_on_offer()
    {
        var authorization = Open(wildcard: true);
        Assert.Equal((AuthorizationStatus.Pending, "*.a.test", "trace", false), (authorization.StatusAt(Now), authorization.CertificateName, authorization.TraceParent, authorization.IsReusable));
        Assert.Equal([(0, ChallengeType.Http01, "t"), (1, ChallengeType.DnsPersist01, "u")], authorization.Challenges.Select(c => (c.Ordinal, c.Type, c.Token)));
        Assert.All(authorization.Challenges, c => Assert.Equal((ChallengeStatus.Pending, (DateTimeOffset?)null, (AcmeProblem?)null), (c.Status, c.ValidatedAt, c.Error)));
    }

    [Theory]
    [InlineData(AuthorizationStatus.Pending, true)]
    [InlineData(AuthorizationStatus.Valid, true)]
    [InlineData(AuthorizationStatus.Invalid, false)]
    [InlineData(AuthorizationStatus.Deactivated, false)]
    public void Pending_and_valid_ones_can_be_given_up_and_no_other(AuthorizationStatus status, bool allowed)
    {
        var authorization = In(status);
        Assert.Equal(allowed, authorization.CanDeactivate(Now));
        if (allowed)
        {
            authorization.Deactivate();
            Assert.Equal(AuthorizationStatus.Deactivated, authorization.StatusAt(Now.AddYears(1)));
        }
        else
        {
            Assert.Throws<InvalidOperationException>(authorization.Deactivate);
            Assert.Equal(status, authorization.Status);
        }
    }

    [Theory]
    [InlineData(AuthorizationStatus.Pending, 1)]
    [InlineData(AuthorizationStatus.Valid, 2)]
    public void A_pending_or_valid_one_lapses_at_its_time_and_not_before(AuthorizationStatus status, int hours)
    {
        var authorization = In(status);
        Assert.Equal(status, authorization.StatusAt(Now.AddHours(hours).AddTicks(-1)));
        Assert.Equal(AuthorizationStatus.Expired, authorization.StatusAt(Now.AddHours(hours)));
        Assert.False(authorization.CanDeactivate(Now.AddHours(hours)));
    }

    [Theory]
    [InlineData(AuthorizationStatus.Invalid)]
    [InlineData(AuthorizationStatus.Deactivated)]
    public void A_decided_one_does_not_lapse(AuthorizationStatus status) => Assert.Equal(status, In(status).StatusAt(Now.AddYears(10)));

    [Theory]
    [InlineData(AuthorizationStatus.Valid)]
    [InlineData(AuthorizationStatus.Invalid)]
    [InlineData(AuthorizationStatus.Deactivated)]
    public void No_challenge_of_a_decided_one_is_accepted(AuthorizationStatus status)
    {
        var authorization = In(status);
        Assert.False(authorization.Accept(authorization.Challenges[1], Now));
        Assert.Equal(ChallengeStatus.Pending, authorization.Challenges[1].Status);
    }

    [Theory]
    [InlineData(ChallengeStatus.Pending, false)]
    [InlineData(ChallengeStatus.Processing, true)]
    [InlineData(ChallengeStatus.Valid, false)]
    [InlineData(ChallengeStatus.Invalid, false)]
    public void Only_a_challenge_in_processing_is_concluded_or_fails(ChallengeStatus status, bool allowed)
    {
        foreach (var to in new[] { ChallengeStatus.Valid, ChallengeStatus.Invalid })
        {
            var challenge = ChallengeIn(status);
            var another = Open();
            void Step()
            {
                if (to == ChallengeStatus.Valid)
                {
                    another.Conclude(challenge, Now, Now.AddHours(2), true);
                }
                else
                {
                    another.Fail(challenge, Problem);
                }
            }

            if (allowed)
            {
                Step();
                Assert.Equal(to, challenge.Status);
            }
            else
            {
                Assert.Contains($"from {status} to {to}", Assert.Throws<InvalidOperationException>(Step).Message, StringComparison.Ordinal);
                Assert.Equal((status, AuthorizationStatus.Pending), (challenge.Status, another.Status));
            }
        }
    }

    [Fact]
    public void Success_is_noted_with_its_time_its_end_and_whether_it_may_serve_again()
    {
        var authorization = Open();
        var challenge = authorization.Challenges[1];
        authorization.Accept(challenge, Now);
        authorization.Conclude(challenge, Now.AddMinutes(1), Now.AddDays(10), isReusable: true);
        Assert.Equal((AuthorizationStatus.Valid, Now.AddMinutes(1), Now.AddDays(10), true), (authorization.Status, authorization.ValidatedAt!.Value, authorization.ExpiresAt, authorization.IsReusable));
        Assert.Equal((ChallengeStatus.Valid, Now.AddMinutes(1)), (challenge.Status, challenge.ValidatedAt!.Value));
        Assert.Equal(ChallengeStatus.Pending, authorization.Challenges[0].Status);
    }

    [Fact]
    public void Failure_is_noted_with_its_reason_and_leaves_the_others_pending()
    {
        var authorization = In(AuthorizationStatus.Invalid);
        Assert.Equal((ChallengeStatus.Invalid, Problem), (authorization.Challenges[0].Status, authorization.Challenges[0].Error));
        Assert.Equal((ChallengeStatus.Pending, (AcmeProblem?)null), (authorization.Challenges[1].Status, authorization.Challenges[1].Error));
        Assert.Null(authorization.ValidatedAt);
    }

    [Fact]
    public void One_that_lapsed_while_it_was_looked_at_stays_lapsed()
    {
        var authorization = Open();
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Conclude(authorization.Challenges[0], Now.AddHours(1), Now.AddDays(10), true);
        Assert.Equal((AuthorizationStatus.Expired, Now.AddHours(1), false), (authorization.StatusAt(Now.AddHours(1)), authorization.ExpiresAt, authorization.IsReusable));
        Assert.Equal(ChallengeStatus.Valid, authorization.Challenges[0].Status);
    }

    [Fact]
    public void The_first_success_counts_and_a_later_one_prolongs_nothing()
    {
        var authorization = Open();
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Accept(authorization.Challenges[1], Now);
        authorization.Conclude(authorization.Challenges[0], Now, Now.AddHours(2), isReusable: false);
        authorization.Conclude(authorization.Challenges[1], Now.AddMinutes(1), Now.AddDays(10), isReusable: true);
        Assert.Equal((Now, Now.AddHours(2), false), (authorization.ValidatedAt!.Value, authorization.ExpiresAt, authorization.IsReusable));
    }

    [Fact]
    public void A_failure_after_a_success_takes_nothing_back()
    {
        var authorization = Open();
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Accept(authorization.Challenges[1], Now);
        authorization.Conclude(authorization.Challenges[0], Now, Now.AddHours(2), true);
        authorization.Fail(authorization.Challenges[1], Problem);
        Assert.Equal(AuthorizationStatus.Valid, authorization.StatusAt(Now));
    }
}
