using System.Security.Cryptography;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Evidence;

namespace PersistCa.Validation.Challenges;

/// <summary>Collects the evidence of one attempt while it runs. Used by one attempt, whose look-ups may end on several threads.</summary>
internal sealed class AttemptRecord(ChallengeType type, ChallengeAttempt attempt, DateTimeOffset startedAt, Func<DateTimeOffset> now)
{
    private readonly Lock gate = new();
    private readonly List<LookupEvidence> lookups = [];
    private readonly List<HttpHopEvidence> hops = [];

    /// <summary>An attempt that begins now.</summary>
    public AttemptRecord(ChallengeType type, ChallengeAttempt attempt, TimeProvider time)
        : this(type, attempt, time.GetUtcNow(), time.GetUtcNow)
    {
    }

    /// <summary>The TLS connection of tls-alpn-01.</summary>
    public TlsEvidence? Tls { get; set; }

    /// <summary>The records that dns-persist-01 judged.</summary>
    public IReadOnlyList<RecordEvidence>? Judged { get; set; }

    /// <summary>
    /// Refusals that hold whatever the other side answers: an account that is not valid proves nothing (RFC 8555 section 7.3.6), and not every
    /// challenge proves wildcards or addresses.
    /// </summary>
    public ChallengeResult? RefuseAtOnce()
    {
        if (!attempt.Account.IsValid)
        {
            return Invalid(new AcmeProblem(ProblemCatalog.Unauthorized, "The account is deactivated or revoked; a valid account is needed."));
        }

        if ((type.ProvesWildcards() || !attempt.WithSubdomains) && type.Proves(attempt.Identifier))
        {
            return null;
        }

        var able = string.Join(" or ", ChallengeTypes.All.Where(t => t.Proves(attempt.Identifier) && (t.ProvesWildcards() || !attempt.WithSubdomains)).Select(t => t.Wire()));
        return Invalid(new AcmeProblem(
            ProblemCatalog.Malformed,
            $"{type.Wire()} cannot prove control of the {(attempt.Identifier.IsWildcard ? "wildcard name" : attempt.WithSubdomains ? "names under" : "address")} {attempt.Identifier.Text}; use {able}."));
    }

    /// <summary>Asks and keeps the answer.</summary>
    public async Task<DnsAnswer> AskAsync(IDnsResolver resolver, string ownerName, DnsRecordKind kind, CancellationToken cancellationToken)
    {
        var answer = await resolver.AskAsync(ownerName, kind, cancellationToken).ConfigureAwait(false);
        lock (gate)
        {
            lookups.Add(Lookup(answer));
        }

        return answer;
    }

    /// <summary>Keeps one HTTP request.</summary>
    public void Add(HttpHopEvidence hop)
    {
        lock (gate)
        {
            hops.Add(hop);
        }
    }

    /// <summary>Control was proved.</summary>
    public ChallengeResult Valid(string reason, string? dialect = null) =>
        new(true, null, Evidence(valid: true, null, reason, dialect)) { Reusable = true };

    /// <summary>Control was not proved.</summary>
    public ChallengeResult Invalid(AcmeProblem problem) => new(false, problem, Evidence(valid: false, problem.Type.Name, problem.Detail, null));

    private ValidationEvidence Evidence(bool valid, string? problem, string reason, string? dialect)
    {
        lock (gate)
        {
            return new ValidationEvidence
            {
                ChallengeType = type.Wire(),
                Name = attempt.Identifier.BaseText,
                Wildcard = attempt.Identifier.IsWildcard,
                Subdomains = attempt.WithSubdomains ? true : null,
                JustInTime = attempt.JustInTime ? true : null,
                AccountId = attempt.Account.Id,
                Thumbprint = attempt.Account.Thumbprints.IsDefaultOrEmpty ? null : attempt.Account.CurrentThumbprint,
                StartedAt = startedAt,
                FinishedAt = now(),
                Valid = valid,
                Problem = problem,
                Reason = reason,
                Lookups = lookups.Count == 0 ? null : [.. lookups],
                Hops = hops.Count == 0 ? null : [.. hops],
                Tls = Tls,
                Dialect = dialect,
                Judged = Judged,
            };
        }
    }

    /// <summary>One look-up as evidence.</summary>
    internal static LookupEvidence Lookup(DnsAnswer answer) => new()
    {
        Name = answer.OwnerName,
        Type = DnsProblem.Word(answer.Kind),
        Status = answer.Status.ToString(),
        ResponseCode = answer.ResponseCode,
        Reason = answer.Reason,
        SecurityReason = answer.SecurityReason,
        Cnames = answer.CnameChain.IsEmpty ? null : [.. answer.CnameChain],
        Records = answer.Records.IsEmpty ? null : [.. answer.Records.Select(r => new FoundRecordEvidence(r.Text, r.TtlSeconds))],
        Resolver = answer.Resolver,
        AuthenticData = answer.AuthenticData,
        ExtendedErrors = answer.ExtendedErrors.IsEmpty ? null : [.. answer.ExtendedErrors.Select(e => $"{e.Code} {e.Text}")],
        Security = answer.Security == DnsSecurity.NotChecked ? null : answer.Security.ToString(),
        Reply = answer.ReplyOctets.IsEmpty ? null : Convert.ToBase64String(answer.ReplyOctets.Span),
        ReplySha256 = answer.ReplyOctets.IsEmpty ? null : Convert.ToHexStringLower(SHA256.HashData(answer.ReplyOctets.Span)),
        AskedAt = answer.AskedAt,
        Milliseconds = (long)answer.Duration.TotalMilliseconds,
        Attempts = answer.Attempts,
    };
}
