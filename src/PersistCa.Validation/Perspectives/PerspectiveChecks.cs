using System.Collections.Immutable;
using System.Globalization;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Perspectives;

/// <summary>
/// What this program does in the role perspective: looks at one target for another authority, keeps nothing, and tells what it saw. Its own opinion goes
/// along; who asks does well to judge the records itself.
/// </summary>
/// <param name="resolver">Looks records up.</param>
/// <param name="http01">http-01.</param>
/// <param name="tlsAlpn01">tls-alpn-01.</param>
/// <param name="caa">How far CAA is looked up.</param>
/// <param name="time">The time.</param>
public sealed class PerspectiveChecks(IDnsResolver resolver, Http01Options http01, TlsAlpn01Options tlsAlpn01, CaaLookupOptions caa, TimeProvider time)
{
    private static readonly HashSet<string> PersistTags = ["accounturi", "persistuntil", "policy"];

    /// <summary>Answers POST /dcv.</summary>
    /// <returns>The answer, or why the request cannot be served.</returns>
    public async Task<Parsed<CheckAnswer>> CheckAsync(DcvRequest request, CancellationToken cancellationToken) => request.Method switch
    {
        DcvMethod.AcmeHttp01 or DcvMethod.AcmeTlsAlpn01 => await ConnectAsync(request, cancellationToken).ConfigureAwait(false),
        _ => await LookUpAsync(request, cancellationToken).ConfigureAwait(false),
    };

    /// <summary>Answers POST /caa.</summary>
    /// <returns>The answer, or why the request cannot be served.</returns>
    public async Task<Parsed<CheckAnswer>> CheckAsync(CaaRequest request, CancellationToken cancellationToken)
    {
        var name = CertificateName.Parse(request.Target);
        var issuers = request.CaaDomains.Select(IssuerName.Parse).ToList();
        if (!name.IsValid || issuers.Exists(i => !i.IsValid))
        {
            return Parsed<CheckAnswer>.Refused(name.Reason is { } reason ? $"domain_or_ip_target is no name: {reason}" : "caa_domains has an entry that is no domain name");
        }

        // No account is known here, so that records for accounts pass nobody; the asking authority judges them.
        var climb = new CaaClimb(resolver, new CaaPolicy([.. issuers.Select(i => i.Value!)]), CaaModes.Enforced, caa, time);
        var check = await climb.CheckAsync(new CaaQuestion(name.Value, [], ""), cancellationToken).ConfigureAwait(false);
        var verdict = check.Result.Verdict;
        return Parsed<CheckAnswer>.Ok(new CheckAnswer(IsCaa: true, verdict.Outcome != CaaOutcome.Unknown, verdict.Outcome == CaaOutcome.Permitted)
        {
            CaaRecordPresent = !verdict.Records.IsEmpty,
            FoundAt = verdict.RelevantName?.Text,
            RecordsSeen = [.. verdict.Records.Select(r => CaaRecord.Present(r.Found.Rdata))],
            Errors = verdict.Outcome == CaaOutcome.Unknown ? [verdict.Detail] : [],
            At = time.GetUtcNow(),
        });
    }

    private async Task<Parsed<CheckAnswer>> LookUpAsync(DcvRequest request, CancellationToken cancellationToken)
    {
        var name = DnsName.Parse(request.Target);
        if (!name.IsValid)
        {
            return Parsed<CheckAnswer>.Refused($"domain_or_ip_target is no name: {name.Reason}");
        }

        var prefix = request.Method switch
        {
            DcvMethod.AcmeDns01 => Dns01Validator.Label,
            DcvMethod.DnsPersistent => PersistLabel.ValidationPersist.Text(),
            _ => request.DnsNamePrefix!,
        };
        if (!IsPrefix(prefix) || prefix.Length + 1 + name.Value.Text.Length > DnsName.MaxLength)
        {
            return Parsed<CheckAnswer>.Refused("dns_name_prefix is not made of labels that fit before the target");
        }

        var answer = await resolver.AskAsync($"{prefix}.{name.Value.Text}", DnsRecordKind.Txt, cancellationToken).ConfigureAwait(false);
        return Parsed<CheckAnswer>.Ok(new CheckAnswer(IsCaa: false, !answer.IsFailure, answer.Records.Any(r => Passes(r.Text, request)))
        {
            ValidationMethod = request.MethodWord,
            RecordsSeen = [.. answer.Records.Select(r => SeenRecord.TxtText(r.Text))],
            ResponseCode = Code(answer.Status),
            AuthenticData = answer.AuthenticData,
            FoundAt = answer.OwnerName,
            CnameChain = answer.CnameChain,
            Errors = answer.IsFailure ? [DnsProblem.For(answer).Detail] : [],
            At = time.GetUtcNow(),
        });
    }

    private bool Passes(string octets, DcvRequest request)
    {
        var text = SeenRecord.TxtText(octets);
        if (request.Method != DcvMethod.DnsPersistent)
        {
            return request.Method == DcvMethod.AcmeDns01 ? text == request.KeyAuthorizationHash
                : request.RequireExactMatch ? text == request.ChallengeValue
                : text.Contains(request.ChallengeValue!, StringComparison.Ordinal);
        }

        if (IssueValue.Issuer(octets) is not { } issuer || !request.IssuerDomainNames.Any(n => IssuerName.Parse(n).Value == issuer))
        {
            return false;
        }

        var parameters = IssueValue.Parameters(octets, PersistTags);
        return parameters.IsValid
            && parameters.Value.TryGetValue("accounturi", out var account) && account == request.ExpectedAccountUri
            && (!parameters.Value.TryGetValue("persistuntil", out var until)
                || (ulong.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && (ulong)time.GetUtcNow().ToUnixTimeSeconds() <= end));
    }

    private async Task<Parsed<CheckAnswer>> ConnectAsync(DcvRequest request, CancellationToken cancellationToken)
    {
        if (Target(request.Target) is not { } identifier)
        {
            return Parsed<CheckAnswer>.Refused("domain_or_ip_target is neither a name nor an address");
        }

        // The validators ask for an account; here it is whoever the key authorization is for.
        var (token, thumbprint) = request.KeyAuthorization?.Split('.') is [var first, var second] ? (first, second) : ("", "");
        if (request.Method == DcvMethod.AcmeHttp01 && (token != request.Token || !IsBase64Url(token) || !IsBase64Url(thumbprint)))
        {
            return Parsed<CheckAnswer>.Refused("key_authorization is not the token, a dot and a thumbprint, all in base64url");
        }

        var attempt = new ChallengeAttempt(identifier, token, new AccountFacts("", "", [thumbprint], IsValid: true));
        if (request.Method == DcvMethod.AcmeTlsAlpn01)
        {
            if (request.KeyAuthorizationHash is not { Length: 64 } digest || !digest.All(char.IsAsciiHexDigit))
            {
                return Parsed<CheckAnswer>.Refused("key_authorization_hash is no SHA-256 in hexadecimal");
            }

            attempt = attempt with { KeyAuthorizationDigest = [.. Convert.FromHexString(digest)] };
        }

        IChallengeValidator validator = request.Method == DcvMethod.AcmeHttp01 ? new Http01Validator(resolver, http01, time) : new TlsAlpn01Validator(resolver, tlsAlpn01, time);
        var result = await validator.ValidateAsync(attempt, cancellationToken).ConfigureAwait(false);
        var completed = result.IsValid || result.Problem!.Type == Protocol.Acme.ProblemCatalog.Unauthorized || result.Problem.Type == Protocol.Acme.ProblemCatalog.IncorrectResponse;
        return Parsed<CheckAnswer>.Ok(new CheckAnswer(IsCaa: false, completed, result.IsValid)
        {
            ValidationMethod = request.MethodWord,
            ResponseStatusCode = result.Evidence.Hops is { Count: > 0 } hops ? hops[^1].Status : null,
            Errors = result.Problem is { } problem ? [problem.Detail] : [],
            At = time.GetUtcNow(),
        });
    }

    private static Identifier? Target(string text) =>
        IpIdentifier.Parse(text) is { IsValid: true, Value: var ip } ? ip : CertificateName.Parse(text) is { IsValid: true, Value: { IsWildcard: false } name } ? name : null;

    private static bool IsPrefix(string prefix) => prefix.Split('.').All(l => l.Length is > 0 and <= 63 && l.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'));

    private static bool IsBase64Url(string text) => text.Length is > 0 and <= 128 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static int? Code(DnsStatus status) => status switch
    {
        DnsStatus.Answered or DnsStatus.NoData => 0,
        DnsStatus.NxDomain => 3,
        DnsStatus.ServFail => 2,
        DnsStatus.Refused => 5,
        _ => null,
    };
}
