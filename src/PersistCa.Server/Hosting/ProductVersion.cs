using System.Reflection;

namespace PersistCa.Server.Hosting;

/// <summary>Which build this is.</summary>
internal static class ProductVersion
{
    /// <summary>Version and, where the build knew it, the source revision.</summary>
    public static string Text { get; } =
        Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
