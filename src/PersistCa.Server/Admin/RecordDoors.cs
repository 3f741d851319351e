using PersistCa.Protocol.Acme;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>Records of any account, looked at by operators.</summary>
internal static class RecordDoors
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("POST", "records/explain", "explainRecord", "records:read", DoorRoles.All, ExplainAsync)
        {
            Summary = "What a dns-persist-01 validation of an account's name would find now.",
            Body = typeof(ExplainRecord),
            Answer = typeof(ExplanationResource),
            Faults = [DoorFault.NotFound, new(StatusCodes.Status400BadRequest, ProblemCatalog.RejectedIdentifier, "an order for the identifier would be refused")],
        },
    ];

    private static async Task<IResult> ExplainAsync(AdminCall call, CancellationToken cancel)
    {
        var payload = call.Body;
        var (account, wish) = (payload.Text("account"), payload.Identifier("identifier"));
        if (account is null || wish is null)
        {
            payload.Refuse("The body needs account, the last segment of an account's URL, and identifier, an object with type and value.");
        }

        if (payload.Problem is { } fault)
        {
            return call.Refuse(fault);
        }

        return call.Json(await call.Get<RecordExplainer>().ExplainAsync(call.Who, account!, wish!.Identifier, cancel), explained => explained);
    }
}
