using System.Collections.Immutable;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.KeyStores;
using PersistCa.Issuance.Signing;
using PersistCa.Server.Registration;

namespace PersistCa.Server.Hosting;

/// <summary>Opens every issuer of the configuration: the one that init made or IssuingCertificateFile names, then Authority:Issuers.</summary>
internal static class IssuerSetup
{
    /// <summary>The name of the issuer of Authority:IssuingCertificateFile.</summary>
    public const string Primary = "issuing";

    private const int MaxIssuers = 32;

    /// <summary>Opens them. Their keys stay open for the life of the ring.</summary>
    /// <exception cref="StartRefusedException">One cannot be opened, or none of them signs now.</exception>
    public static async Task<IssuerBook> OpenAsync(PersistCaOptions options, KeyRing ring, DateTimeOffset now, CancellationToken cancel)
    {
        var book = new List<BookedIssuer>();

        // With issuers of the list alone, the files of the first one need not be there.
        if (options.Authority.Issuers.Count == 0 || options.Authority.IssuingCertificateFile.Length > 0 || AuthorityFiles.Exist(options))
        {
            book.Add(new BookedIssuer(
                Primary,
                await AuthorityFiles.LoadAsync(options, ring, now, cancel),
                DateTimeOffset.MinValue,
                options.Authority.IssuingUntil ?? DateTimeOffset.MaxValue,
                [])
            {
                KeyReference = Shown(options.Authority.IssuingKey, options.Authority.IssuingKeyFile.Length > 0 ? options.Authority.IssuingKeyFile : "issuing.key.pem"),
            });
        }

        for (var at = 0; at < options.Authority.Issuers.Count; at++)
        {
            book.Add(await OneAsync($"Authority:Issuers:{at}", options.Authority.Issuers[at], ring, now, cancel));
        }

        Check(book, now);
        return new IssuerBook(book);
    }

    /// <summary>Checks the section.</summary>
    public static IEnumerable<ConfigurationFault> Check(AuthorityOptions a)
    {
        if (a.Issuers.Count > MaxIssuers)
        {
            yield return new("Authority:Issuers", $"there are {a.Issuers.Count}; at most {MaxIssuers} are opened");
        }

        var names = new HashSet<string>(StringComparer.Ordinal) { Primary };
        for (var at = 0; at < a.Issuers.Count; at++)
        {
            var (issuer, key) = (a.Issuers[at], $"Authority:Issuers:{at}");
            if (issuer.Name.Length is 0 or > ProfileSetup.MaxNameLength || issuer.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            {
                yield return new(key + ":Name", $"'{issuer.Name}' is no name; write 1 to {ProfileSetup.MaxNameLength} letters, digits, hyphens and underscores");
            }
            else if (!names.Add(issuer.Name))
            {
                yield return new(key + ":Name", $"'{issuer.Name}' is the name of another issuer too");
            }

            if (issuer.CertificateFile.Length == 0)
            {
                yield return new(key + ":CertificateFile", "it is empty; name a file (PEM)");
            }

            if (issuer.KeyFile.Length > 0 == issuer.Key.Length > 0)
            {
                yield return new(key + ":KeyFile", issuer.Key.Length > 0 ? "Key is set too; set one of them" : "it is empty, and so is Key; name a file (encrypted PKCS#8 PEM), or a key by its reference");
            }

            if (issuer.Key.Length > 0 && KeyReference.Parse(issuer.Key) is { IsValid: false } wrong)
            {
                yield return new(key + ":Key", wrong.Reason);
            }

            if (issuer is { From: { } from, Until: { } until } && until <= from)
            {
                yield return new(key + ":Until", $"{until:O} is not after From, {from:O}");
            }
        }
    }

    /// <summary>A key as operators see it: its reference, which has no secret by its grammar, or the name of its file.</summary>
    private static string Shown(string reference, string file) => reference.Length > 0 ? reference : "file:" + Path.GetFileName(file);

    private static async Task<BookedIssuer> OneAsync(string key, IssuerOptions options, KeyRing ring, DateTimeOffset now, CancellationToken cancel)
    {
        var own = AuthorityFiles.ReadCertificates(options.CertificateFile, key + ":CertificateFile");
        ImmutableArray<byte[]> above = options.ChainFile.Length > 0 ? AuthorityFiles.ReadCertificates(options.ChainFile, key + ":ChainFile") : own[1..];
        var signer = await KeySetup.OpenAsync(ring, options.Key, options.KeyFile, key + ":Key", cancel);
        var issuer = Loaded(own[0], above, signer, key + ":CertificateFile", now);
        var alternates = options.AlternateChainFiles.Select((file, n) => Alternate(file, $"{key}:AlternateChainFiles:{n}", issuer, signer, now));
        return new BookedIssuer(options.Name, issuer, options.From ?? DateTimeOffset.MinValue, options.Until ?? DateTimeOffset.MaxValue, [.. alternates]) { KeyReference = Shown(options.Key, options.KeyFile) };
    }

    /// <summary>A chain that begins with another certificate for the same name and key, or with the one above the issuer's own.</summary>
    private static ImmutableArray<byte[]> Alternate(string file, string key, Issuer issuer, ISigningKey signer, DateTimeOffset now)
    {
        var read = AuthorityFiles.ReadCertificates(file, key);
        var twin = Issuer.IdOf(read[0]) == issuer.IssuerId;
        var other = twin ? Loaded(read[0], read[1..], signer, key, now) : Loaded(issuer.CertificateDer, read, signer, key, now);

        // Leaves bear the issuer's name byte for byte: under another name they would not chain.
        return other.SubjectDer.Span.SequenceEqual(issuer.SubjectDer.Span)
            ? other.Chain
            : throw new StartRefusedException(key, $"{file} begins with a certificate of another name than the issuer's");
    }

    private static Issuer Loaded(byte[] certificate, IReadOnlyList<byte[]> above, ISigningKey signer, string key, DateTimeOffset now)
    {
        var loaded = Issuer.Load(certificate, above, signer, now);
        return loaded.IsValid ? loaded.Value : throw new StartRefusedException(key, loaded.Reason);
    }

    private static void Check(List<BookedIssuer> book, DateTimeOffset now)
    {
        if (book.GroupBy(b => b.Issuer.IssuerId).FirstOrDefault(g => g.Count() > 1) is { } twins)
        {
            throw new StartRefusedException("Authority:Issuers", $"{string.Join(" and ", twins.Select(t => t.Name))} have the same key; each issuer needs its own, and another certificate for one is an alternate chain");
        }

        // A root signs authorities and nothing else (Baseline Requirements section 6.1.7), so that its key can be away.
        if (book.Find(b => b.Issuer.IsRoot) is { } root)
        {
            throw new StartRefusedException(
                root.Name == Primary ? "Authority:IssuingCertificateFile" : "Authority:Issuers",
                $"the certificate of {root.Name} is a root's, which signs no subscribers' certificates; put an issuing authority below it ('persistca ceremony request' and 'sign')");
        }

        if (!book.Exists(b => b.SignsAt(now)))
        {
            throw new StartRefusedException("Authority:Issuers", "none of the issuers signs at this time; look at their From and Until");
        }
    }
}
