using PersistCa.Protocol.Identifiers;
using PersistCa.Storage;

namespace PersistCa.Server.Hosting;

/// <summary>Everything that can be configured, as it stands in appsettings.json, PERSISTCA__ environment variables and --set options.</summary>
public sealed class PersistCaOptions
{
    /// <summary>Where this server is reached and what it does.</summary>
    public ServerOptions Server { get; set; } = new();

    /// <summary>The database.</summary>
    public StoreOptions Store { get; set; } = new();

    /// <summary>Who the authority is, and its keys.</summary>
    public AuthorityOptions Authority { get; set; } = new();

    /// <summary>Where the keys of issuers can be.</summary>
    public KeyStoreOptions KeyStores { get; set; } = new();

    /// <summary>The ACME protocol.</summary>
    public AcmeOptions Acme { get; set; } = new();

    /// <summary>Which names may stand in certificates at all.</summary>
    public NamePolicyOptions Names { get; set; } = new();

    /// <summary>What is decided about identifiers and their challenges.</summary>
    public PolicyOptions Policy { get; set; } = new();

    /// <summary>How control is proven.</summary>
    public ValidationOptions Validation { get; set; } = new();

    /// <summary>What this node is in the role perspective.</summary>
    public PerspectiveOptions Perspective { get; set; } = new();

    /// <summary>What certificates look like, whatever their profile says nothing of.</summary>
    public IssuanceOptions Issuance { get; set; } = new();

    /// <summary>Profiles of certificates, besides those that ship or in their place.</summary>
    public List<ProfileOptions> Profiles { get; set; } = [];

    /// <summary>How often something may happen.</summary>
    public LimitOptions Limits { get; set; } = new();

    /// <summary>Those who look after the authority, and their doors.</summary>
    public OperatorOptions Operators { get; set; } = new();

    /// <summary>How backups are encrypted.</summary>
    public BackupOptions Backup { get; set; } = new();

    /// <summary>How much is logged.</summary>
    public LogOptions Log { get; set; } = new();

    /// <summary>The same with another section Validation.</summary>
    public PersistCaOptions With(ValidationOptions validation)
    {
        var copy = (PersistCaOptions)MemberwiseClone();
        copy.Validation = validation;
        return copy;
    }
}

/// <summary>Section Server.</summary>
public sealed class ServerOptions
{
    /// <summary>Public base URL of ACME, https, no final slash. The only source of URLs in answers: the Host header is never believed.</summary>
    public string BaseUrl { get; set; } = "https://localhost:14000";

    /// <summary>Address and port for HTTPS.</summary>
    public string Listen { get; set; } = "127.0.0.1:14000";

    /// <summary>Public base URL of CRLs, issuer certificates and problem pages, http, no final slash.</summary>
    public string PublicationUrl { get; set; } = "http://localhost:14080";

    /// <summary>Address and port for plain HTTP, which serves publication and health only.</summary>
    public string ListenPublication { get; set; } = "127.0.0.1:14080";

    /// <summary>Folder of keys, certificates and the SQLite file.</summary>
    public string DataDirectory { get; set; } = "data";

    /// <summary>Name of this node, unique among those that share a database; empty for the machine's name.</summary>
    public string NodeName { get; set; } = "";

    /// <summary>What this node does: acme, worker, publication, perspective. Empty means the first three.</summary>
    public List<string> Roles { get; set; } = [];

    /// <summary>TLS certificate chain (PEM); empty for one from this authority.</summary>
    public string TlsCertificateFile { get; set; } = "";

    /// <summary>Key of that certificate (PEM, not encrypted).</summary>
    public string TlsKeyFile { get; set; } = "";

    /// <summary>Most simultaneous connections.</summary>
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Least time between two looks whether TLS files have changed: the server's own, and those by which perspectives and authorities know each other.</summary>
    public TimeSpan TlsFileCheckInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Attempts after which a validation or an issuance that fails here, through nobody's fault outside, is parked; a minute apart in the end.</summary>
    public int MaxWorkAttempts { get; set; } = 20;

    /// <summary>How long parked work waits for an operator before it is given up.</summary>
    public TimeSpan ParkedLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long a node that was told to stop goes on taking requests while it says that it is not ready: until every balancer has seen it.</summary>
    public TimeSpan DrainDelay { get; set; }

    /// <summary>Longest time that requests and work under way get to come to their end, after DrainDelay.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Networks of the proxies that are believed about the address of a client (X-Forwarded-For, PROXY protocol); empty for none.</summary>
    public List<string> TrustedProxies { get; set; } = [];

    /// <summary>Connections from TrustedProxies to the HTTPS doors begin with a header of the PROXY protocol, version 2.</summary>
    public bool ProxyProtocol { get; set; }
}

/// <summary>Section Store.</summary>
public sealed class StoreOptions
{
    /// <summary>Sqlite or PostgreSql.</summary>
    public StoreKind Kind { get; set; } = StoreKind.Sqlite;

    /// <summary>Connection string; empty means persistca.db in the data folder (SQLite only).</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Bring the schema up to date on start.</summary>
    public bool Migrate { get; set; } = true;

    /// <summary>Whether connections go through a pooler that gives a server connection for one transaction only: then no session is held for news and locks.</summary>
    public bool TransactionPooler { get; set; }

    /// <summary>How long an account that was read to say who signed a request is used for the next one, where another node may have changed it; none for not at all.</summary>
    public TimeSpan AccountMemory { get; set; } = StorageRegistration.AccountLife;

    /// <summary>How long orders and authorizations are kept that lapsed without a validation or a certificate.</summary>
    public TimeSpan KeepLapsed { get; set; } = TimeSpan.FromDays(30);
}

/// <summary>Section Authority.</summary>
public sealed class AuthorityOptions
{
    /// <summary>Name of the authority, in its certificates' subjects.</summary>
    public string Name { get; set; } = "PersistCA";

    /// <summary>Issuer names for records and CAA, 1 to 10, normalised; the first is the one we advise. Empty means the host of Server:BaseUrl.</summary>
    public List<string> IssuerNames { get; set; } = [];

    /// <summary>Issuer names that are still accepted in records though no longer announced.</summary>
    public List<string> FormerIssuerNames { get; set; } = [];

    /// <summary>Prefix of hashed account URIs; empty means Server:BaseUrl plus "/acme/account-hash/".</summary>
    public string AccountHashPrefix { get; set; } = "";

    /// <summary>Prefixes that are still accepted.</summary>
    public List<string> FormerAccountHashPrefixes { get; set; } = [];

    /// <summary>Base URLs that account URLs had before; records with them are still accepted.</summary>
    public List<string> FormerBaseUrls { get; set; } = [];

    /// <summary>File with the passphrase of the keys. Empty: the variable PERSISTCA_PASSPHRASE, the systemd credential persistca-passphrase, or the file passphrase in the data folder.</summary>
    public string PassphraseFile { get; set; } = "";

    /// <summary>Issuing certificate (PEM); empty means ca/issuing.pem in the data folder.</summary>
    public string IssuingCertificateFile { get; set; } = "";

    /// <summary>Reference to the issuing key: file:NAME, pkcs11:token=TOKEN;object=NAME, aws-kms:alias/NAME; empty for IssuingKeyFile.</summary>
    public string IssuingKey { get; set; } = "";

    /// <summary>Issuing key (encrypted PKCS#8 PEM); empty means ca/issuing.key.pem in the data folder.</summary>
    public string IssuingKeyFile { get; set; } = "";

    /// <summary>When the issuer of IssuingCertificateFile stops signing certificates, because another of Issuers follows it; empty for never.</summary>
    public DateTimeOffset? IssuingUntil { get; set; }

    /// <summary>Further issuers.</summary>
    public List<IssuerOptions> Issuers { get; set; } = [];

    /// <summary>Root certificate (PEM); empty means ca/root.pem in the data folder.</summary>
    public string RootCertificateFile { get; set; } = "";
}

/// <summary>Section Acme.</summary>
public sealed class AcmeOptions
{
    /// <summary>URL of the terms of service; empty for none. When set, new accounts must agree.</summary>
    public string TermsOfService { get; set; } = "";

    /// <summary>Web site for people; empty for none.</summary>
    public string Website { get; set; } = "";

    /// <summary>Whether new accounts are bound to external account keys (RFC 8555 section 7.3.4).</summary>
    public ExternalAccountMode ExternalAccount { get; set; } = ExternalAccountMode.Off;

    /// <summary>Renewal information (RFC 9773).</summary>
    public RenewalOptions Renewal { get; set; } = new();

    /// <summary>The profile of orders that name none.</summary>
    public string DefaultProfile { get; set; } = ProfileSetup.Server;

    /// <summary>How long a nonce can be used.</summary>
    public TimeSpan NonceLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long an order and its pending authorizations live.</summary>
    public TimeSpan OrderLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a proven authorization may be used; a record's own end comes first, and 10 days at most.</summary>
    public TimeSpan AuthorizationLifetime { get; set; } = TimeSpan.FromHours(7);

    /// <summary>Most names in an order.</summary>
    public int MaxNames { get; set; } = 100;

    /// <summary>Most octets in a request body.</summary>
    public int MaxBodyBytes { get; set; } = 128 * 1024;

    /// <summary>Most contacts of an account.</summary>
    public int MaxContacts { get; set; } = 10;

    /// <summary>Orders on one page of an account's list.</summary>
    public int OrdersPerPage { get; set; } = 100;

    /// <summary>Whether an authorization may stand for the names under its own (RFC 9444).</summary>
    public bool SubdomainAuthorizations { get; set; } = true;

    /// <summary>How long an answer to finalize may wait for the certificate, so that most clients need no poll. Zero answers at once.</summary>
    public TimeSpan FinalizeWait { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the answer to a poll is held back while what it asks for is in processing here, so that a quick end is seen at once.</summary>
    public TimeSpan PollWait { get; set; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>Section Acme:Renewal: when certificates are best renewed, in hundredths of their life.</summary>
public sealed class RenewalOptions
{
    /// <summary>Where in the life of a certificate the earliest window begins.</summary>
    public int StartPercent { get; set; } = 65;

    /// <summary>Over which part of the life the beginnings of windows are spread.</summary>
    public int SpreadPercent { get; set; } = 5;

    /// <summary>How long a window is.</summary>
    public int LengthPercent { get; set; } = 5;

    /// <summary>How often clients are asked to look (Retry-After).</summary>
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromHours(6);

    /// <summary>A page that says why a certificate is to be renewed at once, where the revocation has none of its own; empty for none.</summary>
    public string ExplanationUrl { get; set; } = "";
}

/// <summary>Whether new accounts are bound to external account keys.</summary>
public enum ExternalAccountMode
{
    /// <summary>They are not: a binding is ignored.</summary>
    Off = 1,

    /// <summary>Those that bring a binding are, and it has to be good.</summary>
    Optional = 2,

    /// <summary>All are, and accounts without a binding get no certificates.</summary>
    Required = 3,
}

/// <summary>Section Validation.</summary>
public sealed class ValidationOptions
{
    /// <summary>Challenges on offer: http-01, dns-01, tls-alpn-01, dns-account-01, dns-persist-01. Empty means all but dns-account-01.</summary>
    public List<string> Challenges { get; set; } = [];

    /// <summary>Validations at a time on this node.</summary>
    public int Concurrency { get; set; } = 64;

    /// <summary>Longest time for one validation.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>DNS look-ups.</summary>
    public DnsLookupOptions Dns { get; set; } = new();

    /// <summary>http-01.</summary>
    public Http01LookupOptions Http { get; set; } = new();

    /// <summary>Port for tls-alpn-01.</summary>
    public int TlsAlpnPort { get; set; } = 443;

    /// <summary>Where http-01 and tls-alpn-01 connect to.</summary>
    public TargetNetworkOptions Targets { get; set; } = new();

    /// <summary>dns-persist-01.</summary>
    public PersistOptions Persist { get; set; } = new();

    /// <summary>CAA records.</summary>
    public CaaOptions Caa { get; set; } = new();

    /// <summary>Remote perspectives, which must see what was seen from here; none switches them off where the regime allows it.</summary>
    public List<RemotePerspectiveOptions> Perspectives { get; set; } = [];

    /// <summary>By which rules they are counted: private or cabf-br.</summary>
    public string PerspectiveRegime { get; set; } = PerspectiveRules.Private;

    /// <summary>Longest time for one look of one perspective.</summary>
    public TimeSpan PerspectiveDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long silent perspectives are waited for once they cannot change the verdict any more.</summary>
    public TimeSpan PerspectiveGrace { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Certificates between this authority and its perspectives.</summary>
    public PerspectiveTlsOptions PerspectiveTls { get; set; } = new();

    /// <summary>The same with other values where a profile sets them.</summary>
    public ValidationOptions With(PersistOptions persist, CaaOptions caa, List<RemotePerspectiveOptions> perspectives)
    {
        var copy = (ValidationOptions)MemberwiseClone();
        (copy.Persist, copy.Caa, copy.Perspectives) = (persist, caa, perspectives);
        return copy;
    }

    /// <summary>The same with other values where a regime sets them.</summary>
    public ValidationOptions With(PersistOptions persist, CaaOptions caa, TargetNetworkOptions targets, Http01LookupOptions http, string regime)
    {
        var copy = (ValidationOptions)MemberwiseClone();
        (copy.Persist, copy.Caa, copy.Targets, copy.Http, copy.TlsAlpnPort, copy.PerspectiveRegime) = (persist, caa, targets, http, 443, regime);
        return copy;
    }
}

/// <summary>Section Validation:Http.</summary>
public sealed class Http01LookupOptions
{
    /// <summary>Port of the first request.</summary>
    public int Port { get; set; } = 80;

    /// <summary>Ports that a redirect may lead to, besides Port.</summary>
    public List<int> RedirectPorts { get; set; } = [];

    /// <summary>Most redirects.</summary>
    public int MaxRedirects { get; set; } = 10;

    /// <summary>Time for the whole exchange.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Section Validation:Persist.</summary>
public sealed class PersistOptions
{
    /// <summary>Dialects that are accepted: acme-persist, draft-01, draft-02. Empty means all.</summary>
    public List<string> Dialects { get; set; } = [];

    /// <summary>Whether a record must say when it ends.</summary>
    public bool RequireExpiry { get; set; }

    /// <summary>Whether records with policy=wildcard at a name above count, down to the registrable domain or a floor.</summary>
    public bool Ancestors { get; set; } = true;

    /// <summary>For private zones: the highest names at which records count for those under them, in place of the registrable domain.</summary>
    public List<string> Floors { get; set; } = [];

    /// <summary>Most names asked for, nearest first.</summary>
    public int MaxNames { get; set; } = 8;

    /// <summary>Look for records when an order is opened, so that it can be ready at once.</summary>
    public bool JustInTime { get; set; } = true;

    /// <summary>Longest that an order may wait for that.</summary>
    public TimeSpan JustInTimeBudget { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Do so for accounts too that never proved a name by dns-persist-01.</summary>
    public bool JustInTimeForAll { get; set; }

    /// <summary>Most TXT records judged per name.</summary>
    public int MaxRecords { get; set; } = 100;

    /// <summary>Most octets of TXT judged per name.</summary>
    public int MaxBytes { get; set; } = 64 * 1024;

    /// <summary>The same with other dialects and ancestors.</summary>
    public PersistOptions With(List<string> dialects, bool ancestors)
    {
        var copy = (PersistOptions)MemberwiseClone();
        (copy.Dialects, copy.Ancestors) = (dialects, ancestors);
        return copy;
    }
}

/// <summary>Section Issuance.</summary>
public sealed class IssuanceOptions
{
    /// <summary>Validity of certificates.</summary>
    public TimeSpan Validity { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How far before the present validity begins.</summary>
    public TimeSpan Backdate { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Put the first name into the subject's common name, where it fits.</summary>
    public bool CommonName { get; set; }

    /// <summary>Put a subject key identifier into leaves.</summary>
    public bool SubjectKeyIdentifier { get; set; }

    /// <summary>Add the root to the chain that clients download.</summary>
    public bool RootInChain { get; set; }

    /// <summary>Whether subscribers may have ML-DSA keys (RFC 9881).</summary>
    public bool AcceptMlDsaKeys { get; set; }

    /// <summary>Issuances at a time on this node.</summary>
    public int Concurrency { get; set; } = 8;

    /// <summary>How long a CRL is valid.</summary>
    public TimeSpan CrlValidity { get; set; } = TimeSpan.FromDays(4);

    /// <summary>How often a CRL is made though nothing was revoked.</summary>
    public TimeSpan CrlInterval { get; set; } = TimeSpan.FromHours(12);

    /// <summary>In how many parts new certificates are; 1 for one list of everything. A certificate stays in its part for ever.</summary>
    public int CrlShards { get; set; } = 1;

    /// <summary>How long caches may keep CRLs and OCSP answers.</summary>
    public TimeSpan StatusMaxAge { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether a key that is proven to be compromised takes every certificate with it along.</summary>
    public bool RevokeSameKey { get; set; } = true;

    /// <summary>File of keys that are never certified, a SHA-256 fingerprint of the SubjectPublicKeyInfo in each line; empty for none.</summary>
    public string BlockedKeysFile { get; set; } = "";

    /// <summary>OCSP.</summary>
    public OcspOptions Ocsp { get; set; } = new();
}

/// <summary>Section Log.</summary>
public sealed class LogOptions
{
    /// <summary>Trace, Debug, Information, Warning, Error.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>Text for people or Json for machines.</summary>
    public LogFormat Format { get; set; } = LogFormat.Text;
}

/// <summary>Forms of log lines.</summary>
public enum LogFormat
{
    /// <summary>One line of text.</summary>
    Text = 1,

    /// <summary>One JSON object.</summary>
    Json = 2,
}
