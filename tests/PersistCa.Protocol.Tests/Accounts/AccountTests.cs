using PersistCa.Protocol.Accounts;

namespace PersistCa.Protocol.Tests.Accounts;

public sealed class AccountTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static Account Open(bool termsAgreed = true) => new("id", "t1", "{1}", ["mailto:a@b.test"], termsAgreed, Now);

    private static Account In(AccountStatus status)
    {
        var account = Open();
        switch (status)
        {
            case AccountStatus.Deactivated:
                account.Deactivate(Now);
                break;
            case AccountStatus.Revoked:
                account.Revoke(Now);
                break;
            default:
                break;
        }

        return account;
    }

    public static TheoryData<AccountStatus> Closed => [AccountStatus.Deactivated, AccountStatus.Revoked];

    [Fact]
    public void A_new_account_is_valid_with_its_one_key()
    {
        var account = Open();
        Assert.Equal((AccountStatus.Valid, true, "t1", Now, (DateTimeOffset?)null), (account.Status, account.IsValid, account.CurrentThumbprint, account.CreatedAt, account.ClosedAt));
        Assert.Equal(("t1", "{1}", Now), (account.Keys.Single().Thumbprint, account.Keys.Single().Jwk, account.Keys.Single().AddedAt));
        Assert.Equal(["mailto:a@b.test"], account.Contacts);
    }

    [Theory]
    [MemberData(nameof(Closed))]
    public void A_valid_account_can_be_closed_and_its_time_is_kept(AccountStatus status)
    {
        var account = In(status);
        Assert.Equal((status, false, Now), (account.Status, account.IsValid, account.ClosedAt));
        Assert.False(account.Facts("u").IsValid);
    }

    [Theory]
    [MemberData(nameof(Closed))]
    public void A_closed_account_goes_nowhere(AccountStatus status)
    {
        var account = In(status);
        Assert.Contains($"from {status} to Deactivated", Assert.Throws<InvalidOperationException>(() => account.Deactivate(Now.AddHours(1))).Message, StringComparison.Ordinal);
        Assert.Contains($"from {status} to Revoked", Assert.Throws<InvalidOperationException>(() => account.Revoke(Now.AddHours(1))).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => account.ReplaceKey("t2", "{2}", Now));
        Assert.Equal((status, Now, "t1"), (account.Status, account.ClosedAt, account.CurrentThumbprint));
    }

    [Fact]
    public void Every_key_is_kept_and_told_the_current_one_first_then_newest_first()
    {
        var account = Open();
        account.ReplaceKey("t2", "{2}", Now);
        account.ReplaceKey("t3", "{3}", Now);
        Assert.Equal<string>(["t3", "t2", "t1"], [.. account.Facts("u").Thumbprints]);
        Assert.Equal("t3", account.Facts("u").CurrentThumbprint);
        Assert.Equal(3, account.Keys.Count);
    }

    [Fact]
    public void A_key_that_comes_back_is_current_again_and_told_once()
    {
        var account = Open();
        account.ReplaceKey("t2", "{2}", Now);
        account.ReplaceKey("t1", "{1}", Now);
        Assert.Equal<string>(["t1", "t2"], [.. account.Facts("u").Thumbprints]);
    }

    [Fact]
    public void What_validation_must_know_is_told()
    {
        var facts = Open().Facts("https://ca.example/acct/id");
        Assert.Equal(("id", "https://ca.example/acct/id", true), (facts.Id, facts.Url, facts.IsValid));
        Assert.Empty(facts.FormerUrls);
    }

    [Fact]
    public void The_terms_are_agreed_to_when_the_account_is_opened_or_not_at_all()
    {
        Assert.Equal(Now, Open().TermsAgreedAt);
        Assert.Null(Open(termsAgreed: false).TermsAgreedAt);
    }

    [Fact]
    public void Contacts_are_replaced_and_not_shared_with_the_caller()
    {
        var account = Open();
        var contacts = new List<string> { "mailto:c@d.test" };
        account.ChangeContacts(contacts);
        contacts.Clear();
        Assert.Equal(["mailto:c@d.test"], account.Contacts);
    }
}
