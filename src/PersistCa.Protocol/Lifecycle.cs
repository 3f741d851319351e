using System.Collections.Frozen;

namespace PersistCa.Protocol;

/// <summary>A closed transition table: what is not listed cannot happen.</summary>
/// <typeparam name="TState">The states.</typeparam>
/// <param name="name">What lives through these states, for the message of a forbidden step.</param>
/// <param name="allowed">Every step from a state to another.</param>
public sealed class Lifecycle<TState>(string name, params (TState From, TState To)[] allowed)
    where TState : struct, Enum
{
    private readonly FrozenSet<(TState From, TState To)> steps = allowed.ToFrozenSet();

    /// <summary>True when the step is in the table.</summary>
    public bool Allows(TState from, TState to) => steps.Contains((from, to));

    /// <summary>Takes the step.</summary>
    /// <returns>The new state.</returns>
    /// <exception cref="InvalidOperationException">The step is not in the table: the caller had to ask first.</exception>
    public TState Step(TState from, TState to) => Allows(from, to)
        ? to
        : throw new InvalidOperationException($"{name} cannot go from {from} to {to}");
}
