using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Org.BouncyCastle.Crypto.Parameters;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.KeyStores.Kms;
using PersistCa.Issuance.Signing;

namespace PersistCa.Testing;

/// <summary>
/// A double of AWS KMS that speaks its wire protocol (JSON 1.1, targets TrentService.*) on loopback, keeps keys and really signs. What it is asked must be
/// signed in the form of SigV4; the signature itself is not checked, since nothing here knows the secret.
/// </summary>
public sealed partial class KmsDouble : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, Key> keys = [];
    private readonly ConcurrentDictionary<string, string> aliases = [];
    private readonly ConcurrentDictionary<(string Invocation, string Attempt), bool> seen = [];

    private KmsDouble(WebApplication app, string endpoint)
    {
        this.app = app;
        Endpoint = endpoint;
    }

    /// <summary>Its URL.</summary>
    public string Endpoint { get; }

    /// <summary>How it behaves: what comes in place of an answer, or null; asked with the operation, such as Sign.</summary>
    public Func<string, KmsFault>? Behaviour { get; set; }

    /// <summary>The operations that were called, in their order, those that were refused too; an attempt of the SDK that the connection made it send twice counts once.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <summary>The message types of Sign.</summary>
    public ConcurrentQueue<string> MessageTypes { get; } = [];

    /// <summary>Options that lead to it.</summary>
    public KmsOptions Options => new() { Endpoint = Endpoint, Region = "eu-central-1", Timeout = TimeSpan.FromSeconds(5), Retries = 2, DeletionDays = 7 };

    /// <summary>Starts it. The SDK finds made-up credentials in the environment.</summary>
    public static async Task<KmsDouble> StartAsync()
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", "not-a-secret");
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true");
        var port = RunningAuthority.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        var service = new KmsDouble(app, $"http://127.0.0.1:{port}");
        app.Run(service.AnswerAsync);
        await app.StartAsync();
        return service;
    }

    /// <summary>A store over it.</summary>
    public KmsKeyStore Store(KmsOptions? options = null) => KmsKeyStore.Create(options ?? Options).Value!;

    /// <summary>Sets the state of a key, such as Disabled.</summary>
    public void SetState(string name, string state) => keys[aliases["alias/" + name]].State = state;

    /// <summary>The state of the only key.</summary>
    public string OnlyState => keys.Values.Single().State;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var operation = context.Request.Headers["X-Amz-Target"].ToString().Replace("TrentService.", "", StringComparison.Ordinal);
        if (seen.TryAdd((context.Request.Headers["amz-sdk-invocation-id"].ToString(), context.Request.Headers["amz-sdk-request"].ToString()), true))
        {
            Calls.Enqueue(operation);
        }

        if (context.Request.ContentType?.StartsWith("application/x-amz-json-1.1", StringComparison.Ordinal) != true)
        {
            await RefuseAsync(context, 400, "SerializationException", "the content type is " + context.Request.ContentType);
            return;
        }

        if (!SigV4().IsMatch(context.Request.Headers.Authorization.ToString()) || !context.Request.Headers.ContainsKey("X-Amz-Date"))
        {
            await RefuseAsync(context, 400, "IncompleteSignatureException", "no SigV4");
            return;
        }

        var fault = Behaviour?.Invoke(operation) ?? KmsFault.None;
        if (fault == KmsFault.Throttle)
        {
            await RefuseAsync(context, 400, "ThrottlingException", "Rate exceeded");
        }
        else if (fault == KmsFault.Down)
        {
            await RefuseAsync(context, 500, "KMSInternalException", "down");
        }
        else if (fault == KmsFault.Silent)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else
        {
            var request = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
            await DoAsync(context, operation, request, fault);
        }
    }

    private Task DoAsync(HttpContext context, string operation, JsonObject request, KmsFault fault)
    {
        string Text(string name) => request[name]?.GetValue<string>() ?? "";
        Key? Named()
        {
            var id = Text("KeyId");
            id = aliases.TryGetValue(id, out var target) ? target : id.Split('/')[^1];
            return keys.GetValueOrDefault(id);
        }

        switch (operation)
        {
            case "CreateKey":
                var made = Key.Make(Text("KeySpec"));
                keys[made.Id] = made;
                return SendAsync(context, new JsonObject { ["KeyMetadata"] = made.Metadata() });
            case "CreateAlias" when !aliases.TryAdd(Text("AliasName"), Text("TargetKeyId")):
                return RefuseAsync(context, 400, "AlreadyExistsException", "the alias is there");
            case "CreateAlias":
                return SendAsync(context, []);
            case "DeleteAlias":
                aliases.TryRemove(Text("AliasName"), out _);
                return SendAsync(context, []);
            case "ListAliases":
                return ListAsync(context, Text("Marker"));
        }

        if (Named() is not { } key)
        {
            return RefuseAsync(context, 400, "NotFoundException", "no such key");
        }

        switch (operation)
        {
            case "DescribeKey":
                return SendAsync(context, new JsonObject { ["KeyMetadata"] = key.Metadata() });
            case "GetPublicKey":
                return SendAsync(context, new JsonObject { ["KeyId"] = key.Arn, ["KeySpec"] = key.Spec, ["KeyUsage"] = "SIGN_VERIFY", ["PublicKey"] = Convert.ToBase64String(key.PublicKey) });
            case "ScheduleKeyDeletion":
                key.State = "PendingDeletion";
                return SendAsync(context, new JsonObject { ["KeyId"] = key.Arn, ["KeyState"] = key.State, ["PendingWindowInDays"] = request["PendingWindowInDays"]!.GetValue<int>() });
            case "Sign" when key.State != "Enabled":
                return RefuseAsync(context, 400, key.State == "Disabled" ? "DisabledException" : "KMSInvalidStateException", key.State);
            case "Sign":
                return SignAsync(context, key, Convert.FromBase64String(Text("Message")), Text("MessageType"), Text("SigningAlgorithm"), fault);
            default:
                return RefuseAsync(context, 400, "UnknownOperationException", operation);
        }
    }

    private async Task SignAsync(HttpContext context, Key key, byte[] message, string type, string algorithm, KmsFault fault)
    {
        MessageTypes.Enqueue(type);
        if (await key.SignAsync(message, type) is not { } signature)
        {
            await RefuseAsync(context, 400, "ValidationException", "a message of this type and length is not signed by such a key here");
            return;
        }

        if (fault == KmsFault.Garbage)
        {
            signature[^1] ^= 1;
        }

        await SendAsync(context, new JsonObject { ["KeyId"] = key.Arn, ["Signature"] = Convert.ToBase64String(signature), ["SigningAlgorithm"] = algorithm });
    }

    /// <summary>Two to a page, so that pages are turned.</summary>
    private Task ListAsync(HttpContext context, string marker)
    {
        string[] names = [.. aliases.Keys.Append("alias/aws/rds").Order(StringComparer.Ordinal)];
        var from = marker.Length == 0 ? 0 : int.Parse(marker, System.Globalization.CultureInfo.InvariantCulture);
        var page = new JsonArray([.. names.Skip(from).Take(2).Select(n => new JsonObject { ["AliasName"] = n, ["TargetKeyId"] = aliases.GetValueOrDefault(n) })]);
        var answer = new JsonObject { ["Aliases"] = page, ["Truncated"] = from + 2 < names.Length };
        if (from + 2 < names.Length)
        {
            answer["NextMarker"] = (from + 2).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return SendAsync(context, answer);
    }

    private static Task SendAsync(HttpContext context, JsonObject answer)
    {
        context.Response.ContentType = "application/x-amz-json-1.1";
        return context.Response.WriteAsync(answer.ToJsonString());
    }

    private static Task RefuseAsync(HttpContext context, int status, string type, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/x-amz-json-1.1";
        context.Response.Headers["x-amzn-ErrorType"] = type;
        return context.Response.WriteAsync(new JsonObject { ["__type"] = type, ["message"] = message }.ToJsonString());
    }

    [GeneratedRegex("^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/[0-9]{8}/eu-central-1/kms/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*x-amz-date[a-z0-9;-]*, Signature=[0-9a-f]{64}$")]
    private static partial Regex SigV4();

    private sealed class Key(string spec, AsymmetricAlgorithm? platform, FileSigningKey? whole, MlDsaRepresentative? representative = null)
    {
        private readonly string id = Guid.NewGuid().ToString();

        public string Id => id;

        public string Arn => "arn:aws:kms:eu-central-1:111122223333:key/" + id;

        public string Spec => spec;

        public byte[] PublicKey => platform?.ExportSubjectPublicKeyInfo() ?? whole!.SubjectPublicKeyInfo;

        public string State { get; set; } = "Enabled";

        public static Key Make(string spec) => spec switch
        {
            "ECC_NIST_P256" => new Key(spec, ECDsa.Create(ECCurve.NamedCurves.nistP256), null),
            "ECC_NIST_P384" => new Key(spec, ECDsa.Create(ECCurve.NamedCurves.nistP384), null),
            "RSA_2048" => new Key(spec, RSA.Create(2048), null),
            "RSA_3072" => new Key(spec, RSA.Create(3072), null),
            "RSA_4096" => new Key(spec, RSA.Create(4096), null),
            _ => OfMlDsa(spec),
        };

        private static Key OfMlDsa(string spec)
        {
            var whole = FileSigningKey.Generate(SigningAlgorithms.Find(spec.Replace('_', '-'))!, out var pkcs8);
            var (set, seed) = (int.Parse(spec[^2..], System.Globalization.CultureInfo.InvariantCulture), pkcs8[^32..]); // the seed ends a PrivateKeyInfo (RFC 9881 section 6)
            var parameters = set switch { 44 => MLDsaParameters.ml_dsa_44, 65 => MLDsaParameters.ml_dsa_65, _ => MLDsaParameters.ml_dsa_87 };
            return new Key(spec, null, whole, new MlDsaRepresentative(set, MLDsaPrivateKeyParameters.FromSeed(parameters, seed).GetEncoded()));
        }

        public JsonObject Metadata() => new() { ["KeyId"] = id, [nameof(Arn)] = Arn, ["KeySpec"] = spec, ["KeyUsage"] = "SIGN_VERIFY", ["KeyState"] = State, ["Enabled"] = State == "Enabled" };

        public async Task<byte[]?> SignAsync(byte[] message, string type)
        {
            if (whole is not null)
            {
                return (type, message.Length) switch
                {
                    ("RAW", <= 4096) => await whole.SignAsync(message, CancellationToken.None),
                    ("EXTERNAL_MU", 64) => representative!.Sign(message),
                    _ => null,
                };
            }

            lock (platform!)
            {
                return type != "DIGEST" ? null : platform switch
                {
                    ECDsa ec => ec.SignHash(message, DSASignatureFormat.Rfc3279DerSequence),
                    RSA rsa => rsa.SignHash(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                    _ => null,
                };
            }
        }
    }
}

/// <summary>What the double does in place of an answer.</summary>
public enum KmsFault
{
    /// <summary>It answers.</summary>
    None = 0,

    /// <summary>It throttles.</summary>
    Throttle = 1,

    /// <summary>It says that it is down.</summary>
    Down = 2,

    /// <summary>It does not answer.</summary>
    Silent = 3,

    /// <summary>Its signature is wrong in one bit.</summary>
    Garbage = 4,
}
