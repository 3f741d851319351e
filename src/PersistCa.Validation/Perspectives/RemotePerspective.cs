using System.Collections.Immutable;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Perspectives;

/// <summary>How the answers of a remote perspective are judged: as the primary's own.</summary>
/// <param name="Persist">What persistent records are judged by.</param>
/// <param name="Caa">What CAA records let this authority issue.</param>
/// <param name="CaaModes">What becomes of that, name by name.</param>
/// <param name="SharedOwnerGrace">As for <see cref="ChallengeValidators.Create"/>; what one perspective saw counts for that one only.</param>
public sealed record RemoteJudgement(PersistPolicy Persist, CaaPolicy Caa, CaaModes CaaModes, TimeSpan SharedOwnerGrace);

/// <summary>
/// A perspective elsewhere, asked by Open MPIC's API: this program in the role perspective, or another implementation. What can be judged here is judged
/// here, from the records it saw; its own opinion decides only http-01 and tls-alpn-01, where there is nothing else.
/// </summary>
public sealed class RemotePerspective : IPerspective, IDisposable
{
    private readonly OpenMpicClient client;
    private readonly RemoteJudgement judgement;
    private readonly TimeProvider time;
    private readonly RecentTxt? recent;
    private readonly ImmutableArray<string> issuerNames;

    /// <summary>A perspective that is asked over the network.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="region">Its region.</param>
    /// <param name="client">Speaks with it; disposed of with this.</param>
    /// <param name="judgement">How its answers are judged.</param>
    /// <param name="time">The time.</param>
    public RemotePerspective(string id, string region, OpenMpicClient client, RemoteJudgement judgement, TimeProvider time)
    {
        (Id, Region, this.client, this.judgement, this.time) = (id, region, client, judgement, time);
        recent = judgement.SharedOwnerGrace > TimeSpan.Zero ? new RecentTxt(time, judgement.SharedOwnerGrace) : null;
        issuerNames = [.. judgement.Persist.IssuerNames.Select(n => n.Text)];
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <inheritdoc/>
    public string Region { get; }

    /// <inheritdoc/>
    public async Task<PerspectiveReport> LookAsync(PerspectiveQuestion question, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var permission = question.Caa is { } asked && judgement.CaaModes.For(asked.Requested.Name) != CaaMode.Off ? CaaAsync(asked, cancellationToken) : null;
        var sighting = question.Attempt is not { } attempt ? new Sighting(null, null)
            : question.Type.ProvesWildcards() ? await RecordsAsync(question, attempt, cancellationToken).ConfigureAwait(false)
            : await OpinionAsync(question.Type, attempt, cancellationToken).ConfigureAwait(false);
        if (permission is not null)
        {
            var (result, opinion, trouble) = await permission.ConfigureAwait(false);
            sighting = sighting with { Caa = result, OwnOpinionOfCaa = opinion, Trouble = sighting.Trouble ?? trouble };
        }

        return sighting.Judge(this, question, time.GetElapsedTime(started));
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>The DNS challenges: the validators of this room, over what the perspective looked up.</summary>
    private async Task<Sighting> RecordsAsync(PerspectiveQuestion question, ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var resolver = new OpenMpicResolver(client, question, attempt, issuerNames, time);
        IChallengeValidator validator = question.Type switch
        {
            ChallengeType.Dns01 => new Dns01Validator(resolver, time, recent),
            ChallengeType.DnsAccount01 => new DnsAccount01Validator(resolver, time, recent),
            _ => new DnsPersist01Validator(resolver, judgement.Persist, time),
        };
        var result = await validator.ValidateAsync(attempt, cancellationToken).ConfigureAwait(false);
        if (!result.IsValid && resolver.Opinion is null && resolver.Trouble is not null)
        {
            // Nothing is wrong with the account's DNS: who reads this is not to search there.
            result = result.Refused(new AcmeProblem(ProblemCatalog.Dns, "a perspective of this authority could not be asked; try again later"));
        }

        return new Sighting(result, null) { OwnOpinion = resolver.Opinion, Trouble = resolver.Trouble };
    }

    /// <summary>http-01 and tls-alpn-01: nothing comes back that could be judged again.</summary>
    private async Task<Sighting> OpinionAsync(ChallengeType type, ChallengeAttempt attempt, CancellationToken cancellationToken)
    {
        var record = new AttemptRecord(type, attempt, time);
        var target = attempt.Identifier.BaseText;
        var answered = await client.AskAsync(
            type == ChallengeType.Http01
                ? new DcvRequest(target, DcvMethod.AcmeHttp01) { Token = attempt.Token, KeyAuthorization = attempt.KeyAuthorization }
                : new DcvRequest(target, DcvMethod.AcmeTlsAlpn01) { KeyAuthorizationHash = Convert.ToHexStringLower([.. attempt.KeyAuthorizationDigest]) },
            cancellationToken).ConfigureAwait(false);
        if (!answered.IsValid || !answered.Value.Completed)
        {
            return new Sighting(record.Invalid(new AcmeProblem(ProblemCatalog.Connection, $"{target} could not be looked at from there.")), null)
            {
                Trouble = answered.IsValid ? string.Join("; ", answered.Value.Errors) : answered.Reason,
            };
        }

        var seen = answered.Value;
        return new Sighting(
            seen.Passed ? record.Valid("the perspective saw it proved") : record.Invalid(new AcmeProblem(ProblemCatalog.Unauthorized, $"What {target} shows there does not prove control by {type.Wire()}.")),
            null)
        {
            OwnOpinion = seen.Passed,
            Trouble = seen.Errors.IsEmpty ? null : string.Join("; ", seen.Errors),
        };
    }

    private async Task<(CaaResult Result, bool? Opinion, string? Trouble)> CaaAsync(CaaQuestion question, CancellationToken cancellationToken)
    {
        var startedAt = time.GetUtcNow();
        var answered = await client.AskAsync(new CaaRequest(question.Requested.Text) { CaaDomains = issuerNames }, cancellationToken).ConfigureAwait(false);
        var answers = answered.IsValid ? Answers(question, answered.Value) : Unknown(question, "the perspective did not answer");
        var result = new CaaResult(judgement.Caa.Judge(question, answers), judgement.CaaModes.For(question.Requested.Name), startedAt);
        return (result, answered.IsValid ? answered.Value.Passed : null, answered.Reason);
    }

    /// <summary>What a perspective tells of a whole climb, as answers to the names of it: none below the name at which it found records.</summary>
    internal static IReadOnlyList<CaaAnswer> Answers(CaaQuestion question, CheckAnswer seen)
    {
        if (!seen.Completed)
        {
            return Unknown(question, "the perspective could not look");
        }

        if (seen.RecordsSeen.IsEmpty)
        {
            return seen.CaaRecordPresent == true ? Unknown(question, "the perspective found some and does not show them") : [.. question.Climb().Select(CaaAnswer.None)];
        }

        var below = question.Climb().TakeWhile(n => n.Text != seen.FoundAt?.TrimEnd('.').ToLowerInvariant()).ToList();
        var at = question.Climb().ElementAtOrDefault(below.Count);
        var records = seen.RecordsSeen.Select(SeenRecord.CaaRdata).ToList();
        return at is null ? Unknown(question, "the perspective does not say where it found them")
            : records.Find(r => !r.IsValid) is { Reason: { } reason } ? Unknown(question, "one that the perspective shows cannot be read: " + reason)
            : [.. below.Select(CaaAnswer.None), CaaAnswer.Found(at, [.. records.Select(r => new FoundCaa(r.Value!, 0))])];
    }

    private static IReadOnlyList<CaaAnswer> Unknown(CaaQuestion question, string what) => [CaaAnswer.Failed(question.Requested.Name, new CaaLookupFailure(what))];
}
