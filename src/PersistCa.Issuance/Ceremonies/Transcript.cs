using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>Steps of ceremonies.</summary>
public enum CeremonyStep
{
    /// <summary>A root was made.</summary>
    Root = 1,

    /// <summary>A key and a request for its certificate were made.</summary>
    Request = 2,

    /// <summary>A request was signed.</summary>
    Sign = 3,

    /// <summary>A revocation list of the root was signed.</summary>
    Crl = 4,

    /// <summary>Another root's name and key were signed.</summary>
    CrossSign = 5,

    /// <summary>A key was to be destroyed: written before, since the key signs it.</summary>
    Destroy = 6,

    /// <summary>The passphrase of the root's key was made anew and split into new shares: those before restore nothing any more.</summary>
    Deal = 7,
}

/// <summary>A file of the ceremony's folder.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sha256">SHA-256 of its octets, lower-case hex.</param>
public sealed record TranscribedFile(string Name, string Sha256)
{
    /// <summary>Of octets.</summary>
    public static TranscribedFile Of(string name, ReadOnlySpan<byte> octets) => new(name, Convert.ToHexStringLower(SHA256.HashData(octets)));
}

/// <summary>A key that took part.</summary>
/// <param name="Role">What it is: root or issuing.</param>
/// <param name="Fingerprint">SHA-256 of its SubjectPublicKeyInfo, lower-case hex.</param>
/// <param name="Reference">How the operator named it.</param>
public sealed record TranscribedKey(string Role, string Fingerprint, string Reference);

/// <summary>What a revocation list was made of.</summary>
public sealed record TranscribedList
{
    /// <summary>CRL number.</summary>
    public required long Number { get; init; }

    /// <summary>The time of the list.</summary>
    public required DateTimeOffset ThisUpdate { get; init; }

    /// <summary>The time of the next one at the latest.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>The revoked certificates.</summary>
    public required IReadOnlyList<RevokedCertificate> Revoked { get; init; }
}

/// <summary>What one step of a ceremony did, complete enough to do it again but for the signatures.</summary>
public sealed record Transcript
{
    /// <summary>What the file says it is.</summary>
    public const string FormatName = "persistca-ceremony-1";

    /// <summary>Longest file, octets.</summary>
    public const int MaxOctets = 256 * 1024;

    /// <summary>Most steps of one ceremony.</summary>
    public const int MaxSteps = 999;

    /// <summary>Always <see cref="FormatName"/>.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>Number of the step in its folder, 1 and above.</summary>
    public required int Number { get; init; }

    /// <summary>What was done.</summary>
    public required CeremonyStep Step { get; init; }

    /// <summary>When, by the clock of the machine.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Name and version of the program.</summary>
    public required string Tool { get; init; }

    /// <summary>Who was there, as the operator names them.</summary>
    public required IReadOnlyList<string> Witnesses { get; init; }

    /// <summary>The shares by which the passphrase was restored; none where it was not.</summary>
    public required IReadOnlyList<int> Shares { get; init; }

    /// <summary>The certificate that was made.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AuthorityCertificate? Certificate { get; init; }

    /// <summary>The list that was made.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TranscribedList? List { get; init; }

    /// <summary>The name that a request asks a certificate for, DER.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public byte[]? Subject { get; init; }

    /// <summary>Files that were read.</summary>
    public required IReadOnlyList<TranscribedFile> In { get; init; }

    /// <summary>Files that were written; what was made first.</summary>
    public required IReadOnlyList<TranscribedFile> Out { get; init; }

    /// <summary>Keys that took part.</summary>
    public required IReadOnlyList<TranscribedKey> Keys { get; init; }

    /// <summary>SHA-256 of the file of the step before; empty for the first.</summary>
    public required string Previous { get; init; }

    /// <summary>What <see cref="Key"/> signs with.</summary>
    public required string Algorithm { get; init; }

    /// <summary>The key that the step used, and that signs this; SubjectPublicKeyInfo, DER.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Name of its file.</summary>
    [JsonIgnore]
    public string FileName => $"{Number:000}-{StepName}.json";

    /// <summary>The step as commands and files name it.</summary>
    [JsonIgnore]
    public string StepName => Step == CeremonyStep.CrossSign ? "cross-sign" : Step.ToString().ToLowerInvariant();

    /// <summary>Signs it.</summary>
    /// <param name="key">The key whose public half is <see cref="Key"/>.</param>
    /// <param name="cancel">Stops before the signature.</param>
    /// <returns>The file.</returns>
    public async ValueTask<byte[]> SignAsync(ISigningKey key, CancellationToken cancel)
    {
        var message = Message();
        var signature = await key.SignAsync(message, cancel);
        return SigningAlgorithms.Verify(Key, key.Algorithm, message, signature)
            ? Write(new SignedTranscript(this, signature))
            : throw new InvalidOperationException("the signing key made a signature that does not hold for the transcript");
    }

    /// <summary>Reads a file and checks that its signature holds for the key that it names.</summary>
    /// <returns>The transcript; or why it is none. Every octet counts: a file has one spelling.</returns>
    public static Parsed<Transcript> Read(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxOctets)
        {
            return Refuse($"it has {file.Length} octets; at most {MaxOctets} are read");
        }

        SignedTranscript? read;
        try
        {
            read = JsonSerializer.Deserialize(file, CeremonyJson.Default.SignedTranscript);
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            return Refuse("it is no transcript: " + e.Message);
        }

        // A list of references may hold none in JSON, whatever its type says.
        if (read is not { Transcript.Format: FormatName } || read.Transcript.HasGaps)
        {
            return Refuse($"it is no transcript of the form {FormatName}");
        }

        if (!Write(read).AsSpan().SequenceEqual(file))
        {
            return Refuse("it is not spelled as transcripts are; it was changed after it was written");
        }

        var transcript = read.Transcript;
        return SigningAlgorithms.Find(transcript.Algorithm) is { } algorithm
            && SigningAlgorithms.ForPublicKey(transcript.Key) == algorithm
            && SigningAlgorithms.Verify(transcript.Key, algorithm, transcript.Message(), read.Signature)
            ? Parsed<Transcript>.Ok(transcript)
            : Refuse("its signature does not hold for the key that it names");
    }

    private bool HasGaps => Gap(Witnesses) || Gap(In) || Gap(Out) || Gap(Keys) || Gap(List?.Revoked) || Gap(List?.Revoked.Select(r => r?.Serial)) || Gap(Certificate?.Purposes)
        || Gap(Certificate?.Policies) || Gap(Certificate?.Names.PermittedNames) || Gap(Certificate?.Names.PermittedNetworks) || Gap(Certificate?.Names.ExcludedNames) || Gap(Certificate?.Names.ExcludedNetworks);

    private static bool Gap(IEnumerable<object?>? list) => list?.Contains(null) ?? false;

    // A line in front, so that what is signed can be taken for nothing else that such a key signs.
    private byte[] Message() => [.. Encoding.ASCII.GetBytes("PersistCA ceremony transcript\n"), .. JsonSerializer.SerializeToUtf8Bytes(this, CeremonyJson.Default.Transcript)];

    private static byte[] Write(SignedTranscript signed) => [.. JsonSerializer.SerializeToUtf8Bytes(signed, CeremonyJson.Default.SignedTranscript), (byte)'\n'];

    private static Parsed<Transcript> Refuse(string reason) => Parsed<Transcript>.Refused(reason);
}

/// <summary>The file of a transcript.</summary>
/// <param name="Transcript">What is signed.</param>
/// <param name="Signature">The signature.</param>
internal sealed record SignedTranscript(Transcript Transcript, byte[] Signature);

/// <summary>JSON of ceremonies: one spelling, members in the order of their declaration, unknown ones refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    NewLine = "\n",
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(SignedTranscript))]
[JsonSerializable(typeof(Transcript))]
[JsonSerializable(typeof(ShareSet))]
internal sealed partial class CeremonyJson : JsonSerializerContext;
