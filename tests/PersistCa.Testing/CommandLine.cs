using System.Diagnostics;

namespace PersistCa.Testing;

/// <summary>Programs run to their end: this product's own, and others that judge it.</summary>
public static class CommandLine
{
    /// <summary>Runs this product in a folder.</summary>
    /// <param name="folder">The working folder.</param>
    /// <param name="environment">Variables besides those of this process.</param>
    /// <param name="arguments">The command line.</param>
    /// <returns>Exit status, and both outputs one after the other.</returns>
    public static Task<(int Exit, string Output)> PersistCaAsync(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return RunAsync(host, folder, environment, [typeof(Server.Commands.PersistCaCommand).Assembly.Location, .. arguments]);
    }

    /// <summary>Runs a program in a folder.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(string program, string folder, IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start");
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }
}
