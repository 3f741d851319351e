using System.Collections.Frozen;
using System.Collections.Immutable;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Protocol;

namespace PersistCa.Server.Registration;

/// <summary>An issuer of this authority, and when it signs certificates.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Issuer">The issuer. Its lists and answers are signed as long as it is here, whatever the time.</param>
/// <param name="From">First moment at which it signs certificates.</param>
/// <param name="Until">First moment at which it no longer does.</param>
/// <param name="AlternateChains">Other chains from its certificate, or from one that replaces it, upward.</param>
public sealed record BookedIssuer(string Name, Issuer Issuer, DateTimeOffset From, DateTimeOffset Until, ImmutableArray<ImmutableArray<byte[]>> AlternateChains)
{
    /// <summary>Where its key is, as the configuration names it; never a secret.</summary>
    public string KeyReference { get; init; } = "";

    /// <summary>Whether it signs certificates at a time.</summary>
    public bool SignsAt(DateTimeOffset at) => From <= at && at < Until && Issuer.NotBefore <= at && at <= Issuer.NotAfter;
}

/// <summary>The issuers whose keys this server has: those that sign certificates now, those that will, and those that only tell the status of theirs.</summary>
public sealed class IssuerBook
{
    private readonly ImmutableArray<BookedIssuer> issuers;
    private readonly FrozenSet<string> keys;

    /// <summary>A book.</summary>
    /// <param name="issuers">At least one; the first is the authority's own voice where no profile says otherwise.</param>
    public IssuerBook(IEnumerable<BookedIssuer> issuers)
    {
        this.issuers = [.. issuers];
        keys = this.issuers.SelectMany(i => i.Issuer.Chain.Concat(i.AlternateChains.SelectMany(c => c))).Select(Issuer.KeyFingerprintOf).OfType<string>().ToFrozenSet();
        if (this.issuers.IsEmpty)
        {
            throw new ArgumentException("an authority needs an issuer", nameof(issuers));
        }
    }

    /// <summary>All of them.</summary>
    public ImmutableArray<BookedIssuer> All => issuers;

    /// <summary>Whether a key is that of an issuer or of an authority above one: such a key is nobody's subscriber key.</summary>
    /// <param name="fingerprint">SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</param>
    public bool HasKey(string fingerprint) => keys.Contains(fingerprint);

    /// <summary>The one of an id.</summary>
    public BookedIssuer? Find(string issuerId) => issuers.FirstOrDefault(i => i.Issuer.IssuerId == issuerId);

    /// <summary>The one of a name.</summary>
    public BookedIssuer? Named(string name) => issuers.FirstOrDefault(i => i.Name == name);

    /// <summary>Who signs at a time: of those named, the first whose time it is.</summary>
    /// <param name="names">Best first; none for the first issuer of the book whose time it is.</param>
    /// <param name="at">The time.</param>
    /// <param name="except">Ids of issuers that are left out; null for none.</param>
    /// <returns>Null when it is nobody's time.</returns>
    public BookedIssuer? SignerAt(IReadOnlyList<string> names, DateTimeOffset at, IReadOnlySet<string>? except = null) =>
        (names.Count == 0 ? issuers : names.Select(Named).OfType<BookedIssuer>()).FirstOrDefault(i => i.SignsAt(at) && except?.Contains(i.Issuer.IssuerId) != true);

    /// <summary>Any certificate of any chain, by the id that is made of its key as an issuer's is.</summary>
    public byte[]? Certificate(string id) =>
        issuers.SelectMany(i => i.Issuer.Chain.Concat(i.AlternateChains.SelectMany(c => c))).FirstOrDefault(c => Issuer.IdOf(c) == id);
}
