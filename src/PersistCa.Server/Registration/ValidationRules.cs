using System.Security.Cryptography;
using System.Text;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Registration;

/// <summary>
/// By which rules names are proved on this node, in short: regime and perspectives, dialects and where records count, DNSSEC. A proof is used only under the
/// rules by which it was won: what was tightened since holds for orders that are under way, too.
/// </summary>
/// <param name="Fingerprint">The same for the same rules.</param>
public sealed record ValidationRules(string Fingerprint)
{
    /// <summary>The rules of a configuration, and what a profile says besides.</summary>
    public static ValidationRules Of(ValidationOptions v, ProfileProofs? own = null)
    {
        string[] rules =
        [
            "regime " + v.PerspectiveRegime,
            .. v.Perspectives.Select(p => $"perspective {p.Id} {p.Region} {p.Url} {string.Join(',', p.Resolvers)}").Order(StringComparer.Ordinal),
            "dialects " + string.Join(',', v.Persist.Dialects.Order(StringComparer.Ordinal)),
            $"expiry {v.Persist.RequireExpiry} ancestors {v.Persist.Ancestors}",
            "floors " + string.Join(',', v.Persist.Floors.Order(StringComparer.Ordinal)),
            $"dnssec {v.Dns.Dnssec} secure {v.Dns.RequireSecure}",
            $"targets {v.Targets.Strict} {v.Targets.AllowLoopback}",
            .. own is { IsNone: false } ? ["profile " + own.InWords] : Array.Empty<string>(),
        ];
        return new ValidationRules(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', rules))))[..16]);
    }
}
