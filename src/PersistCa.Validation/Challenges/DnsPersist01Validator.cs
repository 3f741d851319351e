using System.Collections.Immutable;
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

        var question = Question(attempt);
        ImmutableArray<DnsName> names = question.IsReverse ? [question.Requested.Name] : policy.Scope.NamesFor(question.Requested.Name);
        if (attempt.RecordAt is { } told)
        {
            // The client says where it put the record (a draft proposal, "adn"): asked there and nowhere else.
            if (!names.Contains(told))
            {
                return record.Invalid(new AcmeProblem(
                    ProblemCatalog.Malformed,
                    $"The adn is {told}; a record for {attempt.Identifier.Text} may stand at {string.Join(", ", names)}."));
            }

            names = [told];
        }

        // The name itself first: nearly every record stands there. Those above are asked together when it brings nothing.
        var lookups = await AskAsync(question, names[..1], record, cancellationToken).ConfigureAwait(false);
        var decision = Judge(question, lookups);
        if (decision.Winner is null && names.Length > 1)
        {
            lookups = [.. lookups, .. await AskAsync(question, names[1..], record, cancellationToken).ConfigureAwait(false)];
            decision = Judge(question, lookups);
        }

        record.Judged = decision.Records.IsEmpty ? null : [.. decision.Records.Select(Evidence)];
        if (decision.Winner is { } winner)
        {
            return record.Valid($"a record at {winner.Record.OwnerName} names this authority and the account", winner.Dialect?.Wire()) with
            {
                RecordExpires = decision.RecordExpires,
                Reusable = decision.Reusable,
                Dialect = winner.Dialect,
                ProvenAccounts = [.. decision.Records.Where(r => r.Reason == RecordReason.Fits).Select(r => r.Account).OfType<string>().Distinct()],
            };
        }

        // What did fail to be looked up might have held the record: the verdict on the rest would mislead (section 6.5: a DNS failure is dns).
        return lookups.FirstOrDefault(l => l.Answer.IsFailure) is { } failure
            ? record.Invalid(DnsProblem.For(failure.Answer))
            : record.Invalid(decision.Problem ?? throw new InvalidOperationException("a decision without winner has no problem"));
    }

    /// <summary>What is to be decided: of an address, its reverse name stands for it (BR 3.2.2.5.8).</summary>
    private PersistQuestion Question(ChallengeAttempt attempt) => attempt.Identifier is IpIdentifier ip
        ? new PersistQuestion(new CertificateName(DnsName.Parse(ip.ReverseName).Value!, false), attempt.Account, time.GetUtcNow()) { IsReverse = true }
        : new PersistQuestion(attempt.Name, attempt.Account, time.GetUtcNow()) { WithSubdomains = attempt.WithSubdomains };

    private PersistDecision Judge(PersistQuestion question, IEnumerable<Lookup> lookups) => PersistDecision.Judge(
        question with { Now = time.GetUtcNow() },
        policy,
        [.. lookups.SelectMany(l => l.Answer.Records.Select(r => new FoundTxt(l.StandsAt, l.Label, r.Text, r.TtlSeconds)))]);

    private async Task<ImmutableArray<Lookup>> AskAsync(PersistQuestion question, ImmutableArray<DnsName> names, AttemptRecord record, CancellationToken cancellationToken) =>
    [
        .. await Task.WhenAll(
            from name in names
            from label in question.Labels(policy)
            select AskAsync(name, label, record, cancellationToken)).ConfigureAwait(false),
    ];

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
