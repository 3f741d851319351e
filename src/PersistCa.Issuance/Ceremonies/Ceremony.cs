using System.Collections.Immutable;
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
    private readonly CeremonyPlanner planner;

    private Ceremony(CeremonyFolder folder, CeremonySetting setting, ImmutableSortedDictionary<string, byte[]> files, ReplayedCeremony before)
    {
        this.folder = folder;
        this.setting = setting with { Now = CertificateTbs.WholeSeconds(setting.Now) };
        this.files = files;
        this.before = before;
        planner = new CeremonyPlanner(folder.Path, files, before.Transcripts.FirstOrDefault(t => t.Step == CeremonyStep.Root)?.Certificate?.Regime ?? Regime.Private, this.setting.Now);
    }

    /// <summary>The steps that were taken.</summary>
    public ImmutableArray<Transcript> Transcripts => before.Transcripts;

    /// <summary>The file that describes the shares of the root's passphrase as it is now; null where it has none.</summary>
    public string? ShareFile => before.ShareFile;

    /// <summary>The public files of the folder, by their names.</summary>
    public IReadOnlyDictionary<string, byte[]> Files => files;

    /// <summary>Goes on with the ceremony of a folder, or begins one.</summary>
    /// <returns>The ceremony; or what is wrong with the folder or the witnesses.</returns>
    public static Parsed<Ceremony> Open(CeremonyFolder folder, CeremonySetting setting)
    {
        if (setting.Witnesses.Count > CeremonySetting.MaxWitnesses || setting.Witnesses.Any(w => w.Length is 0 or > CeremonySetting.MaxWitnessLength || w.Any(char.IsControl)))
        {
            return Parsed<Ceremony>.Refused($"at most {CeremonySetting.MaxWitnesses} witnesses are written down, each by a name of 1 to {CeremonySetting.MaxWitnessLength} characters, none of them a control character");
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
    public AuthorityCertificate PlanRoot(RootPlan plan, ISigningKey key) => planner.Root(plan, key);

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
    public Parsed<AuthorityCertificate> PlanSubordinate(AuthorityRequest request, AuthorityPlan plan, ISigningKey rootKey) => planner.Subordinate(request, plan, rootKey);

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
    public Parsed<AuthorityCertificate> PlanCross(byte[] other, AuthorityPlan plan, ISigningKey rootKey) => planner.Cross(other, plan, rootKey);

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
        var last = before.Transcripts.LastOrDefault(t => t.List is not null)?.List;
        if (Unsuited(plan.Before, last) is { } unsuited)
        {
            return Refuse(unsuited);
        }

        if (plan.Before is { Number: > 0 } or { Octets.Length: > 0 })
        {
            last = new TranscribedList { Number = plan.Before.Number, ThisUpdate = setting.Now, NextUpdate = setting.Now, Revoked = plan.Before.Revoked };
        }

        var planned = planner.List(plan, last);
        var issuer = planner.LoadRoot(rootKey.Key);
        if (!planned.IsValid || !issuer.IsValid)
        {
            return Refuse(planned.Reason ?? issuer.Reason!);
        }

        var list = planned.Value;
        var name = $"root-{list.Number}.crl";
        if (Taken(name) is { } reason)
        {
            return Refuse(reason);
        }

        byte[] der;
        try
        {
            der = await CrlBuilder.BuildAsync(issuer.Value, StepReplay.ContentOf(list) with { NumberBefore = last?.Number }, cancel);
        }
        catch (ArgumentException e)
        {
            return Refuse("the list cannot be made: " + e.Message);
        }

        // The list from before is kept beside: whoever replays the ceremony sees that this one goes on from it.
        (string, byte[])? kept = plan.Before is { Octets.Length: > 0 } known ? (ListBefore.FileName, known.Octets) : null;
        string[] inputs = kept is null ? [CeremonyFolder.RootFile] : [CeremonyFolder.RootFile, ListBefore.FileName];
        return await CloseAsync(Draft(CeremonyStep.Crl, rootKey, "root") with { List = list }, rootKey, inputs, [(name, der)], null, cancel, kept);
    }

    /// <summary>A root that was made elsewhere may have lists out, whose numbers this folder does not know.</summary>
    private string? Unsuited(ListBefore? given, TranscribedList? last)
    {
        var madeHere = before.Transcripts.Any(t => t.Step == CeremonyStep.Root);
        return (madeHere, last, given) switch
        {
            (false, null, null) => "the root was made elsewhere, so that the number of its last list is not known here; give that list by --last FILE, or --last none where there was none",
            (true, _, not null) or (_, not null, not null) => "the folder knows the root's last list; --last is for the first list of a root that was made elsewhere",
            (_, _, { Octets.Length: > 0 }) => Taken(ListBefore.FileName),
            _ => null,
        };
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

        return await CloseAsync(Draft(CeremonyStep.Destroy, key, planner.IsRoot(key.Key) ? "root" : "issuing"), key, [], [], null, cancel);
    }

    /// <summary>Name of the file that will describe a new set of shares.</summary>
    public string NextShareFile() => ShareSet.NameOf(1 + files.Keys.Select(ShareSet.NumberOf).Max() ?? 1);

    /// <summary>
    /// Writes down that the passphrase of the root's key is another one, and who may know what of its shares; who calls has encrypted the key anew beside the old file,
    /// and puts it in its place then.
    /// </summary>
    /// <param name="rootKey">The root's key, as the shares before opened it.</param>
    /// <param name="shares">The new set.</param>
    /// <param name="cancel">Stops before a signature.</param>
    public async Task<Parsed<CeremonyOutcome>> DealAsync(CeremonyKey rootKey, ShareSet shares, CancellationToken cancel) => !planner.IsRoot(rootKey.Key)
        ? Refuse(planner.RootCertificate() is { IsValid: false } none ? none.Reason : $"the key {rootKey.Reference} is not that of {CeremonyFolder.RootFile}")
        : await CloseAsync(Draft(CeremonyStep.Deal, rootKey, "root"), rootKey, [CeremonyFolder.RootFile], [(NextShareFile(), shares.Write())], null, cancel);

    private static Parsed<CeremonyOutcome> Refuse(string reason) => Parsed<CeremonyOutcome>.Refused(reason);

    private static async Task<Parsed<byte[]>> CertifyAsync(AuthorityCertificate planned, ISigningKey key, CancellationToken cancel)
    {
        // Linted before the key is touched (Baseline Requirements section 4.3.1.2).
        var tbs = planned.Encode();
        return tbs.IsValid ? Parsed<byte[]>.Ok(await SignedParts.SignAsync(tbs.Value, key, cancel)) : tbs;
    }

    private string? Taken(string name) => CeremonyFolder.JudgePublic(name) ?? (files.ContainsKey(name) ? $"{folder.Path} has a file {name} already; give another --name" : null);

    private async Task<Parsed<CeremonyOutcome>> SignOtherAsync(CeremonyStep step, string input, byte[] given, string output, AuthorityCertificate planned, CeremonyKey rootKey, CancellationToken cancel)
    {
        var known = files.TryGetValue(input, out var there);
        if (known && !there.AsSpan().SequenceEqual(given))
        {
            return Refuse($"{folder.Path} has another file {input} already; give another --name");
        }

        if ((Taken(output) ?? CeremonyFolder.JudgePublic(input)) is { } reason)
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
            written.Add((output.Replace(".pem", "-chain.pem", StringComparison.Ordinal), CeremonyFolder.Octets(text + Pem.Certificate(planner.RootCertificate().Value))));
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
        return folder.Write(written, files) is { } reason
            ? Refuse(reason)
            : Parsed<CeremonyOutcome>.Ok(new CeremonyOutcome(transcript, planned is null ? [] : planned.Lint(planned.Encode().Value)));
    }
}
