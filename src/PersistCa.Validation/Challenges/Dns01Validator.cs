using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>dns-01 (RFC 8555 section 8.4): a TXT record with the digest of the key authorization.</summary>
/// <param name="resolver">Looks records up.</param>
/// <param name="time">The time.</param>
/// <param name="recent">What earlier look-ups saw; null to judge by this attempt's look-up alone.</param>
public sealed class Dns01Validator(IDnsResolver resolver, TimeProvider time, RecentTxt? recent = null) : IChallengeValidator
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

        var expected = RecordValue(attempt.KeyAuthorization);
        if (answer.Records.Any(r => r.Text == expected))
        {
            recent?.Saw(attempt.Account.Id, owner, answer.Records);
            return record.Valid($"a TXT record at {owner} holds the digest of the key authorization");
        }

        if (recent?.Find(attempt.Account.Id, owner, expected) is { } seen)
        {
            return record.Valid($"a TXT record at {owner} held the digest of the key authorization at {AcmeJson.Time(seen)}, when the account's other challenge at this owner name was looked up");
        }

        if (answer.Records.IsEmpty)
        {
            return record.Invalid(new AcmeProblem(
                ProblemCatalog.Unauthorized,
                $"{DnsProblem.Absence(answer)}; a TXT record with the digest of the key authorization was expected."));
        }

        return record.Invalid(new AcmeProblem(ProblemCatalog.Unauthorized, Mismatch(owner, expected, answer.Records)));
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
