using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>dns-01 (RFC 8555 section 8.4): a TXT record with the digest of the key authorization.</summary>
public sealed class Dns01Validator(IDnsResolver resolver, TimeProvider time) : IChallengeValidator
{
    /// <summary>The label in front of the name (RFC 8555 section 8.4).</summary>
    public const string Label = "_acme-challenge";

    private const int MaxShownValues = 3;
    private const int MaxShownCharacters = 64;

    /// <inheritdoc/>
    public ChallengeType Type => ChallengeType.Dns01;

    /// <inheritdoc/>
    public async Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var record = new AttemptRecord(Type, attempt, time);
        if (record.RefuseAtOnce() is { } refusal)
        {
            return refusal;
        }

        var owner = $"{Label}.{attempt.Name.Name.Text}";
        var answer = await record.AskAsync(resolver, owner, DnsRecordKind.Txt, cancellationToken).ConfigureAwait(false);
        if (answer.IsFailure)
        {
            return record.Invalid(DnsProblem.For(answer));
        }

        if (answer.Records.IsEmpty)
        {
            return record.Invalid(new AcmeProblem(
                ProblemCatalog.Unauthorized,
                $"{DnsProblem.Absence(answer)}; a TXT record with the digest of the key authorization was expected."));
        }

        var expected = RecordValue(attempt.KeyAuthorization);
        return answer.Records.Any(r => r.Text == expected)
            ? record.Valid($"a TXT record at {owner} holds the digest of the key authorization")
            : record.Invalid(new AcmeProblem(ProblemCatalog.Unauthorized, Mismatch(owner, expected, answer.Records)));
    }

    /// <summary>The value to publish: unpadded base64url of the SHA-256 of the key authorization.</summary>
    public static string RecordValue(string keyAuthorization) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization)));

    private static string Mismatch(string owner, string expected, ImmutableArray<DnsRecord> found)
    {
        var shown = found.Take(MaxShownValues).Select(r => $"\"{PrintableText.Shorten(r.Text, MaxShownCharacters)}\"");
        var more = found.Length > MaxShownValues ? $" and {found.Length - MaxShownValues} more" : "";
        return $"None of the {found.Length} TXT record(s) at {owner} is the expected \"{expected}\"; found {string.Join(", ", shown)}{more}.";
    }
}
