using PersistCa.Issuance.Signing;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Server.Hosting;

/// <summary>What the values of one profile may be, beyond their types. Pure, as <see cref="OptionRules"/>. A profile may only be narrower than its regime.</summary>
internal static class ProfileOptionRules
{
    // RFC 9608 and BR 1.6.1: what lives no longer than that may go without status.
    private static readonly TimeSpan ShortLived = TimeSpan.FromDays(7);

    /// <summary>Checks one profile, what the shipped one of its name gives included.</summary>
    /// <param name="key">Its key, such as Profiles:0.</param>
    /// <param name="p">The profile.</param>
    /// <param name="o">The whole configuration.</param>
    public static IEnumerable<ConfigurationFault> Check(string key, ProfileOptions p, PersistCaOptions o)
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

        foreach (var fault in Pointers(key, p, o, isPublic).Concat(Names(key, p, o)).Concat(ProfileProofRules.Check(key, p, o)))
        {
            yield return fault;
        }

        foreach (var word in p.Purposes.Where(w => !ProfileSetup.PurposeOids.ContainsKey(w)))
        {
            yield return new(key + ":Purposes", $"there is no purpose '{word}'; there are {string.Join(", ", ProfileSetup.PurposeOids.Keys.Order())}");
        }

        foreach (var oid in p.Policies.Where(t => !IsOid(t)))
        {
            yield return new(key + ":Policies", $"'{oid}' is no object identifier; write one such as 1.3.6.1.4.1.99999.1");
        }

        foreach (var kind in p.Keys.Where(k => !Enum.TryParse<KeyKind>(k, ignoreCase: true, out var read) || !Enum.IsDefined(read) || char.IsAsciiDigit(k[0])))
        {
            yield return new(key + ":Keys", $"there is no kind of key '{kind}'; there are {string.Join(", ", Enum.GetNames<KeyKind>())}");
        }

        if (isPublic && p.Keys.Count > 0 && !p.Keys.Exists(k => Enum.TryParse<KeyKind>(k, ignoreCase: true, out var read) && ProfileSetup.PublicKeys.Contains(read)))
        {
            yield return new(key + ":Keys", $"none of {string.Join(", ", p.Keys)} is a kind for {PerspectiveRules.CabfBr} (BR 6.1.5); there are {string.Join(", ", ProfileSetup.PublicKeys.Order())}");
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

    /// <summary>Key usage, and what certificates point at.</summary>
    private static IEnumerable<ConfigurationFault> Pointers(string key, ProfileOptions p, PersistCaOptions o, bool isPublic)
    {
        var known = string.Join(", ", KeyUsages.All.Select(u => u.Name));
        foreach (var usage in p.KeyUsages.Where(u => !KeyUsages.All.Any(k => k.Name == u)))
        {
            yield return new(key + ":KeyUsages", $"'{usage}' is no use of a key that certificates here have; there are {known}");
        }

        if (p.KeyUsages.Count > 0 && !p.KeyUsages.Contains("digitalSignature"))
        {
            yield return new(key + ":KeyUsages", "digitalSignature is missing, without which no key can be used for TLS 1.3; add it");
        }

        if ((p.Ocsp == true || p.Status == StatusKind.Ocsp) && !o.Issuance.Ocsp.Enabled)
        {
            yield return new(p.Status == StatusKind.Ocsp ? key + ":Status" : key + ":Ocsp", "nobody would answer: Issuance:Ocsp:Enabled is false; set it to true");
        }

        if (p.Ocsp is { } asked && asked != (p.Status == StatusKind.Ocsp) && (p.Status ?? StatusKind.Crl) != StatusKind.Crl)
        {
            yield return new(key + ":Ocsp", $"it is {asked}, and Status is {p.Status}; leave it out, or set Status to Crl");
        }

        if (p.IssuerUrl == ProfileSetup.NoneOfThem && isPublic)
        {
            yield return new(key + ":IssuerUrl", $"under {PerspectiveRules.CabfBr} certificates say where their issuer's is (BR 7.1.2.7.7); leave it out, or write a URL");
        }

        if (p.IssuerUrl.Length > 0 && p.IssuerUrl != ProfileSetup.NoneOfThem
            && !(Uri.TryCreate(p.IssuerUrl.Replace("{issuer}", "x", StringComparison.Ordinal), UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp
                && p.IssuerUrl.Contains("{issuer}", StringComparison.Ordinal) && p.IssuerUrl.All(c => c is > ' ' and <= '~')))
        {
            yield return new(key + ":IssuerUrl", $"'{p.IssuerUrl}' is no http URL with {{issuer}} in it; write one such as http://ca.example/issuer/{{issuer}}.crt, or {ProfileSetup.NoneOfThem}");
        }
    }

    /// <summary>Names: of those that are served, never more.</summary>
    private static IEnumerable<ConfigurationFault> Names(string key, ProfileOptions p, PersistCaOptions o)
    {
        foreach (var type in p.Identifiers.Where(t => IdentifierTypes.Read(t) is null))
        {
            yield return new(key + ":Identifiers", $"there is no type of identifier '{type}'; there are {string.Join(", ", IdentifierTypes.All.Select(t => t.Wire()))}");
        }

        if (p.Identifiers.Contains(IdentifierType.Ip.Wire()) && o.Policy.Ip.AllowedNetworks.Count == 0)
        {
            yield return new(key + ":Identifiers", "it has ip, and no address is served: Policy:Ip:AllowedNetworks is empty; name networks there");
        }

        if (p.Wildcards == true && !o.Names.AllowWildcards)
        {
            yield return new(key + ":Wildcards", "it is true, and no wildcard is served: Names:AllowWildcards is false; leave it out");
        }

        foreach (var name in p.Names)
        {
            if (NameRule.Parse(name) is { IsValid: false } bad)
            {
                yield return new(key + ":Names", $"'{name}': {bad.Reason}");
            }
        }
    }
}
