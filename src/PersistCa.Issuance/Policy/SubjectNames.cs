using System.Collections.Immutable;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Policy;

/// <summary>Which names the certificates of a profile may have, of those that are served at all. One function, asked at the order and at issuance.</summary>
public sealed record SubjectNames
{
    /// <summary>Every name that is served.</summary>
    public static readonly SubjectNames Every = new();

    /// <summary>Kinds of identifiers; none for every kind.</summary>
    public ImmutableArray<IdentifierType> Kinds { get; init; } = [];

    /// <summary>Whether wildcards are among them.</summary>
    public bool Wildcards { get; init; } = true;

    /// <summary>Names, patterns, suffixes and networks of which one has to permit each identifier; none for every one.</summary>
    public ImmutableArray<NameRule> Rules { get; init; } = [];

    /// <summary>Whether nothing is refused.</summary>
    public bool IsEvery => Kinds.IsEmpty && Wildcards && Rules.IsEmpty;

    /// <summary>Says why a certificate may not have an identifier; null when it may.</summary>
    /// <param name="profile">Name of the profile.</param>
    /// <param name="identifier">The identifier.</param>
    public AcmeProblem? Refuse(string profile, Identifier identifier)
    {
        var why = !Kinds.IsEmpty && !Kinds.Contains(identifier.Type) ? $"identifiers of the type {identifier.Type.Wire()}"
            : !Wildcards && identifier is CertificateName { IsWildcard: true } ? "wildcards"
            : !Rules.IsEmpty && !Rules.Any(r => r.Permits(identifier)) ? "this name"
            : null;
        return why is null
            ? null
            : new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{identifier} is refused: the profile {profile} is not for {why}; it is for {this}.") { Identifier = identifier.Acme };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", new[]
    {
        Kinds.IsEmpty ? null : string.Join(" and ", Kinds.Select(k => k.Wire())),
        Wildcards ? null : "no wildcards",
        Rules.IsEmpty ? null : Texts.List(Rules.Select(r => r.Text), Rules.Length),
    }.OfType<string>()) is { Length: > 0 } text ? text : "every name";
}
