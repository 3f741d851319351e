using PersistCa.Protocol.Acme;
using PersistCa.Server.Acme;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>Records of any account, looked at by operators.</summary>
internal static class RecordDoors
{
    public static async Task<IResult> ExplainAsync(AdminCall call, CancellationToken cancel)
    {
        var urls = call.Services.GetRequiredService<AuthorityUrls>();
        var payload = PayloadReader.Open(call.Body);
        payload.Only("account", "identifier");
        var (account, wish) = (payload.Text("account"), payload.Identifier("identifier"));
        if (account is null || wish is null)
        {
            payload.Refuse("The body needs account, the last segment of an account's URL, and identifier, an object with type and value.");
        }

        if (payload.Problem is { } fault)
        {
            return AcmeResponses.Problem(fault, urls);
        }

        var outcome = await call.Services.GetRequiredService<RecordExplainer>().ExplainAsync(call.Who, account!, wish!.Identifier, cancel);
        return outcome.TryGet(out var explained, out var problem) ? AcmeResponses.Json(explained, AcmeJson.Wire.ExplanationResource) : AcmeResponses.Problem(problem, urls);
    }
}
