namespace PersistCa.Server.Registration;

/// <summary>Which page of a list is wanted. Lists go from the newest row to the oldest.</summary>
/// <param name="Size">Most rows.</param>
/// <param name="Before">Only rows with a lower internal id; null for the first page.</param>
public sealed record PageWish(int Size, long? Before)
{
    /// <summary>The bound as a number.</summary>
    public long Below => Before ?? long.MaxValue;
}

/// <summary>A page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
/// <param name="Items">The rows.</param>
/// <param name="Next">The bound of the next page; null on the last.</param>
public sealed record Paged<T>(IReadOnlyList<T> Items, long? Next)
{
    /// <summary>The same page in another form.</summary>
    public Paged<TOther> Select<TOther>(Func<T, TOther> form) => new([.. Items.Select(form)], Next);
}

/// <summary>Makes pages.</summary>
public static class Paged
{
    /// <summary>A page of rows of which one more than its size was asked for.</summary>
    public static Paged<T> Of<T>(IReadOnlyList<T> rows, PageWish wish, Func<T, long> id) =>
        rows.Count > wish.Size ? new Paged<T>([.. rows.Take(wish.Size)], id(rows[wish.Size - 1])) : new Paged<T>(rows, null);
}
