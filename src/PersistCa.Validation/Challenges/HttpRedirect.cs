using System.Net;
using PersistCa.Protocol;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Validation.Challenges;

/// <summary>Judges where a redirect of http-01 leads (RFC 8555 section 8.3; BR 3.2.2.4.19).</summary>
internal static class HttpRedirect
{
    private const int MaxShown = 100;

    /// <summary>BR 3.2.2.4.19: only these; 303 in particular is not among them.</summary>
    public static bool IsRedirect(HttpStatusCode status) => status
        is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    /// <summary>Reads the Location header.</summary>
    /// <param name="from">URL that answered.</param>
    /// <param name="location">The header, null when it is missing or unreadable.</param>
    /// <param name="identifier">What is being validated: an address may redirect to itself, as servers do that move to https; to no other.</param>
    /// <param name="options">Ports and length allowed.</param>
    /// <returns>The URL to ask next, or the reason why it is not asked.</returns>
    public static Parsed<Uri> Read(Uri from, Uri? location, Identifier identifier, Http01Options options)
    {
        if (location is null || !Uri.TryCreate(from, location, out var to))
        {
            return Parsed<Uri>.Refused("it has no readable Location header");
        }

        if (to.OriginalString.Length > options.MaxUrlCharacters)
        {
            return Parsed<Uri>.Refused($"its URL has {to.OriginalString.Length} characters, at most {options.MaxUrlCharacters} expected");
        }

        if (to.Scheme != Uri.UriSchemeHttp && to.Scheme != Uri.UriSchemeHttps)
        {
            return Parsed<Uri>.Refused($"its scheme is '{PrintableText.Shorten(to.Scheme, MaxShown)}', http or https expected");
        }

        if (to.UserInfo.Length > 0)
        {
            return Parsed<Uri>.Refused("its URL holds credentials, none expected");
        }

        if (to.Port != options.Port && !options.AllowedRedirectPorts.Contains(to.Port))
        {
            return Parsed<Uri>.Refused($"its port is {to.Port}, one of {string.Join(", ", options.AllowedRedirectPorts)} expected");
        }

        if (to.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
        {
            // Compared as addresses: a URL can spell one in many ways.
            return identifier is IpIdentifier ip && IPAddress.TryParse(to.IdnHost, out var literal) && ip.Address.Equals(literal)
                ? Parsed<Uri>.Ok(to)
                : Parsed<Uri>.Refused("its host is an IP address, a name expected");
        }

        var host = DnsName.Parse(to.IdnHost);
        return host.IsValid
            ? Parsed<Uri>.Ok(to)
            : Parsed<Uri>.Refused($"its host '{PrintableText.Shorten(to.IdnHost, MaxShown)}' is no domain name: {host.Reason}");
    }
}
