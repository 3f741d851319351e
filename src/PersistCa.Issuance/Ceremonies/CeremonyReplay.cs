using System.Collections.Immutable;
using System.Security.Cryptography;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>A ceremony that was found to be as its transcripts say.</summary>
/// <param name="Transcripts">The transcripts in their order.</param>
/// <param name="RootFingerprint">SHA-256 of the root's certificate, lower-case hex; null where there is no root yet.</param>
/// <param name="Last">SHA-256 of the last transcript, lower-case hex: who has it on paper sees that none was taken away at the end. Empty without one.</param>
/// <param name="Unnamed">Public files that no transcript names.</param>
/// <param name="ShareFile">The file that describes the shares of the root's passphrase as it is now; null where it has none.</param>
public sealed record ReplayedCeremony(ImmutableArray<Transcript> Transcripts, string? RootFingerprint, string Last, ImmutableArray<string> Unnamed, string? ShareFile);

/// <summary>
/// Does a ceremony again from its transcripts: signatures, their order, hashes of files, and every certificate's and list's to-be-signed bytes, made anew from the
/// inputs that were written down and compared byte for byte with the file. It needs no key.
/// </summary>
public sealed class CeremonyReplay
{
    private readonly IReadOnlyDictionary<string, byte[]> files;
    private readonly HashSet<string> named = new(StringComparer.Ordinal);
    private readonly StepReplay steps;

    private CeremonyReplay(IReadOnlyDictionary<string, byte[]> files)
    {
        this.files = files;
        steps = new StepReplay(files);
    }

    /// <summary>Replays.</summary>
    /// <param name="files">The public files by their names.</param>
    /// <returns>What was found; or the first thing that differs, with the file it is in.</returns>
    public static Parsed<ReplayedCeremony> Check(IReadOnlyDictionary<string, byte[]> files) => new CeremonyReplay(files).Run();

    private Parsed<ReplayedCeremony> Run()
    {
        var names = files.Keys.Where(IsTranscript).Order(StringComparer.Ordinal).ToList();
        if (names.Count > Transcript.MaxSteps)
        {
            return Refuse($"there are {names.Count} transcripts; at most {Transcript.MaxSteps} are read");
        }

        if (files.ContainsKey(CeremonyFolder.RootFile) && steps.ReadRoot() is { } unsound)
        {
            return Refuse(unsound);
        }

        var all = ImmutableArray.CreateBuilder<Transcript>();
        var previous = "";
        foreach (var name in names)
        {
            var read = Transcript.Read(files[name]);
            if (!read.IsValid)
            {
                return Refuse($"{name}: {read.Reason}");
            }

            var transcript = read.Value;
            if (transcript.FileName != name || transcript.Number != all.Count + 1)
            {
                return Refuse($"{name}: it is step {transcript.Number}, {transcript.StepName}, where step {all.Count + 1} is expected; a transcript is missing or misnamed");
            }

            if (transcript.Previous != previous)
            {
                return Refuse($"{name}: it does not follow the transcript before it (their hashes differ)");
            }

            if ((Files(transcript) ?? steps.Step(transcript)) is { } reason)
            {
                return Refuse($"{name}: {reason}");
            }

            previous = Convert.ToHexStringLower(SHA256.HashData(files[name]));
            named.Add(name);
            all.Add(transcript);
        }

        return Parsed<ReplayedCeremony>.Ok(new ReplayedCeremony(
            all.ToImmutable(),
            steps.Root is { } known ? Convert.ToHexStringLower(SHA256.HashData(known)) : null,
            previous,
            [.. files.Keys.Where(f => !named.Contains(f))],
            all.SelectMany(t => t.Out).LastOrDefault(f => ShareSet.NumberOf(f.Name) is not null)?.Name));
    }

    private static bool IsTranscript(string name) => name.Length > 4 && name.EndsWith(".json", StringComparison.Ordinal) && name[..3].All(char.IsAsciiDigit) && name[3] == '-';

    private static Parsed<ReplayedCeremony> Refuse(string reason) => Parsed<ReplayedCeremony>.Refused(reason);

    /// <summary>Whether every file that a transcript names is there as it was.</summary>
    private string? Files(Transcript transcript)
    {
        foreach (var file in transcript.In.Concat(transcript.Out))
        {
            if (CeremonyFolder.JudgeName(file.Name) is { } reason)
            {
                return reason;
            }

            if (!files.TryGetValue(file.Name, out var octets))
            {
                return $"the file {file.Name} is missing";
            }

            if (TranscribedFile.Of(file.Name, octets).Sha256 != file.Sha256)
            {
                return $"the file {file.Name} is not the one that the ceremony read or wrote (its SHA-256 differs)";
            }

            named.Add(file.Name);
        }

        return null;
    }
}
