using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Tests.Evidence;

public sealed class EvidenceJsonTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static readonly ValidationEvidence Good = new()
    {
        ChallengeType = "dns-01",
        Name = "www.example.com",
        Wildcard = false,
        AccountId = "123",
        Thumbprint = Sample.Thumbprint,
        StartedAt = At,
        FinishedAt = At.AddSeconds(1),
        Valid = true,
        Reason = "fits",
        Lookups = [Lookup("hello")],
    };

    private static LookupEvidence Lookup(params string[] records) => new()
    {
        Name = "_acme-challenge.www.example.com",
        Type = "TXT",
        Status = "Answered",
        ResponseCode = "NOERROR",
        Records = [.. records.Select(r => new FoundRecordEvidence(r, 60))],
        Resolver = "192.0.2.1:53",
        AskedAt = At,
        Milliseconds = 12,
        Attempts = 1,
    };

    [Fact]
    public void Evidence_is_read_back_as_it_was_written()
    {
        var json = EvidenceJson.Write(Good);

        Assert.Equal(json, EvidenceJson.Write(EvidenceJson.Read(json)));
        Assert.Equal("hello", EvidenceJson.Read(json).Lookups![0].Records![0].Text);
    }

    [Fact]
    public void No_nulls_are_written()
    {
        var json = EvidenceJson.Write(Good);

        Assert.DoesNotContain("null", json, StringComparison.Ordinal);
        Assert.DoesNotContain("hops", json, StringComparison.Ordinal);
        Assert.DoesNotContain("omitted", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_members_are_refused()
    {
        var json = EvidenceJson.Write(Good);

        Assert.Throws<JsonException>(() => EvidenceJson.Read(json.Insert(1, "\"more\":1,")));
    }

    [Fact]
    public void A_long_value_is_cut_with_its_length_and_digest()
    {
        var text = new string('x', 40_000);

        var json = EvidenceJson.Write(Good with { Lookups = [Lookup(text, "short")] });

        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var records = EvidenceJson.Read(json).Lookups![0].Records!;
        Assert.StartsWith("xxx", records[0].Text, StringComparison.Ordinal);
        Assert.EndsWith($"[cut: 40000 characters, sha256 {digest}]", records[0].Text, StringComparison.Ordinal);
        Assert.Equal("short", records[1].Text);
    }

    [Fact]
    public void Entries_beyond_the_size_are_left_out_and_counted()
    {
        var many = Enumerable.Range(0, 100).Select(i => $"{i}{new string('\u00FF', 250)}").ToArray();

        var read = EvidenceJson.Read(EvidenceJson.Write(Good with { Lookups = [Lookup(many), Lookup(many)] }));

        Assert.NotNull(read.Omitted);
        Assert.Equal(200, read.Omitted + read.Lookups!.Sum(l => l.Records!.Count));
    }

    [Fact]
    public void Replies_are_the_first_to_go_and_their_digests_stay()
    {
        var reply = Convert.ToBase64String(new byte[6000]);
        var one = Lookup("hello") with { Reply = reply, ReplySha256 = "digest" };

        Assert.Equal(reply, EvidenceJson.Read(EvidenceJson.Write(Good with { Lookups = [one] })).Lookups![0].Reply);

        var many = EvidenceJson.Read(EvidenceJson.Write(Good with { Lookups = [one, one, one, one, one] })).Lookups!;
        Assert.All(many, l => Assert.Equal((null, "digest", "hello"), (l.Reply, l.ReplySha256, l.Records![0].Text)));
        Assert.Equal(5, many.Count);
    }

    [Fact]
    public void A_limit_below_the_least_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => EvidenceJson.Write(Good, new EvidenceLimits { MaxOctets = EvidenceLimits.LeastOctets - 1 }));
    }

    [Fact]
    public void Whatever_was_seen_fits_the_limit()
    {
        var text = Gen.String[Gen.Char['\0', '\u00FF'], 0, 300];
        var lookup = Gen.Select(text.Array[0, 120], text.Array[0, 17], text)
            .Select((records, cnames, reason) => Lookup(records) with
            {
                Cnames = cnames,
                Reason = reason,
                Name = reason,
                ExtendedErrors = cnames,
                Reply = new string('A', 80 * records.Length),
                ReplySha256 = new string('0', 64),
            });
        var hop = Gen.Select(text, Gen.Int[0, 5000])
            .Select((t, n) => new HttpHopEvidence { Url = $"http://example.com/{t}{new string('x', n)}", Address = "192.0.2.1:80", Status = 302, Location = t });
        var judged = text.Select(t => new RecordEvidence(t, t, "Fits", t));
        Gen.Select(lookup.Array[0, 24], hop.Array[0, 12], judged.Array[0, 100]).Sample(
            (lookups, hops, records) =>
            {
                var json = EvidenceJson.Write(Good with { Lookups = lookups, Hops = hops, Judged = records }, new EvidenceLimits { MaxOctets = EvidenceLimits.LeastOctets });
                Assert.True(Encoding.UTF8.GetByteCount(json) <= EvidenceLimits.LeastOctets);
                EvidenceJson.Read(json);
            },
            iter: 50);
    }
}
