using System.Collections.Immutable;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Server.Hosting;
using PersistCa.Validation.Challenges;

namespace PersistCa.Server.Registration;

/// <summary>What a client names, as it came.</summary>
/// <param name="Identifier">Type and value.</param>
/// <param name="AncestorDomain">A name above it, for which it can prove control instead (RFC 9444 section 4.3); null for none.</param>
/// <param name="Subdomains">Whether the names under it are wanted too (RFC 9444 section 4.2).</param>
public sealed record IdentifierWish(AcmeIdentifier Identifier, string? AncestorDomain = null, bool Subdomains = false);

/// <summary>An identifier that is served, and what has to be proved for it.</summary>
/// <param name="Identifier">As it is to stand in the certificate.</param>
/// <param name="Proof">What the authorization is for: the identifier itself, or a name above it.</param>
/// <param name="Types">The challenges on offer, at least one.</param>
/// <param name="Subdomains">Whether the authorization has to stand for the names under it.</param>
/// <param name="Above">Names above it, whose authorizations would do if they stand for those under them (RFC 9444).</param>
public sealed record AcceptedIdentifier(Identifier Identifier, Identifier Proof, ImmutableArray<ChallengeType> Types, bool Subdomains, ImmutableArray<string> Above);

/// <summary>Reads and judges the identifiers of orders and pre-authorizations.</summary>
public sealed class IdentifierIntake(PersistCaOptions options, IdentifierPolicy policy, ChallengePolicy challenges, PersistScope above)
{
    private static readonly TargetPolicy PublicInternet = new(new TargetOptions { Strict = true });

    /// <summary>Judges all identifiers of an order; those that are refused are named together.</summary>
    /// <param name="account">Who names them.</param>
    /// <param name="wishes">What it names.</param>
    /// <param name="profile">The order's profile.</param>
    /// <param name="scope">What the account may do by its external account.</param>
    public Outcome<IReadOnlyList<AcceptedIdentifier>> Judge(Account account, IReadOnlyList<IdentifierWish> wishes, CaProfile profile, AccountScope scope)
    {
        if (wishes.Count == 0)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "The order names no identifier; at least one is expected.");
        }

        if (wishes.Count > profile.Certificate.MaxNames)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The order names {wishes.Count} identifiers; at most {profile.Certificate.MaxNames} are accepted.");
        }

        var accepted = new List<AcceptedIdentifier>(wishes.Count);
        var problems = new List<AcmeProblem>();
        foreach (var wish in wishes)
        {
            var judged = Judge(account, wish, subdomains: false, scope, profile);
            if (judged.TryGet(out var served, out var problem))
            {
                if (!accepted.Exists(a => a.Identifier == served.Identifier))
                {
                    accepted.Add(served);
                }
            }
            else
            {
                problems.Add(problem);
            }
        }

        return problems.Count == 0
            ? accepted
            : AcmeProblem.Combine(problems, $"{problems.Count} of {wishes.Count} identifiers are refused; see subproblems.");
    }

    /// <summary>Judges one identifier.</summary>
    /// <param name="account">Who names it.</param>
    /// <param name="wish">What it names.</param>
    /// <param name="subdomains">Whether the names under it are wanted too (RFC 9444 section 4.2).</param>
    /// <param name="scope">What the account may do by its external account.</param>
    /// <param name="profile">The profile of the certificate to come; null where nobody has said yet.</param>
    public Outcome<AcceptedIdentifier> Judge(Account account, IdentifierWish wish, bool subdomains, AccountScope scope, CaProfile? profile = null)
    {
        var shown = new AcmeIdentifier(Refusals.Shorten(wish.Identifier.Type), Refusals.Shorten(wish.Identifier.Value));
        if (IdentifierTypes.Read(wish.Identifier.Type) is not { } type)
        {
            var known = string.Join(" or ", IdentifierTypes.All.Select(t => t.Wire()));
            return new AcmeProblem(ProblemCatalog.UnsupportedIdentifier, $"The identifier type '{shown.Type}' is not supported; expected {known}.") { Identifier = shown };
        }

        var parsed = Identifier.Parse(type, wish.Identifier.Value);
        if (!parsed.IsValid)
        {
            var kind = type == IdentifierType.Ip ? "an IP address" : "a name";
            return new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"'{shown.Value}' is not {kind} a certificate can have: {parsed.Reason}.") { Identifier = shown };
        }

        if ((policy.Judge(parsed.Value).Problem ?? scope.Refuse(parsed.Value) ?? account.Restrictions?.Refuse(parsed.Value) ?? profile?.Names.Refuse(profile.Name, parsed.Value) ?? (profile?.BaseRegime == PerspectiveRules.CabfBr ? OutsideThePublicWeb(parsed.Value, shown) : null)) is { } refused)
        {
            return refused;
        }

        var names = NamesAbove(parsed.Value);
        var proved = Proof(parsed.Value, wish.AncestorDomain, names, shown);
        if (!proved.TryGet(out var proof, out refused))
        {
            return refused;
        }

        if (!challenges.For(proof, account.PublicId).TryGet(out var types, out refused))
        {
            return refused;
        }

        if (proof != parsed.Value)
        {
            if (!challenges.For(parsed.Value, account.PublicId).TryGet(out var own, out refused))
            {
                return refused;
            }

            // What policy does not offer for a name is not offered by way of a name above it.
            types = [.. types.Intersect(own)];
        }

        types = [.. types.Where(t => account.Restrictions?.Accepts(t) != false)];
        if (types.IsEmpty)
        {
            return new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"None of the challenges on offer for {parsed.Value} is among those that this account is restricted to.") { Identifier = shown };
        }

        var broad = subdomains || proof != parsed.Value;
        if (broad)
        {
            types = [.. types.Where(t => t.ProvesWildcards())]; // what connects to one machine says nothing of the names under it
        }

        if (!types.IsEmpty && !types.Any(scope.Accepts))
        {
            return new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"The external account {scope.KeyId} accepts none of the challenges that are on offer for {parsed.Value}.") { Identifier = shown };
        }

        types = [.. types.Where(scope.Accepts)];
        if (profile is not null && types.Any(profile.Accepts))
        {
            types = [.. types.Where(profile.Accepts)];
        }
        else if (profile is not null && !types.IsEmpty)
        {
            return new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"The profile {profile.Name} accepts none of the challenges that are on offer for {parsed.Value}.") { Identifier = shown };
        }

        return types.IsEmpty
            ? new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"No challenge on offer proves control of the names under {proof}.") { Identifier = shown }
            : new AcceptedIdentifier(parsed.Value, proof, types, broad, options.Acme.SubdomainAuthorizations ? [.. names.Select(n => n.Text)] : []);
    }

    /// <summary>Internal names and reserved addresses (BR 4.2.2, 7.1.4.2.1): what is not of the public Internet cannot be certified by its rules.</summary>
    internal static AcmeProblem? OutsideThePublicWeb(Identifier identifier, AcmeIdentifier shown) => identifier switch
    {
        CertificateName name when PublicSuffixList.Shipped.IsInternal(name.Name) =>
            new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{identifier} is an internal name: its last label is no public top-level domain, and the profile is for the public web (BR 4.2.2).") { Identifier = shown },
        IpIdentifier ip when !PublicInternet.Permits(ip.Address) =>
            new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{identifier} is a reserved address, and the profile is for the public web (BR 4.2.2).") { Identifier = shown },
        _ => null,
    };

    /// <summary>The names above one, down to its registrable domain; a wildcard lies under its own base name.</summary>
    private ImmutableArray<DnsName> NamesAbove(Identifier identifier) =>
        identifier is CertificateName name ? [.. above.NamesFor(name.Name).Skip(name.IsWildcard ? 0 : 1)] : [];

    /// <summary>The name above that is to be proved instead, judged by the same bounds as a record's place: never above the registrable domain.</summary>
    private Outcome<Identifier> Proof(Identifier identifier, string? ancestor, ImmutableArray<DnsName> names, AcmeIdentifier shown)
    {
        if (ancestor is null)
        {
            return identifier;
        }

        if (!options.Acme.SubdomainAuthorizations)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, "ancestorDomain is given, but names are not authorized for those under them here; leave it out.") { Identifier = shown };
        }

        var parsed = DnsName.Parse(ancestor);
        if (!parsed.IsValid || !names.Contains(parsed.Value))
        {
            return new AcmeProblem(
                ProblemCatalog.Malformed,
                parsed.IsValid
                    ? $"The ancestorDomain '{Refusals.Shorten(ancestor)}' is no name above {shown.Value} down to its registrable domain (RFC 9444 section 4.3)."
                    : $"The ancestorDomain '{Refusals.Shorten(ancestor)}' is no name: {parsed.Reason}.")
            { Identifier = shown };
        }

        return new CertificateName(parsed.Value, false);
    }
}
