using System.Security.Cryptography;
using System.Text;
using PersistCa.Protocol.Authorizations;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>
/// dns-account-01 (draft-ietf-acme-dns-account-label-02 section 3): dns-01 at a name of the account's own, so that several systems can prove the
/// same name, and delegate by CNAME, without knowing of each other.
/// </summary>
/// <param name="resolver">Looks records up.</param>
/// <param name="time">The time.</param>
/// <param name="recent">What earlier look-ups saw; null to judge by this attempt's look-up alone.</param>
public sealed class DnsAccount01Validator(IDnsResolver resolver, TimeProvider time, RecentTxt? recent = null) : IChallengeValidator
{
    /// <summary>Octets of the digest that go into the label: 80 bits.</summary>
    public const int DigestOctets = 10;

    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    /// <inheritdoc/>
    public ChallengeType Type => ChallengeType.DnsAccount01;

    /// <summary>The account's label: "_" and the base32 (RFC 4648 section 6, lower case) of the first octets of the SHA-256 of its URL.</summary>
    /// <param name="accountUrl">Account URL exactly as in the newAccount Location header.</param>
    public static string Label(string accountUrl)
    {
        var digest = SHA256.HashData(Encoding.ASCII.GetBytes(accountUrl)).AsSpan(0, DigestOctets);
        var label = new StringBuilder("_", 1 + (8 * DigestOctets / 5));
        var (held, bits) = (0, 0);
        foreach (var octet in digest)
        {
            held = (held << 8) | octet;
            for (bits += 8; bits >= 5; bits -= 5)
            {
                label.Append(Base32[(held >> (bits - 5)) & 31]);
            }

            held &= (1 << bits) - 1;
        }

        return label.ToString(); // 80 bits are 16 letters with nothing left over
    }

    /// <summary>Where an account's record for a name stands.</summary>
    public static string OwnerName(string accountUrl, string name) => $"{Label(accountUrl)}.{Dns01Validator.Label}.{name}";

    /// <inheritdoc/>
    public async Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var record = new AttemptRecord(Type, attempt, time);
        if (record.RefuseAtOnce() is { } refusal)
        {
            return refusal;
        }

        var owner = OwnerName(attempt.Account.Url, attempt.Name.Name.Text);
        return await DigestRecord.JudgeAsync(owner, attempt, record, resolver, recent, cancellationToken).ConfigureAwait(false);
    }
}
