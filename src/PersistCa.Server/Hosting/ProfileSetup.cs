using System.Collections.Frozen;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Authorizations;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Hosting;

/// <summary>Makes the profiles: those that ship, as they are or as the configuration changes them, and the configuration's own.</summary>
internal static class ProfileSetup
{
    /// <summary>The name of the profile that orders have which name none, unless Acme:DefaultProfile says otherwise.</summary>
    public const string Server = "server";

    /// <summary>Longest name of a profile.</summary>
    public const int MaxNameLength = 64;

    private const string DomainValidated = "2.23.140.1.2.1";

    // RFC 9608 and BR 1.6.1: what lives no longer than that may go without status.
    private static readonly TimeSpan ShortLived = TimeSpan.FromDays(7);

    private static readonly FrozenDictionary<string, string> PurposeOids = new Dictionary<string, string>
    {
        ["server"] = "1.3.6.1.5.5.7.3.1",
        ["client"] = "1.3.6.1.5.5.7.3.2",
    }.ToFrozenDictionary();

    // BR 6.1.5: of the kinds known here, these.
    private static readonly FrozenSet<KeyKind> PublicKeys = new[] { KeyKind.Rsa, KeyKind.P256, KeyKind.P384, KeyKind.P521 }.ToFrozenSet();

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

            foreach (var fault in One(key, Merged(p), o))
            {
                yield return fault;
            }
        }

        if (!Chosen(o).Any(p => p.Offered && p.Name == o.Acme.DefaultProfile))
        {
            yield return new("Acme:DefaultProfile", $"there is no profile '{o.Acme.DefaultProfile}' on offer; there are {string.Join(", ", Chosen(o).Where(p => p.Offered).Select(p => p.Name))}");
        }
    }

    private static IEnumerable<ConfigurationFault> One(string key, ProfileOptions p, PersistCaOptions o)
    {
        if (p.Regime is not ("" or PerspectiveRules.Private or PerspectiveRules.CabfBr))
        {
            yield return new(key + ":Regime", $"there is no regime '{p.Regime}'; there are {PerspectiveRules.Private} and {PerspectiveRules.CabfBr}");
        }

        var isPublic = p.Regime == PerspectiveRules.CabfBr;
        var validity = p.Validity == TimeSpan.Zero ? o.Issuance.Validity : p.Validity;
        foreach (var fault in OptionRules.Range(key + ":Validity", validity, TimeSpan.FromMinutes(10), TimeSpan.FromDays(825)).Concat(OptionRules.Range(key + ":MaxNames", p.MaxNames, 0, 1000)))
        {
            yield return fault;
        }

        if (p.Status is StatusKind.None or StatusKind.NoRevAvail && validity > ShortLived)
        {
            yield return new(key + ":Status", $"{p.Status} is for certificates of at most {ShortLived.TotalDays} days, and these live {validity.TotalDays:0.##}; set it to Crl, or Validity to less");
        }

        if (p.Status == StatusKind.NoRevAvail && isPublic)
        {
            yield return new(key + ":Status", $"noRevAvail is not for {PerspectiveRules.CabfBr} (BR 7.1.2.7.6); set it to None");
        }

        foreach (var fault in isPublic && p.Offered ? RegimeSetup.Check(o, key) : [])
        {
            yield return fault;
        }

        foreach (var word in p.Purposes.Where(w => !PurposeOids.ContainsKey(w)))
        {
            yield return new(key + ":Purposes", $"there is no purpose '{word}'; there are {string.Join(", ", PurposeOids.Keys.Order())}");
        }

        foreach (var oid in p.Policies.Where(t => !IsOid(t)))
        {
            yield return new(key + ":Policies", $"'{oid}' is no object identifier; write one such as 1.3.6.1.4.1.99999.1");
        }

        foreach (var kind in p.Keys.Where(k => !Enum.TryParse<KeyKind>(k, ignoreCase: true, out var read) || !Enum.IsDefined(read) || char.IsAsciiDigit(k[0])))
        {
            yield return new(key + ":Keys", $"there is no kind of key '{kind}'; there are {string.Join(", ", Enum.GetNames<KeyKind>())}");
        }

        if (isPublic && p.Keys.Count > 0 && !p.Keys.Exists(k => Enum.TryParse<KeyKind>(k, ignoreCase: true, out var read) && PublicKeys.Contains(read)))
        {
            yield return new(key + ":Keys", $"none of {string.Join(", ", p.Keys)} is a kind for {PerspectiveRules.CabfBr} (BR 6.1.5); there are {string.Join(", ", PublicKeys.Order())}");
        }

        foreach (var fault in PolicyRules.Challenges(key + ":Challenges", p.Challenges))
        {
            yield return fault;
        }

        foreach (var account in p.Accounts.Where(a => !Protocol.PublicId.LooksRight(a)))
        {
            yield return new(key + ":Accounts", $"'{account}' is not the id of an account; write the last segment of its URL");
        }

        foreach (var name in p.Issuers.Where(n => n != IssuerSetup.Primary && !o.Authority.Issuers.Exists(i => i.Name == n)))
        {
            yield return new(key + ":Issuers", $"there is no issuer '{name}'; there are {string.Join(", ", o.Authority.Issuers.Select(i => i.Name).Prepend(IssuerSetup.Primary))}");
        }
    }

    private static bool IsOid(string text)
    {
        try
        {
            _ = new Org.BouncyCastle.Asn1.DerObjectIdentifier(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
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
        CommonName = p.CommonName,
        Challenges = p.Challenges,
        Accounts = p.Accounts,
        MaxNames = p.MaxNames,
    };

    private static CaProfile Read(ProfileOptions p, PersistCaOptions o)
    {
        var regime = p.Regime.Length > 0 ? p.Regime : PerspectiveRules.Private;
        var allowed = regime == PerspectiveRules.CabfBr ? PublicKeys : Enum.GetValues<KeyKind>().ToFrozenSet();
        var unasked = o.Issuance.AcceptMlDsaKeys ? allowed : allowed.Where(k => !MlDsa.Is(k)).ToFrozenSet();
        return new CaProfile
        {
            Name = p.Name,
            Description = p.Description.Length > 0 ? p.Description : p.Name,
            Offered = p.Offered,
            Regime = regime,
            Issuers = [.. p.Issuers],
            Status = p.Status ?? StatusKind.Crl,
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
                Policies = [.. p.Policies],
            },
        };
    }
}
