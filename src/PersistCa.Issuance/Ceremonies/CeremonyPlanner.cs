using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>What a step is to make: decided from the folder's root, a plan and the time alone. Nothing is signed or written here.</summary>
/// <param name="folder">Path of the folder, for what is said.</param>
/// <param name="files">Its public files, which have been replayed.</param>
/// <param name="regime">By whose rules the root was made.</param>
/// <param name="now">The time.</param>
internal sealed class CeremonyPlanner(string folder, IReadOnlyDictionary<string, byte[]> files, Regime regime, DateTimeOffset now)
{
    /// <summary>What a root is to be.</summary>
    public AuthorityCertificate Root(RootPlan plan, ISigningKey key)
    {
        var identifier = CertificateTbs.KeyIdentifier(key.SubjectPublicKeyInfo);
        return new AuthorityCertificate
        {
            Kind = AuthorityKind.Root,
            Regime = plan.Regime,
            Serial = SerialNumbers.Next(),
            Issuer = plan.Subject,
            Subject = plan.Subject,
            Algorithm = key.Algorithm.Name,
            NotBefore = now,
            NotAfter = End(plan.Validity),
            Key = key.SubjectPublicKeyInfo,
            IssuerKeyIdentifier = identifier,
            KeyIdentifier = identifier,
            PathLength = plan.PathLength,
        };
    }

    /// <summary>What the certificate of a request is to be.</summary>
    public Parsed<AuthorityCertificate> Subordinate(AuthorityRequest request, AuthorityPlan plan, ISigningKey rootKey) =>
        Below(AuthorityKind.Subordinate, request.Subject, request.Key, CertificateTbs.KeyIdentifier(request.Key), plan, rootKey);

    /// <summary>What a certificate for another root's name and key is to be.</summary>
    public Parsed<AuthorityCertificate> Cross(byte[] other, AuthorityPlan plan, ISigningKey rootKey)
    {
        var parts = SignedParts.Read(other);
        var fields = parts.IsValid ? TbsFields.Read(parts.Value.ToBeSigned) : Parsed<TbsFields>.Refused(parts.Reason);
        if (!fields.IsValid)
        {
            return Parsed<AuthorityCertificate>.Refused("the other root's certificate cannot be read: " + fields.Reason);
        }

        var f = fields.Value;
        if (!f.Issuer.Span.SequenceEqual(f.Subject.Span) || KnownSignature.Refuse(f.SubjectPublicKeyInfo.Span, parts.Value!) is not null)
        {
            return Parsed<AuthorityCertificate>.Refused("the other certificate is no root's: it is not signed by its own key under its own name");
        }

        if (Issuer.JudgeAuthority(f, 0, now) is { } unfit)
        {
            return Parsed<AuthorityCertificate>.Refused("the other root's certificate " + unfit);
        }

        return Below(AuthorityKind.Cross, f.Subject.ToArray(), f.SubjectPublicKeyInfo.ToArray(), StepReplay.KeyIdentifier(f)!, plan, rootKey);
    }

    /// <summary>What the next list is to say: what the last one said, and what is revoked now.</summary>
    public Parsed<TranscribedList> List(ListPlan plan, TranscribedList? last)
    {
        if (plan.Validity < TimeSpan.FromDays(1) || plan.Validity > Ceremony.MaxListValidity)
        {
            return Refuse($"the list would be good for {plan.Validity.TotalDays:0.##} days; 1 to {Ceremony.MaxListValidity.TotalDays:0} are allowed (Baseline Requirements section 4.9.7)");
        }

        var revoked = new List<RevokedCertificate>(last?.Revoked ?? []);
        foreach (var entry in plan.Revoke)
        {
            if (entry.Serial.Length is 0 or > 40 || entry.Serial.Length % 2 != 0 || !entry.Serial.All(char.IsAsciiHexDigitLower))
            {
                return Refuse($"'{entry.Serial}' is no serial number; write lower-case hex of whole octets");
            }

            if (revoked.Any(r => r.Serial == entry.Serial))
            {
                return Refuse($"the serial number {entry.Serial} is revoked already");
            }

            if (RevocationReasons.JudgeAuthority(entry.Reason) is { } refused)
            {
                return Refuse(refused);
            }

            if (regime == Regime.CabfBr && entry.Reason is null or 0)
            {
                return Refuse($"the certificate {entry.Serial} is to be revoked without a reason; under the Baseline Requirements (section 7.2.2) an authority's has one: write {entry.Serial}=REASON");
            }

            revoked.Add(entry);
        }

        return Parsed<TranscribedList>.Ok(new TranscribedList { Number = (last?.Number ?? 0) + 1, ThisUpdate = now, NextUpdate = now + plan.Validity, Revoked = revoked });

        static Parsed<TranscribedList> Refuse(string reason) => Parsed<TranscribedList>.Refused(reason);
    }

    /// <summary>The root's certificate, DER; or that there is none.</summary>
    public Parsed<byte[]> RootCertificate()
    {
        if (!files.TryGetValue(CeremonyFolder.RootFile, out var text))
        {
            return Parsed<byte[]>.Refused($"{folder} has no {CeremonyFolder.RootFile}; make a root by 'ceremony root', or put the certificate of yours there");
        }

        return Parsed<byte[]>.Ok(Pem.ReadCertificates(Encoding.Latin1.GetString(text)).Value[0]); // the replay has read it
    }

    /// <summary>Whether a key is the root's.</summary>
    public bool IsRoot(ISigningKey key) => RootCertificate() is { IsValid: true } root
        && TbsFields.Read(SignedParts.Read(root.Value).Value!.ToBeSigned).Value!.SubjectPublicKeyInfo.Span.SequenceEqual(key.SubjectPublicKeyInfo);

    /// <summary>The root as an issuer.</summary>
    public Parsed<Issuer> LoadRoot(ISigningKey key)
    {
        var root = RootCertificate();
        return root.IsValid ? Issuer.Load(root.Value, [], key, now) : Parsed<Issuer>.Refused(root.Reason);
    }

    private DateTimeOffset End(TimeSpan validity) => CertificateTbs.WholeSeconds(now + validity - TimeSpan.FromSeconds(1));

    private Parsed<AuthorityCertificate> Below(AuthorityKind kind, byte[] subject, byte[] key, byte[] identifier, AuthorityPlan plan, ISigningKey rootKey)
    {
        var loaded = LoadRoot(rootKey);
        if (!loaded.IsValid)
        {
            return Parsed<AuthorityCertificate>.Refused(loaded.Reason);
        }

        var root = loaded.Value;
        if (!root.ReachesRoot)
        {
            return Parsed<AuthorityCertificate>.Refused($"{CeremonyFolder.RootFile} is no root's: its issuer is not its subject");
        }

        if (subject.AsSpan().SequenceEqual(root.SubjectDer.Span) || key.AsSpan().SequenceEqual(rootKey.SubjectPublicKeyInfo))
        {
            return Parsed<AuthorityCertificate>.Refused("its name or its key is the root's own");
        }

        var below = Issuer.PathLengthOf(root.CertificateDer);
        if (below is 0 || (plan.PathLength is { } wished && wished >= below))
        {
            return Parsed<AuthorityCertificate>.Refused($"the root has a path length of {below}, so that of an authority below it is {(below is 0 ? "none: it may have none" : $"{below - 1} at most")}");
        }

        var end = End(plan.Validity);
        return Parsed<AuthorityCertificate>.Ok(new AuthorityCertificate
        {
            Kind = kind,
            Regime = plan.Regime,
            Serial = SerialNumbers.Next(),
            Issuer = root.SubjectDer.ToArray(),
            Subject = subject,
            Algorithm = rootKey.Algorithm.Name,
            NotBefore = now,
            NotAfter = end < root.NotAfter ? end : root.NotAfter,
            Key = key,
            IssuerKeyIdentifier = root.KeyIdentifier,
            KeyIdentifier = identifier,
            PathLength = plan.PathLength,
            Purposes = plan.Purposes,
            Policies = plan.Policies,
            Names = plan.Names,
            CertificateUrl = plan.CertificateUrl,
            CrlUrl = plan.CrlUrl,
        });
    }
}
