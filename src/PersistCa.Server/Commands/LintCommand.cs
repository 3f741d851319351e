using System.CommandLine;
using PersistCa.Issuance.Linting;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>persistca lint. Exit status: 0 no errors, 1 errors, 2 there is nothing in the file that can be read.</summary>
internal static class LintCommand
{
    // A list of a million entries has half of it.
    private const long MaxFileOctets = CrlFacts.MaxOctets * 2L;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "A certificate, revocation list or OCSP answer, PEM or DER." };
        var regime = new Option<string>("--regime") { Description = "Which rules hold: private or cabf-br (default private).", DefaultValueFactory = _ => "private" };
        regime.AcceptOnlyFromAmong("private", "cabf-br");
        var command = new Command("lint", "Hold a certificate, revocation list or OCSP answer against the rules, and print a line for each finding: id, severity, citation, text.");
        command.Arguments.Add(file);
        command.Options.Add(regime);
        command.SetAction((result, cancel) => RunAsync(
            result.GetValue(file)!,
            result.GetValue(regime) == "cabf-br" ? Regime.CabfBr : Regime.Private,
            result.InvocationConfiguration.Output,
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo file, Regime regime, TextWriter output, CancellationToken cancel)
    {
        if (!file.Exists || file.Length > MaxFileOctets)
        {
            throw new StartRefusedException(file.FullName, file.Exists ? $"it has {file.Length} octets; at most {MaxFileOctets} are read" : "there is no such file");
        }

        byte[] octets;
        try
        {
            octets = await File.ReadAllBytesAsync(file.FullName, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(file.FullName, e.Message);
        }

        var findings = FileLint.Check(octets, regime);
        if (!findings.IsValid)
        {
            throw new StartRefusedException(file.FullName, findings.Reason);
        }

        foreach (var finding in findings.Value)
        {
            await output.WriteLineAsync($"{finding.Id} {finding.Severity.ToString().ToLowerInvariant()} [{finding.Citation}] {Printable(finding.Message)}");
        }

        return findings.Value.Any(f => f.Severity == LintSeverity.Error) ? 1 : 0;
    }

    // Names in a stranger's certificate may hold what a terminal obeys.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
