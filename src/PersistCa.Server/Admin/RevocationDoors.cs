using PersistCa.Protocol;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Admin;

/// <summary>Revocation by operators.</summary>
internal static class RevocationDoors
{
    private static readonly (string Member, CriterionKind Kind)[] Kinds =
        [("key", CriterionKind.Key), ("account", CriterionKind.Account), ("issuer", CriterionKind.Issuer), ("name", CriterionKind.Name)];

    private static readonly string[] CriterionMembers = [.. Kinds.Select(k => k.Member), "serials"];

    public static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel)
    {
        var list = await Desk(call).ListAsync(call.Who, cancel);
        return AcmeJsonAnswer(new RevocationListResource([.. list.Select(RevocationResource.Of)]));
    }

    public static async Task<IResult> FindAsync(AdminCall call, CancellationToken cancel) =>
        Answer(call, PublicId.LooksRight(call.Part("id")) ? await Desk(call).FindAsync(call.Who, call.Part("id"), cancel) : Refusals.NoSuchResource("proposal"));

    public static async Task<IResult> ProposeAsync(AdminCall call, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(call.Body);
        payload.Only("criterion", "reason", "comment", "dryRun");

        // Asked for, so that nobody revokes by forgetting a word.
        var dryRun = payload.Flag("dryRun");
        if (dryRun is null)
        {
            payload.Refuse("The member 'dryRun' is missing; say true to see what would be revoked, false to propose it.");
        }

        var criterion = Criterion(payload);
        var (reason, comment) = (payload.Number("reason"), payload.Text("comment") ?? "");
        if (payload.Problem is { } fault)
        {
            return Problem(call, fault);
        }

        var wish = new RevocationWish(criterion!, reason, comment);
        return Answer(call, dryRun!.Value ? await Desk(call).TryAsync(call.Who, wish, cancel) : await Desk(call).ProposeAsync(call.Who, wish, cancel));
    }

    public static async Task<IResult> ApproveAsync(AdminCall call, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(call.Body);
        payload.Only();
        return payload.Problem is { } fault ? Problem(call, fault)
            : Answer(call, PublicId.LooksRight(call.Part("id")) ? await Desk(call).ApproveAsync(call.Who, call.Part("id"), cancel) : Refusals.NoSuchResource("proposal"));
    }

    public static async Task<IResult> RevokeAsync(AdminCall call, CancellationToken cancel)
    {
        var payload = PayloadReader.Open(call.Body);
        payload.Only("reason", "comment");
        var (reason, comment) = (payload.Number("reason"), payload.Text("comment") ?? "");
        var serial = RevocationCriterion.ReadSerials([call.Part("serial")]);
        if (!serial.IsValid)
        {
            payload.Refuse(serial.Reason + ".");
        }

        return payload.Problem is { } fault ? Problem(call, fault) : Answer(call, await Desk(call).ProposeAsync(call.Who, new RevocationWish(serial.Value!, reason, comment), cancel));
    }

    private static RevocationCriterion? Criterion(PayloadReader payload)
    {
        if (payload.Inner("criterion") is not { } inner)
        {
            payload.Refuse($"The member 'criterion' is missing; an object with one of {string.Join(", ", CriterionMembers)} is expected.");
            return null;
        }

        inner.Only(CriterionMembers);
        var given = CriterionMembers.Where(inner.Has).ToArray();
        if (inner.Problem is null && given.Length != 1)
        {
            inner.Refuse($"The criterion has {given.Length} members; exactly one of {string.Join(", ", CriterionMembers)} is expected.");
        }

        Parsed<RevocationCriterion>? read = null;
        if (inner.Problem is null)
        {
            read = given[0] == "serials"
                ? inner.Texts("serials") is { } serials ? RevocationCriterion.ReadSerials(serials) : null
                : inner.Text(given[0]) is { } text ? RevocationCriterion.Read(Array.Find(Kinds, k => k.Member == given[0]).Kind, text) : null;
        }

        if (inner.Problem is { } fault)
        {
            payload.Refuse(fault.Detail);
        }
        else if (read is { IsValid: false } bad)
        {
            payload.Refuse($"The criterion cannot be used: {bad.Reason}.");
        }

        return read?.Value;
    }

    private static ProposalDesk Desk(AdminCall call) => call.Services.GetRequiredService<ProposalDesk>();

    private static IResult Answer(AdminCall call, Outcome<ProposalReport> outcome)
    {
        if (!outcome.TryGet(out var report, out var problem))
        {
            return Problem(call, problem);
        }

        // 202 for what waits for a second officer or goes on after this answer.
        var waits = report.Status is ProposalStatus.Pending or ProposalStatus.Running;
        return AcmeJsonAnswer(RevocationResource.Of(report), waits ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    private static IResult Problem(AdminCall call, Protocol.Acme.AcmeProblem problem) => AcmeResponses.Problem(problem, call.Services.GetRequiredService<AuthorityUrls>());

    private static IResult AcmeJsonAnswer(RevocationResource body, int status) => AcmeResponses.Json(body, AdminJson.Wire.RevocationResource, status);

    private static IResult AcmeJsonAnswer(RevocationListResource body) => AcmeResponses.Json(body, AdminJson.Wire.RevocationListResource);
}
