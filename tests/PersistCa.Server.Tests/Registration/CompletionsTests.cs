using PersistCa.Server.Registration;

namespace PersistCa.Server.Tests.Registration;

public sealed class CompletionsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Several_who_wait_for_one_order_all_learn_of_its_end_though_one_left()
    {
        var completions = new Completions(new NodeBell());
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
        var completions = new Completions(new NodeBell());
        completions.Listen("a").Dispose();
        completions.Announce("a");
        using var late = completions.Listen("a");
        Assert.False(await late.WaitAsync(TimeSpan.Zero, TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task An_end_that_nobody_waits_for_here_is_told_to_the_other_nodes_and_one_that_somebody_waits_for_is_not()
    {
        var bell = new NodeBell { IsHeard = true };
        var completions = new Completions(bell);
        using var waiter = completions.Listen("here");
        completions.Announce("here");
        completions.Announce("elsewhere");
        completions.Announce("elsewhere");
        Assert.Equal("done elsewhere", await bell.TakeAsync(1000, CancellationToken.None));
    }

    [Fact]
    public async Task What_another_node_tells_wakes_who_waits_here()
    {
        var bell = new NodeBell { IsHeard = true };
        var (completions, work) = (new Completions(bell), new WorkSignal(bell));
        using var lists = new CrlSignal(bell);
        using var waiter = completions.Listen("a");
        NodeBell.Hear("work Issue\nsomething newer\ndone a\nrevoked\nwork Nothing", work, completions, lists);
        Assert.True(await waiter.WaitAsync(Long, TimeProvider.System, CancellationToken.None));
        Assert.True(await lists.WaitAsync(Long, TimeProvider.System, CancellationToken.None));
        await work.WaitAsync(Storage.WorkQueue.WorkKind.Issue, TimeSpan.FromDays(1), TimeProvider.System, CancellationToken.None);

        // Nothing that was heard is told again.
        bell.Done("z");
        Assert.Equal("done z", await bell.TakeAsync(1000, CancellationToken.None));
    }

    [Fact]
    public async Task News_that_do_not_fit_into_one_message_go_with_the_next_and_none_are_kept_where_nobody_listens()
    {
        var bell = new NodeBell();
        bell.Done("lost");
        bell.IsHeard = true;
        foreach (var id in new[] { "aaaa", "bbbb", "cccc" })
        {
            bell.Done(id);
        }

        var first = await bell.TakeAsync(20, CancellationToken.None);
        var second = await bell.TakeAsync(20, CancellationToken.None);
        Assert.Equal(2, first.Split('\n').Length);
        Assert.Equal(["done aaaa", "done bbbb", "done cccc"], first.Split('\n').Append(second).Order(StringComparer.Ordinal));
    }
}
