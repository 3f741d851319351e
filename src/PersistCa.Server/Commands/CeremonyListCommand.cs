using System.CommandLine;
using System.Text;
using PersistCa.Issuance.Ceremonies;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Publication;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca ceremony crl.</summary>
internal static class CeremonyListCommand
{
    private const int DefaultDays = 180;

    public static Command Create()
    {
        var arguments = new CeremonyArguments();
        var revoke = new Option<string[]>("--revoke")
        {
            Description = $"Serial number (hex) of an authority's certificate to revoke, with a reason where there is one, by name or code: SERIAL=REASON, {string.Join(", ", RevocationReasons.OfAuthorities.Select(c => $"{RevocationReasons.NameOf(c)} ({c})"))}. May be given several times.",
            AllowMultipleArgumentsPerToken = false,
        };
        var days = new Option<int?>("--days") { Description = $"Until when the next list is out (default {DefaultDays}, at most {Ceremony.MaxListValidity.TotalDays:0})." };
        var last = new Option<string?>("--last") { Description = "For the first list of a root that was made elsewhere: file of its last one (DER or PEM), whose number and entries are gone on from; or 'none'." };
        var command = new Command("crl", "Sign the root's next revocation list: those of the list before, and those that are revoked now.");
        arguments.AddTo(command);
        command.Options.Add(revoke);
        command.Options.Add(days);
        command.Options.Add(last);
        command.SetAction(async (result, cancel) =>
        {
            var ceremony = arguments.Open(result);
            var now = TimeProvider.System.GetUtcNow();
            var plan = new ListPlan(
                [.. (result.GetValue(revoke) ?? []).Select(r => Entry(r, now))],
                AuthorityArguments.Days(result.GetValue(days), (int)Ceremony.MaxListValidity.TotalDays) ?? TimeSpan.FromDays(DefaultDays),
                Before(ceremony, result.GetValue(last)));
            var (ring, key) = await arguments.OpenRootAsync(result, cancel);
            using (ring)
            {
                await arguments.ReportAsync(result, CeremonyArguments.Sound(await ceremony.ListAsync(plan, key, cancel), "ceremony crl"));
            }

            return 0;
        });
        return command;
    }

    private static ListBefore? Before(Ceremony ceremony, string? given)
    {
        if (given is null or "none")
        {
            return given is null ? null : ListBefore.None;
        }

        return ceremony.Files.TryGetValue(CeremonyFolder.RootFile, out var root)
            ? CeremonyArguments.Sound(ListBefore.Read(CeremonyArguments.ReadFile(given, CeremonyFolder.MaxFileOctets, "--last"), Pem.ReadCertificates(Encoding.Latin1.GetString(root)).Value[0]), "--last")
            : throw new StartRefusedException("--last", $"the folder has no {CeremonyFolder.RootFile}, which is to have signed it");
    }

    private static RevokedCertificate Entry(string text, DateTimeOffset now)
    {
        var parts = text.Split('=', 2);
        int? reason = parts.Length == 2 ? CeremonyArguments.Sound(RevocationReasons.Read(parts[1]), "--revoke") : null;
        return new RevokedCertificate(parts[0].ToLowerInvariant(), new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero), RevocationReasons.Recorded(reason));
    }
}
