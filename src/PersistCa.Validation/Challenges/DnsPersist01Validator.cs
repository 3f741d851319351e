using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Challenges;

/// <summary>
/// dns-persist-01 (draft-ietf-acme-dns-persist; dns-persist-01 rules, section 6): a TXT record that names this authority and the account.
/// Fetching only; <see cref="PersistDecision"/> judges.
/// </summary>
public sealed class DnsPersist01Validator(IDnsResolver resolver, PersistPolicy policy, TimeProvider time) : IChallengeValidator
{
    /// <inheritdoc/>
    public ChallengeType Type => ChallengeType.DnsPersist01;

    /// <inheritdoc/>
    public async Task<ChallengeResult> ValidateAsync(ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var record = new AttemptRecord(Type, attempt, time);
        if (record.RefuseAtOnce() is { } refusal)
        {
            return refusal;
        }

        var lookups = await Task.WhenAll(
            from name in NamesToAsk(attempt.Name)
            from label in policy.Labels
            select AskAsync(name, label, record, cancellationToken)).ConfigureAwait(false);
        var found = lookups
            .SelectMany(l => l.Answer.Records.Select(r => new FoundTxt(l.StandsAt, l.Label, r.Text, r.TtlSeconds)))
            .ToList();
        var decision = PersistDecision.Judge(new PersistQuestion(attempt.Name, attempt.Account, time.GetUtcNow()), policy, found);
        record.Judged = decision.Records.IsEmpty ? null : [.. decision.Records.Select(Evidence)];
        if (decision.Winner is { } winner)
        {
            return record.Valid($"a record at {winner.Record.OwnerName} names this authority and the account", winner.Dialect?.Wire()) with
            {
                RecordExpires = decision.RecordExpires,
                Reusable = decision.Reusable,
                Dialect = winner.Dialect,
            };
        }

        // What did fail to be looked up might have held the record: the verdict on the rest would mislead (section 6.5: a DNS failure is dns).
        return Array.Find(lookups, l => l.Answer.IsFailure) is { } failure
            ? record.Invalid(DnsProblem.For(failure.Answer))
            : record.Invalid(decision.Problem ?? throw new InvalidOperationException("a decision without winner has no problem"));
    }

    /// <summary>The names at which a record may stand, nearest first. Only the name itself so far: for a wildcard the name under it.</summary>
    private static IEnumerable<DnsName> NamesToAsk(CertificateName requested) => [requested.Name];

    private async Task<Lookup> AskAsync(DnsName name, PersistLabel label, AttemptRecord record, CancellationToken cancellationToken)
    {
        var answer = await record.AskAsync(resolver, $"{label.Text()}.{name.Text}", DnsRecordKind.Txt, cancellationToken).ConfigureAwait(false);
        return new Lookup(name, label, answer);
    }

    private static RecordEvidence Evidence(RecordVerdict verdict) =>
        new(verdict.Record.OwnerName, verdict.Record.Text, verdict.Reason.ToString(), verdict.Detail)
        {
            Dialect = verdict.Dialect?.Wire(),
            Expires = verdict.Expires,
            MatchedThumbprint = verdict.MatchedThumbprint,
        };

    private sealed record Lookup(DnsName StandsAt, PersistLabel Label, DnsAnswer Answer);
}
