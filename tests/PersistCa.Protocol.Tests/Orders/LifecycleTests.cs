using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Orders;

namespace PersistCa.Protocol.Tests.Orders;

/// <summary>What may follow what (RFC 8555 section 7.1.6).</summary>
public sealed class LifecycleTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly AcmeProblem Problem = new(ProblemCatalog.Dns, "no answer");

    private static Authorization Open(string name = "a.test") =>
        new("id", 1, name, false, [(ChallengeType.Http01, "t"), (ChallengeType.DnsPersist01, "u")], Now, Now.AddHours(1));

    private static Authorization Proven(string name = "a.test")
    {
        var authorization = Open(name);
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Conclude(authorization.Challenges[0], Now, Now.AddHours(2), isReusable: true);
        return authorization;
    }

    private static Authorization Failed(string name = "a.test")
    {
        var authorization = Open(name);
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Fail(authorization.Challenges[0], Problem);
        return authorization;
    }

    private static Order NewOrder(params string[] names) => new("id", 1, names.Length == 0 ? ["a.test"] : names, null, null, null, Now, Now.AddHours(1));

    [Fact]
    public void A_challenge_is_accepted_once()
    {
        var authorization = Open();
        Assert.True(authorization.Accept(authorization.Challenges[0], Now));
        Assert.False(authorization.Accept(authorization.Challenges[0], Now));
        Assert.Equal(ChallengeStatus.Processing, authorization.Challenges[0].Status);
    }

    [Fact]
    public void No_challenge_is_accepted_after_the_authorizations_time() => Assert.False(Open() is var a && a.Accept(a.Challenges[0], Now.AddHours(1)));

    [Fact]
    public void A_challenge_that_was_not_accepted_cannot_be_concluded()
    {
        var authorization = Open();
        Assert.Throws<InvalidOperationException>(() => authorization.Conclude(authorization.Challenges[0], Now, Now.AddHours(1), true));
        Assert.Throws<InvalidOperationException>(() => authorization.Fail(authorization.Challenges[0], Problem));
    }

    [Fact]
    public void A_deactivated_authorization_stays_so_whatever_a_late_validation_says()
    {
        var authorization = Open();
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Deactivate();
        authorization.Conclude(authorization.Challenges[0], Now, Now.AddHours(1), true);
        Assert.Equal(AuthorizationStatus.Deactivated, authorization.StatusAt(Now));
    }

    [Fact]
    public void A_failed_authorization_stays_so_whatever_another_challenge_says()
    {
        var authorization = Open();
        authorization.Accept(authorization.Challenges[0], Now);
        authorization.Accept(authorization.Challenges[1], Now);
        authorization.Fail(authorization.Challenges[0], Problem);
        authorization.Conclude(authorization.Challenges[1], Now, Now.AddHours(1), true);
        Assert.Equal(AuthorizationStatus.Invalid, authorization.StatusAt(Now));
    }

    [Fact]
    public void Time_alone_ends_a_valid_and_a_pending_authorization_and_no_other()
    {
        Assert.Equal(AuthorizationStatus.Expired, Proven().StatusAt(Now.AddHours(2)));
        Assert.Equal(AuthorizationStatus.Expired, Open().StatusAt(Now.AddHours(1)));
        Assert.Equal(AuthorizationStatus.Invalid, Failed().StatusAt(Now.AddYears(1)));
        Assert.False(Proven().CanDeactivate(Now.AddHours(2)));
    }

    [Fact]
    public void An_order_is_ready_only_when_every_authorization_is_valid()
    {
        Assert.Equal(OrderStatus.Pending, NewOrder().StatusAt(Now, [Open(), Proven()]));
        Assert.Equal(OrderStatus.Ready, NewOrder().StatusAt(Now, [Proven(), Proven()]));
        Assert.Equal(OrderStatus.Invalid, NewOrder().StatusAt(Now, [Proven(), Failed()]));
        Assert.Equal(OrderStatus.Invalid, NewOrder().StatusAt(Now, [Open(), Failed()]));
        Assert.Equal(OrderStatus.Invalid, NewOrder().StatusAt(Now.AddHours(1), [Proven()]));
    }

    [Fact]
    public void An_authorization_that_lapses_takes_a_ready_order_with_it()
    {
        var order = new Order("id", 1, ["a.test"], null, null, null, Now, Now.AddDays(1));
        Assert.Equal(OrderStatus.Invalid, order.StatusAt(Now.AddHours(2), [Proven()]));
    }

    [Fact]
    public void Only_a_ready_order_is_finalized_and_only_one_in_processing_completed()
    {
        var order = NewOrder();
        Assert.Throws<InvalidOperationException>(() => order.Finalize([1], Now, [Open()]));
        Assert.Throws<InvalidOperationException>(() => order.Complete("c"));
        order.Finalize([1], Now, [Proven()]);
        Assert.Equal(OrderStatus.Processing, order.StatusAt(Now.AddYears(1), [Failed()]));
        order.Complete("c");
        Assert.Equal(OrderStatus.Valid, order.StatusAt(Now.AddYears(1), []));
        Assert.Throws<InvalidOperationException>(() => order.Fail(Problem));
        Assert.Throws<InvalidOperationException>(() => order.Complete("d"));
    }

    [Fact]
    public void A_failed_order_cannot_be_completed()
    {
        var order = NewOrder();
        order.Finalize([1], Now, [Proven()]);
        order.Fail(Problem);
        Assert.Equal((OrderStatus.Invalid, Problem), (order.StatusAt(Now, [Proven()]), order.ErrorAt(Now, [Proven()])));
        Assert.Throws<InvalidOperationException>(() => order.Complete("c"));
    }

    [Fact]
    public void The_error_of_an_order_is_that_of_its_authorizations()
    {
        Assert.Null(NewOrder().ErrorAt(Now, [Open(), Proven()]));
        var one = NewOrder().ErrorAt(Now, [Failed("x.test"), Proven()])!;
        Assert.Equal(("no answer", "x.test"), (one.Detail, Assert.Single(one.Subproblems).Identifier!.Value));
        var two = NewOrder().ErrorAt(Now, [Failed("x.test"), Failed("y.test")])!;
        Assert.Equal(ProblemCatalog.Dns, two.Type);
        Assert.Equal(["x.test", "y.test"], two.Subproblems.Select(p => p.Identifier!.Value));
        Assert.Contains("expired", NewOrder().ErrorAt(Now.AddHours(1), [])!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_account_is_closed_for_ever()
    {
        var account = new Account("id", "t1", "{}", [], true, Now);
        account.Deactivate(Now);
        Assert.Throws<InvalidOperationException>(() => account.Deactivate(Now));
        Assert.Throws<InvalidOperationException>(() => account.Revoke(Now));
        Assert.Throws<InvalidOperationException>(() => account.ReplaceKey("t2", "{}", Now));
        Assert.False(account.Facts("u").IsValid);
    }

    [Fact]
    public void A_certificate_goes_from_intent_to_issue_to_revocation_and_no_other_way()
    {
        static IssuedCertificate Intended() => new("id", "01", "i", 1, 1, "f", [1], Now, Now, Now);
        Assert.Throws<InvalidOperationException>(() => Intended().Revoke(1, Now));
        var issued = Intended();
        issued.Record([2], Now);
        Assert.Throws<InvalidOperationException>(() => issued.Record([2], Now));
        Assert.Throws<InvalidOperationException>(issued.Abandon);
        issued.Revoke(4, Now);
        Assert.Throws<InvalidOperationException>(() => issued.Revoke(1, Now));
        var abandoned = Intended();
        abandoned.Abandon();
        Assert.Throws<InvalidOperationException>(() => abandoned.Record([2], Now));
    }

    [Fact]
    public void A_problem_comes_back_from_the_store_as_it_was()
    {
        var problem = new AcmeProblem(ProblemCatalog.Unauthorized, "a \"b\" / & ä") { Status = 401, Subproblems = [Problem with { Identifier = AcmeIdentifier.Dns("x") }] };
        var back = ProblemDocument.Read(ProblemDocument.Write(problem));
        Assert.Equal((problem.Type, problem.Detail, 401, "x"), (back.Type, back.Detail, back.Status, back.Subproblems[0].Identifier!.Value));
        Assert.Equal(ProblemCatalog.All.Count, ProblemCatalog.All.Select(t => t.Urn).Distinct().Count());
    }
}
