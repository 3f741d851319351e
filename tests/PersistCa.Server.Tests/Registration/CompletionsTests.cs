using PersistCa.Server.Registration;

namespace PersistCa.Server.Tests.Registration;

public sealed class CompletionsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Several_who_wait_for_one_order_all_learn_of_its_end_though_one_left()
    {
        var completions = new Completions();
        using var first = completions.Listen("a");
        using var second = completions.Listen("a");
        completions.Listen("a").Dispose();
        using var elsewhere = completions.Listen("b");

        completions.Announce("a");

        Assert.True(await first.WaitAsync(Long, TimeProvider.System, CancellationToken.None));
        Assert.True(await second.WaitAsync(Long, TimeProvider.System, CancellationToken.None));
        Assert.False(await elsewhere.WaitAsync(TimeSpan.Zero, TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task One_who_comes_after_the_end_is_not_told_by_what_was_said_before()
    {
        var completions = new Completions();
        completions.Listen("a").Dispose();
        completions.Announce("a");
        using var late = completions.Listen("a");
        Assert.False(await late.WaitAsync(TimeSpan.Zero, TimeProvider.System, CancellationToken.None));
    }
}
