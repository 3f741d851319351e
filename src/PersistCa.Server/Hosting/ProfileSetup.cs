using System.Collections.Frozen;
using PersistCa.Issuance.Policy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Hosting;

/// <summary>Makes the profiles: those that ship, as they are or as the configuration changes them, and the configuration's own.</summary>
internal static class ProfileSetup
{
    /// <summary>The name of the profile that orders have which name none, unless Acme:DefaultProfile says otherwise.</summary>
    public const string Server = "server";

    /// <summary>Longest name of a profile.</summary>
    public const int MaxNameLength = 64;

    /// <summary>The word that takes away what would be there unasked.</summary>
    public const string NoneOfThem = "none";

    private const string DomainValidated = "2.23.140.1.2.1";

    /// <summary>What keys may be used for, by word.</summary>
    public static FrozenDictionary<string, string> PurposeOids { get; } = new Dictionary<string, string>
    {
        ["server"] = "1.3.6.1.5.5.7.3.1",
        ["client"] = "1.3.6.1.5.5.7.3.2",
    }.ToFrozenDictionary();

    /// <summary>Of the kinds of keys known here those of the Baseline Requirements (section 6.1.5).</summary>
    public static FrozenSet<KeyKind> PublicKeys { get; } = new[] { KeyKind.Rsa, KeyKind.P256, KeyKind.P384, KeyKind.P521 }.ToFrozenSet();

    /// <summary>The profiles that ship. server is offered always; the others where the configuration names them or leaves the list empty, save the one that needs perspectives.</summary>
    public static IReadOnlyList<ProfileOptions> Shipped { get; } =
    [
        new() { Name = Server, Description = "TLS servers" },
        new() { Name = "server-short-lived", Description = "TLS servers, six days, without revocation", Validity = TimeSpan.FromDays(6), Status = StatusKind.NoRevAvail },
        new() { Name = "client", Description = "TLS clients", Purposes = ["client"] },
        new() { Name = "server-pq", Description = "TLS servers with post-quantum keys, signed by an ML-DSA issuer", Keys = [nameof(KeyKind.MlDsa44), nameof(KeyKind.MlDsa65), nameof(KeyKind.MlDsa87)], Offered = false },
        new() { Name = "server-cabf", Description = "TLS servers by the Baseline Requirements of the CA/Browser Forum", Regime = PerspectiveRules.CabfBr, Policies = [DomainValidated], Offered = false },
    ];

    /// <summary>The profiles of a configuration, the default first.</summary>
    public static IReadOnlyList<CaProfile> Create(PersistCaOptions options)
    {
        var chosen = Chosen(options).Select(p => Read(p, options)).ToList();
        return [.. chosen.OrderBy(p => p.Name != options.Acme.DefaultProfile)];
    }

    /// <summary>Whether any profile on offer is for ML-DSA keys.</summary>
    public static bool AcceptsMlDsa(PersistCaOptions options) => Create(options).Any(p => p.Offered && p.Keys.Any(MlDsa.Is));

    /// <summary>Checks the section, and Acme:DefaultProfile with it.</summary>
    public static IEnumerable<ConfigurationFault> Check(PersistCaOptions o)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at < o.Profiles.Count; at++)
        {
            var (p, key) = (o.Profiles[at], $"Profiles:{at}");
            if (p.Name.Length is 0 or > MaxNameLength || p.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            {
                yield return new(key + ":Name", $"'{p.Name}' is no name; write 1 to {MaxNameLength} letters, digits, hyphens and underscores");
            }
            else if (!names.Add(p.Name))
            {
                yield return new(key + ":Name", $"'{p.Name}' is the name of another profile too");
            }

            foreach (var fault in ProfileOptionRules.Check(key, Merged(p), o))
            {
                yield return fault;
            }
        }

        if (!Chosen(o).Any(p => p.Offered && p.Name == o.Acme.DefaultProfile))
        {
            yield return new("Acme:DefaultProfile", $"there is no profile '{o.Acme.DefaultProfile}' on offer; there are {string.Join(", ", Chosen(o).Where(p => p.Offered).Select(p => p.Name))}");
        }
    }

    private static IEnumerable<ProfileOptions> Chosen(PersistCaOptions o) =>
        Shipped.Where(s => !o.Profiles.Exists(p => p.Name == s.Name)).Concat(o.Profiles.Select(Merged));

    /// <summary>What a section leaves out, filled from the shipped profile of its name.</summary>
    private static ProfileOptions Merged(ProfileOptions p) => Shipped.FirstOrDefault(s => s.Name == p.Name) is not { } s ? p : new ProfileOptions
    {
        Name = p.Name,
        Description = p.Description.Length > 0 ? p.Description : s.Description,
        Offered = p.Offered,
        Regime = p.Regime.Length > 0 ? p.Regime : s.Regime,
        Issuers = p.Issuers,
        Validity = p.Validity == TimeSpan.Zero ? s.Validity : p.Validity,
        Purposes = p.Purposes.Count > 0 ? p.Purposes : s.Purposes,
        Policies = p.Policies.Count > 0 ? p.Policies : s.Policies,
        Keys = p.Keys.Count > 0 ? p.Keys : s.Keys,
        Status = p.Status ?? s.Status,
        Ocsp = p.Ocsp,
        IssuerUrl = p.IssuerUrl,
        KeyUsages = p.KeyUsages,
        CommonName = p.CommonName,
        Identifiers = p.Identifiers,
        Wildcards = p.Wildcards,
        Names = p.Names,
        MaxNames = p.MaxNames,
        Challenges = p.Challenges,
        Dialects = p.Dialects,
        Perspectives = p.Perspectives,
        PerspectivesNeeded = p.PerspectivesNeeded,
        Caa = p.Caa,
        Reuse = p.Reuse,
        Accounts = p.Accounts,
    };

    /// <summary>What a profile says of proofs, besides its regime.</summary>
    public static ProfileProofs Proofs(ProfileOptions p) => new()
    {
        Dialects = [.. p.Dialects.Distinct()],
        Perspectives = p.Perspectives.Count == 0 ? null : p.Perspectives is [NoneOfThem] ? [] : [.. p.Perspectives.Distinct()],
        PerspectivesNeeded = p.PerspectivesNeeded,
        Caa = p.Caa,
        Reuse = p.Reuse,
    };

    private static CaProfile Read(ProfileOptions p, PersistCaOptions o)
    {
        var regime = p.Regime.Length > 0 ? p.Regime : PerspectiveRules.Private;
        var allowed = regime == PerspectiveRules.CabfBr ? PublicKeys : Enum.GetValues<KeyKind>().ToFrozenSet();
        var proofs = Proofs(p);
        var status = p.Status ?? StatusKind.Crl;
        var unasked = o.Issuance.AcceptMlDsaKeys ? allowed : allowed.Where(k => !MlDsa.Is(k)).ToFrozenSet();
        return new CaProfile
        {
            Name = p.Name,
            Description = p.Description.Length > 0 ? p.Description : p.Name,
            Offered = p.Offered,
            Regime = proofs.Under(regime),
            Proofs = proofs,
            Issuers = [.. p.Issuers],
            Status = status,
            Ocsp = status == StatusKind.Ocsp || (status == StatusKind.Crl && (p.Ocsp ?? o.Issuance.Ocsp.Enabled)),
            IssuerUrl = p.IssuerUrl,
            Names = new SubjectNames
            {
                Kinds = [.. p.Identifiers.Select(i => IdentifierTypes.Read(i)!.Value).Distinct()],
                Wildcards = p.Wildcards ?? true,
                Rules = [.. p.Names.Select(n => NameRule.Parse(n).Value!)],
            },
            Keys = p.Keys.Count == 0 ? unasked : p.Keys.Select(k => Enum.Parse<KeyKind>(k, ignoreCase: true)).Where(allowed.Contains).ToFrozenSet(),
            Challenges = [.. p.Challenges.Select(c => ChallengeTypes.Read(c)!.Value)],
            Accounts = p.Accounts.ToFrozenSet(),
            Certificate = new ServerProfile
            {
                Name = p.Name,
                Regime = regime == PerspectiveRules.CabfBr ? PersistCa.Issuance.Linting.Regime.CabfBr : PersistCa.Issuance.Linting.Regime.Private,
                Validity = p.Validity == TimeSpan.Zero ? o.Issuance.Validity : p.Validity,
                Backdate = o.Issuance.Backdate,
                CommonName = p.CommonName ?? o.Issuance.CommonName,
                SubjectKeyIdentifier = o.Issuance.SubjectKeyIdentifier,
                MaxNames = p.MaxNames == 0 ? o.Acme.MaxNames : Math.Min(p.MaxNames, o.Acme.MaxNames),
                Purposes = p.Purposes.Count == 0 ? [PurposeOids["server"]] : [.. p.Purposes.Select(w => PurposeOids[w])],
                KeyUsage = p.KeyUsages.Count == 0 ? null : KeyUsages.All.Where(u => p.KeyUsages.Contains(u.Name)).Sum(u => u.Bit),
                Policies = [.. p.Policies],
            },
        };
    }
}
