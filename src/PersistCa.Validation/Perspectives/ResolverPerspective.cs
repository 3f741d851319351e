using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;

namespace PersistCa.Validation.Perspectives;

/// <summary>
/// A perspective in this process: other resolvers, the same validators. For a private network, where sites see names through resolvers of their own.
/// http-01 and tls-alpn-01 connect from this machine, to the addresses that the site's resolvers give.
/// </summary>
/// <param name="id">Its id.</param>
/// <param name="region">Its region, or any word for the site.</param>
/// <param name="validators">Validators over its resolvers.</param>
/// <param name="caa">CAA over its resolvers.</param>
/// <param name="time">The time.</param>
public sealed class ResolverPerspective(string id, string region, ChallengeValidators validators, CaaClimb caa, TimeProvider time) : IPerspective
{
    /// <inheritdoc/>
    public string Id => id;

    /// <inheritdoc/>
    public string Region => region;

    /// <inheritdoc/>
    public async Task<PerspectiveReport> LookAsync(PerspectiveQuestion question, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var permission = question.Caa is { } asked ? caa.CheckAsync(asked, cancellationToken) : null;
        var control = question.Attempt is { } attempt ? await validators.For(question.Type).ValidateAsync(attempt, cancellationToken).ConfigureAwait(false) : null;
        return new Sighting(control, permission is null ? null : (await permission.ConfigureAwait(false)).Result).Judge(this, question, time.GetElapsedTime(started));
    }
}
