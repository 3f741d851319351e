using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Integrity;

/// <summary>Reads a whole table with bounded memory.</summary>
public static class StorePages
{
    /// <summary>Rows read at once.</summary>
    public const int Size = 500;

    /// <summary>Rows by rising key, a page at a time.</summary>
    /// <param name="after">The rows whose key is above one, in the order of their keys.</param>
    /// <param name="key">The key of a row.</param>
    /// <param name="cancel">Stops.</param>
    public static async IAsyncEnumerable<List<T>> PagesAsync<T>(Func<long, IQueryable<T>> after, Func<T, long> key, [EnumeratorCancellation] CancellationToken cancel)
    {
        var last = long.MinValue;
        while (true)
        {
            var page = await after(last).Take(Size).ToListAsync(cancel);
            if (page.Count == 0)
            {
                yield break;
            }

            yield return page;
            last = key(page[^1]);
        }
    }
}
