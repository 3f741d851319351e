namespace PersistCa.Server.Hosting;

/// <summary>Section Operators: those who look after the authority, and their doors.</summary>
public sealed class OperatorOptions
{
    /// <summary>Things on a page of a list, where a call does not say how many.</summary>
    public int PageSize { get; set; } = 100;

    /// <summary>Most things on a page of a list.</summary>
    public int MaxPageSize { get; set; } = 1000;
}

/// <summary>What the section Operators may say, beyond its types.</summary>
internal static class OperatorRules
{
    /// <summary>Checks the values.</summary>
    public static IEnumerable<ConfigurationFault> Check(OperatorOptions o) =>
        OptionRules.Range("Operators:PageSize", o.PageSize, 1, 10_000)
            .Concat(OptionRules.Range("Operators:MaxPageSize", o.MaxPageSize, 1, 10_000));
}
