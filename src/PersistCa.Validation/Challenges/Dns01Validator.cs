using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
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

        return await DigestRecord.JudgeAsync($"{Label}.{attempt.Name.Name.Text}", attempt, record, resolver, recent, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The value to publish: unpadded base64url of the SHA-256 of the key authorization.</summary>
    public static string RecordValue(string keyAuthorization) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization)));
}
