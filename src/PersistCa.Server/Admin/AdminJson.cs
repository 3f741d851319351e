using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PersistCa.Protocol.Acme;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Admin;

/// <summary>A bulk revocation as operators see it.</summary>
public sealed record RevocationResource
{
    /// <summary>Id of the proposal; null for a dry run.</summary>
    public string? Id { get; init; }

    /// <summary>pending, expired, running or finished; null for a dry run.</summary>
    public string? Status { get; init; }

    /// <summary>key, account, issuer, name or serials.</summary>
    public string? By { get; init; }

    /// <summary>The fingerprint, id or name.</summary>
    public string? Criterion { get; init; }

    /// <summary>CRL reason code, null for none.</summary>
    public int? Reason { get; init; }

    /// <summary>Why.</summary>
    public string? Comment { get; init; }

    /// <summary>Name of the operator who proposed it.</summary>
    public string? Proposer { get; init; }

    /// <summary>RFC 3339.</summary>
    public string? Created { get; init; }

    /// <summary>Until when it can be approved, RFC 3339.</summary>
    public string? Expires { get; init; }

    /// <summary>Name of the operator who approved it.</summary>
    public string? Approver { get; init; }

    /// <summary>RFC 3339.</summary>
    public string? Approved { get; init; }

    /// <summary>RFC 3339.</summary>
    public string? Finished { get; init; }

    /// <summary>How many certificates matched.</summary>
    public int Matched { get; init; }

    /// <summary>SHA-256 over their serial numbers, sorted, a line feed after each.</summary>
    public string? MatchedSha256 { get; init; }

    /// <summary>How many more match now, while it is pending.</summary>
    public int? MatchedSince { get; init; }

    /// <summary>Of those that matched, how many were revoked.</summary>
    public int? Revoked { get; init; }

    /// <summary>How many that matched since were revoked too.</summary>
    public int? RevokedSince { get; init; }

    /// <summary>Of those that matched, how many had been revoked otherwise or had ended.</summary>
    public int? Gone { get; init; }

    /// <summary>The first certificates by serial number.</summary>
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
            Created = AcmeJson.Time(p.CreatedAt),
            Expires = AcmeJson.Time(p.ExpiresAt),
            Approver = p.Approver,
            Approved = p.ApprovedAt is { } approved ? AcmeJson.Time(approved) : null,
            Finished = p.FinishedAt is { } finished ? AcmeJson.Time(finished) : null,
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

/// <summary>Several of them, the newest first.</summary>
/// <param name="Revocations">Without their certificates.</param>
public sealed record RevocationListResource(IReadOnlyList<RevocationResource> Revocations);

/// <summary>A token in a list; its secret is kept nowhere.</summary>
/// <param name="Id">Id by which it is revoked.</param>
/// <param name="Name">Whose.</param>
/// <param name="Role">What for.</param>
/// <param name="State">good, expired or revoked.</param>
/// <param name="Created">RFC 3339.</param>
/// <param name="Expires">RFC 3339.</param>
/// <param name="LastUsed">The last day of use, null for none.</param>
public sealed record TokenLine(string Id, string Name, string Role, string State, string Created, string Expires, string? LastUsed);

/// <summary>How operators' JSON is written: as ACME's.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RevocationResource))]
[JsonSerializable(typeof(RevocationListResource))]
[JsonSerializable(typeof(TokenLine[]))]
public sealed partial class AdminJson : JsonSerializerContext
{
    private static AdminJson? wire;

    /// <summary>The context to write with.</summary>
    public static AdminJson Wire => wire ??= new AdminJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
