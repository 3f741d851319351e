using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>A kind of change that may need two operators.</summary>
/// <param name="Word">Its word.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Proposers">Roles that may propose it.</param>
/// <param name="Approvers">Roles that may approve it.</param>
/// <param name="UnlessSaid">Whether a second is demanded where Operators:SecondApprover says nothing.</param>
public sealed record DecisionKind(string Word, string Summary, IReadOnlyCollection<OperatorRole> Proposers, IReadOnlyCollection<OperatorRole> Approvers, bool UnlessSaid);

/// <summary>The kinds, one row each.</summary>
public static class DecisionKinds
{
    private static readonly OperatorRole[] Deciders = [OperatorRole.Operator, OperatorRole.Custodian];

    /// <summary>A profile is no longer on offer.</summary>
    public static DecisionKind ProfileWithdraw { get; } = new("profile.withdraw", "withdraws a profile", Deciders, Deciders, true);

    /// <summary>A withdrawn profile is on offer again.</summary>
    public static DecisionKind ProfileOffer { get; } = new("profile.offer", "offers a withdrawn profile again", Deciders, Deciders, true);

    /// <summary>An issuer signs no certificates. Not two by default: whoever sees that something is wrong stops it at once.</summary>
    public static DecisionKind IssuerStop { get; } = new("issuer.stop", "stops an issuer", Deciders, Deciders, false);

    /// <summary>A stopped issuer signs again.</summary>
    public static DecisionKind IssuerResume { get; } = new("issuer.resume", "lets a stopped issuer sign again", Deciders, Deciders, true);

    /// <summary>A suspended account may act again.</summary>
    public static DecisionKind AccountResume { get; } = new("account.resume", "lets a suspended account act again", Deciders, Deciders, true);

    /// <summary>An account may have more than it had. Restricting it further needs no second.</summary>
    public static DecisionKind AccountLift { get; } = new("account.lift", "lifts restrictions of an account, or gives it limits of its own", Deciders, Deciders, true);

    /// <summary>There is one more custodian.</summary>
    public static DecisionKind CustodianToken { get; } = new("token.custodian", "makes a custodian's token", [OperatorRole.Custodian], [OperatorRole.Custodian], true);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<DecisionKind> All { get; } = [ProfileWithdraw, ProfileOffer, IssuerStop, IssuerResume, AccountResume, AccountLift, CustodianToken];

    /// <summary>The kind of a word; null when there is none.</summary>
    public static DecisionKind? Find(string word) => All.FirstOrDefault(k => k.Word == word);
}
