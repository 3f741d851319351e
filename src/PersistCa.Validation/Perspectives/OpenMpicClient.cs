using System.Net.Http.Headers;
using PersistCa.Protocol;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Mpic;

namespace PersistCa.Validation.Perspectives;

/// <summary>Speaks Open MPIC with one perspective. The connection, its certificates above all, is the caller's: see the handler given to it.</summary>
/// <param name="http">A client that authenticates both sides (BR section 3.2.2.9: authenticated and encrypted), without redirects.</param>
/// <param name="url">Base URL without final slash: /dcv and /caa are below it.</param>
public sealed class OpenMpicClient(HttpClient http, string url) : IDisposable
{
    /// <summary>Most octets of an answer that are read.</summary>
    public const int MaxAnswerOctets = 512 * 1024;

    private const int MaxDepth = 8;

    /// <summary>Asks /dcv.</summary>
    /// <returns>The answer, or why there is none: that may name internal addresses.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<Parsed<CheckAnswer>> AskAsync(DcvRequest request, CancellationToken cancellationToken) => PostAsync("/dcv", request.ToJson(), isCaa: false, cancellationToken);

    /// <summary>Asks /caa.</summary>
    /// <returns>The answer, or why there is none: that may name internal addresses.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<Parsed<CheckAnswer>> AskAsync(CaaRequest request, CancellationToken cancellationToken) => PostAsync("/caa", request.ToJson(), isCaa: true, cancellationToken);

    private async Task<Parsed<CheckAnswer>> PostAsync(string path, byte[] body, bool isCaa, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, url + path) { Content = content };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                return Parsed<CheckAnswer>.Refused($"{url}{path} answered with status {(int)response.StatusCode}");
            }

            using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            using var read = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int count; (count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            {
                if (read.Length + count > MaxAnswerOctets)
                {
                    return Parsed<CheckAnswer>.Refused($"{url}{path} answered with more than {MaxAnswerOctets} octets");
                }

                read.Write(buffer, 0, count);
            }

            var json = StrictJson.Read(read.ToArray(), MaxDepth);
            var answer = json.IsValid ? CheckAnswer.Read(json.Value, isCaa) : Parsed<CheckAnswer>.Refused(json.Reason);
            return answer.IsValid ? answer : Parsed<CheckAnswer>.Refused($"the answer of {url}{path} cannot be read: {answer.Reason}");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return Parsed<CheckAnswer>.Refused($"{url}{path}: {failure.GetBaseException().Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();
}
