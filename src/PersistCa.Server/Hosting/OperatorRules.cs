using System.Net;
using PersistCa.Server.Registration;
using PersistCa.Storage.Operators;

namespace PersistCa.Server.Hosting;

/// <summary>What the section Operators may say, beyond its types.</summary>
internal static class OperatorRules
{
    /// <summary>The word of Operators:SecondApprover for nothing at all: an empty list cannot be told from one that is not there.</summary>
    public const string NoKind = "none";

    private static readonly string[] SanKinds = ["dns:", "email:", "uri:"];

    /// <summary>Checks the values.</summary>
    public static IEnumerable<ConfigurationFault> Check(OperatorOptions o) =>
        OptionRules.Range("Operators:PageSize", o.PageSize, 1, 10_000)
            .Concat(OptionRules.Range("Operators:MaxPageSize", o.MaxPageSize, 1, 10_000))
            .Concat(OptionRules.Range("Operators:MaxExport", o.MaxExport, 1, 1_000_000))
            .Concat(OptionRules.Range("Operators:MaxTokenLifetime", o.MaxTokenLifetime, TimeSpan.FromHours(1), TimeSpan.FromDays(3650)))
            .Concat(OptionRules.Range("Operators:ProposalLifetime", o.ProposalLifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30)))
            .Concat(OptionRules.Range("Operators:SwitchInterval", o.SwitchInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)))
            .Concat(Listen(o.Listen))
            .Concat((o.SecondApprover ?? []).Where(k => k != NoKind && DecisionKinds.Find(k) is null)
                .Select(k => new ConfigurationFault("Operators:SecondApprover", $"there is no kind '{k}'; there are {string.Join(", ", DecisionKinds.All.Select(d => d.Word))}, and {NoKind}")))
            .Concat(Certificates(o.ClientCertificates))
            .Concat(OpenId(o.OpenIdConnect));

    private static IEnumerable<ConfigurationFault> Listen(string address)
    {
        if (address.Length > 0 && (!IPEndPoint.TryParse(address, out var endpoint) || endpoint.Port == 0))
        {
            yield return new("Operators:Listen", $"'{address}' is not an address with a port; write one such as 127.0.0.1:14443");
        }
    }

    private static IEnumerable<ConfigurationFault> Certificates(ClientCertificateOptions c)
    {
        for (var at = 0; at < c.Mappings.Count; at++)
        {
            var (m, key) = (c.Mappings[at], $"Operators:ClientCertificates:Mappings:{at}");
            if (m.Subject.Length > 0 == m.San.Length > 0)
            {
                yield return new(key, "set Subject or San, and not both");
            }

            if (m.San.Length > 0 && !SanKinds.Any(k => m.San.StartsWith(k, StringComparison.Ordinal) && m.San.Length > k.Length))
            {
                yield return new(key + ":San", $"'{m.San}' is no name with its kind; write dns:NAME, email:ADDRESS or uri:URI");
            }

            foreach (var fault in Person(key, m.Name, m.Role))
            {
                yield return fault;
            }
        }

        if (c.Mappings.Count > 0 && c.CaFile.Length == 0)
        {
            yield return new("Operators:ClientCertificates:CaFile", "it is empty, and there are Mappings; name a file (PEM)");
        }
    }

    private static IEnumerable<ConfigurationFault> OpenId(OpenIdConnectOptions o)
    {
        foreach (var (key, url) in new[] { ("Operators:OpenIdConnect:Issuer", o.Issuer), ("Operators:OpenIdConnect:MetadataUrl", o.MetadataUrl) })
        {
            if (url.Length > 0 && (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps))
            {
                yield return new(key, $"'{url}' is not an https URL");
            }
        }

        if (o.Issuer.Length > 0 && o.Audience.Length == 0)
        {
            yield return new("Operators:OpenIdConnect:Audience", "it is empty; name what the provider makes tokens for here");
        }

        if (o.Issuer.Length > 0 && o.Roles.Count == 0)
        {
            yield return new("Operators:OpenIdConnect:Roles", "there are none, so nobody would be let in; say which value of RoleClaim is which role");
        }

        foreach (var algorithm in o.Algorithms.Where(a => !OpenIdConnectOptions.AllAlgorithms.Contains(a)))
        {
            yield return new("Operators:OpenIdConnect:Algorithms", $"'{algorithm}' is not accepted; there are {string.Join(", ", OpenIdConnectOptions.AllAlgorithms)}");
        }

        for (var at = 0; at < o.Roles.Count; at++)
        {
            var key = $"Operators:OpenIdConnect:Roles:{at}";
            if (o.Roles[at].Value.Length == 0)
            {
                yield return new(key + ":Value", "it is empty; write a value of RoleClaim");
            }

            foreach (var fault in Role(key, o.Roles[at].Role))
            {
                yield return fault;
            }
        }

        foreach (var fault in OptionRules.Range("Operators:OpenIdConnect:RefreshInterval", o.RefreshInterval, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7))
            .Concat(OptionRules.Range("Operators:OpenIdConnect:LeastRefresh", o.LeastRefresh, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)))
            .Concat(OptionRules.Range("Operators:OpenIdConnect:Timeout", o.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)))
            .Concat(OptionRules.Range("Operators:OpenIdConnect:MaxDocumentBytes", o.MaxDocumentBytes, 1024, 16 * 1024 * 1024))
            .Concat(OptionRules.Range("Operators:OpenIdConnect:ClockSkew", o.ClockSkew, TimeSpan.Zero, TimeSpan.FromMinutes(10))))
        {
            yield return fault;
        }
    }

    private static IEnumerable<ConfigurationFault> Person(string key, string name, string role)
    {
        if (!OperatorDesk.IsName(name))
        {
            yield return new(key + ":Name", $"'{name}' is no name of an operator; write 1 to 64 of a-z, 0-9, '.', '_', '-' and '@'");
        }

        foreach (var fault in Role(key, role))
        {
            yield return fault;
        }
    }

    private static IEnumerable<ConfigurationFault> Role(string key, string role)
    {
        if (OperatorRoles.Read(role) is null)
        {
            yield return new(key + ":Role", $"there is no role '{role}'; there are {string.Join(", ", OperatorRoles.All.Select(r => r.Word()))}");
        }
    }
}
