using System.Net;
using System.Text;
using PersistCa.Protocol;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Mpic;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Validation.Tests.Perspectives;

/// <summary>An Open MPIC API without a network: what the test says is answered, or what <see cref="PerspectiveChecks"/> does.</summary>
internal sealed class ScriptedApi(Func<string, string, CancellationToken, Task<(HttpStatusCode Status, string Body)>> answer) : HttpMessageHandler
{
    /// <summary>Path and body of each request, in order.</summary>
    public List<(string Path, string Body)> Requests { get; } = [];

    /// <summary>Answers /dcv with one text and /caa with another.</summary>
    public static ScriptedApi Saying(string dcv, string caa, HttpStatusCode status = HttpStatusCode.OK) =>
        new((path, _, _) => Task.FromResult((status, path == "/dcv" ? dcv : caa)));

    /// <summary>Answers as this program does.</summary>
    public static ScriptedApi Over(PerspectiveChecks checks) => new(async (path, body, cancel) =>
    {
        var json = StrictJson.Read(Encoding.UTF8.GetBytes(body), 8).Value;
        var answer = path == "/dcv" ? await checks.CheckAsync(Good(DcvRequest.Read(json)), cancel) : await checks.CheckAsync(Good(CaaRequest.Read(json)), cancel);
        return (HttpStatusCode.OK, Encoding.UTF8.GetString(Good(answer).ToJson()));
    });

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (path, body) = (request.RequestUri!.AbsolutePath, await request.Content!.ReadAsStringAsync(cancellationToken));
        lock (Requests)
        {
            Requests.Add((path, body));
        }

        var (status, text) = await answer(path, body, cancellationToken);
        return new HttpResponseMessage(status) { Content = new StringContent(text, Encoding.UTF8, "application/json") };
    }

    private static T Good<T>(Parsed<T> read)
        where T : notnull => read.IsValid ? read.Value : throw new InvalidOperationException(read.Reason);
}
