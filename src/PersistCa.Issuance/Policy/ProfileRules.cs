using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Linting.Rules;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Policy;

/// <summary>Rules about the profile, and about what it says of key and certificate.</summary>
internal static class ProfileRules
{
    private const string Page = "docs/operations/profiles.md";

    public static PolicyRule[] All { get; } =
    [
        new("profile.offered", "the profile is on offer, to this account too", "draft-ietf-acme-profiles section 4", (f, _) => f.Profile is { Offered: true, OpenToAccount: true }
            ? RuleFinding.Passed(f.Profile.Name, "a profile on offer")
            : RuleFinding.Failed(
                new AcmeProblem(ProblemCatalog.InvalidProfile, $"The profile '{f.Profile.Name}' is not offered{(f.Profile.Offered ? " to this account" : "")} any more; make a new order."),
                f.Profile.Name + (f.Profile.Offered ? ", for other accounts" : ", withdrawn"),
                "a profile on offer")),
        new("key.requested", "the certificate has the key of the request", "RFC 8555 section 7.4", (f, c) => c.Fields.SubjectPublicKeyInfo.Span.SequenceEqual(f.RequestedKey.Span)
            ? RuleFinding.Passed(PublicKeyFingerprint.Of(c.Fields.SubjectPublicKeyInfo.Span), "the key of the request")
            : RuleFinding.Failed(Internal("the certificate has another key than the request"), PublicKeyFingerprint.Of(c.Fields.SubjectPublicKeyInfo.Span), PublicKeyFingerprint.Of(f.RequestedKey.Span))),
        new("key.sound", "the key is of a kind and size that is accepted, and not weak", "Baseline Requirements section 6.1.5, 6.1.6", (f, c) =>
        {
            var judged = f.Keys.Judge(c.Fields.SubjectPublicKeyInfo);
            return RuleFinding.Of([judged.Problem], judged.IsRefused ? "" : judged.Value.ToString(), "a key of an accepted kind and size");
        }),
        new("profile.key", "the profile is for keys of this kind", Page, (f, c) =>
        {
            var judged = f.Keys.Judge(c.Fields.SubjectPublicKeyInfo);
            var expected = string.Join(", ", f.Profile.Keys.Order());
            return judged.IsRefused ? RuleFinding.NotApplicable("the key is none that is accepted")
                : f.Profile.Keys.Contains(judged.Value) ? RuleFinding.Passed(judged.Value.ToString(), expected)
                : RuleFinding.Failed(
                    new AcmeProblem(ProblemCatalog.BadPublicKey, $"The profile {f.Profile.Name} is not for {judged.Value} keys; expected is one of {expected}."), judged.Value.ToString(), expected);
        }),
        new("key.free", "the key is no account's, no authority's, not generated here, and not known to be compromised", "RFC 8555 section 11.1; Baseline Requirements section 6.1.1.3", (f, c) =>
        {
            var fingerprint = PublicKeyFingerprint.Of(c.Fields.SubjectPublicKeyInfo.Span);
            return f.ForbiddenKeys.TryGetValue(fingerprint, out var what)
                ? RuleFinding.Failed(new AcmeProblem(ProblemCatalog.BadPublicKey, $"The key of the certificate is {what} (lint L18); make a new key."), $"{fingerprint}: {what}", "a key of its own")
                : RuleFinding.Passed(fingerprint, "a key of its own");
        }),
        new("profile.count", "there are no more names than the profile allows", Page, (f, c) => c.Names.Count >= 1 && c.Names.Count <= f.Profile.Certificate.MaxNames
            ? RuleFinding.Passed(Texts.Number(c.Names.Count), $"1 to {Texts.Number(f.Profile.Certificate.MaxNames)}")
            : RuleFinding.Failed(
                new AcmeProblem(ProblemCatalog.Malformed, $"The order has {Texts.Number(c.Names.Count)} names; a certificate has 1 to {Texts.Number(f.Profile.Certificate.MaxNames)}."),
                Texts.Number(c.Names.Count),
                $"1 to {Texts.Number(f.Profile.Certificate.MaxNames)}")),
        new("profile.validity", "the certificate lives no longer than profile and regime allow", "Baseline Requirements section 6.3.2", (f, c) =>
        {
            var (life, limit) = (Validities.Inclusive(c), Limit(f));
            var (found, expected) = (Texts.Duration(life), $"more than nothing, at most {Texts.Duration(limit)}");
            return life > TimeSpan.Zero && life <= limit
                ? RuleFinding.Passed(found, expected)
                : RuleFinding.Failed(new AcmeProblem(ProblemCatalog.Malformed, $"The certificate would live {found}; at most {Texts.Duration(limit)} are allowed by the profile {f.Profile.Name}."), found, expected);
        }),
        new("profile.purposes", "the key's purposes are the profile's", "RFC 5280 section 4.2.1.12", (f, c) =>
        {
            return Same(Listed(c.Purposes ?? []), Listed(f.Profile.Certificate.Purposes), "its purposes are not the profile's");
        }),
        new("profile.policies", "the policies that the certificate claims are the profile's", "RFC 5280 section 4.2.1.4", (f, c) =>
        {
            var claimed = CertificatePolicies.Read(c).Select(p => p.Oid);
            return Same(Listed(claimed), Listed(f.Profile.Certificate.Policies), "its policies are not the profile's");
        }),
        new("profile.key-usage", "the key's uses are those that the profile has for its kind", "RFC 5280 section 4.2.1.3", (f, c) =>
        {
            var judged = f.Keys.Judge(c.Fields.SubjectPublicKeyInfo);
            return judged.IsRefused
                ? RuleFinding.NotApplicable("the key is none that is accepted")
                : Same(KeyUsages.Names(c.KeyUsage ?? 0), KeyUsages.Names(f.Profile.Certificate.UsageOf(judged.Value)), "its key usage is not the profile's");
        }),
        new("profile.status", "status is told as the profile says", "RFC 5280 section 4.2.1.13; RFC 6960 section 3.1; RFC 9608", (f, c) =>
        {
            var p = f.Profile.Certificate;
            var expected = Status(p.NoRevocationAvailable, p.CrlUrl is not null || !p.CrlShardUrls.IsDefaultOrEmpty, p.OcspUrl is { } url ? [url] : []);
            var found = Status(c.Fields.Find(Oids.NoRevocationAvailable) is not null, c.Fields.Find(Oids.CrlDistributionPoints) is not null, AccessLocations.Read(c, AccessLocations.Ocsp));
            return Same(found, expected, "status is not told as the profile says");
        }),
        new("profile.issuer-url", "the certificate says where its issuer's is found as the profile has it", "RFC 5280 section 4.2.2.1", (f, c) =>
            Same(Listed(AccessLocations.Read(c, AccessLocations.Issuer)), f.Profile.Certificate.CaIssuersUrl ?? "none", "it does not say where its issuer's certificate is as the profile has it")),
        new("profile.subject", "the subject is empty, or one of the names as its common name where the profile has it so", "Baseline Requirements section 7.1.4.3", (f, c) =>
        {
            var found = c.Subject.IsEmpty ? "empty" : string.Join(", ", c.Subject.Select(s => $"{s.Oid}={s.Text}"));
            var expected = f.Profile.Certificate.CommonName ? "empty, or a name of the order" : "empty";
            var fits = c.Subject switch
            {
                [] => true,
                [{ Oid: Oids.CommonName, Text: var name }] => f.Profile.Certificate.CommonName && f.Names.Any(n => n.Text == name),
                _ => false,
            };
            return fits ? RuleFinding.Passed(found, expected) : RuleFinding.Failed(Internal("its subject is not as the profile has it"), found, expected);
        }),
    ];

    /// <summary>The shorter of the profile's life and what the Baseline Requirements allow on the day of the signature.</summary>
    private static TimeSpan Limit(PolicyFacts f) =>
        f.Profile.Certificate.Regime == Regime.CabfBr && Validities.BaselineLimit(f.Now) is var baseline && baseline < f.Profile.Certificate.Validity ? baseline : f.Profile.Certificate.Validity;

    private static string Status(bool never, bool list, List<string> ocsp) => (never, list, ocsp.Count) switch
    {
        (true, false, 0) => "noRevAvail",
        (false, true, 0) => "list",
        (false, false, 0) => "none",
        _ => string.Join(" and ", [.. never ? ["noRevAvail"] : Array.Empty<string>(), .. list ? ["list"] : Array.Empty<string>(), .. ocsp.Select(u => "OCSP at " + u)]),
    };

    private static string Listed(IEnumerable<string> oids) => string.Join(' ', oids.Order(StringComparer.Ordinal)) is { Length: > 0 } list ? list : "none";

    private static RuleFinding Same(string found, string expected, string otherwise) =>
        found == expected ? RuleFinding.Passed(found, expected) : RuleFinding.Failed(Internal(otherwise), found, expected);

    /// <summary>Nothing that a client did.</summary>
    internal static AcmeProblem Internal(string what) => new(ProblemCatalog.ServerInternal, $"The certificate was not signed, because {what}.");
}
