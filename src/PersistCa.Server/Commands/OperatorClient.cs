using System.CommandLine;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Demo;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>A refusal of the server, with the exit status that says which kind.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="message">The server's words.</param>
internal sealed class RemoteRefusedException(int status, string message) : Exception(message)
{
    /// <summary>What each kind of refusal ends the program with, and what it means: the table of the handbook.</summary>
    public static IReadOnlyList<(int Exit, int[] Statuses, string Meaning)> Table { get; } =
    [
        (0, [], "done; with a proposal that waits too: its member status says so"),
        (1, [], "the server failed, or cannot be reached"),
        (2, [400, 413, 415], "the command line, the configuration or what was sent cannot be used"),
        (3, [401, 403], "not let in: nobody is known by what was shown, or role or scope are others"),
        (4, [404], "there is no such thing"),
        (5, [409], "its state does not allow it"),
        (6, [429], "there were too many; try again later"),
    ];

    /// <summary>Exit status.</summary>
    public int Exit { get; } = Table.Where(r => r.Statuses.Contains(status)).Select(r => r.Exit).FirstOrDefault(1);
}

/// <summary>The options of commands that call an authority as an operator, and the call.</summary>
internal sealed class OperatorClient
{
    /// <summary>The variable with the secret, where no file is named.</summary>
    public const string TokenVariable = "PERSISTCA_TOKEN";

    /// <summary>The variable with the server's URL, where none is said.</summary>
    public const string ServerVariable = "PERSISTCA_SERVER";

    private readonly Option<string?> server = new("--server") { Description = $"Base URL of the authority, or of its door for operators, such as https://ca.example.com; else the variable {ServerVariable}." };

    private readonly Option<FileInfo?> tokenFile = new("--token-file") { Description = $"File with the secret of your token; else the variable {TokenVariable}. It is no argument: others can see those." };

    private readonly Option<FileInfo?> certificate = new("--client-certificate") { Description = "Your client certificate (PEM), in place of a token." };

    private readonly Option<FileInfo?> key = new("--client-key") { Description = "Its key (PEM), if it is not in the same file." };

    private readonly Option<FileInfo?> caFile = new("--ca-file") { Description = "Root certificates (PEM) of which the server's is to be under one; else those of this machine." };

    private readonly Option<string> output = Tables.Option();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { server, tokenFile, certificate, key, caFile, output })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Whether JSON is wanted.</summary>
    public bool IsJson(ParseResult result) => Tables.IsJson(result.GetValue(output));

    /// <summary>Posts a body.</summary>
    /// <returns>The answer's body.</returns>
    /// <exception cref="RemoteRefusedException">The server refuses, in its words.</exception>
    public async Task<string> PostAsync(ParseResult result, string path, string body, CancellationToken cancel) =>
        Encoding.UTF8.GetString(await SendAsync(result, HttpMethod.Post, path, body, cancel));

    /// <summary>Calls a door.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="method">HTTP method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">JSON; null for none.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The answer's body.</returns>
    /// <exception cref="RemoteRefusedException">The server refuses, in its words.</exception>
    /// <exception cref="StartRefusedException">The options cannot be used.</exception>
    public async Task<byte[]> SendAsync(ParseResult result, HttpMethod method, string path, string? body, CancellationToken cancel)
    {
        var url = (result.GetValue(server) ?? Environment.GetEnvironmentVariable(ServerVariable) ?? "").TrimEnd('/');
        if (url.Length == 0)
        {
            throw new StartRefusedException("--server", $"there is no server; say --server, or set {ServerVariable}");
        }

        if (!Uri.TryCreate(url + path, UriKind.Absolute, out var target) || target.Scheme != Uri.UriSchemeHttps)
        {
            throw new StartRefusedException("--server", $"'{url}' is not an https URL; a token goes nowhere else");
        }

        using var own = Certificate(result.GetValue(certificate), result.GetValue(key));
        using var http = Http(result.GetValue(caFile), own);
        using var request = new HttpRequestMessage(method, target) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        if (Token(result.GetValue(tokenFile), needed: own is null) is { } secret)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        }

        try
        {
            using var response = await http.SendAsync(request, cancel);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancel);
            return response.IsSuccessStatusCode ? bytes : throw new RemoteRefusedException((int)response.StatusCode, $"{url}: {(int)response.StatusCode}: {Detail(bytes)}");
        }
        catch (HttpRequestException e)
        {
            throw new RemoteRefusedException(0, $"{url} does not answer ({e.GetBaseException().Message})");
        }
    }

    /// <summary>Reads the answer of a door.</summary>
    /// <exception cref="RemoteRefusedException">It is no JSON object: something else answers there.</exception>
    public static JsonObject Read(ReadOnlySpan<byte> answer)
    {
        try
        {
            return JsonNode.Parse(answer) as JsonObject ?? throw new JsonException("it is no object");
        }
        catch (JsonException)
        {
            throw new RemoteRefusedException(0, "the answer is none of this product's; see whether --server is right");
        }
    }

    private static HttpClient Http(FileInfo? root, X509Certificate2? own)
    {
        try
        {
            var handler = root is null ? new SocketsHttpHandler { AllowAutoRedirect = false } : RootTrust.Handler(File.ReadAllText(root.FullName));
            if (own is not null)
            {
                handler.SslOptions.ClientCertificates = [own];
                handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
            }

            return new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(10) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartRefusedException("--ca-file", e.Message);
        }
    }

    private static X509Certificate2? Certificate(FileInfo? file, FileInfo? key)
    {
        if (file is null)
        {
            return null;
        }

        try
        {
            using var read = X509Certificate2.CreateFromPemFile(file.FullName, (key ?? file).FullName);

            // TLS wants the key where it can find it again.
            return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartRefusedException("--client-certificate", e.Message);
        }
    }

    private static string? Token(FileInfo? file, bool needed)
    {
        try
        {
            var text = (file is null ? Environment.GetEnvironmentVariable(TokenVariable) : File.ReadAllText(file.FullName))?.Trim();
            return text is { Length: > 0 } && text.All(c => c is > ' ' and <= '~') ? text
                : file is null && !needed ? null
                : throw new StartRefusedException("--token-file", $"there is no token; name a file that holds one, or set {TokenVariable}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("--token-file", e.Message);
        }
    }

    private static string Detail(byte[] body)
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
