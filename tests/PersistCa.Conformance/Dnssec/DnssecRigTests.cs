using PersistCa.Validation.Dns;

namespace PersistCa.Conformance.Dnssec;

/// <summary>What a validating resolver that is not ours says of zones that are right or wrong, read through our resolver.</summary>
public sealed class DnssecRigTests(SignedTree tree) : IClassFixture<SignedTree>
{
    [SkippableTheory]
    [InlineData("www.secure.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("none.secure.test", DnsStatus.NxDomain, DnsSecurity.Secure)]
    [InlineData("ns.secure.test", DnsStatus.NoData, DnsSecurity.Secure)]
    [InlineData("www.nsec3.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("none.nsec3.test", DnsStatus.NxDomain, DnsSecurity.Secure)]
    [InlineData("safe.secure.test", DnsStatus.Answered, DnsSecurity.Secure)]
    [InlineData("alias.secure.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("www.insecure.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("none.insecure.test", DnsStatus.NxDomain, DnsSecurity.Insecure)]
    [InlineData("www.nods.test", DnsStatus.Answered, DnsSecurity.Insecure)]
    [InlineData("www.bogus.test", DnsStatus.ServFail, DnsSecurity.Bogus)]
    [InlineData("none.bogus.test", DnsStatus.ServFail, DnsSecurity.Bogus)]
    [InlineData("www.stripped.test", DnsStatus.ServFail, DnsSecurity.Bogus)]
    public async Task A_zone_is_as_secure_as_its_chain_of_signatures(string name, DnsStatus status, DnsSecurity security)
    {
        await tree.StartAsync();

        var answer = await SignedTree.Ours(tree.Resolver).AskAsync(name, DnsRecordKind.Txt, CancellationToken.None);

        Assert.Equal((status, security), (answer.Status, answer.Security));
        Assert.False(answer.ReplyOctets.IsEmpty);
        if (security == DnsSecurity.Bogus)
        {
            var detail = DnsProblem.For(answer).Detail;
            Assert.Contains("signatures are not valid (bogus)", detail, StringComparison.Ordinal);
            Assert.DoesNotContain("127.0.0.1", detail, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task Expired_signatures_are_bogus_and_the_problem_says_what_the_resolver_says()
    {
        await tree.StartAsync();

        var answer = await SignedTree.Ours(tree.LateResolver).AskAsync("www.secure.test", DnsRecordKind.Txt, CancellationToken.None);

        Assert.Equal(DnsSecurity.Bogus, answer.Security);
        Assert.NotEmpty(answer.ExtendedErrors);
        Assert.Contains($"(extended error {answer.ExtendedErrors[0].Code}, ", DnsProblem.For(answer).Detail, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("www.secure.test", DnsStatus.Answered)]
    [InlineData("alias.secure.test", DnsStatus.NotSecure)]
    [InlineData("www.nods.test", DnsStatus.NotSecure)]
    [InlineData("www.insecure.test", DnsStatus.Answered)]
    public async Task Where_security_is_demanded_only_declared_zones_do_without(string name, DnsStatus status)
    {
        await tree.StartAsync();
        var resolver = SignedTree.Ours(tree.Resolver, o => o with { RequireSecure = true, InsecureZones = ["insecure.test"] });

        Assert.Equal(status, (await resolver.AskAsync(name, DnsRecordKind.Txt, CancellationToken.None)).Status);
    }

    [SkippableFact]
    public async Task Over_tls_the_answer_is_the_same_and_only_with_the_name_of_the_certificate()
    {
        await tree.StartAsync();
        Task<DnsAnswer> AskAsync(string resolver) =>
            SignedTree.Ours(resolver, o => o with { TlsRoots = tree.Roots, Retries = 0 }).AskAsync("www.secure.test", DnsRecordKind.Txt, CancellationToken.None);

        var answer = await AskAsync(tree.TlsResolver);
        Assert.Equal((DnsStatus.Answered, DnsSecurity.Secure, "here"), (answer.Status, answer.Security, answer.Records[0].Text));

        var other = await AskAsync(tree.TlsResolver.Replace("#resolver.test", "#other.test", StringComparison.Ordinal));
        Assert.Equal(DnsStatus.Unusable, other.Status);
        Assert.Contains("TLS failed", other.Reason, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_self_test_tells_a_resolver_that_validates_from_one_that_does_not()
    {
        await tree.StartAsync();
        Task<string?> TestAsync(string resolver) => DnssecSelfTest.RunAsync(SignedTree.Ours(resolver), "www.secure.test", "www.bogus.test", CancellationToken.None);

        Assert.Null(await TestAsync(tree.Resolver));
        Assert.Contains("does not vouch for www.secure.test, which should be signed: NOERROR, Insecure", await TestAsync(tree.CarelessResolver), StringComparison.Ordinal);
        Assert.Contains("does not vouch for www.secure.test, which should be signed: SERVFAIL, Bogus", await TestAsync(tree.LateResolver), StringComparison.Ordinal);
    }
}
