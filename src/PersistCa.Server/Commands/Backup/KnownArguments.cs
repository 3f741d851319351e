using System.CommandLine;
using System.Globalization;
using PersistCa.Protocol;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Storage;
using PersistCa.Storage.Backup;

namespace PersistCa.Server.Commands.Backup;

/// <summary>The options that say how far the store had come before it was lost.</summary>
internal sealed class KnownArguments
{
    private readonly Option<string[]> lists = new("--known-crl") { Description = "A revocation list that was published (DER or PEM): the newest of each issuer and part. May be given several times.", AllowMultipleArgumentsPerToken = true };

    private readonly Option<string[]> numbers = new("--known-crl-number") { Description = "Highest CRL number that is known: NUMBER for all issuers, or ISSUER=NUMBER. May be given several times.", AllowMultipleArgumentsPerToken = false };

    private readonly Option<string?> entry = new("--known-audit-entry") { Description = "Newest audit entry that is known, ID:HASH as 'backup' prints it." };

    private readonly Option<string?> marks = new("--known-marks") { Description = "File that 'backup marks' wrote: newest audit entry and CRL numbers in one." };

    private readonly Option<bool> acceptLoss = new("--accept-loss") { Description = "Go on though entries of the audit log are gone, or nobody knows; the gap is recorded." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { lists, numbers, entry, marks, acceptLoss })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Reads what needs no store.</summary>
    /// <exception cref="StartRefusedException">Something cannot be read.</exception>
    public KnownState Read(ParseResult result)
    {
        var byIssuer = new Dictionary<string, long>();
        long? any = null;
        AuditMark? newest = null;
        if (result.GetValue(marks) is { } path)
        {
            var read = StoreMarksText.Read(ReadText("--known-marks", path));
            var known = read.IsValid ? read.Value : throw new StartRefusedException("--known-marks", $"{path}: {read.Reason}");
            newest = known.Audit;
            foreach (var list in known.Lists)
            {
                byIssuer[list.Issuer] = Math.Max(byIssuer.GetValueOrDefault(list.Issuer), list.Number);
            }
        }

        foreach (var text in result.GetValue(numbers) ?? [])
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (!long.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > MaxNumber)
            {
                throw new StartRefusedException("--known-crl-number", $"'{text}' is neither NUMBER nor ISSUER=NUMBER");
            }

            if (at < 0)
            {
                any = Math.Max(any ?? 0, number);
            }
            else
            {
                byIssuer[text[..at]] = Math.Max(byIssuer.GetValueOrDefault(text[..at]), number);
            }
        }

        if (result.GetValue(entry) is { } said)
        {
            var given = said.Split(':') is [var id, { Length: AuditDigest.Length } hash] && hash.All(char.IsAsciiHexDigit) && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n < MaxNumber
                ? new AuditMark(n, hash.ToLowerInvariant())
                : throw new StartRefusedException("--known-audit-entry", $"'{said}' is not of the form ID:HASH, as 'persistca backup' prints it");
            newest = newest is null || given.Id >= newest.Id ? given : newest;
        }

        return new KnownState { Numbers = byIssuer, Number = any, Audit = newest, AcceptLoss = result.GetValue(acceptLoss) };
    }

    /// <summary>Numbers stay far from the end of what the store can count.</summary>
    public const long MaxNumber = 1L << 60;

    /// <summary>Reads the lists, which the issuers of the store must have signed.</summary>
    /// <exception cref="StartRefusedException">One cannot be read, or is of no issuer of this store.</exception>
    public async Task<KnownState> WithListsAsync(ParseResult result, KnownState known, CaStore store, CancellationToken cancel)
    {
        var read = new List<KnownList>();
        foreach (var path in result.GetValue(lists) ?? [])
        {
            byte[] octets;
            try
            {
                octets = await File.ReadAllBytesAsync(path, cancel);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StartRefusedException("--known-crl", e.Message);
            }

            Parsed<KnownList> list = await store.ReadAsync(db => PublishedLists.ReadAsync(db, octets, cancel), cancel);
            read.Add(list.IsValid ? list.Value : throw new StartRefusedException("--known-crl", $"{path}: {list.Reason}"));
        }

        return known with { Lists = read };
    }

    private static string ReadText(string option, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(option, e.Message);
        }
    }
}
