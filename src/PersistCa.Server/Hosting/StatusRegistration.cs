using PersistCa.Issuance.Hierarchy;
using PersistCa.Server.Publication;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Hosting;

/// <summary>Puts into the container what says of certificates what became of them.</summary>
internal static class StatusRegistration
{
    /// <summary>Adds it.</summary>
    /// <param name="services">The container.</param>
    /// <param name="options">The configuration.</param>
    /// <param name="issuers">Every issuer whose key this server has.</param>
    /// <exception cref="StartRefusedException">The file of blocked keys cannot be used.</exception>
    public static void AddStatus(this IServiceCollection services, PersistCaOptions options, IReadOnlyList<Issuer> issuers)
    {
        services.AddSingleton(new StatusIssuers(issuers));
        services.AddSingleton(BlockedKeyList.Read(options.Issuance.BlockedKeysFile));
        services.AddSingleton<OcspSigners>();
        services.AddSingleton<OcspDesk>();
        services.AddSingleton<CrlCache>();
    }
}
