using System.Net;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Mpic;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Dns;

namespace PersistCa.Server.Hosting;

/// <summary>
/// What values of the sections Perspective and Validation:Perspectives may be, beyond their types. Pure; how many perspectives the date demands is asked
/// at the start, when there is a date.
/// </summary>
internal static class PerspectiveRules
{
    /// <summary>The rules of an authority's own network.</summary>
    public const string Private = "private";

    /// <summary>The Baseline Requirements of the CA/Browser Forum.</summary>
    public const string CabfBr = "cabf-br";

    /// <summary>The role that answers other authorities.</summary>
    public const string Role = "perspective";

    /// <summary>Most remote perspectives: each one's verdict is kept with every validation.</summary>
    public const int MostPerspectives = 12;

    private const int MaxWord = 64;
    private const string List = "Validation:Perspectives";

    /// <summary>Checks both sections.</summary>
    public static IEnumerable<ConfigurationFault> Check(PersistCaOptions o) =>
        Regime(o.Validation).Concat(Remotes(o.Validation)).Concat(Tls(o.Validation)).Concat(o.Server.Roles.Contains(Role) ? Serving(o.Perspective) : []);

    /// <summary>True when the text is a SHA-256 in hexadecimal, with or without colons.</summary>
    public static bool IsFingerprint(string text) => Fingerprint(text) is { Length: 64 } plain && plain.All(char.IsAsciiHexDigit);

    /// <summary>A fingerprint in one spelling: lower case, without colons.</summary>
    public static string Fingerprint(string text) => text.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();

    private static IEnumerable<ConfigurationFault> Regime(ValidationOptions v)
    {
        foreach (var fault in OptionRules.Range("Validation:PerspectiveDeadline", v.PerspectiveDeadline, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(60)))
        {
            yield return fault;
        }

        foreach (var fault in OptionRules.Range("Validation:PerspectiveGrace", v.PerspectiveGrace, TimeSpan.Zero, TimeSpan.FromSeconds(60)))
        {
            yield return fault;
        }

        if (v.Perspectives.Count > 0 && v.PerspectiveDeadline >= v.Deadline)
        {
            yield return new("Validation:PerspectiveDeadline", $"{v.PerspectiveDeadline} is not shorter than Validation:Deadline, {v.Deadline}, which holds for the whole validation; make it shorter");
        }

        if (v.PerspectiveRegime is not (Private or CabfBr))
        {
            yield return new("Validation:PerspectiveRegime", $"there is no regime '{v.PerspectiveRegime}'; there are {Private} and {CabfBr}");
        }

        if (v.PerspectiveRegime == CabfBr)
        {
            foreach (var fault in CheckRegime(v))
            {
                yield return fault;
            }
        }
    }

    /// <summary>What the Baseline Requirements demand of the configuration.</summary>
    public static IEnumerable<ConfigurationFault> CheckRegime(ValidationOptions v)
    {
        var wire = PersistDialect.AcmePersist.Wire();
        if (v.Persist.Dialects.Count == 0 || v.Persist.Dialects.Contains(wire))
        {
            var others = string.Join(", ", PersistDialects.All.Where(d => d != PersistDialect.AcmePersist).Select(d => d.Wire()));
            yield return new("Validation:Persist:Dialects", $"{wire} is no method of the Baseline Requirements (3.2.2.4), which {CabfBr} demands; write {others}");
        }

        if (v.Caa.Mode != CaaMode.Enforce || v.Caa.Suffixes.Exists(s => s.Mode != CaaMode.Enforce))
        {
            yield return new("Validation:Caa:Mode", $"under {CabfBr} CAA is enforced for every name (BR 3.2.2.8); set it to {CaaMode.Enforce} and name no other mode in Suffixes");
        }

        if (v.Persist.Ancestors)
        {
            yield return new("Validation:Persist:Ancestors", $"under {CabfBr} a record counts at its own name only; set it to false");
        }

        var regions = v.Perspectives.Select(p => InternetRegistries.Read(p.Region)).OfType<string>().Distinct().Count();
        if (regions < MpicQuorum.CabfBr.At(DateTimeOffset.MaxValue).LeastRegions)
        {
            yield return new(List, $"they are in {regions} region(s) of the Internet registries; {CabfBr} needs {MpicQuorum.CabfBr.At(DateTimeOffset.MaxValue).LeastRegions} at least (BR 3.2.2.9)");
        }
    }

    private static IEnumerable<ConfigurationFault> Remotes(ValidationOptions v)
    {
        if (v.Perspectives.Count > MostPerspectives)
        {
            yield return new(List, $"there are {v.Perspectives.Count}; at most {MostPerspectives} are asked");
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        var doors = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var places = v.Dns.Resolvers.Select(r => (Address: Place(r), Key: "Validation:Dns:Resolvers"))
            .Concat(v.Dns.Zones.SelectMany((z, at) => z.Resolvers.Select(r => (Address: Place(r), Key: $"Validation:Dns:Zones:{at}:Resolvers"))))
            .ToList();
        for (var at = 0; at < v.Perspectives.Count; at++)
        {
            var (p, key) = (v.Perspectives[at], $"{List}:{at}");
            if (p.Id.Length is 0 or > MaxWord || !p.Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            {
                yield return new(key + ":Id", $"'{p.Id}' is no id; write 1 to {MaxWord} letters, digits, dots, hyphens or underscores");
            }
            else if (!ids.Add(p.Id))
            {
                yield return new(key + ":Id", $"'{p.Id}' is the id of another perspective too");
            }

            if (v.PerspectiveRegime == CabfBr ? InternetRegistries.Read(p.Region) is null : p.Region.Length > MaxWord)
            {
                yield return new(key + ":Region", v.PerspectiveRegime == CabfBr
                    ? $"'{p.Region}' is not the region of an Internet registry; write one of {string.Join(", ", InternetRegistries.All)}"
                    : $"it has {p.Region.Length} characters; at most {MaxWord} are expected");
            }

            // One node under two names would be two voices of the quorum.
            if (p.Url.Length > 0 && Uri.TryCreate(p.Url, UriKind.Absolute, out var door) && !doors.Add(door.Authority))
            {
                yield return new(key + ":Url", $"{door.Authority} is the Url of another perspective too; each is a node of its own");
            }

            if (p.Fingerprint.Length > 0 && !doors.Add(p.Fingerprint.Replace(":", "", StringComparison.Ordinal)))
            {
                yield return new(key + ":Fingerprint", "it is that of another perspective too; each is a node of its own");
            }

            foreach (var fault in p.Url.Length > 0 ? Remote(key, p, v) : Local(key, p, places))
            {
                yield return fault;
            }

            // No two may look through the same eyes (BR 3.2.2.9): one poisoned cache would then count twice.
            places.AddRange(p.Resolvers.Select(r => (Place(r), $"{key}:Resolvers")));
        }
    }

    private static IEnumerable<ConfigurationFault> Remote(string key, RemotePerspectiveOptions p, ValidationOptions v)
    {
        if (!Uri.TryCreate(p.Url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps || p.Url.EndsWith('/') || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            yield return new(key + ":Url", $"'{p.Url}' is not a base URL; write one such as https://perspective.example.net:14443, without final slash");
        }

        if (p.Resolvers.Count > 0)
        {
            yield return new(key + ":Resolvers", "it has a Url too; a perspective is either elsewhere (Url) or in this process (Resolvers)");
        }

        if (p.Fingerprint.Length > 0 && !IsFingerprint(p.Fingerprint))
        {
            yield return new(key + ":Fingerprint", $"'{p.Fingerprint}' is no SHA-256 in hexadecimal");
        }

        if (p.Fingerprint.Length == 0 && v.PerspectiveTls.TrustFile.Length == 0)
        {
            yield return new(key + ":Fingerprint", "nothing says how its certificate is known; set it to the SHA-256 of the certificate, or set Validation:PerspectiveTls:TrustFile");
        }
    }

    private static IEnumerable<ConfigurationFault> Local(string key, RemotePerspectiveOptions p, List<(ResolverAddress? Address, string Key)> places)
    {
        if (p.Resolvers.Count == 0)
        {
            yield return new(key + ":Url", "it is empty, and so is Resolvers; write the one or the other");
        }

        if (p.Fingerprint.Length > 0)
        {
            yield return new(key + ":Fingerprint", "it goes with a Url, which is empty");
        }

        foreach (var text in p.Resolvers)
        {
            if (ResolverAddress.Parse(text) is { IsValid: false } wrong)
            {
                yield return new(key + ":Resolvers", $"'{text}' is not a resolver: {wrong.Reason}");
            }
            else if (places.Find(e => e.Address == Place(text)) is { Key: { } other })
            {
                yield return new(key + ":Resolvers", $"{text} is in {other} too; perspectives share no resolver");
            }
        }
    }

    private static IEnumerable<ConfigurationFault> Tls(ValidationOptions v)
    {
        var tls = v.PerspectiveTls;
        if (tls.CertificateFile.Length > 0 != tls.KeyFile.Length > 0)
        {
            yield return new("Validation:PerspectiveTls:KeyFile", "CertificateFile and KeyFile go together; set both or neither");
        }
        else if (tls.CertificateFile.Length == 0 && v.Perspectives.Any(p => p.Url.Length > 0))
        {
            yield return new("Validation:PerspectiveTls:CertificateFile", "it is empty, and perspectives with a Url are asked with a client certificate only; name one and its key");
        }
    }

    private static IEnumerable<ConfigurationFault> Serving(PerspectiveOptions p)
    {
        if (!IPEndPoint.TryParse(p.Listen, out var endpoint) || !p.Listen.Contains(':', StringComparison.Ordinal) || (endpoint.Port == 0 && !p.Listen.EndsWith(":0", StringComparison.Ordinal)))
        {
            yield return new("Perspective:Listen", $"'{p.Listen}' is not an address with a port; write one such as 0.0.0.0:14443");
        }

        foreach (var (key, file) in new[] { ("Perspective:TlsCertificateFile", p.TlsCertificateFile), ("Perspective:TlsKeyFile", p.TlsKeyFile) })
        {
            if (file.Length == 0)
            {
                yield return new(key, "it is empty, and the role perspective answers over TLS only; name a file (PEM)");
            }
        }

        if (p.ClientTrustFile.Length == 0 && p.ClientFingerprints.Count == 0)
        {
            yield return new("Perspective:ClientTrustFile", "it is empty, and so is Perspective:ClientFingerprints: nobody would be admitted; say whom");
        }

        foreach (var text in p.ClientFingerprints.Where(f => !IsFingerprint(f)))
        {
            yield return new("Perspective:ClientFingerprints", $"'{text}' is no SHA-256 in hexadecimal");
        }

        foreach (var fault in OptionRules.Range("Perspective:MaxBodyBytes", p.MaxBodyBytes, 1024, 1024 * 1024))
        {
            yield return fault;
        }
    }

    private static ResolverAddress? Place(string text) => ResolverAddress.Parse(text).Value;
}
