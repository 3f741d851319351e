using PersistCa.Protocol;
using PersistCa.Protocol.Identifiers;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>By what certificates are chosen.</summary>
/// <param name="Kind">By what.</param>
/// <param name="Value">Fingerprint, id or name; empty for a list.</param>
/// <param name="Serials">The list, lower-case hex, without repeats; empty for anything else.</param>
public sealed record RevocationCriterion(CriterionKind Kind, string Value, IReadOnlyList<string> Serials)
{
    /// <summary>Most octets of a serial number (RFC 5280 section 4.1.2.2).</summary>
    public const int MaxSerialOctets = 20;

    /// <summary>Reads a criterion.</summary>
    /// <param name="kind">By what; not a list.</param>
    /// <param name="text">
    /// The SHA-256 of a SubjectPublicKeyInfo in hexadecimal, with or without colons; the id of an account or an issuer; a name or an address as it stands in
    /// certificates, or "*.corp.example" for every name below corp.example, however deep, wildcards too, and not for corp.example itself.
    /// </param>
    public static Parsed<RevocationCriterion> Read(CriterionKind kind, string text)
    {
        switch (kind)
        {
            case CriterionKind.Key:
                var digits = text.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
                return digits.Length == 64 && digits.All(char.IsAsciiHexDigitLower) ? Ok(digits) : Refused("a key is named by the SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal digits");
            case CriterionKind.Account:
                return PublicId.LooksRight(text) ? Ok(text) : Refused($"an account is named by the last segment of its URL, {PublicId.Length} characters");
            case CriterionKind.Issuer:
                return text.Length is >= 1 and <= 32 && text.All(char.IsAsciiLetterOrDigit) ? Ok(text) : Refused("an issuer is named by its id, as in the URL of its list");
            case CriterionKind.Name when text.StartsWith("*.", StringComparison.Ordinal):
                var under = DnsName.Parse(text[2..]);
                return under.IsValid ? Ok("*." + under.Value.Text) : Refused($"'{Refusals.Shorten(text)}' is not '*.' and a name: {under.Reason}");
            case CriterionKind.Name:
                var address = Identifier.Parse(IdentifierType.Ip, text);
                var name = address.IsValid ? address : Identifier.Parse(IdentifierType.Dns, text);
                return name.IsValid ? Ok(name.Value.Text) : Refused($"'{Refusals.Shorten(text)}' is not a name: {name.Reason}");
            default:
                throw new ArgumentOutOfRangeException(nameof(kind));
        }

        Parsed<RevocationCriterion> Ok(string value) => Parsed<RevocationCriterion>.Ok(new RevocationCriterion(kind, value, []));
        Parsed<RevocationCriterion> Refused(string reason) => Parsed<RevocationCriterion>.Refused(reason);
    }

    /// <summary>Reads a list of serial numbers: hexadecimal in any case, with or without colons and leading zeros of a digit.</summary>
    public static Parsed<RevocationCriterion> ReadSerials(IEnumerable<string> texts)
    {
        var serials = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var digits = text.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
            digits = digits.Length % 2 == 1 ? "0" + digits : digits;
            if (digits.Length is 0 or > MaxSerialOctets * 2 || !digits.All(char.IsAsciiHexDigitLower))
            {
                return Parsed<RevocationCriterion>.Refused($"'{Refusals.Shorten(text)}' is not a serial number of at most {MaxSerialOctets} octets in hexadecimal");
            }

            serials.Add(digits);
        }

        return serials.Count == 0
            ? Parsed<RevocationCriterion>.Refused("the list of serial numbers is empty")
            : Parsed<RevocationCriterion>.Ok(new RevocationCriterion(CriterionKind.Serials, "", [.. serials]));
    }
}

/// <summary>What an officer wants revoked.</summary>
/// <param name="Criterion">Which certificates.</param>
/// <param name="Reason">CRL reason code, null for none.</param>
/// <param name="Comment">Why, for those who read it later.</param>
/// <param name="PlannedFor">Before this it is not carried out, and clients are told to renew meanwhile (RFC 9773 section 4.2); null for at once.</param>
/// <param name="ExplanationUrl">A page for them that says why; null for none.</param>
public sealed record RevocationWish(RevocationCriterion Criterion, int? Reason, string Comment, DateTimeOffset? PlannedFor = null, string? ExplanationUrl = null);

/// <summary>A proposal as it stands.</summary>
/// <param name="Proposal">The row; null for a dry run.</param>
/// <param name="Status">Its state; null for a dry run.</param>
/// <param name="Matched">How many certificates matched.</param>
/// <param name="First">The first of them by serial number.</param>
/// <param name="MatchedSince">How many more match now; null where nobody looked.</param>
public sealed record ProposalReport(RevocationProposal? Proposal, ProposalStatus? Status, int Matched, IReadOnlyList<MatchedCertificate> First, int? MatchedSince = null);
