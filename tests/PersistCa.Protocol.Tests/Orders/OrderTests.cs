using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Orders;

namespace PersistCa.Protocol.Tests.Orders;

/// <summary>How an order's state follows from facts (RFC 8555 section 7.1.6).</summary>
public sealed class OrderTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly AcmeProblem Problem = new(ProblemCatalog.Dns, "no answer");

    private static Authorization In(AuthorizationStatus status, string name, long account = 1)
    {
        var wildcard = name.StartsWith("*.", StringComparison.Ordinal);
        var ends = status == AuthorizationStatus.Expired ? Now : Now.AddHours(2);
        var authorization = new Authorization("id", account, wildcard ? name[2..] : name, wildcard, [(ChallengeType.Dns01, "t")], Now, Now.AddHours(1));
        var challenge = authorization.Challenges[0];
        switch (status)
        {
            case AuthorizationStatus.Valid or AuthorizationStatus.Expired:
                authorization.Accept(challenge, Now);
                authorization.Conclude(challenge, Now, ends, true);
                break;
            case AuthorizationStatus.Invalid:
                authorization.Accept(challenge, Now);
                authorization.Fail(challenge, Problem with { Detail = "no answer for " + name });
                break;
            case AuthorizationStatus.Deactivated:
                authorization.Deactivate();
                break;
            default:
                break;
        }

        Assert.Equal(status, authorization.StatusAt(Now));
        return authorization;
    }

    private static Order For(params string[] names) => new("id", 1, names, null, null, null, Now, Now.AddHours(1));

    private static Order Finalized(string name)
    {
        var order = For(name);
        order.Finalize([1], Now, [In(AuthorizationStatus.Valid, name)]);
        return order;
    }

    [Theory]
    [InlineData(AuthorizationStatus.Pending, OrderStatus.Pending)]
    [InlineData(AuthorizationStatus.Valid, OrderStatus.Ready)]
    [InlineData(AuthorizationStatus.Invalid, OrderStatus.Invalid)]
    [InlineData(AuthorizationStatus.Deactivated, OrderStatus.Invalid)]
    [InlineData(AuthorizationStatus.Expired, OrderStatus.Invalid)]
    public void The_state_follows_from_the_authorization(AuthorizationStatus status, OrderStatus expected)
    {
        Assert.Equal(expected, For("a.test").StatusAt(Now, [In(status, "a.test")]));
        Assert.Equal(expected, For("a.test", "b.test").StatusAt(Now, [In(AuthorizationStatus.Valid, "b.test"), In(status, "a.test")]));
    }

    [Fact]
    public void The_worst_of_several_authorizations_counts_wherever_it_stands() => Gen.Select(
        Gen.Enum<AuthorizationStatus>().Where(s => s != AuthorizationStatus.Revoked).Array[1, 6],
        Gen.Bool).Sample((statuses, late) =>
    {
        var names = statuses.Select((_, i) => $"n{i}.test").ToArray();
        var authorizations = statuses.Select((s, i) => In(s, names[i])).ToList();
        var now = late ? Now.AddHours(1) : Now;
        var expected = late || statuses.Any(s => s is not (AuthorizationStatus.Pending or AuthorizationStatus.Valid)) ? OrderStatus.Invalid
            : statuses.Contains(AuthorizationStatus.Pending) ? OrderStatus.Pending : OrderStatus.Ready;
        var order = For(names);
        Assert.Equal(expected, order.StatusAt(now, authorizations));
        Assert.Equal(expected == OrderStatus.Invalid, order.ErrorAt(now, authorizations) is not null);
        if (expected == OrderStatus.Ready)
        {
            order.Finalize([1], now, authorizations);
        }
        else
        {
            Assert.Throws<InvalidOperationException>(() => order.Finalize([1], now, authorizations));
        }
    });

    [Fact]
    public void A_name_without_its_own_authorization_keeps_the_order_from_being_ready()
    {
        Assert.Equal(OrderStatus.Pending, For("a.test").StatusAt(Now, []));
        Assert.Equal(OrderStatus.Pending, For("a.test", "b.test").StatusAt(Now, [In(AuthorizationStatus.Valid, "a.test"), In(AuthorizationStatus.Valid, "a.test")]));
        Assert.Equal(OrderStatus.Pending, For("*.a.test").StatusAt(Now, [In(AuthorizationStatus.Valid, "a.test")]));
        Assert.Equal(OrderStatus.Pending, For("a.test").StatusAt(Now, [In(AuthorizationStatus.Valid, "*.a.test")]));
        Assert.Equal(OrderStatus.Pending, For("a.test").StatusAt(Now, [In(AuthorizationStatus.Valid, "a.test", account: 2)]));
        Assert.Equal(OrderStatus.Ready, For("a.test", "*.a.test").StatusAt(Now, [In(AuthorizationStatus.Valid, "*.a.test"), In(AuthorizationStatus.Valid, "a.test")]));
        Assert.Throws<InvalidOperationException>(() => For("a.test").Finalize([1], Now, []));
    }

    [Fact]
    public void An_order_lapses_at_its_time_and_not_before()
    {
        var order = For("a.test");
        Authorization[] valid = [In(AuthorizationStatus.Valid, "a.test")];
        Assert.Equal(OrderStatus.Ready, order.StatusAt(Now.AddHours(1).AddTicks(-1), valid));
        Assert.Null(order.ErrorAt(Now.AddHours(1).AddTicks(-1), valid));
        Assert.Equal(OrderStatus.Invalid, order.StatusAt(Now.AddHours(1), valid));
        Assert.Contains("expired at 2030-01-01T01:00:00", order.ErrorAt(Now.AddHours(1), valid)!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Once_finalized_neither_time_nor_authorizations_change_the_state()
    {
        var order = Finalized("a.test");
        foreach (var status in new[] { AuthorizationStatus.Invalid, AuthorizationStatus.Deactivated, AuthorizationStatus.Expired })
        {
            Assert.Equal(OrderStatus.Processing, order.StatusAt(Now.AddYears(1), [In(status, "a.test")]));
            Assert.Null(order.ErrorAt(Now.AddYears(1), [In(status, "a.test")]));
        }

        Assert.Throws<InvalidOperationException>(() => order.Finalize([2], Now, [In(AuthorizationStatus.Valid, "a.test")]));
        Assert.Equal(1, order.Csr![0]);
    }

    [Fact]
    public void A_complete_order_is_valid_for_ever()
    {
        var order = Finalized("a.test");
        order.Complete("c");
        Assert.Equal((OrderStatus.Valid, "c"), (order.StatusAt(Now.AddYears(1), [In(AuthorizationStatus.Invalid, "a.test")]), order.CertificateId));
        Assert.Null(order.ErrorAt(Now.AddYears(1), [In(AuthorizationStatus.Invalid, "a.test")]));
        Assert.Throws<InvalidOperationException>(() => order.Complete("d"));
        Assert.Throws<InvalidOperationException>(() => order.Fail(Problem));
        Assert.Throws<InvalidOperationException>(() => order.Finalize([2], Now, [In(AuthorizationStatus.Valid, "a.test")]));
    }

    [Fact]
    public void A_failed_order_is_invalid_for_ever_with_its_own_error()
    {
        foreach (var order in new[] { For("a.test"), Finalized("a.test") })
        {
            order.Fail(Problem);
            Authorization[] valid = [In(AuthorizationStatus.Valid, "a.test")];
            Assert.Equal((OrderStatus.Invalid, Problem), (order.StatusAt(Now, valid), order.ErrorAt(Now, [In(AuthorizationStatus.Invalid, "a.test")])));
            Assert.Throws<InvalidOperationException>(() => order.Complete("c"));
            Assert.Throws<InvalidOperationException>(() => order.Finalize([1], Now, valid));
        }
    }

    [Fact]
    public void One_failed_name_is_the_error_and_several_are_subproblems_each_with_its_name()
    {
        var one = For("a.test", "b.test").ErrorAt(Now, [In(AuthorizationStatus.Valid, "a.test"), In(AuthorizationStatus.Invalid, "b.test")])!;
        Assert.Equal((ProblemCatalog.Dns, "no answer for b.test", null), (one.Type, one.Detail, one.Identifier));
        Assert.Equal("b.test", Assert.Single(one.Subproblems).Identifier!.Value);

        var two = For("a.test", "*.b.test", "c.test").ErrorAt(
            Now, [In(AuthorizationStatus.Deactivated, "a.test"), In(AuthorizationStatus.Invalid, "*.b.test"), In(AuthorizationStatus.Pending, "c.test")])!;
        Assert.Equal((ProblemCatalog.Malformed, "2 of 3 identifiers could not be authorized; see subproblems."), (two.Type, two.Detail));
        Assert.Equal([("unauthorized", "a.test"), ("dns", "*.b.test")], two.Subproblems.Select(p => (p.Type.Name, p.Identifier!.Value)));
        Assert.Contains("is deactivated", two.Subproblems[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_names_are_not_shared_with_the_caller()
    {
        var names = new List<string> { "a.test" };
        var order = new Order("id", 1, names, null, null, null, Now, Now.AddHours(1));
        names.Add("b.test");
        Assert.Equal(["a.test"], order.Names);
    }
}
