using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Limits;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.Limits;
using PersistCa.Testing;
using static PersistCa.Storage.Tests.Sample;

namespace PersistCa.Storage.Tests;

/// <summary>Limits that all nodes share.</summary>
public abstract class LimitBucketTests(StoreKind kind)
{
    private static readonly RateLimit Two = new(2, TimeSpan.FromMinutes(10));

    [SkippableFact]
    public async Task As_many_as_the_limit_says_are_taken_and_then_the_wait_is_told()
    {
        await using var s = await TestStore.OpenAsync(kind);
        Assert.Null(await TakeAsync(s, "a"));
        Assert.Null(await TakeAsync(s, "a"));
        Assert.Equal(TimeSpan.FromMinutes(5), await TakeAsync(s, "a"));
        Assert.Null(await TakeAsync(s, "b"));
        s.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await TakeAsync(s, "a"));
        Assert.Equal(TimeSpan.FromMinutes(5), await TakeAsync(s, "a"));
    }

    [SkippableFact]
    public async Task A_token_of_a_change_that_is_refused_comes_back()
    {
        await using var s = await TestStore.OpenAsync(kind);
        for (var i = 0; i < 5; i++)
        {
            var refused = await s.Store.WriteAsync<string>(
                Actor.Server,
                async t => await t.TakeAsync("a", Two, None) is null ? new AcmeProblem(ProblemCatalog.Malformed, "no") : throw new InvalidOperationException("no token"),
                None);
            Assert.True(refused.IsRefused);
        }
    }

    [SkippableFact]
    public async Task Many_at_once_take_no_more_than_there_is()
    {
        await using var s = await TestStore.OpenAsync(kind);
        var limit = new RateLimit(5, TimeSpan.FromHours(1));
        var taken = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TakeAsync(s, "a", limit)));
        Assert.Equal(5, taken.Count(t => t is null));
    }

    [SkippableFact]
    public async Task A_token_that_is_given_back_can_be_taken_again_and_none_is_made_from_nothing()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await TakeAsync(s, "a");
        await TakeAsync(s, "a");
        await GiveBackAsync("a");
        Assert.Null(await TakeAsync(s, "a"));
        Assert.NotNull(await TakeAsync(s, "a"));
        await GiveBackAsync("never taken");
        Assert.Null(await TakeAsync(s, "never taken"));
        Assert.Null(await TakeAsync(s, "never taken"));
        Assert.NotNull(await TakeAsync(s, "never taken"));

        Task GiveBackAsync(string key) => s.WriteAsync(t =>
        {
            t.GiveBack(key, Two);
            t.Audit(AuditKinds.LimitReset, "limit:" + key);
            return Task.FromResult("given back");
        });
    }

    [SkippableFact]
    public async Task Buckets_that_are_full_again_are_forgotten_and_others_are_not()
    {
        await using var s = await TestStore.OpenAsync(kind);
        await TakeAsync(s, "old");
        s.Time.Advance(TimeSpan.FromMinutes(5));
        await TakeAsync(s, "new");
        s.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await s.Upkeep.ForgetFullBucketsAsync(None));
        Assert.Equal(0, await s.Upkeep.ForgetFullBucketsAsync(None));
    }

    private static async Task<TimeSpan?> TakeAsync(TestStore s, string key, RateLimit? limit = null)
    {
        TimeSpan? wait = null;
        await s.WriteAsync(async t =>
        {
            wait = await t.TakeAsync(key, limit ?? Two, None);
            return "taken";
        });
        return wait;
    }
}

public sealed class SqliteLimitBucketTests() : LimitBucketTests(StoreKind.Sqlite);

public sealed class PostgreSqlLimitBucketTests() : LimitBucketTests(StoreKind.PostgreSql);
