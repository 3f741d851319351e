namespace PersistCa.Storage.Integrity;

/// <summary>Something in the store that cannot be: no sequence of changes, whole or cut off anywhere, leads to it.</summary>
/// <param name="Rule">Id of the rule that is broken, such as S03.</param>
/// <param name="Subject">What it was found at, such as "order:ID".</param>
/// <param name="Message">What was found, and what was expected.</param>
public sealed record StoreFinding(string Rule, string Subject, string Message);

/// <summary>A rule that holds of every store at every moment between two transactions.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Meaning">What it says.</param>
/// <param name="CheckAsync">Looks for what breaks it, in rising order of internal ids, a bounded number of rows at a time.</param>
public sealed record StoreRule(string Id, string Meaning, Func<CaDb, CancellationToken, IAsyncEnumerable<StoreFinding>> CheckAsync);
