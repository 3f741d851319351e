using Xunit;

namespace PersistCa.Testing;

/// <summary>The tree that the tests were built from, for those that hold documents to the code.</summary>
public static class SourceTree
{
    /// <summary>A variable that, set to 1, has generated documents written instead of compared.</summary>
    public const string WriteVariable = "PERSISTCA_TEST_WRITE_DOCUMENTS";

    /// <summary>Its folder.</summary>
    public static string Root { get; } = Find();

    /// <summary>Fails where a file that is made of the code is not what the code makes of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="made">What it is to hold.</param>
    public static void RequireKept(string path, string made)
    {
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, made);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == made, $"{Path.GetRelativePath(Root, path)} is not what the code makes of it; run this test with {WriteVariable}=1 and look at the difference");
    }

    private static string Find()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at!.FullName, "PersistCa.sln")))
        {
            at = at.Parent;
        }

        return at.FullName;
    }
}
