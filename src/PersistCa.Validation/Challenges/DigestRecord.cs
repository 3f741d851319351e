using System.Collections.Immutable;
using PersistCa.Protocol.Acme;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>Looks for the record that dns-01 and dns-account-01 have in common: TXT with the digest of the key authorization. They differ in its owner name.</summary>
internal static class DigestRecord
{
    private const int MaxShownValues = 3;
    private const int MaxShownCharacters = 64;

    /// <summary>Asks and judges.</summary>
    /// <param name="owner">Where the record is to stand.</param>
    /// <param name="attempt">What is to be proved.</param>
    /// <param name="record">Keeps what is seen.</param>
    /// <param name="resolver">Looks records up.</param>
    /// <param name="recent">What earlier look-ups saw; null to judge by this attempt's look-up alone.</param>
    /// <param name="cancellationToken">Ends the look-up.</param>
    public static async Task<ChallengeResult> JudgeAsync(
        string owner, ChallengeAttempt attempt, AttemptRecord record, IDnsResolver resolver, RecentTxt? recent, CancellationToken cancellationToken)
    {
        var answer = await record.AskAsync(resolver, owner, DnsRecordKind.Txt, cancellationToken).ConfigureAwait(false);
        if (answer.IsFailure)
        {
            return record.Invalid(DnsProblem.For(answer));
        }

        var expected = Dns01Validator.RecordValue(attempt.KeyAuthorization);
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

    private static string Mismatch(string owner, string expected, ImmutableArray<DnsRecord> found)
    {
        var shown = found.Take(MaxShownValues).Select(r => $"\"{PrintableText.Shorten(r.Text, MaxShownCharacters)}\"");
        var more = found.Length > MaxShownValues ? $" and {found.Length - MaxShownValues} more" : "";
        return $"None of the {found.Length} TXT record(s) at {owner} is the expected \"{expected}\"; found {string.Join(", ", shown)}{more}.";
    }
}
