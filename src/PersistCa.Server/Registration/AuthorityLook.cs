using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Hosting;
using PersistCa.Storage;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Registration;

/// <summary>Issuers and profiles as operators see and switch them.</summary>
public sealed class AuthorityLook(CaStore store, IssuerBook issuers, ProfileBook profiles, SwitchBoard switches, DecisionDesk decisions, AuthorityUrls urls)
{
    /// <summary>All issuers that this authority has or had.</summary>
    public async Task<IReadOnlyList<IssuerResource>> IssuersAsync(OperatorIdentity who, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        return await store.ReadAsync(
            async db =>
            {
                await switches.LookAsync(db, cancel);
                var rows = await db.Issuers.OrderByDescending(i => i.AddedAt).ThenBy(i => i.Id).ToListAsync(cancel);
                var made = new List<IssuerResource>(rows.Count);
                foreach (var row in rows)
                {
                    made.Add(await ViewAsync(db, row, cancel));
                }

                return made;
            },
            cancel);
    }

    /// <summary>An issuer.</summary>
    public async Task<Outcome<IssuerResource>> IssuerAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var found = await store.ReadAsync(
            async db =>
            {
                await switches.LookAsync(db, cancel);
                return await db.Issuers.FirstOrDefaultAsync(i => i.Id == id, cancel) is { } row ? await ViewAsync(db, row, cancel) : null;
            },
            cancel);
        return found is null ? Refusals.NoSuchResource("issuer") : found;
    }

    /// <summary>The chain of an issuer in PEM: its certificate and those above it.</summary>
    public async Task<Outcome<string>> ChainAsync(OperatorIdentity who, string id, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        var row = await store.ReadAsync(db => db.Issuers.FirstOrDefaultAsync(i => i.Id == id, cancel), cancel);
        return row is null ? Refusals.NoSuchResource("issuer") : string.Concat(row.ChainDer.Prepend(row.CertificateDer).Select(c => Pem.Certificate(c)));
    }

    /// <summary>Stops an issuer, or lets it sign again.</summary>
    public Task<Outcome<OperatorProposal>> SwitchIssuerAsync(OperatorIdentity who, string id, bool on, string comment, CancellationToken cancel) =>
        decisions.DecideAsync(who, on ? DecisionKinds.IssuerResume : DecisionKinds.IssuerStop, "issuer:" + id, comment, cancel);

    /// <summary>All profiles, on offer or not.</summary>
    public async Task<IReadOnlyList<ProfileResource>> ProfilesAsync(OperatorIdentity who, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(who);
        await store.ReadAsync(db => switches.LookAsync(db, cancel), cancel);
        return [.. profiles.All.Select(View)];
    }

    /// <summary>A profile.</summary>
    public async Task<Outcome<ProfileResource>> ProfileAsync(OperatorIdentity who, string name, CancellationToken cancel) =>
        (await ProfilesAsync(who, cancel)).FirstOrDefault(p => p.Name == name) is { } found ? found : Refusals.NoSuchResource("profile");

    /// <summary>Withdraws a profile, or offers it again.</summary>
    public Task<Outcome<OperatorProposal>> SwitchProfileAsync(OperatorIdentity who, string name, bool on, string comment, CancellationToken cancel) =>
        decisions.DecideAsync(who, on ? DecisionKinds.ProfileOffer : DecisionKinds.ProfileWithdraw, "profile:" + name, comment, cancel);

    private ProfileResource View(CaProfile p) => new()
    {
        Name = p.Name,
        State = !p.Offered ? "unconfigured" : profiles.IsOffered(p) ? "offered" : "withdrawn",
        Default = p.Name == profiles.Default.Name,
        Description = p.Description,
        Regime = p.BaseRegime,
        ProofRegime = p.Regime,
        Issuers = p.Issuers,
        ValiditySeconds = (long)p.Certificate.Validity.TotalSeconds,
        Purposes = [.. p.Certificate.Purposes],
        Policies = [.. p.Certificate.Policies],
        Keys = [.. p.Keys.Order().Select(k => k.ToString())],
        KeyUsages = [.. KeyUsages.All.Where(u => ((p.Certificate.KeyUsage ?? ~0) & u.Bit) != 0).Select(u => u.Name)],
        Status = p.Status.ToString(),
        Ocsp = p.Ocsp,
        IssuerUrl = p.IssuerUrl.Length == 0 ? urls.Issuer("{issuer}") : p.IssuerUrl,
        Identifiers = [.. p.Names.Kinds.Select(k => k.Wire())],
        Wildcards = p.Names.Wildcards,
        Names = [.. p.Names.Rules.Select(r => r.Text)],
        Challenges = [.. p.Challenges.Select(c => c.Wire())],
        Dialects = p.Proofs.Dialects,
        Perspectives = p.Proofs.Perspectives is { } ids ? ids.IsEmpty ? [ProfileSetup.NoneOfThem] : ids : [],
        PerspectivesNeeded = p.Proofs.PerspectivesNeeded,
        Caa = p.Proofs.Caa?.ToString(),
        ReuseSeconds = p.Proofs.Reuse is { } reuse ? (long)reuse.TotalSeconds : null,
        Accounts = [.. p.Accounts.Order(StringComparer.Ordinal)],
        MaxNames = p.Certificate.MaxNames,
    };

    private async Task<IssuerResource> ViewAsync(CaDb db, IssuerRow row, CancellationToken cancel)
    {
        var now = store.Now;
        var booked = issuers.Find(row.Id);
        using var certificate = X509CertificateLoader.LoadCertificate(row.CertificateDer);
        var crl = await db.Crls.Where(c => c.IssuerId == row.Id).OrderByDescending(c => c.Number).Select(c => new { c.Number, c.ThisUpdate, c.NextUpdate }).FirstOrDefaultAsync(cancel);
        return new IssuerResource
        {
            Id = row.Id,
            Name = booked?.Name,
            State = booked is null ? "gone" : profiles.IsStopped(row.Id) ? "stopped" : booked.SignsAt(now) ? "signing" : now < booked.From || now < booked.Issuer.NotBefore ? "later" : "ended",
            Subject = AuthorityName.Show(Issuer.SubjectOf(row.CertificateDer)),
            NotBefore = new DateTimeOffset(certificate.NotBefore.ToUniversalTime(), TimeSpan.Zero),
            NotAfter = new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero),
            From = booked is null || booked.From == DateTimeOffset.MinValue ? null : booked.From,
            Until = booked is null || booked.Until == DateTimeOffset.MaxValue ? null : booked.Until,
            Key = booked?.KeyReference,
            KeySha256 = Issuer.KeyFingerprintOf(row.CertificateDer),
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(row.CertificateDer)),
            AlternateChains = booked?.AlternateChains.Length ?? 0,
            ValidCertificates = await db.Certificates.CountAsync(c => c.IssuerId == row.Id && c.Status == CertificateStatus.Issued && c.NotAfter >= now, cancel),
            CrlNumber = crl?.Number,
            CrlThisUpdate = crl?.ThisUpdate,
            CrlNextUpdate = crl?.NextUpdate,
        };
    }
}
