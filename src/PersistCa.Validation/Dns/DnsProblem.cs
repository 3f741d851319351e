using System.Net;
using PersistCa.Protocol.Acme;

namespace PersistCa.Validation.Dns;

/// <summary>Turns a look-up that brought nothing into the refusal an account sees (RFC 8555 section 6.7, type dns).</summary>
public static class DnsProblem
{
    private const int MaxNameCharacters = 260;
    private const int MaxErrorCharacters = 160;
    private const int MaxReasonCharacters = 700;

    /// <summary>The refusal for a failed look-up. Names the question and the response code, never the resolver.</summary>
    /// <param name="answer">An answer that <see cref="DnsAnswer.IsFailure"/>.</param>
    public static AcmeProblem For(DnsAnswer answer) => new(ProblemCatalog.Dns, $"Looking up {Question(answer)} failed: {Failure(answer)}.");

    /// <summary>How a look-up failed: a clause without capital or full stop, fit for an account.</summary>
    /// <param name="answer">An answer that <see cref="DnsAnswer.IsFailure"/>.</param>
    public static string Clause(DnsAnswer answer) => Failure(answer);

    /// <summary>The refusal for names without the records a challenge needs.</summary>
    /// <param name="answer">An answer without records.</param>
    public static string Absence(DnsAnswer answer) => answer.Status == DnsStatus.NxDomain
        ? $"{answer.OwnerName} does not exist in DNS (NXDOMAIN){Through(answer)}"
        : $"{answer.OwnerName} has no {Word(answer.Kind)} record{Through(answer)}";

    /// <summary>The record type as zone files write it.</summary>
    public static string Word(DnsRecordKind kind) => kind switch
    {
        DnsRecordKind.A => "A",
        DnsRecordKind.Aaaa => "AAAA",
        DnsRecordKind.Caa => "CAA",
        DnsRecordKind.Cname => "CNAME",
        DnsRecordKind.Txt => "TXT",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a record type that is asked for"),
    };

    private static string Question(DnsAnswer answer) => $"{Word(answer.Kind)} {answer.OwnerName}";

    private static string Through(DnsAnswer answer) =>
        answer.CnameChain.IsEmpty ? "" : $" (alias of {PrintableText.Shorten(answer.CnameChain[^1], MaxNameCharacters)})";

    private static string Failure(DnsAnswer answer) => Status(answer) + Extended(answer);

    private static string Status(DnsAnswer answer) => answer.Status switch
    {
        DnsStatus.ServFail when answer.Security == DnsSecurity.Bogus =>
            "the resolver answered SERVFAIL; the zone's DNSSEC signatures are not valid (bogus), and such an answer is never used",
        DnsStatus.ServFail => "the resolver answered SERVFAIL; the zone's servers do not answer properly or its DNSSEC signatures are not valid",
        DnsStatus.Refused => "the resolver answered REFUSED",
        DnsStatus.OtherError => $"the resolver answered {answer.ResponseCode}",
        DnsStatus.Timeout => "no answer came in time",
        DnsStatus.Mismatched => $"the reply does not belong to the question ({answer.Reason})",
        DnsStatus.Unusable => "no readable reply came",
        DnsStatus.TooLarge => $"the answer is too large ({answer.Reason})",
        DnsStatus.NotSecure => "the answer is not secured by DNSSEC, which this authority demands for this name",
        DnsStatus.Bogus => $"the zone's DNSSEC signatures are not valid (bogus), and such an answer is never used: {PrintableText.Shorten(answer.Reason ?? "", MaxReasonCharacters)}",
        DnsStatus.Unproven => $"the DNSSEC signatures could not be checked ({PrintableText.Shorten(answer.Reason ?? "", MaxReasonCharacters)})",
        _ => throw new ArgumentException($"a look-up with status {answer.Status} did not fail", nameof(answer)),
    };

    /// <summary>The first extended error, of those that say bogus if there is one.</summary>
    private static string Extended(DnsAnswer answer)
    {
        if (answer.ExtendedErrors.OrderByDescending(e => e.IsBogus).FirstOrDefault() is not { } error)
        {
            return "";
        }

        var words = error.Text.Length == 0 ? "" : $": {WithoutAddresses(PrintableText.Shorten(error.Text, MaxErrorCharacters))}";
        return $" (extended error {error.Code}, {error.Name}{words})";
    }

    // Resolvers name the servers they asked; addresses inside a network are nobody's business.
    private static string WithoutAddresses(string text) => string.Join(' ', text.Split(' ').Select(word =>
    {
        var bare = word.Trim('<', '>', '(', ')', '[', ']', ',', ';', '.', ':').Split('@', '#', '/')[0];
        return bare.Length > 0 && bare.AsSpan().IndexOfAny('.', ':') >= 0 && (IPAddress.TryParse(bare, out _) || IPEndPoint.TryParse(bare, out _)) ? "(address)" : word;
    }));
}
