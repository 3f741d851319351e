using System.Collections.Frozen;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Records;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Registration;

/// <summary>How names are proved under one regime.</summary>
/// <param name="Name">The regime, as authorizations name it.</param>
/// <param name="Rules">Its rules in short.</param>
/// <param name="Policy">By which records are judged.</param>
/// <param name="Validators">The validators, perspectives included.</param>
/// <param name="Caa">Looks CAA records up.</param>
/// <param name="Panel">The remote perspectives; null for none.</param>
public sealed record ValidationRegime(string Name, ValidationRules Rules, PersistPolicy Policy, ChallengeValidators Validators, CaaClimb Caa, PerspectivePanel? Panel)
{
    /// <summary>What profiles with this regime say of proofs besides.</summary>
    public ProfileProofs Proofs { get; init; } = ProfileProofs.None;
}

/// <summary>The regimes of this authority: one for each that a profile on offer has, and one for each profile that has rules of its own. A proof won under one is none under another.</summary>
public sealed class ValidationRegimes(IEnumerable<ValidationRegime> regimes) : IDisposable
{
    private readonly FrozenDictionary<string, ValidationRegime> regimes = regimes.ToFrozenDictionary(r => r.Name, StringComparer.Ordinal);

    /// <summary>That of a private authority: of names that are proved before anybody says what for.</summary>
    public ValidationRegime Private => regimes[Authorization.PrivateRegime];

    /// <summary>The one of a name; null when no profile on offer has it any more.</summary>
    public ValidationRegime? Find(string name) => regimes.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var regime in regimes.Values)
        {
            regime.Panel?.Dispose();
        }
    }
}
