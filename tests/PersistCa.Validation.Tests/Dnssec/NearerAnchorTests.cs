using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Tests.Dnssec;

/// <summary>An anchor of one's own below a zone that is not signed: nothing that stands above it may speak for what is below.</summary>
public sealed class NearerAnchorTests
{
    private readonly FakeTimeProvider time = new(SignedWorld.Now);
    private readonly WorldZone corp = new("corp.internal");

    private async Task<AnswerTrust> JudgeAsync(string name, ImmutableArray<DnsMessageRecord> answers, ImmutableArray<DnsMessageRecord> authorities = default, int code = 0, WorldZone? root = null)
    {
        static string Anchor(WorldZone z) => $"{z.Name} DNSKEY {z.Keys[0].Record.Flags} 3 {z.Keys[0].Record.Algorithm} {Convert.ToBase64String(z.Keys[0].Record.Key.Span)}";
        var anchors = TrustAnchors.Create(root is null ? [Anchor(corp)] : [Anchor(corp), Anchor(root)], root is null ? ["."] : []).Value!;
        var limits = new ChainLimits();
        Task<ChainReply> FetchAsync(CanonicalName zone, int type, CancellationToken cancel) => Task.FromResult(new ChainReply(
            type == DnssecTypes.Dnskey ? Message([.. Of(zone).Set(zone, DnssecTypes.Dnskey, Of(zone).Keys.Select(k => k.Record.Data.ToArray()))], []) : Message([], [.. Of(zone).Denials()]), null));
        WorldZone Of(CanonicalName zone) => zone.IsWithin(corp.Name) ? corp : root!;
        var reply = Message(answers, authorities.IsDefault ? [] : authorities, code);
        var answer = DnsReply.Read(reply, 100, name, DnsRecordKind.Txt, new DnsOptions());
        Assert.False(answer.IsFailure, answer.Reason);
        return await AnswerTrust.OfAsync(answer, reply, new ChainOfTrust(anchors, new ChainCache(limits, time), new ChainBudget(limits), FetchAsync, time), default);
    }

    private static DnsMessage Message(ImmutableArray<DnsMessageRecord> answers, ImmutableArray<DnsMessageRecord> authorities, int code = 0) => new()
    {
        Id = 1,
        IsReply = true,
        Opcode = 0,
        IsAuthoritative = false,
        IsTruncated = false,
        IsRecursionAvailable = true,
        IsAuthenticData = false,
        IsCheckingDisabled = true,
        ResponseCode = code,
        Questions = [],
        Answers = answers,
        Authorities = authorities,
        Additionals = [],
    };

    private static DnsMessageRecord Forged(string owner, int type, string signer) => new(owner, 46, 1, 60, (byte[])
    [
        (byte)(type >> 8), (byte)type, 13, 2, 0, 0, 0, 60, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0, 1, .. CanonicalName.FromText(signer)!.Wire, 1, 2, 3,
    ]);

    [Theory]
    [InlineData(".")]
    [InlineData("internal")]
    public async Task A_forged_answer_does_not_become_insecure_by_a_signer_above_the_anchor(string signer)
    {
        corp.With("www.corp.internal", 16, 1, (byte)'x');
        var right = await JudgeAsync("www.corp.internal", [.. corp.Set(CanonicalName.FromText("www.corp.internal")!, 16, [[1, (byte)'x']])]);
        var forged = await JudgeAsync("www.corp.internal", [new("www.corp.internal", 16, 1, 60, (byte[])[1, (byte)'e']), Forged("www.corp.internal", 16, signer)]);

        Assert.Equal(TrustState.Secure, right.State);
        Assert.Equal(TrustState.Bogus, forged.State);
    }

    [Theory]
    [InlineData(".", "www.other.test", DnsStatus.Answered)]
    [InlineData(".", "www.corp.internal", DnsStatus.NotSecure)]
    [InlineData("lab.corp.internal", "www.lab.corp.internal", DnsStatus.Answered)]
    [InlineData("lab.corp.internal", "www.corp.internal", DnsStatus.NotSecure)]
    public void An_unsigned_answer_below_an_anchor_is_not_excused_by_an_island_around_it(string island, string name, DnsStatus expected)
    {
        var anchors = TrustAnchors.Create([$"corp.internal DNSKEY {corp.Keys[0].Record.Flags} 3 13 {Convert.ToBase64String(corp.Keys[0].Record.Key.Span)}"], [island]).Value!;
        var answer = new DnsAnswer(name, DnsRecordKind.Txt, DnsStatus.Answered);
        var judged = DnssecPolicy.Judge(answer, new AnswerTrust(TrustState.Insecure, "no DS"), anchors, new DnsOptions { Dnssec = DnssecMode.Validate, RequireSecure = true });
        Assert.Equal(expected, judged.Status);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("internal")]
    public async Task A_forged_absence_does_not_either(string signer)
    {
        corp.With("www.corp.internal", 16, 1, (byte)'x');
        var forged = await JudgeAsync("www.corp.internal", [], [new("internal", 47, 1, 60, (byte[])[0]), Forged("internal", 47, signer)]);

        Assert.Equal(TrustState.Bogus, forged.State);
    }

    [Fact]
    public async Task A_signed_zone_above_the_anchor_does_not_prove_that_what_is_below_does_not_exist()
    {
        // The public root, which knows nothing of a private zone: its records, rightly signed, are there for everybody to repeat.
        var root = new WorldZone(".").With("example", 16, 1, (byte)'x');
        corp.With("www.corp.internal", 16, 1, (byte)'x');

        Assert.Equal(TrustState.Bogus, (await JudgeAsync("www.corp.internal", [], [.. root.Denials()], code: 3, root: root)).State);
        Assert.Equal(TrustState.Secure, (await JudgeAsync("www.other.internal", [], [.. root.Denials()], code: 3, root: root)).State);
    }

    [Fact]
    public async Task Nor_does_a_dname_above_the_anchor()
    {
        corp.With("www.corp.internal", 16, 1, (byte)'x');
        var forged = await JudgeAsync(
            "www.corp.internal",
            [
                new("internal", 39, 1, 60, (byte[])[.. CanonicalName.FromText("evil.test")!.Wire]),
                new("www.corp.internal", 5, 1, 60, CanonicalName.FromText("www.corp.evil.test")!.Wire.ToArray()) { Target = "www.corp.evil.test" },
                new("www.corp.evil.test", 16, 1, 60, (byte[])[1, (byte)'e']),
            ]);

        Assert.Equal(TrustState.Bogus, forged.State);
    }
}
