using Microsoft.Extensions.Logging.Abstractions;
using System.Net;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Jose;
using PersistCa.Protocol.Records;
using PersistCa.Server.Acme;
using PersistCa.Server.Registration;
using PersistCa.Server.Workers;
using PersistCa.Storage;
using PersistCa.Validation.CaaLookup;
using PersistCa.Validation.Challenges;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Perspectives;

namespace PersistCa.Server.Hosting;

/// <summary>Puts the rooms into the container, each made once from the configuration.</summary>
internal static class AuthorityRegistration
{
    public static void AddAuthority(this IServiceCollection services, PersistCaOptions options, IssuerBook issuers, TimeProvider clock)
    {
        var policy = Policy(options);
        var urls = AuthorityUrls.Of(options);
        var announced = new AnnouncedIssuers([.. IssuerNames(options)]);
        var switches = new SwitchBoard();
        var profiles = new ProfileBook(ProfileSetup.Create(options), issuers, urls, switches, options.Issuance.CrlShards);
        var resolver = DnsSetup.Create(options.Validation.Dns, policy, clock);
        ILogger logger = NullLogger.Instance;
        var regimes = RegimeSetup.Create(options, profiles.All, resolver, clock, () => logger);
        services.AddSingleton(options);
        services.AddSingleton(issuers);
        services.AddSingleton(switches);
        services.AddSingleton(profiles);

        // By a factory, so that the connections of its perspectives end with the server. Nobody asks a perspective who has not asked for the regimes.
        services.AddSingleton(sp =>
        {
            logger = sp.GetRequiredService<ILoggerFactory>().CreateLogger<PerspectivePanel>();
            return regimes;
        });
        services.AddSingleton(urls);
        services.AddSingleton(announced);
        services.AddSingleton(policy);
        services.AddSingleton(new NodeIdentity(options.Server.NodeName.Length > 0 ? options.Server.NodeName : Environment.MachineName));
        services.AddSingleton<Readiness>();
        services.AddSingleton<ProxiedConnections>();
        services.AddSingleton<NodeBell>();
        services.AddSingleton<PeriodicDuty>();
        services.AddSingleton<TlsIdentity>();
        services.AddSingleton<AuthorityKeys>();
        services.AddSingleton(new IdentifierPolicy(new NamePolicy(options.Names, PublicSuffixList.Shipped), new IpPolicy(options.Policy.Ip)));
        services.AddSingleton(Challenges(options));
        services.AddSingleton(DirectoryEndpoints.Create(options, urls, announced, profiles, policy.Dialects.Contains(PersistDialect.Draft02) ? policy.AccountHashPrefixes[0] : null));
        services.AddSingleton(_ => new JwsVerifier(Ed25519.Verify));
        services.AddSingleton(sp => new NonceSource(sp.GetRequiredService<AuthorityKeys>().Nonces, options.Acme.NonceLifetime, sp.GetRequiredService<TimeProvider>()));
        services.AddSingleton<SignedRequestReader>();
        services.AddSingleton<AcmeResources>();
        services.AddSingleton<AccountEndpoints>();
        services.AddSingleton<OrderEndpoints>();
        services.AddSingleton<AuthorizationEndpoints>();
        services.AddSingleton<CertificateEndpoints>();
        services.AddSingleton<AccountRegistrar>();
        services.AddSingleton<BindingDesk>();
        services.AddSingleton<AccountScopes>();
        services.AddSingleton<ExternalAccountDesk>();
        services.AddSingleton<RenewalDesk>();
        services.AddSingleton<PolicyDesk>();
        services.AddSingleton(PublicSuffixList.Shipped);
        services.AddSingleton(Above(options, DnsName.MaxLength / 2));
        services.AddSingleton(new LimitDesk(options.Limits));
        services.AddSingleton<IdentifierIntake>();
        services.AddSingleton<AuthorizationBook>();
        services.AddSingleton<CaaDesk>();
        services.AddSingleton<ValidationDesk>();
        services.AddSingleton<JustInTime>();
        services.AddSingleton<RecordExplainer>();
        services.AddSingleton<OrderRegistrar>();
        services.AddSingleton<ChallengeIntake>();
        services.AddSingleton<Finalization>();
        services.AddSingleton<CertificateShelf>();
        services.AddSingleton<RevocationDesk>();
        services.AddOperators(options);
        services.AddSingleton<RevocationRunner>();
        services.AddSingleton<ProposalDesk>();
        services.AddStatus(options, [.. issuers.All.Select(b => b.Issuer)]);
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<CrlSignal>();
        services.AddSingleton<Completions>();
        services.AddSingleton<PollDesk>();
        var keyPolicy = new KeyPolicy(new KeyPolicyOptions { AcceptMlDsa = ProfileSetup.AcceptsMlDsa(options) });
        services.AddSingleton(keyPolicy);
        services.AddSingleton(new CsrReader(keyPolicy));
        services.AddSingleton(resolver);
        services.AddSingleton<IDnsResolver>(resolver);
    }

    /// <summary>The desk by itself, with CAA and perspectives as the server has them: for a command that asks what validation would say.</summary>
    public static ValidationDesk Desk(PersistCaOptions options, PersistPolicy policy, TimeProvider clock)
    {
        var resolver = DnsSetup.Create(options.Validation.Dns, policy, clock);
        return new ValidationDesk(
            RegimeSetup.Create(options, [], resolver, clock), AuthorityUrls.Of(options), new LimitDesk(options.Limits), PublicSuffixList.Shipped, options, clock);
    }

    public static void AddWorkers(this IServiceCollection services)
    {
        services.AddHostedService<ValidationWorker>();
        services.AddHostedService<IssuanceWorker>();
        services.AddHostedService<CrlWorker>();
        services.AddHostedService<RevocationWorker>();
        services.AddHostedService<OcspWorker>();
        services.AddHostedService<UpkeepWorker>();
        services.AddHostedService<KeyProbeWorker>();
    }

    /// <summary>The issuer names that are announced.</summary>
    public static IEnumerable<string> IssuerNames(PersistCaOptions options) =>
        options.Authority.IssuerNames.Count > 0 ? options.Authority.IssuerNames : [new Uri(options.Server.BaseUrl).Host];

    /// <summary>What records are judged by.</summary>
    /// <exception cref="StartRefusedException">The host of the base URL is no issuer name, and none is configured.</exception>
    public static PersistPolicy Policy(PersistCaOptions options)
    {
        var issuers = new List<IssuerName>();
        foreach (var text in IssuerNames(options).Concat(options.Authority.FormerIssuerNames))
        {
            var parsed = IssuerName.Parse(text);
            issuers.Add(parsed.IsValid ? parsed.Value : throw new StartRefusedException("Authority:IssuerNames", $"'{text}' is not a domain name ({parsed.Reason}); configure one"));
        }

        var prefix = options.Authority.AccountHashPrefix.Length > 0 ? options.Authority.AccountHashPrefix : options.Server.BaseUrl + "/acme/account-hash/";
        var dialects = options.Validation.Persist.Dialects.Count == 0
            ? PersistDialects.All.ToHashSet()
            : options.Validation.Persist.Dialects.Select(d => PersistDialects.Read(d)!.Value).ToHashSet();
        return new PersistPolicy(issuers, [prefix, .. options.Authority.FormerAccountHashPrefixes], dialects)
        {
            Scope = options.Validation.Persist.Ancestors ? Above(options) : PersistScope.NameOnly,
            RequireExpiry = options.Validation.Persist.RequireExpiry,
            MaxRecords = options.Validation.Persist.MaxRecords,
            MaxBytes = options.Validation.Persist.MaxBytes,
        };
    }

    private static ChallengePolicy Challenges(PersistCaOptions options)
    {
        var onOffer = options.Validation.Challenges.Count == 0 ? ChallengeTypes.OnOfferUnasked : Types(options.Validation.Challenges);
        return new ChallengePolicy(onOffer, options.Policy.Challenges.Select(r => new ChallengeRule(
            r.NameSuffix.Length == 0 ? null : DnsName.Parse(r.NameSuffix.TrimStart('.')).Value,
            r.Account.Length == 0 ? null : r.Account,
            [.. Types(r.Types)])));

        static IReadOnlyList<ChallengeType> Types(IEnumerable<string> words) => [.. words.Select(w => ChallengeTypes.Read(w)!.Value)];
    }

    private static TargetOptions Targets(TargetNetworkOptions targets) => new()
    {
        AllowLoopback = targets.AllowLoopback,
        Strict = targets.Strict,
        AllowedNetworks = [.. targets.AllowedNetworks.Select(IPNetwork.Parse)],
        DeniedNetworks = [.. targets.DeniedNetworks.Select(IPNetwork.Parse)],
    };

    /// <summary>The names above a name at which it can be proved.</summary>
    public static PersistScope Above(PersistCaOptions options, int? most = null) => PersistScope.WithAncestors(
        PublicSuffixList.Shipped, options.Validation.Persist.Floors.Select(f => DnsName.Parse(f).Value!), most ?? options.Validation.Persist.MaxNames);

    /// <summary>Looks CAA records up. Every issuer name that records may have, former ones too, is ours there as well.</summary>
    public static CaaClimb Caa(PersistCaOptions options, PersistPolicy policy, IDnsResolver resolver, TimeProvider clock) => new(
        resolver,
        new CaaPolicy(policy.IssuerNames) { ExcuseInsecureFailures = options.Validation.Caa.ExcuseInsecureFailures },
        OptionRules.CaaSuffixes(options.Validation.Caa).Value!,
        new CaaLookupOptions { MaxLabels = options.Validation.Caa.MaxLabels },
        clock);

    /// <summary>The validators, over a resolver.</summary>
    public static ChallengeValidators Validators(PersistCaOptions options, PersistPolicy policy, StubResolver resolver, TimeProvider clock) =>
        ChallengeValidators.Create(resolver, policy, Http01(options), TlsAlpn01(options), options.Validation.Dns.SharedOwnerGrace, clock);

    /// <summary>What the role perspective does for others, over a resolver.</summary>
    public static PerspectiveChecks Checks(PersistCaOptions options, StubResolver resolver, TimeProvider clock) =>
        new(resolver, Http01(options), TlsAlpn01(options), new CaaLookupOptions { MaxLabels = options.Validation.Caa.MaxLabels }, clock);

    private static Http01Options Http01(PersistCaOptions options) => new()
    {
        Port = options.Validation.Http.Port,
        AllowedRedirectPorts = [80, 443, options.Validation.Http.Port, .. options.Validation.Http.RedirectPorts],
        MaxRedirects = options.Validation.Http.MaxRedirects,
        Timeout = options.Validation.Http.Timeout,
        Target = Targets(options.Validation.Targets),
    };

    private static TlsAlpn01Options TlsAlpn01(PersistCaOptions options) =>
        new() { Port = options.Validation.TlsAlpnPort, Timeout = options.Validation.Http.Timeout, Target = Targets(options.Validation.Targets) };
}

/// <summary>Secrets opened at the start.</summary>
public sealed class AuthorityKeys
{
    private byte[]? nonces;

    /// <summary>MAC key of nonces, the same on all nodes.</summary>
    public byte[] Nonces
    {
        get => nonces ?? throw new InvalidOperationException("the secrets are not opened yet");
        internal set => nonces = value;
    }

    /// <summary>What the keys of OCSP signers are sealed with in the store: derived, so that one secret less has to be kept (RFC 5869).</summary>
    internal byte[] SignerKeys => System.Security.Cryptography.HKDF.Expand(System.Security.Cryptography.HashAlgorithmName.SHA256, Nonces, 32, "persistca ocsp signer keys"u8.ToArray());

    /// <summary>What the secrets of external account keys are sealed with in the store: derived in the same way.</summary>
    internal byte[] ExternalAccountKeys => System.Security.Cryptography.HKDF.Expand(System.Security.Cryptography.HashAlgorithmName.SHA256, Nonces, 32, "persistca external account keys"u8.ToArray());
}
