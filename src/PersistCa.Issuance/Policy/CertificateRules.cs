using PersistCa.Issuance.Linting;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Policy;

/// <summary>Rules about the certificate as a whole.</summary>
internal static class CertificateRules
{
    public static PolicyRule[] All { get; } =
    [
        new("validity.ordered", "the certificate has the times that the order asks for", "RFC 8555 section 7.4", (f, c) =>
        {
            if (f.WishedNotBefore is null && f.WishedNotAfter is null)
            {
                return RuleFinding.NotApplicable("the order asks for none");
            }

            var (found, expected) = ($"{Show(c.Fields.NotBefore.At)} to {Show(c.Fields.NotAfter.At)}", $"{Show(f.WishedNotBefore)} to {Show(f.WishedNotAfter)}");
            return (f.WishedNotBefore is null || f.WishedNotBefore == c.Fields.NotBefore.At) && (f.WishedNotAfter is null || f.WishedNotAfter == c.Fields.NotAfter.At)
                ? RuleFinding.Passed(found, expected)
                : RuleFinding.Failed(ProfileRules.Internal("its times are not the order's"), found, expected);
        }),
        new("validity.issuer", "the certificate lives within its issuer's life, and is not over yet", "RFC 5280 section 6.1", (f, c) =>
        {
            var (from, to) = (c.Fields.NotBefore.At, c.Fields.NotAfter.At);
            var (found, expected) = ($"{Show(from)} to {Show(to)}", $"within {Show(f.Issuer.NotBefore)} to {Show(f.Issuer.NotAfter)}, and not over at {Show(f.Now)}");
            return from >= f.Issuer.NotBefore && to <= f.Issuer.NotAfter && to > f.Now
                ? RuleFinding.Passed(found, expected)
                : RuleFinding.Failed(new AcmeProblem(ProblemCatalog.Malformed, $"The certificate would run from {found}; expected is {expected}."), found, expected);
        }),
        new("lint", "the lint finds nothing that forbids the signature", "Baseline Requirements section 4.3.1.2", (f, _) =>
        {
            var errors = f.Findings.Where(x => x.Severity == LintSeverity.Error).ToList();
            var found = f.Findings.IsEmpty ? "nothing" : Texts.List(f.Findings.Select(x => $"{x.Id} {x.Severity}: {x.Message}"), f.Findings.Length);
            return errors.Count == 0
                ? RuleFinding.Passed(found, "no error")
                : RuleFinding.Failed(ProfileRules.Internal($"its lint found: {string.Join("; ", errors.Select(e => $"{e.Id}: {e.Message}"))}"), found, "no error");
        }),
    ];

    private static string Show(DateTimeOffset? time) => time is { } at ? AcmeJson.Time(at) : "any";
}
