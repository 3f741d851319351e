namespace PersistCa.Server.Hosting;

/// <summary>
/// What is made of files that others renew, such as certificates: made again when one of them changed, without a restart. Whether one changed is asked when
/// the value is used, and at most once in an interval, so that strangers' connections make no more work than that. Files that cannot be used leave the last
/// good value in place.
/// </summary>
/// <typeparam name="T">What is made.</typeparam>
internal sealed class WatchedFiles<T>
    where T : class
{
    private readonly string[] files;
    private readonly Func<T> load;
    private readonly TimeSpan interval;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private T current;
    private DateTimeOffset asked;
    private string stamp;

    /// <summary>Makes it a first time.</summary>
    /// <param name="files">The files; empty names are left out.</param>
    /// <param name="load">Makes the value.</param>
    /// <param name="interval">Least time between two looks at the files.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="StartRefusedException">The files cannot be used.</exception>
    public WatchedFiles(IEnumerable<string> files, Func<T> load, TimeSpan interval, TimeProvider clock)
    {
        (this.files, this.load, this.interval, this.clock) = ([.. files.Where(f => f.Length > 0)], load, interval, clock);
        (asked, stamp) = (clock.GetUtcNow(), Stamp());
        current = load();
    }

    /// <summary>The value of the files as they are, or as they last were when they could be used.</summary>
    /// <param name="logger">Is told, in one line, of a change and of files that cannot be used.</param>
    public T Current(ILogger logger)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            if (now - asked < interval && now >= asked)
            {
                return current;
            }

            asked = now;
            var found = Stamp();
            if (found == stamp)
            {
                return current;
            }

            // A fault is told once for each state of the files, not at each look.
            stamp = found;
            try
            {
                current = load();
                WatchedFilesLog.Renewed(logger, string.Join(", ", files));
            }
            catch (StartRefusedException fault)
            {
                WatchedFilesLog.Broken(logger, fault.Message);
            }

            return current;
        }
    }

    private string Stamp() => string.Join('|', files.Select(f =>
    {
        try
        {
            var file = new FileInfo(f);
            return file.Exists ? $"{file.LastWriteTimeUtc.Ticks} {file.Length} {file.ResolveLinkTarget(returnFinalTarget: true)?.FullName}" : "-";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "?";
        }
    }));
}

/// <summary>What is logged of files that are watched.</summary>
internal static partial class WatchedFilesLog
{
    /// <summary>They were read again.</summary>
    [LoggerMessage(LogLevel.Information, "Read again after a change: {Files}")]
    public static partial void Renewed(ILogger logger, string files);

    /// <summary>They changed and cannot be used.</summary>
    [LoggerMessage(LogLevel.Error, "{Fault}. What was read before stays in use")]
    public static partial void Broken(ILogger logger, string fault);
}
