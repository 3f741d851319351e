using System.Diagnostics.CodeAnalysis;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol;

/// <summary>
/// A value, or the problem document that says why there is none. Refusals that we foresee travel this way;
/// an exception means a bug or broken surroundings.
/// </summary>
/// <typeparam name="T">What the operation yields when it is not refused.</typeparam>
public readonly struct Outcome<T>
    where T : notnull
{
    private readonly T? value;

    private Outcome(T? value, AcmeProblem? problem)
    {
        this.value = value;
        Problem = problem;
    }

    /// <summary>The refusal, or null when there is a value.</summary>
    public AcmeProblem? Problem { get; }

    /// <summary>True when the operation was refused.</summary>
    [MemberNotNullWhen(true, nameof(Problem))]
    public bool IsRefused => Problem is not null;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">The operation was refused: ask <see cref="IsRefused"/> first.</exception>
    public T Value => Problem is null && value is not null
        ? value
        : throw new InvalidOperationException($"There is no value: {Problem?.Detail ?? "the outcome was never set"}");

    /// <summary>Splits the outcome in one expression.</summary>
    public bool TryGet([NotNullWhen(true)] out T? result, [NotNullWhen(false)] out AcmeProblem? problem)
    {
        result = value;
        problem = Problem;
        return !IsRefused;
    }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(AcmeProblem problem) => new(default, problem);
}
