using Xunit;

namespace PersistCa.Testing;

/// <summary>What a test needs of the machine. Without it the test is skipped with its reason, or fails where everything is required.</summary>
public static class Requirement
{
    /// <summary>The variable that turns skips into failures: "all", or words such as "postgresql certbot".</summary>
    public const string Variable = "PERSISTCA_TEST_REQUIRE";

    /// <summary>Skips the test, or fails it, when something is not there.</summary>
    /// <param name="available">Whether it is there.</param>
    /// <param name="what">One word for it.</param>
    /// <param name="reason">Why it is not.</param>
    public static void Need(bool available, string what, string reason) => Need(available, what, reason, Environment.GetEnvironmentVariable(Variable) ?? "");

    /// <summary>The same, with the words of <see cref="Variable"/> given.</summary>
    public static void Need(bool available, string what, string reason, string requiredHere)
    {
        if (available)
        {
            return;
        }

        var required = requiredHere.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.False(required.Contains("all") || required.Contains(what), $"{what} is required here ({Variable}), but {reason}");
        Skip.If(true, $"{what} is not available: {reason}");
    }

    /// <summary>Needs a program on the PATH.</summary>
    /// <returns>Its path.</returns>
    public static string Program(string name)
    {
        var path = Find(name);
        Need(path is not null, name, "there is no such program on the PATH");
        return path!;
    }

    /// <summary>Finds a program on the PATH or in the folders of system programs.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin").Append("/sbin")
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
