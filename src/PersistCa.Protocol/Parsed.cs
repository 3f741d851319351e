using System.Diagnostics.CodeAnalysis;

namespace PersistCa.Protocol;

/// <summary>What a parser says: the value it read, or the reason why the text is none.</summary>
/// <typeparam name="T">The type that is read.</typeparam>
public readonly record struct Parsed<T>
    where T : notnull
{
    private Parsed(T? value, string? reason)
    {
        Value = value;
        Reason = reason;
    }

    /// <summary>The value, null when the text was refused.</summary>
    public T? Value { get; }

    /// <summary>Why the text was refused: a clause without capital or full stop that names what was found and what was expected.</summary>
    public string? Reason { get; }

    /// <summary>True when a value was read.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Reason))]
    public bool IsValid => Reason is null;

    /// <summary>A value was read.</summary>
    public static Parsed<T> Ok(T value) => new(value, null);

    /// <summary>The text was refused.</summary>
    public static Parsed<T> Refused(string reason) => new(default, reason);
}
