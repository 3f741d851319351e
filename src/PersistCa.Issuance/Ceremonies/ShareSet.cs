using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>
/// What everyone may know of a passphrase that was split: how many shares there are, how many restore, and a commitment to each, by which a wrong one is named.
/// A share is 256 random bits, so that its salted SHA-256 tells nothing of it.
/// </summary>
public sealed record ShareSet
{
    /// <summary>Name of the first set's file in the ceremony's folder; those of later ones have a number, such as shares-2.json.</summary>
    public const string FileName = "shares.json";

    /// <summary>What the file says it is.</summary>
    public const string FormatName = "persistca-shares-1";

    /// <summary>Longest file, octets.</summary>
    public const int MaxOctets = 16 * 1024;

    private const int SaltOctets = 32;

    /// <summary>Always <see cref="FormatName"/>.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>Id of the set.</summary>
    public required string Set { get; init; }

    /// <summary>How many shares restore.</summary>
    public required int Threshold { get; init; }

    /// <summary>Random octets of this set.</summary>
    public required byte[] Salt { get; init; }

    /// <summary>SHA-256 of salt, index and share, of share 1 first; lower-case hex.</summary>
    public required IReadOnlyList<string> Commitments { get; init; }

    /// <summary>Name of the file of a set.</summary>
    /// <param name="number">Which set of the folder, 1 and above.</param>
    public static string NameOf(int number) => number == 1 ? FileName : $"shares-{number}.json";

    /// <summary>Which set of the folder a file describes by its name; null when it is no such file.</summary>
    public static int? NumberOf(string file) => file == FileName ? 1
        : file.StartsWith("shares-", StringComparison.Ordinal) && file.EndsWith(".json", StringComparison.Ordinal)
            && int.TryParse(file["shares-".Length..^".json".Length], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && NameOf(number) == file && number is > 1 and <= Transcript.MaxSteps
            ? number : null;

    /// <summary>Makes a passphrase of 256 random bits and its shares.</summary>
    /// <param name="threshold">How many restore, 2 or more.</param>
    /// <param name="shares">How many there are, 16 at most.</param>
    /// <returns>The passphrase, its shares and what may be known of them; or which number is outside its limits.</returns>
    public static Parsed<SplitPassphrase> Make(int threshold, int shares)
    {
        if (threshold < SecretSharing.MinThreshold || threshold > shares || shares > SecretSharing.MaxShares)
        {
            return Parsed<SplitPassphrase>.Refused($"{threshold} of {shares} shares cannot be made; {SecretSharing.MinThreshold} or more of at most {SecretSharing.MaxShares} are");
        }

        var secret = RandomNumberGenerator.GetBytes(KeyShare.Octets);
        var set = KeyShare.NewSet();
        var salt = RandomNumberGenerator.GetBytes(SaltOctets);
        var made = SecretSharing.Split(secret, threshold, shares).Select((octets, i) => KeyShare.Of(set, i + 1, threshold, octets)).ToList();
        var open = new ShareSet { Set = set, Threshold = threshold, Salt = salt, Commitments = [.. made.Select(s => Commitment(salt, s))] };
        var passphrase = Convert.ToHexStringLower(secret);
        CryptographicOperations.ZeroMemory(secret);
        return Parsed<SplitPassphrase>.Ok(new SplitPassphrase(passphrase, made, open));
    }

    /// <summary>Reads the file.</summary>
    public static Parsed<ShareSet> Read(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxOctets)
        {
            return Refuse<ShareSet>($"{FileName} has {file.Length} octets; at most {MaxOctets} are read");
        }

        try
        {
            return JsonSerializer.Deserialize(file, CeremonyJson.Default.ShareSet) is { } set && set.IsSound
                ? Parsed<ShareSet>.Ok(set)
                : Refuse<ShareSet>($"{FileName} is no description of shares");
        }
        catch (JsonException e)
        {
            return Refuse<ShareSet>($"{FileName} is no description of shares: {e.Message}");
        }
    }

    /// <summary>The file.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, CeremonyJson.Default.ShareSet);

    /// <summary>Restores the passphrase.</summary>
    /// <param name="lines">The lines of shares, each with the name of where it came from; more than needed are all looked at.</param>
    /// <returns>The passphrase; or the first share that is mistyped, double, of another set or not one that was handed out, or that there are too few.</returns>
    public Parsed<RestoredPassphrase> Restore(IEnumerable<(string Source, string Line)> lines)
    {
        var shares = new List<(string Source, KeyShare Share)>();
        foreach (var (source, line) in lines)
        {
            var read = KeyShare.Read(line);
            if (!read.IsValid)
            {
                return Refuse<RestoredPassphrase>($"the share of {source} is refused: {read.Reason}");
            }

            if (Wrong(read.Value) is { } reason)
            {
                return Refuse<RestoredPassphrase>($"the share of {source}, {read.Value}, is refused: {reason}");
            }

            if (shares.Find(s => s.Share.Index == read.Value.Index) is { Share: not null } twin)
            {
                return Refuse<RestoredPassphrase>($"the share of {source} is refused: it is share {read.Value.Index}, which {twin.Source} has given already");
            }

            shares.Add((source, read.Value));
        }

        if (shares.Count < Threshold)
        {
            return Refuse<RestoredPassphrase>($"there are {shares.Count} shares of set {Set}; {Threshold} restore the passphrase");
        }

        var secret = SecretSharing.Restore([.. shares.Take(Threshold).Select(s => (s.Share.Index, s.Share.Payload))]);
        var passphrase = Convert.ToHexStringLower(secret);
        CryptographicOperations.ZeroMemory(secret);
        return Parsed<RestoredPassphrase>.Ok(new RestoredPassphrase(passphrase, [.. shares.Take(Threshold).Select(s => s.Share.Index)]));
    }

    private bool IsSound => Format == FormatName && Set.Length > 0 && Threshold >= SecretSharing.MinThreshold && Salt.Length == SaltOctets
        && Commitments.Count >= Threshold && Commitments.Count <= SecretSharing.MaxShares && Commitments.All(c => c is { Length: 64 });

    private string? Wrong(KeyShare share)
    {
        if (share.Set != Set || share.Threshold != Threshold)
        {
            return $"it is of another set than {Set}, {Threshold} of which restore";
        }

        if (share.Index > Commitments.Count)
        {
            return $"the set has {Commitments.Count} shares";
        }

        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Commitment(Salt, share)), Encoding.ASCII.GetBytes(Commitments[share.Index - 1]))
            ? null
            : "it is not the one that was handed out (its commitment differs)";
    }

    private static string Commitment(byte[] salt, KeyShare share) => Convert.ToHexStringLower(SHA256.HashData([.. salt, (byte)share.Index, .. share.Payload]));

    private static Parsed<T> Refuse<T>(string reason)
        where T : notnull => Parsed<T>.Refused(reason);
}

/// <summary>A new passphrase and its shares: all secret but what the set says.</summary>
/// <param name="Passphrase">64 hexadecimal digits.</param>
/// <param name="Shares">The shares, one for each holder.</param>
/// <param name="Open">What everyone may know.</param>
public sealed record SplitPassphrase(string Passphrase, IReadOnlyList<KeyShare> Shares, ShareSet Open)
{
    /// <inheritdoc/>
    public override string ToString() => $"a passphrase in {Shares.Count} shares"; // and never it
}

/// <summary>A passphrase restored from shares.</summary>
/// <param name="Passphrase">The passphrase.</param>
/// <param name="Indexes">The shares that were used.</param>
public sealed record RestoredPassphrase(string Passphrase, IReadOnlyList<int> Indexes)
{
    /// <inheritdoc/>
    public override string ToString() => $"a passphrase restored from shares {string.Join(", ", Indexes)}"; // and never it
}
