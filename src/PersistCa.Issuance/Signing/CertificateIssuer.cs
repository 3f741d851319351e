using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Globalization;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Linting.Rules;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Signing;

/// <summary>Makes subscribers' certificates in two strides: an intent, linted and to be made durable, then one signature.</summary>
/// <param name="issuer">Who signs.</param>
/// <param name="profile">What the order does not decide.</param>
public sealed class CertificateIssuer(Issuer issuer, ServerProfile profile)
{
    /// <summary>Longest common name (RFC 5280 appendix A.1, ub-common-name).</summary>
    public const int MaxCommonNameLength = 64;

    // Below the limit of the Baseline Requirements: they advise it (section 6.3.2), and L07 warns without.
    private static readonly TimeSpan Margin = TimeSpan.FromDays(1);

    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    // An authority's own key is nobody's subscriber key.
    private readonly FrozenSet<string> issuerKeys = [PublicKeyFingerprint.Of(issuer.Key.SubjectPublicKeyInfo)];

    private readonly ImmutableArray<string>? issuerPurposes = PurposesOf(issuer);

    /// <summary>Who signs.</summary>
    public Issuer Issuer => issuer;

    /// <summary>What the order does not decide.</summary>
    public ServerProfile Profile => profile;

    /// <summary>Reserves a serial number, builds the to-be-signed certificate from the order and lints it. No key is used.</summary>
    /// <returns>The intent; malformed when the requested times cannot be given, serverInternal when the lint finds something.</returns>
    public Outcome<IssuanceIntent> Prepare(IssuanceRequest request)
    {
        if (request.Names.Length == 0 || request.Names.Length > profile.MaxNames)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"The order has {request.Names.Length} names; a certificate has 1 to {profile.MaxNames}.");
        }

        foreach (var name in request.Names)
        {
            if (issuer.Constraints.Refuse(name) is { } outside)
            {
                return new AcmeProblem(ProblemCatalog.RejectedIdentifier, $"{name} cannot be certified by this issuer: {outside}.") { Identifier = name.Acme };
            }
        }

        if (!Draft(request).TryGet(out var intent, out var problem))
        {
            return problem;
        }

        var errors = intent.Findings.Where(f => f.Severity == LintSeverity.Error).ToList();
        return errors.Count == 0
            ? intent
            : new AcmeProblem(ProblemCatalog.ServerInternal, $"The certificate was not signed, because its lint found: {string.Join("; ", errors.Select(f => $"{f.Id}: {f.Message}"))}.");
    }

    /// <summary>
    /// The same for who judges by more than the lint: what is found is in the draft, errors too, and nothing but times that cannot be given is refused. A draft
    /// that nobody has judged must not be signed.
    /// </summary>
    /// <returns>The draft; malformed when the requested times cannot be given.</returns>
    public Outcome<IssuanceIntent> Draft(IssuanceRequest request)
    {
        if (!Validity(request.NotBefore, request.NotAfter, request.Now).TryGet(out var times, out var problem))
        {
            return problem;
        }

        var serial = SerialNumbers.Next();
        var (shard, crlUrl) = Pointer(serial);
        var tbs = Build(request, serial, times.NotBefore, times.NotAfter, crlUrl);
        return new IssuanceIntent(serial, tbs, times.NotBefore, times.NotAfter) { Findings = [.. Lint(tbs, request)], CrlShard = shard, CrlUrl = crlUrl, HasOcsp = profile.OcspUrl is not null };
    }

    /// <summary>What the lint finds in to-be-signed bytes that were made for a request.</summary>
    public IReadOnlyList<LintFinding> Lint(ReadOnlyMemory<byte> tbsDer, IssuanceRequest request) => TbsLint.Check(tbsDer, new LintContext
    {
        Regime = profile.Regime,
        IssuerSubjectDer = issuer.SubjectDer,
        IssuerKeyIdentifier = issuer.KeyIdentifier,
        IssuerNotAfter = issuer.NotAfter,
        SignatureAlgorithm = issuer.Key.Algorithm.AlgorithmIdentifier,
        Names = request.Names,
        MaxValidity = profile.Validity,
        Purposes = profile.Purposes,
        MaxNames = profile.MaxNames,
        SignedAt = request.Now,
        IssuerPurposes = issuerPurposes,
        BlockedKeys = request.BlockedKeys.Count == 0 ? issuerKeys : issuerKeys.Union(request.BlockedKeys).ToFrozenSet(),
        GeneratedKeys = request.GeneratedKeys,
    });

    /// <summary>Signs what a durable intent holds, once, and checks what came out.</summary>
    /// <param name="ticket">Made from the durable intent; used up by this call, whatever its end.</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <returns>The certificate, DER. Its to-be-signed bytes are those of the intent.</returns>
    /// <exception cref="InvalidOperationException">The ticket has been used, the intent was made for another issuer, or the key made a signature that does not hold.</exception>
    public ValueTask<byte[]> IssueAsync(IssuanceTicket ticket, CancellationToken cancellationToken = default) => IssueAsync(issuer, ticket, cancellationToken);

    /// <summary>The same for an issuer whose intent was found again: signing needs no profile, since the intent has all of it.</summary>
    /// <param name="issuer">The issuer that the intent was made for.</param>
    /// <param name="ticket">Made from the durable intent; used up by this call, whatever its end.</param>
    /// <param name="cancellationToken">Stops before the signature.</param>
    /// <exception cref="InvalidOperationException">As above.</exception>
    public static async ValueTask<byte[]> IssueAsync(Issuer issuer, IssuanceTicket ticket, CancellationToken cancellationToken = default)
    {
        var tbs = ticket.Redeem();
        var fields = TbsFields.Read(tbs);
        if (!fields.IsValid
            || !fields.Value.Issuer.Span.SequenceEqual(issuer.SubjectDer.Span)
            || !fields.Value.SignatureAlgorithm.Span.SequenceEqual(issuer.Key.Algorithm.AlgorithmIdentifier.Span))
        {
            throw new InvalidOperationException($"the intent of serial {ticket.Serial} was made for another issuer than {issuer.IssuerId}");
        }

        return await SignedParts.SignAsync(tbs, issuer.Key, cancellationToken);
    }

    /// <summary>
    /// Decides the validity. What the order asks for is given to the second or refused, never changed (RFC 8555 section 7.4); what it leaves open is filled
    /// from the profile, within the issuer's own life.
    /// </summary>
    /// <param name="notBefore">Wished by the order, null for none.</param>
    /// <param name="notAfter">Wished by the order, null for none.</param>
    /// <param name="at">The time of issuance, or that of the order to learn early whether it could be met.</param>
    /// <returns>The period; malformed when the wish cannot be met.</returns>
    public Outcome<ValidityPeriod> Validity(DateTimeOffset? notBefore, DateTimeOffset? notAfter, DateTimeOffset at)
    {
        var now = CertificateTbs.WholeSeconds(at);
        var wishedFrom = notBefore is { } early ? CertificateTbs.WholeSeconds(early) : (DateTimeOffset?)null;
        var wishedTo = notAfter is { } late ? CertificateTbs.WholeSeconds(late) : (DateTimeOffset?)null;
        if (wishedFrom is { } asked && (asked < now - profile.NotBeforeTolerance || asked > now + profile.NotBeforeTolerance))
        {
            return Refused($"The order asks for notBefore {Show(asked)}; it must lie within {profile.NotBeforeTolerance.TotalHours.ToString("0.##", CultureInfo.InvariantCulture)} hours of now, {Show(now)}.");
        }

        var longest = Longest(now) - OneSecond;
        var from = wishedFrom ?? CertificateTbs.WholeSeconds(now - profile.Backdate);
        if (wishedFrom is null && wishedTo is { } end && from < end - longest && end - longest <= now + OneSecond)
        {
            from = end - longest; // the longest life counted from now: the backdating gives way, since nobody asked for it
        }

        // A subscriber's certificate that outlives its issuer, or begins before it, would not chain.
        if ((wishedFrom is { } first && first < issuer.NotBefore) || (wishedTo is { } last && last > issuer.NotAfter))
        {
            return Refused($"The order asks for times outside the issuer's own, {Show(issuer.NotBefore)} to {Show(issuer.NotAfter)}.");
        }

        from = from > issuer.NotBefore ? from : issuer.NotBefore;
        if (wishedTo is { } to)
        {
            if (to > from + longest)
            {
                return Refused($"The order asks for notAfter {Show(to)}; certificates here are valid for at most {Longest(now).TotalDays.ToString("0.##", CultureInfo.InvariantCulture)} days, so with notBefore {Show(from)} it can be no later than {Show(from + longest)}.");
            }
        }
        else
        {
            to = from + longest < issuer.NotAfter ? from + longest : issuer.NotAfter;
        }

        return to <= from || to <= now
            ? Refused($"No validity is left: the certificate would run from {Show(from)} to {Show(to)}, and it is {Show(now)}.")
            : new ValidityPeriod(from, to);
    }

    /// <summary>The longest life at a time: that of the profile, and under the Baseline Requirements never more than they allow that day (section 6.3.2).</summary>
    private TimeSpan Longest(DateTimeOffset at) =>
        profile.Regime == Regime.CabfBr && Validities.BaselineLimit(at) - Margin is var limit && limit < profile.Validity ? limit : profile.Validity;

    private static ImmutableArray<string>? PurposesOf(Issuer issuer)
    {
        try
        {
            return CertificateFacts.OfCertificate(issuer.CertificateDer).Value?.Purposes;
        }
        catch (AsnContentException)
        {
            return null; // an issuer whose purposes cannot be read has none to be held against
        }
    }

    private static AcmeProblem Refused(string detail) => new(ProblemCatalog.Malformed, detail);

    private static string Show(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The list that a certificate will stand in if it is revoked. Serial numbers are random, so that their last octets spread evenly.</summary>
    private (int Shard, string? Url) Pointer(string serial)
    {
        if (profile.CrlShardUrls.IsDefaultOrEmpty)
        {
            return (0, profile.CrlUrl);
        }

        var index = (int)(uint.Parse(serial[^8..], NumberStyles.HexNumber, CultureInfo.InvariantCulture) % (uint)profile.CrlShardUrls.Length);
        return (index + 1, profile.CrlShardUrls[index]);
    }

    private byte[] Build(IssuanceRequest request, string serial, DateTimeOffset notBefore, DateTimeOffset notAfter, string? crlUrl)
    {
        var commonName = profile.CommonName && !issuer.Constraints.BindsSubjects ? request.Names.OfType<CertificateName>().FirstOrDefault(n => n.Text.Length <= MaxCommonNameLength)?.Text : null;
        var subject = commonName is null ? new X509Name([], new List<string>()) : new X509Name([X509Name.CN], new List<string> { commonName });
        var usage = profile.UsageOf(request.KeyKind);

        // In this order in every certificate, so that two can be compared line by line.
        var extensions = new List<(DerObjectIdentifier, bool, Asn1Encodable)>
        {
            (X509Extensions.KeyUsage, true, new KeyUsage(usage)),
            (X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(profile.Purposes.Select(p => new DerObjectIdentifier(p)).ToArray())),
            (X509Extensions.AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier(issuer.KeyIdentifier)),
        };
        if (profile.SubjectKeyIdentifier)
        {
            extensions.Add((X509Extensions.SubjectKeyIdentifier, false, new SubjectKeyIdentifier(CertificateTbs.KeyIdentifier(request.SubjectPublicKeyInfo))));
        }

        if (profile.CaIssuersUrl is not null || profile.OcspUrl is not null)
        {
            extensions.Add(CertificateTbs.AuthorityInfo(profile.OcspUrl, profile.CaIssuersUrl));
        }

        var names = request.Names.Distinct().Select(AlternativeName).ToArray();
        extensions.Add((X509Extensions.SubjectAlternativeName, commonName is null, new GeneralNames(names)));
        if (!profile.Policies.IsEmpty)
        {
            extensions.Add((X509Extensions.CertificatePolicies, false, new DerSequence(profile.Policies.Select(p => new PolicyInformation(new DerObjectIdentifier(p))).ToArray<Asn1Encodable>())));
        }

        if (profile.NoRevocationAvailable)
        {
            extensions.Add((new DerObjectIdentifier(Oids.NoRevocationAvailable), false, DerNull.Instance));
        }
        else if (crlUrl is not null)
        {
            extensions.Add(CertificateTbs.CrlDistributionPoint(crlUrl));
        }

        return new CertificateTbs
        {
            Serial = serial,
            IssuerDer = issuer.SubjectDer,
            SubjectDer = subject.GetEncoded(Asn1Encodable.Der),
            Algorithm = issuer.Key.Algorithm,
            NotBefore = notBefore,
            NotAfter = notAfter,
            SubjectPublicKeyInfo = request.SubjectPublicKeyInfo,
        }.Encode(extensions);
    }

    private static GeneralName AlternativeName(Identifier identifier) => identifier switch
    {
        CertificateName name => new GeneralName(GeneralName.DnsName, name.Text),
        IpIdentifier ip => new GeneralName(GeneralName.IPAddress, new DerOctetString(ip.Address.GetAddressBytes())),
        _ => throw new ArgumentOutOfRangeException(nameof(identifier), identifier, "not a kind of identifier"),
    };
}

/// <summary>The life of a certificate, both ends inclusive, whole seconds.</summary>
/// <param name="NotBefore">Its first second.</param>
/// <param name="NotAfter">Its last second.</param>
public sealed record ValidityPeriod(DateTimeOffset NotBefore, DateTimeOffset NotAfter);
