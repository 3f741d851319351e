using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>
/// The steps of an offline root's life, over a folder and nothing else. Each step begins by replaying what is in the folder, makes what it makes in memory, writes
/// it beside what is there, and its transcript last, signed with the key just used. Refusals are reasons for an operator; nothing was signed then.
/// </summary>
public sealed class Ceremony
{
    /// <summary>Longest time from one list of a root to the next (Baseline Requirements section 4.9.7: twelve months).</summary>
    public static readonly TimeSpan MaxListValidity = TimeSpan.FromDays(365);

    private readonly CeremonyFolder folder;
    private readonly CeremonySetting setting;
    private readonly ImmutableSortedDictionary<string, byte[]> files;
    private readonly ReplayedCeremony before;

    private Ceremony(CeremonyFolder folder, CeremonySetting setting, ImmutableSortedDictionary<string, byte[]> files, ReplayedCeremony before)
    {
        this.folder = folder;
        this.setting = setting with { Now = CertificateTbs.WholeSeconds(setting.Now) };
        this.files = files;
        this.before = before;
    }

    /// <summary>The steps that were taken.</summary>
    public ImmutableArray<Transcript> Transcripts => before.Transcripts;

    /// <summary>The public files of the folder, by their names.</summary>
    public IReadOnlyDictionary<string, byte[]> Files => files;

    /// <summary>Goes on with the ceremony of a folder, or begins one.</summary>
    /// <returns>The ceremony; or what is wrong with the folder or the witnesses.</returns>
    public static Parsed<Ceremony> Open(CeremonyFolder folder, CeremonySetting setting)
    {
        if (setting.Witnesses.Count > CeremonySetting.MaxWitnesses || setting.Witnesses.Any(w => w.Length is 0 or > CeremonySetting.MaxWitnessLength || w.Any(char.IsControl)))
        {
            return Parsed<Ceremony>.Refused($"at most {CeremonySetting.MaxWitnesses} witnesses are written down, each by a name of 1 to {CeremonySetting.MaxWitnessLength} characters");
        }

        var files = folder.Read();
        if (!files.IsValid)
        {
            return Parsed<Ceremony>.Refused(files.Reason);
        }

        var before = CeremonyReplay.Check(files.Value);
        if (!before.IsValid)
        {
            return Parsed<Ceremony>.Refused($"{folder.Path} is not as its transcripts say, so nothing is added to it: {before.Reason}");
        }

        return before.Value.Transcripts.Length >= Transcript.MaxSteps
            ? Parsed<Ceremony>.Refused($"{folder.Path} has {Transcript.MaxSteps} steps; begin another folder with its {CeremonyFolder.RootFile}")
            : Parsed<Ceremony>.Ok(new Ceremony(folder, setting, files.Value, before.Value));
    }

    /// <summary>What a root of this plan and key is to be; the same record is signed.</summary>
    public AuthorityCertificate PlanRoot(RootPlan plan, ISigningKey key)
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
            NotBefore = setting.Now,
            NotAfter = End(plan.Validity),
            Key = key.SubjectPublicKeyInfo,
            IssuerKeyIdentifier = identifier,
            KeyIdentifier = identifier,
            PathLength = plan.PathLength,
        };
    }

    /// <summary>Makes the root's certificate: the first step of a folder.</summary>
    /// <param name="planned">From <see cref="PlanRoot"/>.</param>
    /// <param name="key">The root's key.</param>
    /// <param name="shares">What may be known of the shares of its passphrase; null where it has none.</param>
    /// <param name="cancel">Stops before a signature.</param>
    public async Task<Parsed<CeremonyOutcome>> RootAsync(AuthorityCertificate planned, CeremonyKey key, ShareSet? shares, CancellationToken cancel)
    {
        if (before.Transcripts.Length > 0 || files.ContainsKey(CeremonyFolder.RootFile))
        {
            return Refuse($"{folder.Path} has a root already");
        }

        var made = await CertifyAsync(planned, key.Key, cancel);
        if (!made.IsValid)
        {
            return Refuse(made.Reason);
        }

        var output = new List<(string, byte[])> { (CeremonyFolder.RootFile, CeremonyFolder.Octets(Pem.Certificate(made.Value))) };
        if (shares is not null)
        {
            output.Add((ShareSet.FileName, shares.Write()));
        }

        return await CloseAsync(Draft(CeremonyStep.Root, key, "root") with { Certificate = planned }, key, [], output, planned, cancel);
    }

    /// <summary>Makes an issuing authority's request.</summary>
    /// <param name="name">Its files' name.</param>
    /// <param name="subject">Its name, DER.</param>
    /// <param name="key">Its key.</param>
    /// <param name="cancel">Stops before a signature.</param>
    public async Task<Parsed<CeremonyOutcome>> RequestAsync(string name, byte[] subject, CeremonyKey key, CancellationToken cancel)
    {
        if (Taken(name + ".csr") is { } reason)
        {
            return Refuse(reason);
        }

        var der = await AuthorityRequest.MakeAsync(subject, key.Key, cancel);
        var output = new List<(string, byte[])> { (name + ".csr", CeremonyFolder.Octets(AuthorityRequest.Pem(der))) };
        return await CloseAsync(Draft(CeremonyStep.Request, key, "issuing") with { Subject = subject }, key, [], output, null, cancel);
    }

    /// <summary>What the certificate of a request is to be, to be shown before it is signed.</summary>
    /// <returns>The record; or why the root may not sign it.</returns>
    public Parsed<AuthorityCertificate> PlanSubordinate(AuthorityRequest request, AuthorityPlan plan, ISigningKey rootKey) =>
        Plan(AuthorityKind.Subordinate, request.Subject, request.Key, CertificateTbs.KeyIdentifier(request.Key), plan, rootKey);

    /// <summary>Signs a request.</summary>
    /// <param name="name">Name of the files: the request's in this folder, and the certificate's.</param>
    /// <param name="request">The request's file, where it is not in the folder yet.</param>
    /// <param name="planned">From <see cref="PlanSubordinate"/>.</param>
    /// <param name="rootKey">The root's key.</param>
    /// <param name="cancel">Stops before a signature.</param>
    public Task<Parsed<CeremonyOutcome>> SignAsync(string name, byte[] request, AuthorityCertificate planned, CeremonyKey rootKey, CancellationToken cancel) =>
        SignOtherAsync(CeremonyStep.Sign, name + ".csr", request, name + ".pem", planned, rootKey, cancel);

    /// <summary>What a certificate for another root's name and key is to be.</summary>
    /// <param name="other">The other root's certificate, DER; its own signature proves that name and key belong together.</param>
    /// <param name="plan">What it is to say.</param>
    /// <param name="rootKey">This root's key.</param>
    public Parsed<AuthorityCertificate> PlanCross(byte[] other, AuthorityPlan plan, ISigningKey rootKey)
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

        if (Issuer.JudgeAuthority(f, 0, setting.Now) is { } unfit)
        {
            return Parsed<AuthorityCertificate>.Refused("the other root's certificate " + unfit);
        }

        return Plan(AuthorityKind.Cross, f.Subject.ToArray(), f.SubjectPublicKeyInfo.ToArray(), CeremonyReplay.KeyIdentifier(f)!, plan, rootKey);
    }

    /// <summary>Signs another root's name and key.</summary>
    /// <param name="name">Name of the files: NAME.pem has the new certificate, NAME-other.pem the one that was given, NAME-chain.pem the new one and this root's.</param>
    /// <param name="other">The other root's certificate, DER.</param>
    /// <param name="planned">From <see cref="PlanCross"/>.</param>
    /// <param name="rootKey">This root's key.</param>
    /// <param name="cancel">Stops before a signature.</param>
    public Task<Parsed<CeremonyOutcome>> CrossSignAsync(string name, byte[] other, AuthorityCertificate planned, CeremonyKey rootKey, CancellationToken cancel) =>
        SignOtherAsync(CeremonyStep.CrossSign, name + "-other.pem", CeremonyFolder.Octets(Pem.Certificate(other)), name + ".pem", planned, rootKey, cancel);

    /// <summary>Signs the root's next revocation list: those of the list before, and those that are revoked now.</summary>
    public async Task<Parsed<CeremonyOutcome>> ListAsync(ListPlan plan, CeremonyKey rootKey, CancellationToken cancel)
    {
        if (plan.Validity < TimeSpan.FromDays(1) || plan.Validity > MaxListValidity)
        {
            return Refuse($"the list would be good for {plan.Validity.TotalDays:0.##} days; 1 to {MaxListValidity.TotalDays:0} are allowed (Baseline Requirements section 4.9.7)");
        }

        var issuer = LoadRoot(rootKey.Key);
        if (!issuer.IsValid)
        {
            return Refuse(issuer.Reason);
        }

        var last = before.Transcripts.LastOrDefault(t => t.List is not null)?.List;
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

            revoked.Add(entry);
        }

        var list = new TranscribedList { Number = (last?.Number ?? 0) + 1, ThisUpdate = setting.Now, NextUpdate = setting.Now + plan.Validity, Revoked = revoked };
        var name = $"root-{list.Number}.crl";
        if (Taken(name) is { } reason)
        {
            return Refuse(reason);
        }

        byte[] der;
        try
        {
            der = await CrlBuilder.BuildAsync(issuer.Value, CeremonyReplay.ContentOf(list) with { NumberBefore = last?.Number }, cancel);
        }
        catch (ArgumentException e)
        {
            return Refuse("the list cannot be made: " + e.Message);
        }

        return await CloseAsync(Draft(CeremonyStep.Crl, rootKey, "root") with { List = list }, rootKey, [CeremonyFolder.RootFile], [(name, der)], null, cancel);
    }

    /// <summary>Writes down that a key is to be destroyed, signed with it; who calls destroys it then.</summary>
    /// <param name="key">The key.</param>
    /// <param name="fingerprint">SHA-256 of its public half in hex, as the operator typed it.</param>
    /// <param name="cancel">Stops before a signature.</param>
    public async Task<Parsed<CeremonyOutcome>> DestroyAsync(CeremonyKey key, string fingerprint, CancellationToken cancel)
    {
        var own = PublicKeyFingerprint.Of(key.Key.SubjectPublicKeyInfo);
        if (!string.Equals(own, fingerprint.Replace(":", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
        {
            return Refuse($"the key {key.Reference} has the fingerprint {own}, which is not the one that was confirmed; nothing was destroyed");
        }

        return await CloseAsync(Draft(CeremonyStep.Destroy, key, IsRoot(key.Key) ? "root" : "issuing"), key, [], [], null, cancel);
    }

    private static Parsed<CeremonyOutcome> Refuse(string reason) => Parsed<CeremonyOutcome>.Refused(reason);

    private static async Task<Parsed<byte[]>> CertifyAsync(AuthorityCertificate planned, ISigningKey key, CancellationToken cancel)
    {
        // Linted before the key is touched (Baseline Requirements section 4.3.1.2).
        var tbs = planned.Encode();
        return tbs.IsValid ? Parsed<byte[]>.Ok(await SignedParts.SignAsync(tbs.Value, key, cancel)) : tbs;
    }

    private DateTimeOffset End(TimeSpan validity) => CertificateTbs.WholeSeconds(setting.Now + validity - TimeSpan.FromSeconds(1));

    private string? Taken(string name) => CeremonyFolder.JudgeName(name) ?? (files.ContainsKey(name) ? $"{folder.Path} has a file {name} already; give another --name" : null);

    private Parsed<byte[]> RootCertificate()
    {
        if (!files.TryGetValue(CeremonyFolder.RootFile, out var text))
        {
            return Parsed<byte[]>.Refused($"{folder.Path} has no {CeremonyFolder.RootFile}; make a root by 'ceremony root', or put the certificate of yours there");
        }

        return Parsed<byte[]>.Ok(Pem.ReadCertificates(Encoding.Latin1.GetString(text)).Value[0]); // the replay has read it
    }

    private bool IsRoot(ISigningKey key) => RootCertificate() is { IsValid: true } root
        && TbsFields.Read(SignedParts.Read(root.Value).Value!.ToBeSigned).Value!.SubjectPublicKeyInfo.Span.SequenceEqual(key.SubjectPublicKeyInfo);

    private Parsed<Issuer> LoadRoot(ISigningKey key)
    {
        var root = RootCertificate();
        return root.IsValid ? Issuer.Load(root.Value, [], key, setting.Now) : Parsed<Issuer>.Refused(root.Reason);
    }

    private Parsed<AuthorityCertificate> Plan(AuthorityKind kind, byte[] subject, byte[] key, byte[] identifier, AuthorityPlan plan, ISigningKey rootKey)
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
            NotBefore = setting.Now,
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

    private async Task<Parsed<CeremonyOutcome>> SignOtherAsync(CeremonyStep step, string input, byte[] given, string output, AuthorityCertificate planned, CeremonyKey rootKey, CancellationToken cancel)
    {
        var known = files.TryGetValue(input, out var there);
        if (known && !there.AsSpan().SequenceEqual(given))
        {
            return Refuse($"{folder.Path} has another file {input} already; give another --name");
        }

        if ((Taken(output) ?? CeremonyFolder.JudgeName(input)) is { } reason)
        {
            return Refuse(reason);
        }

        var made = await CertifyAsync(planned, rootKey.Key, cancel);
        if (!made.IsValid)
        {
            return Refuse("the certificate was not signed: " + made.Reason);
        }

        var text = Pem.Certificate(made.Value);
        var written = new List<(string, byte[])> { (output, CeremonyFolder.Octets(text)) };
        if (step == CeremonyStep.CrossSign)
        {
            written.Add((output.Replace(".pem", "-chain.pem", StringComparison.Ordinal), CeremonyFolder.Octets(text + Pem.Certificate(RootCertificate().Value))));
        }

        // What came from elsewhere is kept beside: whoever replays the ceremony needs it.
        return await CloseAsync(
            Draft(step, rootKey, "root") with { Certificate = planned },
            rootKey,
            [CeremonyFolder.RootFile, input],
            written,
            planned,
            cancel,
            known ? null : (input, given));
    }

    private Transcript Draft(CeremonyStep step, CeremonyKey key, string role) => new()
    {
        Number = before.Transcripts.Length + 1,
        Step = step,
        Time = setting.Now,
        Tool = setting.Tool,
        Witnesses = setting.Witnesses,
        Shares = key.Shares,
        In = [],
        Out = [],
        Keys = [new TranscribedKey(role, PublicKeyFingerprint.Of(key.Key.SubjectPublicKeyInfo), key.Reference)],
        Previous = before.Last,
        Algorithm = key.Key.Algorithm.Name,
        Key = key.Key.SubjectPublicKeyInfo,
    };

    /// <summary>Signs the transcript, replays the ceremony with it, and only then writes: what could not be replayed is not kept.</summary>
    private async Task<Parsed<CeremonyOutcome>> CloseAsync(
        Transcript draft,
        CeremonyKey key,
        string[] inputs,
        List<(string Name, byte[] Octets)> output,
        AuthorityCertificate? planned,
        CancellationToken cancel,
        (string Name, byte[] Octets)? adopted = null)
    {
        var all = files.SetItems(output.Select(o => KeyValuePair.Create(o.Name, o.Octets)));
        if (adopted is { } foreign)
        {
            all = all.SetItem(foreign.Name, foreign.Octets);
        }

        var transcript = draft with
        {
            In = [.. inputs.Select(name => TranscribedFile.Of(name, all[name]))],
            Out = [.. output.Select(o => TranscribedFile.Of(o.Name, o.Octets))],
        };
        var signed = await transcript.SignAsync(key.Key, cancel);
        var replayed = CeremonyReplay.Check(all.SetItem(transcript.FileName, signed));
        if (!replayed.IsValid)
        {
            return Refuse("the step cannot be replayed, so it was not written: " + replayed.Reason);
        }

        IEnumerable<(string, byte[])> written = [.. adopted is { } file ? [file] : Array.Empty<(string, byte[])>(), .. output, (transcript.FileName, signed)];
        return folder.Write(written) is { } reason
            ? Refuse(reason)
            : Parsed<CeremonyOutcome>.Ok(new CeremonyOutcome(transcript, planned is null ? [] : planned.Lint(planned.Encode().Value)));
    }
}
