using PersistCa.Protocol;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Registration;

/// <summary>Answers polls: of what is in processing only when it is done, or when the client has waited long enough.</summary>
public sealed class PollDesk(Completions completions, PersistCaOptions options, TimeProvider clock)
{
    /// <summary>Looks, waits if there is something to wait for, and then looks again.</summary>
    /// <param name="id">Public id of the order or authorization.</param>
    /// <param name="look">Looks.</param>
    /// <param name="isProcessing">Whether what was found is in processing.</param>
    /// <param name="cancel">Stops: the client went away.</param>
    public async Task<Outcome<T>> AskAsync<T>(string id, Func<Task<Outcome<T>>> look, Func<T, bool> isProcessing, CancellationToken cancel)
        where T : notnull
    {
        // Listening comes before the look: an end between the two is heard.
        using var waiter = completions.Listen(id);
        var found = await look();
        if (!found.TryGet(out var value, out _) || !isProcessing(value) || options.Acme.PollWait <= TimeSpan.Zero)
        {
            return found;
        }

        // Another node may be working at it, and what it tells of its end may be lost: the look is due in any case.
        await waiter.WaitAsync(options.Acme.PollWait, clock, cancel);
        return await look();
    }
}
