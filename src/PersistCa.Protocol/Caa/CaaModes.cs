using System.Collections.Immutable;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Caa;

/// <summary>What becomes of a verdict.</summary>
public enum CaaMode
{
    /// <summary>What is not permitted is refused.</summary>
    Enforce = 0,

    /// <summary>The verdict is kept as evidence and refuses nothing: to see what enforcing would do.</summary>
    Report = 1,

    /// <summary>Nothing is looked up: for zones that only exist inside and never have CAA records.</summary>
    Off = 2,
}

/// <summary>
/// The mode of each name: that of the longest suffix with one, on label boundaries; the default, normally <see cref="CaaMode.Enforce"/>, where none is set. A profile under
/// the Baseline Requirements needs <see cref="Enforced"/>: section 3.2.2.8 knows no other mode.
/// </summary>
public sealed class CaaModes
{
    private readonly ImmutableDictionary<DnsName, CaaMode> suffixes;

    private readonly CaaMode otherwise;

    private CaaModes(ImmutableDictionary<DnsName, CaaMode> suffixes, CaaMode otherwise)
    {
        this.suffixes = suffixes;
        this.otherwise = otherwise;
    }

    /// <summary>Every name is enforced.</summary>
    public static CaaModes Enforced { get; } = new(ImmutableDictionary<DnsName, CaaMode>.Empty, CaaMode.Enforce);

    /// <summary>Reads modes by suffix.</summary>
    /// <param name="suffixes">Names such as "corp.example" or "lan"; each stands for itself and all below it.</param>
    /// <param name="otherwise">The mode of names under none of them.</param>
    /// <returns>The modes, or the reason why a suffix cannot be used.</returns>
    public static Parsed<CaaModes> Create(IEnumerable<KeyValuePair<string, CaaMode>> suffixes, CaaMode otherwise = CaaMode.Enforce)
    {
        var read = ImmutableDictionary.CreateBuilder<DnsName, CaaMode>();
        foreach (var (text, mode) in suffixes)
        {
            var suffix = DnsName.Parse(text);
            if (!suffix.IsValid)
            {
                return Parsed<CaaModes>.Refused($"the suffix '{text}' is no name: {suffix.Reason}");
            }

            if (!Enum.IsDefined(mode))
            {
                return Parsed<CaaModes>.Refused($"the suffix '{text}' has the mode {mode}; Enforce, Report or Off was expected");
            }

            if (!read.TryAdd(suffix.Value, mode))
            {
                return Parsed<CaaModes>.Refused($"the suffix '{suffix.Value}' has two modes");
            }
        }

        return Parsed<CaaModes>.Ok(new CaaModes(read.ToImmutable(), otherwise));
    }

    /// <summary>The mode of a name; a wildcard has that of the name without "*.".</summary>
    public CaaMode For(DnsName name)
    {
        foreach (var at in name.Ancestors().Prepend(name))
        {
            if (suffixes.TryGetValue(at, out var mode))
            {
                return mode;
            }
        }

        return otherwise;
    }
}
