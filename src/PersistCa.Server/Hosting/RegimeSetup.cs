using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Registration;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Hosting;

/// <summary>What a regime makes of the configuration of validation, and the validators that come of it.</summary>
internal static class RegimeSetup
{
    // Baseline Requirements sections 7.2 and 4.9.7; four days hold whether or not all certificates have an OCSP pointer.
    private static readonly TimeSpan MaxCrlValidity = TimeSpan.FromDays(10);
    private static readonly TimeSpan MaxCrlInterval = TimeSpan.FromDays(4);

    /// <summary>The regime of a private authority and those that the profiles on offer have.</summary>
    /// <exception cref="StartRefusedException">A regime demands what the configuration does not give.</exception>
    public static ValidationRegimes Create(PersistCaOptions options, IEnumerable<CaProfile> profiles, StubResolver resolver, TimeProvider clock, Func<ILogger>? logger = null) => new(profiles
        .Where(p => p.Offered)
        .Select(p => (Name: p.Regime, p.Proofs, Key: Key(options, p)))
        .Append((Name: Authorization.PrivateRegime, Proofs: ProfileProofs.None, Key: ""))
        .DistinctBy(r => r.Name)
        .Select(r => One(r.Name, r.Proofs, r.Key, Under(options, ProfileProofs.BaseOf(r.Name)), resolver, clock, logger))
        .ToList());

    /// <summary>The configuration under a regime: as it stands, or tightened to what the Baseline Requirements demand.</summary>
    public static PersistCaOptions Under(PersistCaOptions options, string regime) => regime == PerspectiveRules.CabfBr ? options.With(Tightened(options.Validation)) : options;

    /// <summary>
    /// Checks that the configuration can bear the Baseline Requirements where a profile is held to them. What a setting may only tighten is tightened
    /// (<see cref="Under"/>); what has to be there, and is not, is a fault.
    /// </summary>
    public static IEnumerable<ConfigurationFault> Check(PersistCaOptions o, string profileKey)
    {
        if (o.Validation.Dns.Dnssec == DnsRules.Off)
        {
            yield return new("Validation:Dns:Dnssec", $"it is {DnsRules.Off}, and {profileKey} has the regime {PerspectiveRules.CabfBr}: since 2026-03-15 look-ups for validation and CAA are validated by DNSSEC (BR 3.2.2.4, 3.2.2.8.1)");
        }

        foreach (var island in o.Validation.Dns.InsecureZones.Where(z => z == "." || (DnsName.Parse(z) is { IsValid: true } name && !PublicSuffixList.Shipped.IsInternal(name.Value))))
        {
            yield return new("Validation:Dns:InsecureZones", $"'{island}' holds public names, and {profileKey} has the regime {PerspectiveRules.CabfBr}: their signatures are checked up to the root; declare private zones only");
        }

        if (o.Validation.Persist.Dialects is [var only] && only == PersistDialect.AcmePersist.Wire())
        {
            yield return new("Validation:Persist:Dialects", $"{only} alone is no method of the Baseline Requirements (3.2.2.4), and {profileKey} has the regime {PerspectiveRules.CabfBr}; add others");
        }

        if (o.Issuance.CrlValidity > MaxCrlValidity)
        {
            yield return new("Issuance:CrlValidity", $"it is {o.Issuance.CrlValidity.TotalDays:0.##} days, and {profileKey} has the regime {PerspectiveRules.CabfBr}: nextUpdate is at most {MaxCrlValidity.TotalDays:0} days after thisUpdate (BR 7.2)");
        }

        if (o.Issuance.CrlInterval > MaxCrlInterval)
        {
            yield return new("Issuance:CrlInterval", $"it is {o.Issuance.CrlInterval.TotalDays:0.##} days, and {profileKey} has the regime {PerspectiveRules.CabfBr}: lists are made every {MaxCrlInterval.TotalDays:0} days at least (BR 4.9.7)");
        }

        foreach (var fault in PerspectiveRules.CheckRegime(Tightened(o.Validation)))
        {
            yield return fault;
        }
    }

    private static ValidationRegime One(string name, ProfileProofs proofs, string key, PersistCaOptions regime, StubResolver resolver, TimeProvider clock, Func<ILogger>? logger)
    {
        var options = regime.With(ProfileProofRules.Over(regime.Validation, proofs));
        var policy = AuthorityRegistration.Policy(options);
        var panel = PerspectiveSetup.Create(options, policy, clock, logger, key, proofs.PerspectivesNeeded);
        var primary = AuthorityRegistration.Validators(options, policy, resolver, clock);
        return new ValidationRegime(
            name,
            ValidationRules.Of(options.Validation, proofs),
            policy,
            panel is null ? primary : MultiPerspectiveValidator.Over(primary, panel, clock),
            AuthorityRegistration.Caa(options, policy, resolver, clock),
            panel)
        {
            Proofs = proofs,
        };
    }

    /// <summary>Where the perspectives of a profile are configured.</summary>
    private static string Key(PersistCaOptions options, CaProfile profile) =>
        profile.Proofs.Perspectives is null ? "" : FormattableString.Invariant($"Profiles:{options.Profiles.FindIndex(o => o.Name == profile.Name)}:Perspectives");

    private static ValidationOptions Tightened(ValidationOptions v)
    {
        // BR 3.2.2.4 has no acme-persist, whose record names a key and not an account URI; 3.2.2.8 knows no report mode; records count at their own name.
        List<string> dialects = [.. (v.Persist.Dialects.Count == 0 ? PersistDialects.All.Select(d => d.Wire()) : v.Persist.Dialects).Where(d => d != PersistDialect.AcmePersist.Wire())];
        return v.With(
            v.Persist.With(dialects, ancestors: false),
            new CaaOptions { Mode = CaaMode.Enforce, MaxLabels = v.Caa.MaxLabels, ExcuseInsecureFailures = v.Caa.ExcuseInsecureFailures },
            new TargetNetworkOptions { Strict = true, DeniedNetworks = v.Targets.DeniedNetworks },
            new Http01LookupOptions { MaxRedirects = v.Http.MaxRedirects, Timeout = v.Http.Timeout }, // on the Authorized Ports (BR 1.6.1), and on them alone
            PerspectiveRules.CabfBr);
    }
}
