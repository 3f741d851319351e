using System.Threading.Channels;
using PersistCa.Storage.WorkQueue;

namespace PersistCa.Server.Registration;

/// <summary>
/// What this node has to tell the others, collected until it is sent. Nothing depends on it: whoever hears nothing looks by itself a little later. So what
/// nobody sends is dropped, and so is what comes too fast.
/// </summary>
public sealed class NodeBell
{
    /// <summary>News that wait to be sent; more are dropped.</summary>
    public const int MostWaiting = 1000;

    /// <summary>A revocation: the list of its issuer is due.</summary>
    public const string Revoked = "revoked";

    private const string WorkPrefix = "work ";
    private const string DonePrefix = "done ";

    private readonly Lock gate = new();
    private readonly HashSet<string> waiting = new(StringComparer.Ordinal);
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Whether somebody sends, and somebody else listens.</summary>
    public bool IsHeard { get; set; }

    /// <summary>There is work that this node does not do, or not soon.</summary>
    public void Work(WorkKind kind) => Ring(WorkPrefix + kind);

    /// <summary>What a request waits for is done; the request may be at another node.</summary>
    public void Done(string id) => Ring(DonePrefix + id);

    /// <summary>Tells one thing, once.</summary>
    public void Ring(string news)
    {
        if (!IsHeard)
        {
            return;
        }

        lock (gate)
        {
            if (waiting.Count < MostWaiting)
            {
                waiting.Add(news);
            }
        }

        wake.Writer.TryWrite(true);
    }

    /// <summary>Waits for news and takes them.</summary>
    /// <param name="octets">At most so many of one message, with a line feed between two.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<string> TakeAsync(int octets, CancellationToken cancel)
    {
        await wake.Reader.ReadAsync(cancel);
        lock (gate)
        {
            var some = new List<string>();
            foreach (var news in waiting)
            {
                if ((octets -= news.Length + 1) < 0)
                {
                    wake.Writer.TryWrite(true);
                    break;
                }

                some.Add(news);
            }

            waiting.ExceptWith(some);
            return string.Join('\n', some);
        }
    }

    /// <summary>Reads news of another node. What is not understood was said by a newer version, and is left out.</summary>
    public static void Hear(string message, WorkSignal work, Completions completions, CrlSignal lists)
    {
        foreach (var news in message.Split('\n'))
        {
            if (news.StartsWith(DonePrefix, StringComparison.Ordinal))
            {
                completions.Hear(news[DonePrefix.Length..]);
            }
            else if (news.StartsWith(WorkPrefix, StringComparison.Ordinal) && Enum.TryParse<WorkKind>(news[WorkPrefix.Length..], out var kind) && Enum.IsDefined(kind))
            {
                work.Hear(kind);
            }
            else if (news == Revoked)
            {
                lists.Hear();
            }
        }
    }
}
