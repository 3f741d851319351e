using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Caa;

namespace PersistCa.Server.Registration;

/// <summary>
/// What a profile says of how names are proved, besides its regime. Where it says something, its proofs are won under a regime of its own: authorizations bear
/// that regime's name, no other profile rests on them, and this one on no others.
/// </summary>
public sealed record ProfileProofs
{
    /// <summary>No word of its own.</summary>
    public static readonly ProfileProofs None = new();

    /// <summary>The dialects of dns-persist-01 that are accepted; none for those of Validation:Persist:Dialects.</summary>
    public ImmutableArray<string> Dialects { get; init; } = [];

    /// <summary>Ids of the remote perspectives that are asked; null for all that there are.</summary>
    public ImmutableArray<string>? Perspectives { get; init; }

    /// <summary>How many of them must see the same at least; 0 for what the table says.</summary>
    public int PerspectivesNeeded { get; init; }

    /// <summary>What becomes of CAA records, of every name; null for Validation:Caa.</summary>
    public CaaMode? Caa { get; init; }

    /// <summary>How long a proof may be used, zero for the one order alone that it was made for; null for Acme:AuthorizationLifetime.</summary>
    public TimeSpan? Reuse { get; init; }

    /// <summary>Whether there is no word of its own.</summary>
    public bool IsNone => InWords.Length == 0;

    /// <summary>Whether a proof counts for the one order that it was made for.</summary>
    public bool ProvedAnew => Reuse == TimeSpan.Zero;

    /// <summary>All of it in words, as decisions have it. The same for the same rules.</summary>
    public string InWords => string.Join("; ", new[]
    {
        Dialects.IsEmpty ? null : "dialects " + string.Join(", ", Dialects.Order(StringComparer.Ordinal)),
        Perspectives is { } ids ? "perspectives " + (ids.IsEmpty ? "none" : string.Join(", ", ids.Order(StringComparer.Ordinal))) : null,
        PerspectivesNeeded > 0 ? FormattableString.Invariant($"{PerspectivesNeeded} perspectives see the same") : null,
        Caa is { } mode ? $"CAA {mode}" : null,
        Reuse is { } reuse ? ProvedAnew ? "proved anew for each order" : $"proofs used for {reuse:c}" : null,
    }.OfType<string>());

    /// <summary>The regime under which such proofs are won: the given one, or one of its own beside it. At most 32 characters.</summary>
    public string Under(string regime) => IsNone ? regime : $"{regime}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(InWords)))[..16]}";

    /// <summary>The regime that one was made from.</summary>
    public static string BaseOf(string regime) => regime.Split('/')[0];

    /// <summary>The shorter of how long proofs may be used here and in this authority.</summary>
    public TimeSpan LongestUse(TimeSpan lifetime) => Reuse is { } own && !ProvedAnew && own < lifetime ? own : lifetime;
}
