using System.Text.Json;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Acme;

/// <summary>Puts what the store holds into the form in which clients see it. The same bytes wherever a resource appears.</summary>
/// <param name="urls">URLs.</param>
/// <param name="issuerNames">Issuer names announced to clients: directory, challenges and caaIdentities have the same set.</param>
/// <param name="profiles">The profiles.</param>
/// <param name="clock">The time.</param>
public sealed class AcmeResources(AuthorityUrls urls, AnnouncedIssuers issuerNames, ProfileBook profiles, TimeProvider clock)
{
    /// <summary>An account.</summary>
    public AccountResource Account(Account account) => new()
    {
        Status = account.Status.ToString().ToLowerInvariant(),
        Contact = account.Contacts,
        TermsOfServiceAgreed = account.TermsAgreedAt is null ? null : true,
        ExternalAccountBinding = account.ExternalBinding is { } binding ? JsonSerializer.Deserialize(binding, AcmeJson.Wire.BindingResource) : null,
        Orders = urls.Orders(account.PublicId),
    };

    /// <summary>An order.</summary>
    public OrderResource Order(LoadedOrder loaded)
    {
        var (order, authorizations) = loaded;
        var now = clock.GetUtcNow();
        var error = order.ErrorAt(now, authorizations);
        return new OrderResource
        {
            Status = order.StatusAt(now, authorizations).ToString().ToLowerInvariant(),
            Expires = AcmeJson.Time(order.ExpiresAt),
            Identifiers = [.. order.Names.Select(n => Identifier.Of(n).Acme)],
            Profile = order.Profile ?? profiles.Default.Name,
            Replaces = order.Replaces,
            NotBefore = order.NotBefore is { } from ? AcmeJson.Time(from) : null,
            NotAfter = order.NotAfter is { } to ? AcmeJson.Time(to) : null,
            Authorizations = [.. authorizations.Select(a => urls.Authorization(a.PublicId))],
            Finalize = urls.Finalize(order.PublicId),
            Certificate = order.CertificateId is { } id ? urls.Certificate(id) : null,
            Error = error is null ? null : ProblemDocument.From(error, urls.Problems),
        };
    }

    /// <summary>An authorization.</summary>
    public AuthorizationResource Authorization(Authorization authorization, Account account) => new()
    {
        Identifier = Identifier.Of(authorization.Name).Acme,
        Status = authorization.StatusAt(clock.GetUtcNow()).ToString().ToLowerInvariant(),
        Expires = AcmeJson.Time(authorization.ExpiresAt),
        Wildcard = authorization.IsWildcard ? true : null,
        SubdomainAuthAllowed = authorization.SubdomainsAllowed ? true : null,
        Challenges = [.. authorization.Challenges.Select(c => Challenge(authorization, c, account))],
    };

    /// <summary>A challenge.</summary>
    public ChallengeResource Challenge(Authorization authorization, Challenge challenge, Account account)
    {
        var persist = challenge.Type == ChallengeType.DnsPersist01;
        return new ChallengeResource
        {
            Type = challenge.Type.Wire(),
            Url = urls.Challenge(authorization.PublicId, challenge.Ordinal),
            Status = challenge.Status.ToString().ToLowerInvariant(),
            Validated = challenge.ValidatedAt is { } at ? AcmeJson.Time(at) : null,
            Token = challenge.Token,
            AccountUri = persist ? urls.Account(account.PublicId) : null,
            IssuerDomainNames = persist ? issuerNames.Names : null,
            IssuerDomainNamesOfFirstDrafts = persist ? issuerNames.Names : null,
            Error = challenge.Error is null ? null : ProblemDocument.From(challenge.Error, urls.Problems),
        };
    }
}

/// <summary>The issuer names that directory, challenges and caaIdentities announce.</summary>
/// <param name="Names">1 to 10 normalised names.</param>
public sealed record AnnouncedIssuers(IReadOnlyList<string> Names);
