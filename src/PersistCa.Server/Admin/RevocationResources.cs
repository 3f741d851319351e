using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>A bulk revocation as operators see it.</summary>
public sealed record RevocationResource
{
    [Description("Id of the proposal; null for a dry run.")]
    public string? Id { get; init; }

    [Description("pending, expired, running or finished; null for a dry run.")]
    [AllowedValues("pending", "expired", "running", "finished")]
    public string? Status { get; init; }

    [Description("key, account, issuer, name or serials.")]
    [AllowedValues("key", "account", "issuer", "name", "serials")]
    public string? By { get; init; }

    [Description("The fingerprint, id or name.")]
    public string? Criterion { get; init; }

    [Description("CRL reason code, null for none.")]
    public int? Reason { get; init; }

    [Description("Why.")]
    public string? Comment { get; init; }

    [Description("Name of the operator who proposed it.")]
    public string? Proposer { get; init; }

    [Description("When it was proposed.")]
    public DateTimeOffset? Created { get; init; }

    [Description("Until when it can be approved.")]
    public DateTimeOffset? Expires { get; init; }

    [Description("Name of the operator who approved it.")]
    public string? Approver { get; init; }

    [Description("When it was approved.")]
    public DateTimeOffset? Approved { get; init; }

    [Description("When it was carried out.")]
    public DateTimeOffset? Finished { get; init; }

    [Description("How many certificates matched.")]
    public int Matched { get; init; }

    [Description("SHA-256 over their serial numbers, sorted, a line feed after each.")]
    public string? MatchedSha256 { get; init; }

    [Description("How many more match now, while it is pending.")]
    public int? MatchedSince { get; init; }

    [Description("Of those that matched, how many were revoked.")]
    public int? Revoked { get; init; }

    [Description("How many that matched since were revoked too.")]
    public int? RevokedSince { get; init; }

    [Description("Of those that matched, how many had been revoked otherwise or had ended.")]
    public int? Gone { get; init; }

    [Description("The first certificates by serial number.")]
    public IReadOnlyList<CertificateLine>? Certificates { get; init; }

    /// <summary>Puts a report into this form.</summary>
    public static RevocationResource Of(ProposalReport report)
    {
        var certificates = report.First.Select(c => new CertificateLine(c.Serial, c.Names)).ToArray();
        if (report.Proposal is not { } p)
        {
            return new RevocationResource { Matched = report.Matched, Certificates = certificates };
        }

        var decided = p.StartedAt is not null;
        return new RevocationResource
        {
            Id = p.PublicId,
            Status = report.Status!.Value.ToString().ToLowerInvariant(),
            By = ProposalDesk.Word(p.Kind),
            Criterion = p.Criterion.Length == 0 ? null : p.Criterion,
            Reason = p.Reason,
            Comment = p.Comment.Length == 0 ? null : p.Comment,
            Proposer = p.Proposer,
            Created = p.CreatedAt,
            Expires = p.ExpiresAt,
            Approver = p.Approver,
            Approved = p.ApprovedAt,
            Finished = p.FinishedAt,
            Matched = p.Matched,
            MatchedSha256 = p.MatchedSha256,
            MatchedSince = report.MatchedSince,
            Revoked = decided ? p.Revoked : null,
            RevokedSince = decided ? p.RevokedSince : null,
            Gone = decided ? p.Gone : null,
            Certificates = certificates.Length == 0 ? null : certificates,
        };
    }
}

/// <summary>A certificate in a report.</summary>
/// <param name="Serial">Serial number, lower-case hex.</param>
/// <param name="Names">Its names.</param>
public sealed record CertificateLine(string Serial, IReadOnlyList<string> Names);

/// <summary>What an operator wants explained.</summary>
public sealed record ExplainRecord
{
    [Description("Id of the account: the last segment of its URL.")]
    public required string Account { get; init; }

    [Description("The identifier, as an order would have it.")]
    public required AcmeIdentifier Identifier { get; init; }
}

/// <summary>By what the certificates of a bulk revocation are chosen: exactly one of these.</summary>
public sealed record RevocationBy
{
    [Description("SHA-256 of their SubjectPublicKeyInfo, in hexadecimal.")]
    public string? Key { get; init; }

    [Description("Id of their account.")]
    public string? Account { get; init; }

    [Description("Id of their issuer.")]
    public string? Issuer { get; init; }

    [Description("A name in them; '*.corp.example' for every name under corp.example.")]
    public string? Name { get; init; }

    [Description("Their serial numbers, in hexadecimal.")]
    public IReadOnlyList<string>? Serials { get; init; }
}

/// <summary>A bulk revocation that is proposed, or tried.</summary>
public sealed record ProposeRevocation
{
    [Description("Which certificates.")]
    public required RevocationBy Criterion { get; init; }

    [Description("CRL reason code (RFC 5280 section 5.3.1); none unless said.")]
    public int? Reason { get; init; }

    [Description("Why, in a line for those who approve and audit.")]
    public string? Comment { get; init; }

    [Description("True to see what would be revoked, false to propose it.")]
    public required bool DryRun { get; init; }
}

/// <summary>The revocation of one certificate.</summary>
public sealed record RevokeCertificate
{
    [Description("CRL reason code (RFC 5280 section 5.3.1); none unless said.")]
    public int? Reason { get; init; }

    [Description("Why, in a line for those who audit.")]
    public string? Comment { get; init; }
}

/// <summary>An empty object: the path says it all.</summary>
public sealed record Nothing;
