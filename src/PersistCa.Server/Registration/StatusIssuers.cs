using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Ocsp;

namespace PersistCa.Server.Registration;

/// <summary>The issuers whose keys this server has: it says what became of their certificates, whether or not they still issue.</summary>
public sealed class StatusIssuers(IEnumerable<Issuer> issuers)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<Issuer> All { get; } = [.. issuers];

    /// <summary>Their ids.</summary>
    public IReadOnlyList<string> Ids => [.. All.Select(i => i.IssuerId)];

    /// <summary>The issuer of an id; null when it is not one of them.</summary>
    public Issuer? Find(string issuerId) => All.FirstOrDefault(i => i.IssuerId == issuerId);

    /// <summary>The issuer that a question means; null when it is another authority's.</summary>
    public Issuer? Find(OcspCertId id) => All.FirstOrDefault(id.IsOf);
}
