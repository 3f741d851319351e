using PersistCa.Server.Registration;

namespace PersistCa.Server.Hosting;

/// <summary>Puts what operators have to do with into the container.</summary>
internal static class OperatorRegistration
{
    public static void AddOperators(this IServiceCollection services, PersistCaOptions options)
    {
        // Their files are read when the server starts: those that cannot be stop it.
        services.AddSingleton(sp => new CertificateTrust(sp.GetRequiredService<Storage.CaStore>(), options));
        services.AddSingleton(sp => new OpenIdTrust(options, sp.GetRequiredService<TimeProvider>()));
        services.AddSingleton<OperatorDesk>();
        services.AddSingleton<TokenDesk>();
        services.AddSingleton<DecisionActions>();
        services.AddSingleton<DecisionDesk>();
        services.AddSingleton<AccountDesk>();
        services.AddSingleton<OrderLook>();
        services.AddSingleton<CertificateSearch>();
        services.AddSingleton<AuthorityLook>();
        services.AddSingleton<JobDesk>();
        services.AddSingleton<AuditLook>();
    }
}
