namespace PersistCa.Protocol.Mpic;

/// <summary>What one remote perspective comes to, beside what the primary saw.</summary>
public enum PerspectiveFinding
{
    /// <summary>It saw control proved as the primary did, and CAA that permits.</summary>
    Corroborates = 1,

    /// <summary>It looked, and what it saw does not prove the same.</summary>
    Differs = 2,

    /// <summary>It did not answer, or could not look: nothing is known.</summary>
    Failed = 3,

    /// <summary>It had not answered when the others' verdicts were enough, or could be no more: it does not corroborate.</summary>
    NotWaitedFor = 4,
}

/// <summary>The verdict on one remote perspective.</summary>
/// <param name="Id">Its name, unique among those that were asked.</param>
/// <param name="Region">Where it is: a word of <see cref="InternetRegistries"/> under the Baseline Requirements, else any, empty for unknown.</param>
/// <param name="Finding">What it comes to.</param>
/// <param name="Reason">Why, in a sentence that names no internal address and is fit for the account's owner.</param>
public sealed record PerspectiveVerdict(string Id, string Region, PerspectiveFinding Finding, string Reason)
{
    /// <summary>dns-persist-01: the account as the record writes it on which the corroboration rests; null for other challenges and without one.</summary>
    public string? Account { get; init; }
}

/// <summary>
/// The five regional Internet registries, whose service regions BR section 3.2.2.9 counts. The words are those of Open MPIC, which has "ripe ncc" for the
/// second; its short form is read too.
/// </summary>
public static class InternetRegistries
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = ["afrinic", "apnic", "arin", "lacnic", "ripe ncc"];

    /// <summary>Reads a word without regard to case; null when it is none.</summary>
    public static string? Read(string region)
    {
        var word = region.Trim().ToLowerInvariant();
        return word == "ripe" ? "ripe ncc" : All.FirstOrDefault(r => r == word);
    }
}
