using PersistCa.Protocol.Accounts;

namespace PersistCa.Server.Hosting;

/// <summary>Every URL this server gives out: built from the configured base URLs alone.</summary>
/// <param name="baseUrl">Server:BaseUrl without a final slash.</param>
/// <param name="publicationUrl">Server:PublicationUrl without a final slash.</param>
/// <param name="formerBaseUrls">Authority:FormerBaseUrls.</param>
public sealed class AuthorityUrls(string baseUrl, string publicationUrl, IReadOnlyList<string> formerBaseUrls)
{
    /// <summary>The id under which the present root's certificate is published.</summary>
    public const string RootIssuer = "root";

    /// <summary>Paths, as routes.</summary>
    public static class Paths
    {
        public const string Directory = "/directory";
        public const string NewNonce = "/acme/new-nonce";
        public const string NewAccount = "/acme/new-account";
        public const string NewOrder = "/acme/new-order";
        public const string NewAuthz = "/acme/new-authz";
        public const string Explain = "/acme/explain";
        public const string KeyChange = "/acme/key-change";
        public const string RevokeCert = "/acme/revoke-cert";
        public const string RenewalInfo = "/acme/renewal-info";
        public const string Account = "/acme/account/";
        public const string Order = "/acme/order/";
        public const string Authorization = "/acme/authorization/";
        public const string Challenge = "/acme/challenge/";
        public const string Certificate = "/acme/certificate/";
        public const string Problems = "/problems/";
        public const string Crl = "/crl/";
        public const string Issuer = "/issuer/";
        public const string Ocsp = "/ocsp/";
        public const string Admin = "/admin/v1/";
    }

    /// <summary>The URLs of a configuration.</summary>
    public static AuthorityUrls Of(PersistCaOptions options) => new(options.Server.BaseUrl, options.Server.PublicationUrl, options.Authority.FormerBaseUrls);

    public string Base => baseUrl;

    public string Directory => baseUrl + Paths.Directory;

    public string NewNonce => baseUrl + Paths.NewNonce;

    public string NewAccount => baseUrl + Paths.NewAccount;

    public string NewOrder => baseUrl + Paths.NewOrder;

    public string KeyChange => baseUrl + Paths.KeyChange;

    public string NewAuthz => baseUrl + Paths.NewAuthz;

    public string Explain => baseUrl + Paths.Explain;

    public string RevokeCert => baseUrl + Paths.RevokeCert;

    public string RenewalInfo => baseUrl + Paths.RenewalInfo;

    public string AccountPrefix => baseUrl + Paths.Account;

    /// <summary>Where problem pages are; the page name is appended.</summary>
    public string Problems => baseUrl + Paths.Problems;

    public string Account(string id) => baseUrl + Paths.Account + id;

    public string Orders(string accountId) => baseUrl + Paths.Account + accountId + "/orders";

    public string Order(string id) => baseUrl + Paths.Order + id;

    public string Finalize(string id) => baseUrl + Paths.Order + id + "/finalize";

    public string Authorization(string id) => baseUrl + Paths.Authorization + id;

    public string Challenge(string authorizationId, int ordinal) => $"{baseUrl}{Paths.Challenge}{authorizationId}/{ordinal}";

    public string Certificate(string id) => baseUrl + Paths.Certificate + id;

    public string Crl(string issuerId) => $"{publicationUrl}{Paths.Crl}{issuerId}.crl";

    /// <summary>The list of a part, 1 and above.</summary>
    public string CrlShard(string issuerId, int shard) => $"{publicationUrl}{Paths.Crl}{issuerId}/{shard}.crl";

    /// <summary>Every list of an issuer with its URL: the one at the issuer's own, and those of the parts where there are several.</summary>
    public IEnumerable<(int Shard, string Url)> CrlPoints(string issuerId, int shards) =>
        [(0, Crl(issuerId)), .. CrlShards(issuerId, shards).Select((url, i) => (i + 1, url))];

    /// <summary>The URLs of the parts, part 1 first; none when there is one list only.</summary>
    public IEnumerable<string> CrlShards(string issuerId, int shards) => shards > 1 ? Enumerable.Range(1, shards).Select(s => CrlShard(issuerId, s)) : [];

    public string Ocsp(string issuerId) => $"{publicationUrl}{Paths.Ocsp}{issuerId}";

    public string Issuer(string issuerId) => $"{publicationUrl}{Paths.Issuer}{issuerId}.crt";

    /// <summary>What validation must know of an account, with its present and former URLs.</summary>
    public AccountFacts Facts(Account account) => account.Facts(Account(account.PublicId)) with
    {
        FormerUrls = [.. formerBaseUrls.Select(b => b.TrimEnd('/') + Paths.Account + account.PublicId)],
    };
}
