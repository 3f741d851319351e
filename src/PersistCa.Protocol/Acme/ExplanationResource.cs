namespace PersistCa.Protocol.Acme;

/// <summary>What a dns-persist-01 validation would find now, and what to publish so that it succeeds (an extension).</summary>
public sealed record ExplanationResource
{
    public required AcmeIdentifier Identifier { get; init; }

    /// <summary>"valid", or the name of the problem type.</summary>
    public required string Verdict { get; init; }

    /// <summary>The reason in words.</summary>
    public required string Detail { get; init; }

    /// <summary>Dialect of the record that fits; absent when none does.</summary>
    public string? Dialect { get; init; }

    /// <summary>When that record ends; absent when it does not.</summary>
    public string? RecordExpires { get; init; }

    /// <summary>Records of this authority that were found, each with its verdict.</summary>
    public required IReadOnlyList<ExplainedRecord> Records { get; init; }

    /// <summary>What was looked up, and how that ended.</summary>
    public required IReadOnlyList<ExplainedLookup> Lookups { get; init; }

    /// <summary>For each accepted dialect, a record that would fit.</summary>
    public required IReadOnlyList<ExpectedRecord> Expected { get; init; }
}

/// <summary>A record and its verdict.</summary>
public sealed record ExplainedRecord
{
    public required string Owner { get; init; }

    public required string Text { get; init; }

    public string? Dialect { get; init; }

    /// <summary>One word; "Fits" for one that would prove control.</summary>
    public required string Verdict { get; init; }

    public required string Detail { get; init; }

    public string? Expires { get; init; }
}

/// <summary>A look-up.</summary>
public sealed record ExplainedLookup(string Name, string Type, string Status);

/// <summary>A record to publish.</summary>
public sealed record ExpectedRecord(string Dialect, string Owner, string Value);
