namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L59: a list of a part has a critical issuingDistributionPoint with the URI that certificates have, of one kind of certificates, and is not indirect.</summary>
internal sealed class L59Shard() : RevocationListLint("L59", "a list of a part has a critical issuingDistributionPoint with the URI that certificates have, of one kind of certificates, and is not indirect", "RFC 5280 section 5.2.5; BR section 7.2.2.1")
{
    // Tags of the fields (RFC 5280 section 5.2.5); a flag stands there only when it is true, as DER has it.
    private const int OnlyUsers = 1;
    private const int OnlyAuthorities = 2;
    private const int SomeReasons = 3;
    private const int Indirect = 4;
    private const int OnlyAttributes = 5;

    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CrlFacts facts, CrlLintContext context)
    {
        if (facts.Find(Oids.IssuingDistributionPoint) is not { } extension)
        {
            yield break;
        }

        if (!extension.Critical)
        {
            yield return "issuingDistributionPoint is not critical";
        }

        var point = Oids.ReadList(extension.Value);
        List<string> uris = [];
        if (point.HasData && point.PeekTag() == Locations.PointNameTag)
        {
            (uris, var fault) = Locations.ReadPointName(point);
            if (fault is not null)
            {
                yield return fault;
                yield break;
            }
        }

        foreach (var expected in context.DistributionUris.Where(u => !uris.Contains(u)))
        {
            yield return $"issuingDistributionPoint has not the URI '{expected}' of the certificates";
        }

        var flags = new HashSet<int>();
        while (point.HasData)
        {
            flags.Add(point.PeekTag().TagValue);
            point.ReadEncodedValue();
        }

        if (flags.IsSupersetOf([OnlyUsers, OnlyAuthorities]))
        {
            yield return "issuingDistributionPoint is both of users and of authorities only";
        }

        if (flags.Overlaps([SomeReasons, Indirect, OnlyAttributes]))
        {
            yield return "issuingDistributionPoint is indirect, of attributes, or of some reasons only";
        }
    }
}
