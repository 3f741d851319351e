using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Policy;

/// <summary>What a rule said, as it stands in a decision.</summary>
/// <param name="Id">The rule.</param>
/// <param name="Outcome">What it said.</param>
/// <param name="Found">What was found.</param>
/// <param name="Expected">What was expected.</param>
public sealed record DecidedRule(string Id, RuleOutcome Outcome, string Found, string Expected);

/// <summary>What a decision is about.</summary>
/// <param name="TbsSha256">SHA-256 of the to-be-signed bytes, lower-case hex.</param>
/// <param name="Account">Public id of the account.</param>
/// <param name="ExternalAccount">The external account key that it is bound to; null for none.</param>
/// <param name="Profile">The profile.</param>
/// <param name="Regime">Its regime.</param>
/// <param name="Issuer">Id of the issuer.</param>
/// <param name="Key">SHA-256 of the key, lower-case hex.</param>
/// <param name="Names">How many names.</param>
public sealed record DecidedSubject(string TbsSha256, string Account, string? ExternalAccount, string Profile, string Regime, string Issuer, string Key, int Names);

/// <summary>
/// The judgement on a certificate that is about to be signed, rule by rule. It is made of the bytes that the key is to sign and of nothing else that they say,
/// inside the transaction that fixes them, and kept with the certificate.
/// </summary>
public sealed record PolicyDecision
{
    /// <summary>Form of the JSON. A reader knows those up to this.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Longest text of what was found or expected; what is longer is cut.</summary>
    public const int MaxText = 300;

    private const string Unreadable = "certificate.readable";

    /// <summary>Form of the JSON.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>When it was made.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What it is about.</summary>
    public required DecidedSubject Subject { get; init; }

    /// <summary>Every rule, in the order of <see cref="Rulebook"/>.</summary>
    public required ImmutableArray<DecidedRule> Rules { get; init; }

    /// <summary>Why the certificate must not be signed; null when it may. Not kept.</summary>
    [JsonIgnore]
    public AcmeProblem? Problem { get; init; }

    /// <summary>Whether it may be signed.</summary>
    [JsonIgnore]
    public bool IsPermitted => Failed.Count == 0;

    /// <summary>The rules that failed.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Failed => [.. Rules.Where(r => r.Outcome == RuleOutcome.Failed).Select(r => r.Id)];

    /// <summary>Whether nothing but CAA stands in the way, which a look-up may mend.</summary>
    [JsonIgnore]
    public bool AwaitsCaa => Failed is [ProofRules.CaaRule];

    /// <summary>Judges. Pure: the same facts give the same decision.</summary>
    public static PolicyDecision Judge(PolicyFacts facts)
    {
        var read = CertificateFacts.OfTbs(facts.TbsDer);
        var findings = read.IsValid
            ? Rulebook.All.Select(r => (r.Id, Finding: Run(r, facts, read.Value))).ToList()
            : [(Unreadable, RuleFinding.Failed(ProfileRules.Internal("it cannot be read: " + read.Reason), read.Reason, "a to-be-signed certificate"))];
        return new PolicyDecision
        {
            At = facts.Now,
            Subject = new DecidedSubject(
                Convert.ToHexStringLower(SHA256.HashData(facts.TbsDer.Span)),
                facts.Account.Id,
                facts.Account.Scope.KeyId,
                facts.Profile.Name,
                facts.Profile.Regime,
                facts.Issuer.Id,
                PublicKeyFingerprint.Of(facts.RequestedKey.Span),
                facts.Names.Length),
            Rules = [.. findings.Select(f => new DecidedRule(f.Id, f.Finding.Outcome, Cut(f.Finding.Found), Cut(f.Finding.Expected)))],
            Problem = Combine([.. findings.SelectMany(f => f.Finding.Problems)], facts.Names.Length),
        };
    }

    /// <summary>The decision as JSON, to be kept.</summary>
    public string Write() => JsonSerializer.Serialize(this, DecisionJson.Kept.PolicyDecision);

    /// <summary>Reads what was kept.</summary>
    /// <exception cref="JsonException">It is no decision, or of a later form than this program knows.</exception>
    public static PolicyDecision Read(string json)
    {
        var read = JsonSerializer.Deserialize(json, DecisionJson.Kept.PolicyDecision) ?? throw new JsonException("null is no decision");
        return read.Version is >= 1 and <= CurrentVersion ? read : throw new JsonException($"the decision has the version {read.Version}; 1 to {CurrentVersion} are known");
    }

    private static RuleFinding Run(PolicyRule rule, PolicyFacts facts, CertificateFacts certificate)
    {
        try
        {
            return rule.Check(facts, certificate);
        }
        catch (AsnContentException e)
        {
            return RuleFinding.Failed(ProfileRules.Internal($"a part of it cannot be read ({e.Message})"), e.Message, "a certificate that can be read");
        }
    }

    /// <summary>
    /// The refusal that the client sees: the first that is about the order as a whole, else what is wrong with its names, each name by its first fault, and last
    /// what no client can mend.
    /// </summary>
    private static AcmeProblem? Combine(ImmutableArray<AcmeProblem> problems, int names)
    {
        if (problems.FirstOrDefault(p => p.Identifier is null && p.Type != ProblemCatalog.ServerInternal) is { } whole)
        {
            return whole;
        }

        var ours = problems.FirstOrDefault(p => p.Identifier is null);
        var byName = problems.Where(p => p.Identifier is not null).DistinctBy(p => p.Identifier).ToList();

        // That CAA was not asked yet is no answer to what another rule found.
        return byName.Count == 0 || (ours is not null && byName.TrueForAll(p => p.Type == ProblemCatalog.Caa))
            ? ours
            : AcmeProblem.Combine(byName, $"{byName.Count} of {names} names cannot be issued for; see subproblems.");
    }

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..(MaxText - 3)] + "...";
}

/// <summary>How decisions are kept.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(PolicyDecision))]
internal sealed partial class DecisionJson : JsonSerializerContext
{
    private static DecisionJson? kept;

    /// <summary>The context to write with.</summary>
    public static DecisionJson Kept => kept ??= new DecisionJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<RuleOutcome>(JsonNamingPolicy.CamelCase) },
    });
}
