using System.CommandLine;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>The options of commands that call an authority as an operator, and the call.</summary>
internal sealed class OperatorClient
{
    /// <summary>The variable with the secret, where no file is named.</summary>
    public const string TokenVariable = "PERSISTCA_TOKEN";

    private readonly Option<string> server = new("--server") { Description = "Base URL of the authority, such as https://ca.example.com.", Required = true };

    private readonly Option<FileInfo?> tokenFile = new("--token-file") { Description = $"File with the secret of your token; else the variable {TokenVariable}. It is no argument: others can see those." };

    private readonly Option<FileInfo?> caFile = new("--ca-file") { Description = "Root certificate (PEM) that the server's is to be under; else those of this machine." };

    private readonly Option<string> output = Tables.Option();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(server);
        command.Options.Add(tokenFile);
        command.Options.Add(caFile);
        command.Options.Add(output);
    }

    /// <summary>Whether JSON is wanted.</summary>
    public bool IsJson(ParseResult result) => Tables.IsJson(result.GetValue(output));

    /// <summary>Posts a body.</summary>
    /// <returns>The answer's body; anything but success is a <see cref="StartRefusedException"/> in the server's words.</returns>
    public async Task<string> PostAsync(ParseResult result, string path, string body, CancellationToken cancel)
    {
        var url = result.GetValue(server)!.TrimEnd('/');
        if (!Uri.TryCreate(url + path, UriKind.Absolute, out var target) || target.Scheme != Uri.UriSchemeHttps)
        {
            throw new StartRefusedException("--server", $"'{url}' is not an https URL; a token goes nowhere else");
        }

        using var http = Http(result.GetValue(caFile));
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token(result.GetValue(tokenFile)));
        try
        {
            using var response = await http.SendAsync(request, cancel);
            var text = await response.Content.ReadAsStringAsync(cancel);
            return response.IsSuccessStatusCode ? text : throw new StartRefusedException(url, $"{(int)response.StatusCode}: {Detail(text)}");
        }
        catch (HttpRequestException e)
        {
            throw new StartRefusedException("--server", $"{url} does not answer ({e.GetBaseException().Message})");
        }
    }

    private static HttpClient Http(FileInfo? root)
    {
        if (root is null)
        {
            return new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        }

        try
        {
            return RootTrust.Client(File.ReadAllText(root.FullName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new StartRefusedException("--ca-file", e.Message);
        }
    }

    private static string Token(FileInfo? file)
    {
        try
        {
            var text = (file is null ? Environment.GetEnvironmentVariable(TokenVariable) : File.ReadAllText(file.FullName))?.Trim();
            return text is { Length: > 0 } && text.All(c => c is > ' ' and <= '~') ? text : throw new StartRefusedException("--token-file", $"there is no token; name a file that holds one, or set {TokenVariable}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--token-file", e.Message);
        }
    }

    private static string Detail(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, AcmeJson.Wire.ProblemDocument)?.Detail ?? "no reason was given";
        }
        catch (JsonException)
        {
            return "the answer is none of this product's";
        }
    }
}
