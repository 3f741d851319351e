using Microsoft.Extensions.Time.Testing;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Tests.Registration;

public sealed class PollDeskTests
{
    private readonly Completions completions = new(new NodeBell());
    private readonly FakeTimeProvider time = new();
    private readonly PersistCaOptions options = new();
    private int looks;

    private static CancellationToken None => CancellationToken.None;

    private Task<Outcome<string>> AskAsync(Func<int, string> state) => new PollDesk(completions, options, time).AskAsync<string>(
        "a", () => Task.FromResult<Outcome<string>>(state(++looks)), s => s == "processing", None);

    [Fact]
    public async Task What_is_done_is_told_at_once()
    {
        Assert.Equal("valid", (await AskAsync(_ => "valid")).Value);
        Assert.Equal(1, looks);
    }

    [Fact]
    public async Task What_is_in_processing_is_told_when_it_is_done()
    {
        var asked = AskAsync(look => look == 1 ? "processing" : "valid");
        Assert.False(asked.IsCompleted);
        completions.Announce("b");
        Assert.False(asked.IsCompleted);
        completions.Announce("a");
        Assert.Equal("valid", (await asked).Value);
    }

    [Fact]
    public async Task An_end_between_the_look_and_the_wait_is_heard()
    {
        var asked = AskAsync(look =>
        {
            completions.Announce("a");
            return look == 1 ? "processing" : "valid";
        });
        Assert.Equal("valid", (await asked).Value);
    }

    [Fact]
    public async Task After_the_configured_time_it_is_told_as_it_stands()
    {
        var asked = AskAsync(_ => "processing");
        time.Advance(options.Acme.PollWait - TimeSpan.FromMilliseconds(1));
        Assert.False(asked.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("processing", (await asked).Value);
        Assert.Equal(2, looks);
    }

    [Fact]
    public async Task Without_a_time_to_wait_nothing_is_waited_for()
    {
        options.Acme.PollWait = TimeSpan.Zero;
        Assert.Equal("processing", (await AskAsync(_ => "processing")).Value);
        Assert.Equal(1, looks);
    }

    [Fact]
    public async Task A_refusal_is_told_at_once()
    {
        var refused = await new PollDesk(completions, options, time).AskAsync<string>("a", () => Task.FromResult<Outcome<string>>(Refusals.NoSuchResource("order")), _ => true, None);
        Assert.Equal(404, refused.Problem!.Status);
    }
}
