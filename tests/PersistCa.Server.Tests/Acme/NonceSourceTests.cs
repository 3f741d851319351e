using CsCheck;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Server.Acme;

namespace PersistCa.Server.Tests.Acme;

public sealed class NonceSourceTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private readonly FakeTimeProvider time = new();
    private readonly byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private NonceSource Source() => new([.. key], Lifetime, time);

    [Fact]
    public void A_nonce_is_fresh_once()
    {
        using var source = Source();
        var nonce = source.Next();
        Assert.Equal(NonceVerdict.Fresh, source.Spend(nonce, out var use));
        Assert.Equal(nonce, use!.Value);
        Assert.Equal(NonceVerdict.Used, source.Spend(nonce, out use));
        Assert.Null(use);
    }

    [Fact]
    public void Another_instance_with_the_key_knows_it_as_after_a_restart_or_on_another_node()
    {
        using var first = Source();
        using var second = Source();
        var nonce = first.Next();
        Assert.Equal(NonceVerdict.Fresh, second.Spend(nonce, out _));
        Assert.Equal(NonceVerdict.Used, second.Spend(nonce, out _));
    }

    [Fact]
    public void Another_key_does_not()
    {
        using var other = new NonceSource(new byte[32], Lifetime, time);
        using var source = Source();
        Assert.Equal(NonceVerdict.Forged, source.Spend(other.Next(), out _));
    }

    [Fact]
    public void It_is_stale_after_its_lifetime_and_not_before()
    {
        using var source = Source();
        var (early, late) = (source.Next(), source.Next());
        time.Advance(Lifetime);
        Assert.Equal(NonceVerdict.Fresh, source.Spend(early, out _));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(NonceVerdict.Stale, source.Spend(late, out _));
    }

    [Fact]
    public void One_that_fell_out_of_the_window_is_stale_not_fresh_again()
    {
        using var source = Source();
        var first = source.Next();
        Assert.Equal(NonceVerdict.Fresh, source.Spend(first, out _));
        for (var i = 0; i < NonceSource.Window - 1; i++)
        {
            source.Next();
        }

        Assert.Equal(NonceVerdict.Fresh, source.Spend(source.Next(), out _));
        Assert.Equal(NonceVerdict.Stale, source.Spend(first, out _));
    }

    [Fact]
    public void Any_order_of_spending_accepts_each_once() => Gen.Shuffle(Enumerable.Range(0, 200).ToArray()).Sample(
        order =>
        {
            using var source = Source();
            var nonces = order.Select(_ => source.Next()).ToArray();
            return order.All(i => source.Spend(nonces[i], out _) == NonceVerdict.Fresh) && order.All(i => source.Spend(nonces[i], out _) == NonceVerdict.Used);
        },
        iter: 50);

    [Fact]
    public void A_changed_character_makes_it_forged() => Gen.Select(Gen.Int[0, 45], Gen.Char["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]).Sample(
        (at, c) =>
        {
            using var source = Source();
            var nonce = source.Next();
            var changed = nonce[..at] + c + nonce[(at + 1)..];
            return changed == nonce || source.Spend(changed, out _) == NonceVerdict.Forged;
        });

    [Fact]
    public void Any_text_is_judged_without_an_exception() => Gen.String.Sample(text =>
    {
        using var source = Source();
        return source.Spend(text, out _) == NonceVerdict.Forged;
    });

    [Fact]
    public void Memory_of_instances_is_bounded_and_the_own_one_is_kept()
    {
        using var source = Source();
        var own = source.Next();
        Assert.Equal(NonceVerdict.Fresh, source.Spend(own, out _));
        for (var i = 0; i < NonceSource.MaxInstances + 8; i++)
        {
            using var other = Source();
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(NonceVerdict.Fresh, source.Spend(other.Next(), out _));
        }

        Assert.Equal(NonceVerdict.Used, source.Spend(own, out _));
    }
}
