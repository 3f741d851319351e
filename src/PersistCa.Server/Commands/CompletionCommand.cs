using System.CommandLine;

namespace PersistCa.Server.Commands;

/// <summary>persistca completion: what a shell needs to complete this program's command lines. The suggestions are the parser's own.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # persistca completion for bash: source <(persistca completion bash)
        _persistca() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(persistca "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _persistca persistca
        """;

    private const string Zsh = """
        #compdef persistca
        # persistca completion for zsh: source <(persistca completion zsh)
        _persistca() {
          local -a found
          found=("${(@f)$(persistca "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -a found
        }
        compdef _persistca persistca
        """;

    private const string Fish = """
        # persistca completion for fish: persistca completion fish | source
        function __persistca_complete
          persistca "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null
        end
        complete -c persistca -f -a "(__persistca_complete)"
        """;

    public static Command Create()
    {
        var command = new Command("completion", "Print what a shell needs to complete command lines of this program.");
        foreach (var (shell, script) in new[] { ("bash", Bash), ("zsh", Zsh), ("fish", Fish) })
        {
            var one = new Command(shell, $"For {shell}.");
            one.SetAction(result => result.InvocationConfiguration.Output.WriteLine(script));
            command.Subcommands.Add(one);
        }

        return command;
    }
}
