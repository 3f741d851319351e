using System.CommandLine;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Commands;

/// <summary>The question before something that hurts.</summary>
internal static class Confirmation
{
    private const string Agreed = "yes";

    /// <summary>Asks, unless the answer was given with the command.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="yes">The option that gives the answer.</param>
    /// <param name="question">What is going to happen.</param>
    /// <exception cref="StartRefusedException">The answer is no, or nobody is there to give one.</exception>
    public static async Task RequireAsync(ParseResult result, Option<bool> yes, string question)
    {
        if (result.GetValue(yes))
        {
            return;
        }

        if (Console.IsInputRedirected)
        {
            throw new StartRefusedException("--yes", $"{question} Nobody is there to ask; say --yes");
        }

        await result.InvocationConfiguration.Error.WriteAsync($"{question} Go on? Write {Agreed}: ");
        if (Console.ReadLine()?.Trim() != Agreed)
        {
            throw new StartRefusedException("--yes", "nothing was done");
        }
    }
}
