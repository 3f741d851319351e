using PersistCa.Protocol.Acme;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>An operator who was found to be one. Only <see cref="OperatorDesk"/> makes it: whoever asks for it as an argument is asked with authority.</summary>
public sealed class OperatorIdentity
{
    internal OperatorIdentity(OperatorToken token)
    {
        (TokenId, Credential, Name, Role, Until, MadeBy) = (token.PublicId, "token:" + token.PublicId, token.Name, token.Role, token.ExpiresAt, token.MadeBy);
        Scopes = token.Scopes;
    }

    internal OperatorIdentity(string credential, string name, OperatorRole role, DateTimeOffset until) => (Credential, Name, Role, Until) = (credential, name, role, until);

    /// <summary>Id of the token, no secret; null for one who showed something else.</summary>
    public string? TokenId { get; }

    /// <summary>What was shown, for the audit: "token:ID" and the like.</summary>
    public string Credential { get; }

    /// <summary>Who it is.</summary>
    public string Name { get; }

    /// <summary>What for.</summary>
    public OperatorRole Role { get; }

    /// <summary>What the token is for; null for everything that the role opens.</summary>
    public IReadOnlyList<string>? Scopes { get; }

    /// <summary>Until when what was shown is good.</summary>
    public DateTimeOffset Until { get; }

    /// <summary>Name of the operator who made the token; null for nobody.</summary>
    public string? MadeBy { get; }

    /// <summary>As whom the store is written.</summary>
    public Actor Actor => Actor.OperatorNamed(Name);

    /// <summary>Asked inside a change: the role, and whether what was shown is still good.</summary>
    /// <returns>Null when the change may be made; unauthorized when not.</returns>
    internal async Task<AcmeProblem?> RefuseAsync(StoreTransaction t, IReadOnlyCollection<OperatorRole> needed, CancellationToken cancel) =>
        !needed.Contains(Role) ? OperatorDesk.WrongRole(this, needed)
            : t.Now < Until && (TokenId is null || await t.StillLiveAsync(TokenId, cancel)) ? null
            : OperatorDesk.Unknown();

    /// <summary>The same for one role.</summary>
    internal Task<AcmeProblem?> RefuseAsync(StoreTransaction t, OperatorRole needed, CancellationToken cancel) => RefuseAsync(t, [needed], cancel);

    /// <summary>
    /// Why the operator cannot be the second of two; null when they can. Whoever made a token has seen its secret, and could be both: a custodian who made the proposer's
    /// token, and one who made both tokens.
    /// </summary>
    /// <param name="t">The change that the approval is.</param>
    /// <param name="proposer">Name of the first.</param>
    /// <param name="proposedAt">When the first proposed.</param>
    /// <param name="cancel">Stops.</param>
    internal async Task<AcmeProblem?> RefuseAsSecondAsync(StoreTransaction t, string proposer, DateTimeOffset proposedAt, CancellationToken cancel)
    {
        if (string.Equals(Name, proposer, StringComparison.OrdinalIgnoreCase))
        {
            return NotSecond("Nobody approves a proposal of their own");
        }

        if (string.Equals(MadeBy, proposer, StringComparison.OrdinalIgnoreCase))
        {
            return NotSecond("Nobody approves with a token that the proposer made");
        }

        var makers = await t.Db.MakersOfAsync(proposer, proposedAt, cancel);
        return makers.Contains(Name, StringComparer.OrdinalIgnoreCase) ? NotSecond("Nobody approves what was proposed with a token that they made")
            : MadeBy is { } maker && makers.Contains(maker, StringComparer.OrdinalIgnoreCase) ? NotSecond($"The tokens of both were made by {maker}, who could be either")
            : null;
    }

    private static AcmeProblem NotSecond(string why) => new(ProblemCatalog.Unauthorized, why + ": another operator is needed.");
}
