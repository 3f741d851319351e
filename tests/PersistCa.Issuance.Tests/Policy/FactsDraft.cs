using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Policy;
using PersistCa.Issuance.Signing;
using PersistCa.Issuance.Tests.Hierarchy;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Limits;

namespace PersistCa.Issuance.Tests.Policy;

/// <summary>Facts of a good certificate, bent as a row of the vectors says. What a row does not say is good.</summary>
internal static class FactsDraft
{
    private static readonly DateTimeOffset Now = TestAuthority.Now.AddDays(1);

    private static readonly Lazy<byte[]> Key = new(TestAuthority.NewSpki);

    private static readonly Lazy<byte[]> OtherKey = new(TestAuthority.NewSpki);

    /// <summary>Makes the facts.</summary>
    /// <param name="bend">A row's departures.</param>
    /// <param name="names">The order's names.</param>
    /// <param name="method">By which they were proved.</param>
    /// <param name="above">Whether names above them were proved in their place.</param>
    public static async Task<PolicyFacts> MakeAsync(JsonElement bend, string[] names, string method = "dns-persist-01", bool above = false)
    {
        var at = Now.AddDays(Number(bend, "laterDays") ?? 0);
        var key = Text(bend, "subjectKey") switch { "rsa1024" => Rsa(1024), "secp256k1" => Secp256k1(), _ => Key.Value };
        var issuer = await IssuerAsync(bend);
        var profile = new ServerProfile
        {
            MaxNames = Number(bend, "maxNames") ?? 100,
            Validity = TimeSpan.FromDays(Number(bend, "validityDays") ?? 90),
            Regime = Text(bend, "regime") == "CabfBr" ? Regime.CabfBr : Regime.Private,
            Purposes = List(bend, "purposes") is { } purposes ? [.. purposes] : ["1.3.6.1.5.5.7.3.1"],
            Policies = List(bend, "policies") is { } policies ? [.. policies] : [],
            NoRevocationAvailable = Flag(bend, "noRevAvail") ?? false,
            CrlUrl = "http://ca.example/i.crl",
            OcspUrl = Text(bend, "ocsp"),
            CaIssuersUrl = Text(bend, "issuerUrl"),
            KeyUsage = Number(bend, "keyUsage"),
        };
        var drafted = new ServerProfile { Validity = TimeSpan.FromDays(Number(bend, "draftDays") ?? 90), CommonName = Flag(bend, "draftCommonName") ?? false, CrlUrl = profile.CrlUrl };
        var draft = new CertificateIssuer(issuer, drafted).Draft(new IssuanceRequest
        {
            SubjectPublicKeyInfo = key,
            KeyKind = Text(bend, "subjectKey") == "rsa1024" ? KeyKind.Rsa : KeyKind.P256,
            Names = TestAuthority.Names([.. List(bend, "draftNames") ?? names]),
            Now = Now,
        }).Value;
        ImmutableArray<Identifier> ordered = [.. names.Select(Identifier.Of)];
        var served = Served(bend);
        return new PolicyFacts
        {
            TbsDer = draft.TbsDer,
            Now = at,
            Account = Account(bend, at),
            Profile = new ProfileFacts(
                "server",
                profile.Regime == Regime.CabfBr ? "cabf-br" : "private",
                Flag(bend, "offered") ?? true,
                Flag(bend, "open") ?? true,
                (List(bend, "keys")?.Select(Enum.Parse<KeyKind>) ?? Enum.GetValues<KeyKind>()).ToFrozenSet(),
                [.. (List(bend, "challenges") ?? []).Select(c => ChallengeTypes.Read(c)!.Value)],
                profile)
            {
                Names = new SubjectNames
                {
                    Kinds = [.. (List(bend, "profileKinds") ?? []).Select(k => IdentifierTypes.Read(k)!.Value)],
                    Wildcards = Flag(bend, "profileNoWildcards") != true,
                    Rules = [.. (List(bend, "profileNames") ?? []).Select(n => NameRule.Parse(n).Value!)],
                },
                ProvedAnew = Flag(bend, "anew") ?? false,
            },
            OrderedAt = at.AddHours(-(Number(bend, "orderedHours") ?? 2)),
            Issuer = new IssuerFacts(issuer.IssuerId, issuer.NotBefore, Number(bend, "issuerEndsDays") is { } ends ? at.AddDays(ends) : issuer.NotAfter, issuer.Constraints),
            Names = ordered,
            WishedNotAfter = Number(bend, "wishedNotAfterDays") is { } days ? at.AddDays(days) : null,
            WishedNotBefore = Number(bend, "wishedNotBeforeHours") is { } hours ? at.AddHours(hours) : null,
            RequestedKey = Text(bend, "requestedKey") == "other" ? OtherKey.Value : key,
            Keys = new KeyPolicy(),
            ForbiddenKeys = Text(bend, "forbidden") is { } what ? new Dictionary<string, string> { [PublicKeyFingerprint.Of(key)] = what } : FrozenDictionary<string, string>.Empty,
            Proofs = [.. ordered.Select(n => Proof(bend, n, method, above, at))],
            Caa = [.. ordered.OfType<CertificateName>().Select(n => Caa(bend, n, at))],
            NotServed = i => served.Judge(i).Problem,
            NotPublic = i => Flag(bend, "notPublic") == true ? new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{i} is not public.") { Identifier = i.Acme } : null,
            Findings = Text(bend, "lint") is { } severity ? [new LintFinding("L99", "a fault", Enum.Parse<LintSeverity>(severity))] : [],
        };
    }

    private static AccountFactsNow Account(JsonElement bend, DateTimeOffset at)
    {
        var state = Text(bend, "account") ?? "valid";
        var r = bend.TryGetProperty("restrictions", out var found) ? found : default;
        var account = new AccountFactsNow("AAAAAAAAAAAAAAAA", state, state == "valid")
        {
            ScopeRequired = Flag(bend, "required") ?? false,
            Restrictions = new AccountRestrictions { Names = List(r, "names") ?? [], Profiles = List(r, "profiles") ?? [], Challenges = [.. (List(r, "challenges") ?? []).Select(c => ChallengeTypes.Read(c)!.Value)] } is { IsNone: false } some ? some : null,
        };
        if (!bend.TryGetProperty("scope", out var s))
        {
            return account;
        }

        var spent = Flag(s, "spent") == true;
        return account with
        {
            Scope = new AccountScope
            {
                KeyId = "K",
                Names = [.. (List(s, "names") ?? [".", "0.0.0.0/0"]).Select(n => NameRule.Parse(n).Value!)],
                Profiles = [.. List(s, "profiles") ?? []],
                Challenges = [.. (List(s, "challenges") ?? []).Select(c => ChallengeTypes.Read(c)!.Value)],
                MaxNames = Number(s, "maxNames") ?? 0,
                Certificates = spent ? new RateLimit(1, TimeSpan.FromDays(1)) : RateLimit.None,
                EndsAt = Flag(s, "ended") == true ? at.AddHours(-1) : null,
                Removed = Flag(s, "removed") ?? false,
                Stops = EndStops.NewOrders | EndStops.Renewals,
            },
            Act = Flag(s, "renewal") == true ? ScopedAct.Renewal : ScopedAct.NewOrder,
            CertificatesSpent = spent ? new AcmeProblem(ProblemCatalog.RateLimited, "There were too many certificates.") : null,
        };
    }

    private static ProofFacts Proof(JsonElement bend, Identifier name, string method, bool above, DateTimeOffset at)
    {
        var p = bend.TryGetProperty("proof", out var found) ? found : default;
        if (p.ValueKind == JsonValueKind.Object && p.TryGetProperty("authorization", out _))
        {
            return new ProofFacts(name);
        }

        return new ProofFacts(name)
        {
            Authorization = "BBBBBBBBBBBBBBBB",
            Status = Enum.Parse<AuthorizationStatus>(Text(p, "status") ?? "Valid"),
            Method = ChallengeTypes.Read(Text(p, "method") ?? method),
            Above = Flag(p, "above") ?? above,
            ProvedAt = at.AddHours(-(Number(p, "hours") ?? 1)),
            LongestUse = Number(bend, "longestUseDays") is { } days ? TimeSpan.FromDays(days) : TimeSpan.FromHours(7),
            ByPresentRules = Flag(p, "present") ?? true,
        };
    }

    private static CaaFacts Caa(JsonElement bend, CertificateName name, DateTimeOffset at)
    {
        var c = bend.TryGetProperty("caa", out var found) ? found : default;
        var outcome = c.ValueKind == JsonValueKind.Object && c.TryGetProperty("outcome", out var word) ? word.GetString() : nameof(CaaOutcome.Permitted);
        return new CaaFacts(name, Enum.Parse<CaaMode>(Text(c, "mode") ?? "Enforce")) { Outcome = outcome, CheckedAt = at.AddHours(-8), FreshUntil = at.AddHours(Number(c, "fresh") ?? 1) };
    }

    private static IdentifierPolicy Served(JsonElement bend) => new(
        new NamePolicy(
            new NamePolicyOptions { DeniedSuffixes = [.. List(bend, "denied") ?? []], AllowedSuffixes = [.. List(bend, "allowed") ?? []], AllowWildcards = Flag(bend, "noWildcards") != true },
            PublicSuffixList.Shipped),
        new IpPolicy(new IpPolicyOptions { AllowedNetworks = ["10.0.0.0/8"], DeniedNetworks = [.. List(bend, "deniedNetworks") ?? []] }));

    private static async Task<Issuer> IssuerAsync(JsonElement bend) => List(bend, "constrained") is { } permitted
        ? await NameConstraintsTests.IssuerAsync(new NameConstraintsTests.NameConstraintsParts([.. permitted], []))
        : await TestAuthority.IssuingAsync();

    private static byte[] Rsa(int bits)
    {
        using var rsa = RSA.Create(bits);
        return rsa.ExportSubjectPublicKeyInfo();
    }

    private static byte[] Secp256k1()
    {
        using var key = ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.10"));
        return key.ExportSubjectPublicKeyInfo();
    }

    private static string? Text(JsonElement e, string member) => e.ValueKind == JsonValueKind.Object && e.TryGetProperty(member, out var found) ? found.GetString() : null;

    private static int? Number(JsonElement e, string member) => e.ValueKind == JsonValueKind.Object && e.TryGetProperty(member, out var found) ? found.GetInt32() : null;

    private static bool? Flag(JsonElement e, string member) => e.ValueKind == JsonValueKind.Object && e.TryGetProperty(member, out var found) ? found.GetBoolean() : null;

    private static IReadOnlyList<string>? List(JsonElement e, string member) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(member, out var found) ? [.. found.EnumerateArray().Select(i => i.GetString()!)] : null;
}
