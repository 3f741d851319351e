using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Policy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Orders;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.ExternalAccounts;

namespace PersistCa.Server.Registration;

/// <summary>An order at the moment at which its certificate is decided on.</summary>
/// <param name="Order">The order.</param>
/// <param name="Authorizations">What it rests on.</param>
/// <param name="Account">Its account, read live.</param>
/// <param name="Profile">Its profile as configured now.</param>
/// <param name="Signer">Who is to sign.</param>
/// <param name="Request">The certificate request.</param>
/// <param name="Known">The intent that was made before a crash; null for none.</param>
public sealed record IssuanceCase(
    Order Order, IReadOnlyList<Authorization> Authorizations, Account Account, CaProfile Profile, CertificateIssuer Signer, SigningRequest Request, IssuedCertificate? Known);

/// <summary>The certificate of a case, and the judgement on it.</summary>
/// <param name="Intent">The draft; null where an intent was found.</param>
/// <param name="Decision">The judgement.</param>
/// <param name="Due">Names whose CAA records have to be looked at first.</param>
public sealed record Judged(IssuanceIntent? Intent, PolicyDecision Decision, IReadOnlyList<CaaDue> Due);

/// <summary>Gathers what policy has to know of a certificate, inside the issuing transaction, has it judged, and keeps the judgement.</summary>
public sealed class PolicyDesk(
    ProfileBook profiles,
    IssuerBook issuers,
    IdentifierPolicy identifiers,
    KeyPolicy keys,
    ValidationRegimes regimes,
    CaaDesk caa,
    BlockedKeyList blocked,
    AccountScopes scopes,
    LimitDesk limits,
    PersistCaOptions options)
{
    /// <summary>Drafts the certificate of a case, or takes the one that was intended, and judges it. What an external account may have is taken here.</summary>
    /// <returns>The judgement; malformed when the times that the order asks for cannot be given.</returns>
    public async Task<Outcome<Judged>> JudgeAsync(StoreTransaction t, IssuanceCase c, CancellationToken cancel)
    {
        ImmutableArray<Identifier> names = [.. c.Order.Names.Select(Identifier.Of)];
        var reads = t.Read();
        var keyFacts = new KeyFacts(
            reads.IsBlocked(c.Request.KeyFingerprint),
            Jwk.FromSubjectPublicKeyInfo(c.Request.SubjectPublicKeyInfo.Span) is { } key ? reads.KeyIsAccounts(key.Thumbprint) : null,
            reads.IsOcspSigners(c.Request.KeyFingerprint));
        var checks = CaaDesk.Ask(reads, c.Authorizations, t.Now);
        await reads.RunAsync(cancel);
        var forbidden = ForbiddenKeys(c, keyFacts);
        var request = new IssuanceRequest
        {
            SubjectPublicKeyInfo = c.Request.SubjectPublicKeyInfo,
            KeyKind = c.Request.KeyKind,
            Names = names,
            Now = t.Now,
            NotBefore = c.Order.NotBefore,
            NotAfter = c.Order.NotAfter,
            BlockedKeys = forbidden.Keys.ToHashSet(),
        };
        IssuanceIntent? intent = null;
        if (c.Known is null && !c.Signer.Draft(request).TryGet(out intent, out var impossible))
        {
            return impossible;
        }

        ReadOnlyMemory<byte> tbs = intent?.TbsDer ?? c.Known!.TbsDer;
        var seen = caa.Seen(checks, c.Order.Names, c.Authorizations);
        var decision = PolicyDecision.Judge(new PolicyFacts
        {
            TbsDer = tbs,
            Now = t.Now,
            Account = await AccountAsync(t, c, cancel),
            Profile = new ProfileFacts(
                c.Profile.Name,
                c.Profile.Regime,
                profiles.IsOffered(c.Profile),
                c.Profile.Accounts.Count == 0 || c.Profile.Accounts.Contains(c.Account.PublicId),
                c.Profile.Keys,
                c.Profile.Challenges,
                c.Signer.Profile)
            {
                Names = c.Profile.Names,
                Proofs = c.Profile.Proofs.InWords,
                ProvedAnew = c.Profile.Proofs.ProvedAnew,
            },
            Issuer = new IssuerFacts(c.Signer.Issuer.IssuerId, c.Signer.Issuer.NotBefore, c.Signer.Issuer.NotAfter, c.Signer.Issuer.Constraints),
            Names = names,
            OrderedAt = c.Order.CreatedAt,
            WishedNotBefore = c.Order.NotBefore,
            WishedNotAfter = c.Order.NotAfter,
            RequestedKey = c.Request.SubjectPublicKeyInfo,
            Keys = keys,
            ForbiddenKeys = forbidden,
            Proofs = [.. names.Select(n => Proof(c, n, t.Now))],
            Caa = seen.Facts,
            NotServed = i => identifiers.Judge(i).Problem,
            NotPublic = i => IdentifierIntake.OutsideThePublicWeb(i, i.Acme),
            Findings = intent?.Findings ?? [.. c.Signer.Lint(tbs, request)],
        });
        return new Judged(intent, decision, seen.Due);
    }

    private async Task<AccountFactsNow> AccountAsync(StoreTransaction t, IssuanceCase c, CancellationToken cancel)
    {
        var scope = await t.ScopeAsync(c.Account, cancel);

        // An intent has its certificate already, taken when it was made.
        var spent = c.Known is null ? await limits.TakeCertificateAsync(t, scope, cancel) : null;
        var suspended = c.Account is { Status: AccountStatus.Valid, IsValid: false };
        return new AccountFactsNow(c.Account.PublicId, suspended ? "suspended" : c.Account.Status.ToString().ToLowerInvariant(), c.Account.IsValid)
        {
            Suspended = suspended ? AccountRegistrar.NotValid(c.Account) : null,
            Restrictions = c.Account.Restrictions,
            Scope = scope,
            ScopeRequired = scopes.Required,
            Act = await AccountScopes.ActAsync(t, c.Account, scope, c.Order.Names, c.Order.Replaces, cancel),
            CertificatesSpent = spent,
        };
    }

    private ProofFacts Proof(IssuanceCase c, Identifier name, DateTimeOffset now)
    {
        if (c.Authorizations.FirstOrDefault(a => a.Covers(name.Text) && a.AccountId == c.Order.AccountId) is not { } authorization)
        {
            return new ProofFacts(name);
        }

        var won = authorization.Challenges.FirstOrDefault(x => x.Status == ChallengeStatus.Valid);
        return new ProofFacts(name)
        {
            Authorization = authorization.PublicId,
            Status = authorization.StatusAt(now),
            Method = won?.Type,
            Above = authorization.CertificateName != name.Text,
            ProvedAt = authorization.ValidatedAt,
            LongestUse = won is null ? TimeSpan.Zero : ValidationDesk.LongestUse(options.Acme.AuthorizationLifetime, c.Profile.Regime, c.Profile.Proofs, won.Type, authorization.ValidatedAt ?? now),
            ByPresentRules = authorization.Rules == regimes.Find(c.Profile.Regime)?.Rules.Fingerprint,
        };
    }

    /// <summary>Of the keys that must not be certified those that this one could be, each with what it is.</summary>
    private Dictionary<string, string> ForbiddenKeys(IssuanceCase c, KeyFacts facts)
    {
        var fingerprint = c.Request.KeyFingerprint;
        var found = new Dictionary<string, string>();
        foreach (var key in c.Account.Keys)
        {
            found[PublicKeyFingerprint.Of(Jwk.FromCanonical(key.Jwk).SubjectPublicKeyInfo())] = "a key that is, or was, this account's";
        }

        if (facts.Blocked.Value || blocked.Lists(fingerprint))
        {
            found[fingerprint] = "known to be compromised and blocked for ever";
        }
        else if (issuers.HasKey(fingerprint))
        {
            found[fingerprint] = "a key of this authority";
        }
        else if (facts.OfAccount is { Value: true })
        {
            found[fingerprint] = "a key that is, or was, an account's"; // registered since finalize, perhaps
        }
        else if (facts.OfOcspSigner.Value)
        {
            found[fingerprint] = "a key that this authority made";
        }

        return found;
    }

    private sealed record KeyFacts(Found<bool> Blocked, Found<bool>? OfAccount, Found<bool> OfOcspSigner);
}
