using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Hosting;

/// <summary>
/// What a profile may say of how names are proved, and what that makes of the configuration of validation. Under cabf-br it may only be stricter; a private
/// authority may do as it likes with CAA and perspectives, and never accepts a dialect, or a proof for a time, that the authority does not.
/// </summary>
internal static class ProfileProofRules
{
    // BR 4.2.1, the longest of its table; what the day allows is asked on the day.
    private static readonly TimeSpan PublicReuse = TimeSpan.FromDays(200);

    /// <summary>Checks what a profile says of proofs.</summary>
    public static IEnumerable<ConfigurationFault> Check(string key, ProfileOptions p, PersistCaOptions o)
    {
        var (proofs, isPublic) = (ProfileSetup.Proofs(p), p.Regime == PerspectiveRules.CabfBr || o.Validation.PerspectiveRegime == PerspectiveRules.CabfBr);
        var accepted = Dialects(o, isPublic);
        foreach (var dialect in p.Dialects.Where(d => !accepted.Contains(d)))
        {
            yield return new(key + ":Dialects", PersistDialects.Read(dialect) is null
                ? $"there is no dialect '{dialect}'; there are {string.Join(", ", PersistDialects.All.Select(d => d.Wire()))}"
                : $"{dialect} is not accepted here{(isPublic && dialect == PersistDialect.AcmePersist.Wire() ? $", since it is no method of the Baseline Requirements (3.2.2.4), which {PerspectiveRules.CabfBr} demands" : " (Validation:Persist:Dialects)")}; there are {string.Join(", ", accepted)}");
        }

        if (isPublic && p.Caa is { } mode && mode != CaaMode.Enforce)
        {
            yield return new(key + ":Caa", $"under {PerspectiveRules.CabfBr} CAA is enforced for every name (BR 3.2.2.8); leave it out");
        }

        var there = o.Validation.Perspectives.ConvertAll(v => v.Id);
        foreach (var id in (proofs.Perspectives ?? []).Where(i => !there.Contains(i)))
        {
            yield return new(key + ":Perspectives", $"there is no perspective '{id}'; there are {(there.Count == 0 ? "none" : string.Join(", ", there))} (Validation:Perspectives)");
        }

        var asked = Asked(o.Validation, proofs);
        var regions = asked.Select(v => InternetRegistries.Read(v.Region)).OfType<string>().Distinct().Count();
        if (isPublic && proofs.Perspectives is not null && regions < MpicQuorum.CabfBr.At(DateTimeOffset.MaxValue).LeastRegions)
        {
            yield return new(key + ":Perspectives", $"they are in {regions} region(s) of the Internet registries; {PerspectiveRules.CabfBr} needs {MpicQuorum.CabfBr.At(DateTimeOffset.MaxValue).LeastRegions} at least (BR 3.2.2.9)");
        }

        foreach (var fault in OptionRules.Range(key + ":PerspectivesNeeded", p.PerspectivesNeeded, 0, asked.Count))
        {
            yield return fault;
        }

        var longest = isPublic && PublicReuse < o.Acme.AuthorizationLifetime ? PublicReuse : o.Acme.AuthorizationLifetime;
        foreach (var fault in p.Reuse is { } reuse && reuse != TimeSpan.Zero ? OptionRules.Range(key + ":Reuse", reuse, TimeSpan.FromMinutes(5), longest) : [])
        {
            yield return fault with { Message = fault.Message + (isPublic ? " (BR 4.2.1, Acme:AuthorizationLifetime)" : " (Acme:AuthorizationLifetime)") + ", and zero for no reuse" };
        }
    }

    /// <summary>The configuration of validation under a regime with what a profile says of its own.</summary>
    public static ValidationOptions Over(ValidationOptions v, ProfileProofs proofs) => proofs.IsNone ? v : v.With(
        proofs.Dialects.IsEmpty ? v.Persist : v.Persist.With([.. proofs.Dialects], v.Persist.Ancestors),
        proofs.Caa is { } mode ? new CaaOptions { Mode = mode, MaxLabels = v.Caa.MaxLabels, ExcuseInsecureFailures = v.Caa.ExcuseInsecureFailures } : v.Caa,
        Asked(v, proofs));

    private static List<RemotePerspectiveOptions> Asked(ValidationOptions v, ProfileProofs proofs) =>
        proofs.Perspectives is { } ids ? v.Perspectives.FindAll(p => ids.Contains(p.Id)) : v.Perspectives;

    private static List<string> Dialects(PersistCaOptions o, bool isPublic) =>
        [.. PersistDialects.All.Where(d => !isPublic || d != PersistDialect.AcmePersist).Select(d => d.Wire()).Where(d => o.Validation.Persist.Dialects.Count == 0 || o.Validation.Persist.Dialects.Contains(d))];
}
