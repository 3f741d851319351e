using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Tests.Dns;

/// <summary>What the sections of a reply that belongs to its question must say to be an answer.</summary>
public sealed class ReplyTests
{
    private const string Owner = "_acme-challenge.www.example.com";
    private const int A = 1, Ns = 2, Cname = 5, Soa = 6, Txt = 16, Dname = 39, Rrsig = 46;
    private const int NeitherRecursiveNorAuthority = 0x8100, AuthorityOnly = 0x8500;

    private static async Task<DnsAnswer> AskAsync(Func<ReplyDraft, ReplyDraft> draft, DnsRecordKind kind = DnsRecordKind.Txt)
    {
        using var server = new LyingServer(q => draft(ReplyDraft.To(q)).Octets());
        return await Sample.Resolver(Sample.Options(server.EndPoint)).AskAsync(Owner, kind, default);
    }

    private static byte[] Text(string text) => [(byte)text.Length, .. text.Select(c => (byte)c)];

    [Theory]
    [InlineData(Txt)]
    [InlineData(A)]
    [InlineData(Cname)]
    public async Task A_record_of_another_owner_spoils_the_answer(int type)
    {
        var answer = await AskAsync(r => r.With(Owner, Txt, Text("x")).With("evil.example", type, type == Cname ? ReplyDraft.Name(Owner) : Text("abc")));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains($"a record of evil.example, records of {Owner} expected", answer.Reason, StringComparison.Ordinal);
        Assert.Empty(answer.Records);
    }

    [Fact]
    public async Task A_label_with_a_dot_in_it_is_not_the_name_it_looks_like()
    {
        byte[] owner = [(byte)Owner.Length, .. Owner.Select(c => (byte)c), 0];

        var answer = await AskAsync(r => r.With(owner, Txt, Text("x")));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("_acme-challenge\\.www\\.example\\.com", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_of_another_class_spoils_the_answer() =>
        Assert.Equal(DnsStatus.Mismatched, (await AskAsync(r => r.With(ReplyDraft.Name(Owner), Txt, Text("x"), recordClass: 3))).Status);

    [Fact]
    public async Task A_record_beside_the_alias_chain_spoils_the_answer()
    {
        var answer = await AskAsync(r => r.With(Owner, Cname, ReplyDraft.Name("one.example.net")).With(Owner, Txt, Text("x")));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("records of one.example.net expected", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_aliases_at_one_name_are_no_answer()
    {
        var answer = await AskAsync(r => r.With(Owner, Cname, ReplyDraft.Name("one.example.net")).With(Owner, Cname, ReplyDraft.Name("two.example.net")));

        Assert.Equal(DnsStatus.Mismatched, answer.Status);
        Assert.Contains("2 aliases", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alias_to_itself_is_no_answer() =>
        Assert.Equal(DnsStatus.Mismatched, (await AskAsync(r => r.With(Owner, Cname, ReplyDraft.Name(Owner)))).Status);

    [Fact]
    public async Task Aliases_may_stand_in_any_order_and_case_and_above_the_name()
    {
        var answer = await AskAsync(r => r
            .With("A.EXAMPLE.NET", Txt, Text("there"))
            .With("_acme-challenge.www.example.org", Cname, ReplyDraft.Name("a.example.net"))
            .With("example.com", Dname, ReplyDraft.Name("example.org"))
            .With("example.com", Rrsig, Text("signature"))
            .With([0xC0, 12], Cname, ReplyDraft.Name("_acme-challenge.www.EXAMPLE.org")));

        Assert.Equal(DnsStatus.Answered, answer.Status);
        Assert.Equal("_acme-challenge.www.example.org a.example.net", string.Join(' ', answer.CnameChain));
        Assert.Equal("a.example.net", Assert.Single(answer.Records).Owner);
    }

    [Fact]
    public async Task Signatures_beside_the_records_are_no_records()
    {
        var answer = await AskAsync(r => r.With(Owner, Txt, Text("x")).With(Owner, Rrsig, Text("signature")));

        Assert.Equal("x", Assert.Single(answer.Records).Text);
    }

    [Theory]
    [InlineData(DnsRecordKind.Txt, new byte[0])]
    [InlineData(DnsRecordKind.Txt, new byte[] { 2, 65 })]
    [InlineData(DnsRecordKind.Txt, new byte[] { 1, 65, 1 })]
    [InlineData(DnsRecordKind.A, new byte[] { 1, 2, 3 })]
    [InlineData(DnsRecordKind.Aaaa, new byte[] { 1, 2, 3, 4 })]
    public async Task Data_that_are_not_of_their_form_spoil_the_answer(DnsRecordKind kind, byte[] data)
    {
        var answer = await AskAsync(r => r.With(Owner, (int)kind, data), kind);

        Assert.Equal(DnsStatus.Unusable, answer.Status);
        Assert.Contains("not of its form", answer.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_server_that_is_not_to_be_asked_does_not_say_that_there_are_no_records(int code)
    {
        var answer = await AskAsync(r => (r with { Flags = NeitherRecursiveNorAuthority, Code = code }).Authority("com", Ns, ReplyDraft.Name("ns.example")));

        Assert.Equal(DnsStatus.Unusable, answer.Status);
        Assert.Contains("neither resolves recursively nor", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alias_that_an_authority_does_not_follow_is_not_the_absence_of_records()
    {
        ReplyDraft Alias(ReplyDraft r) => (r with { Flags = AuthorityOnly }).With(Owner, Cname, ReplyDraft.Name("elsewhere.example.net"));

        Assert.Equal(DnsStatus.Unusable, (await AskAsync(Alias)).Status);
        Assert.Equal(DnsStatus.NoData, (await AskAsync(r => Alias(r).Authority("example.net", Soa, [0]))).Status);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_has_no_records_whatever_the_reply_holds()
    {
        var answer = await AskAsync(r => (r with { Code = 3 }).With(Owner, Txt, Text("x")));

        Assert.Equal(DnsStatus.NxDomain, answer.Status);
        Assert.Empty(answer.Records);
    }

    [Fact]
    public async Task Extended_errors_reach_the_problem_short_printable_and_without_addresses()
    {
        var text = "no server at 192.0.2.7@53 or [2001:db8::7] answered\u00E9\n" + new string('y', 300);

        var answer = await AskAsync(r => (r with { Code = 2 }).Error(22, text));

        Assert.Equal(new DnsExtendedError(22, text), Assert.Single(answer.ExtendedErrors));
        var detail = DnsProblem.For(answer).Detail;
        Assert.Contains("(extended error 22, No Reachable Authority: no server at (address) or (address) answered??yyy", detail, StringComparison.Ordinal);
        Assert.True(detail.Length < 450, detail);
        Assert.DoesNotContain(detail, c => c is < ' ' or > '~');
    }

    [Fact]
    public async Task The_upper_bits_of_the_code_come_from_the_opt_record()
    {
        var answer = await AskAsync(r => r.BadVersion());

        Assert.Equal(DnsStatus.OtherError, answer.Status);
        Assert.Equal("BADVERS", answer.ResponseCode);
    }
}
