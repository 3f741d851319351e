using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Policy;

/// <summary>Rules about names: of the certificate as it is about to be signed, whichever way they came into the order.</summary>
internal static class NameRules
{
    private const string Page = "docs/operations/configuration.md, Names and Policy:Ip";

    public static PolicyRule[] All { get; } =
    [
        new("names.ordered", "the certificate's names are the order's, each once", "RFC 8555 section 7.4", (f, c) =>
        {
            var (found, expected) = (Of(c).Order(StringComparer.Ordinal).ToList(), f.Names.Select(n => n.Text).Order(StringComparer.Ordinal).ToList());
            return found.SequenceEqual(expected)
                ? RuleFinding.Passed(Texts.List(found, found.Count), "the names of the order")
                : RuleFinding.Failed(ProfileRules.Internal("its names are not the order's"), Texts.List(found, found.Count), Texts.List(expected, expected.Count));
        }),
        new("names.served", "each name is served here", Page, (f, _) => RuleFinding.Of(f.Names.Select(f.NotServed), Texts.Names(f.Names), "names that this authority serves")),
        new("profile.names", "each name is one that the profile is for", "docs/operations/profiles.md", (f, _) => f.Profile.Names.IsEvery
            ? RuleFinding.NotApplicable("the profile is for every name that is served")
            : RuleFinding.Of(f.Names.Select(n => f.Profile.Names.Refuse(f.Profile.Name, n)), Texts.Names(f.Names), f.Profile.Names.ToString())),
        new("names.public", "each name is one of the public web, where the regime is for that", "Baseline Requirements section 4.2.2", (f, _) => f.Profile.Certificate.Regime == Regime.CabfBr
            ? RuleFinding.Of(f.Names.Select(f.NotPublic), Texts.Names(f.Names), "names of the public web")
            : RuleFinding.NotApplicable($"the regime is {f.Profile.Regime}")),
        new("names.constraints", "each name is within the constraints of the issuer and of those above it", "RFC 5280 section 4.2.1.10", (f, _) => f.Issuer.Constraints.IsEmpty
            ? RuleFinding.NotApplicable($"the issuer {f.Issuer.Id} has no constraints")
            : RuleFinding.Of(f.Names.Select(n => Outside(f, n)), Texts.Names(f.Names), $"names within the constraints of the issuer {f.Issuer.Id}")),
    ];

    private static AcmeProblem? Outside(PolicyFacts f, Identifier name) => f.Issuer.Constraints.Refuse(name) is { } outside
        ? new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{name} cannot be certified by this issuer: {outside}.") { Identifier = name.Acme }
        : null;

    /// <summary>The names of a certificate as identifiers are written; a name of another kind stands there as what it is.</summary>
    private static IEnumerable<string> Of(CertificateFacts c) =>
    [
        .. c.Names.DnsNames,
        .. c.Names.Addresses.Select(a => IpIdentifier.FromOctets(a) is { IsValid: true, Value: var ip } ? ip.Text : Convert.ToHexStringLower(a)),
        .. c.Names.Others.Select(tag => $"[{Texts.Number(tag)}]"),
    ];
}
