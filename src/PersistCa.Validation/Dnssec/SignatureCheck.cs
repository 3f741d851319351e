using System.Collections.Immutable;

namespace PersistCa.Validation.Dnssec;

/// <summary>Whether one of the signatures over a set is right (RFC 4035 section 5.3). Pure.</summary>
/// <param name="By">The signature that is right; null when none is.</param>
/// <param name="Reason">Why none is; empty when one is.</param>
internal sealed record SignatureCheck(SignatureRecord? By, string Reason)
{
    /// <summary>Checks a set against the keys of a zone.</summary>
    /// <param name="set">The set.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="keys">Its keys, found right before.</param>
    /// <param name="now">The time.</param>
    /// <param name="budget">Work that is left.</param>
    public static SignatureCheck Of(SignedSet set, CanonicalName zone, ImmutableArray<KeyRecord> keys, DateTimeOffset now, ChainBudget budget)
    {
        var what = $"type {set.Type} at {set.Owner}";
        if (set.Signatures.IsEmpty)
        {
            return new(null, $"{what} has no signature");
        }

        // The last fault told is that of the signature that came nearest to being right.
        var reason = $"no signature over {what} is of {zone}";
        foreach (var signature in set.Signatures.Where(s => s.Signer.Equals(zone) && set.Owner.IsWithin(zone)))
        {
            if (signature.Labels > set.Owner.SignedLabelCount || signature.Labels < zone.LabelCount)
            {
                reason = $"a signature over {what} counts {signature.Labels} labels";
                continue;
            }

            if (!SignatureAlgorithm.IsSupported(signature.Algorithm))
            {
                reason = $"a signature over {what} has the algorithm {signature.Algorithm}, which is not known here";
                continue;
            }

            if (signature.WhyNotAt(now) is { } untimely)
            {
                reason = $"{what} has {untimely}";
                continue;
            }

            reason = $"no key of {zone} has made the signature over {what}";
            byte[]? octets = null;
            foreach (var key in keys.Where(k => k.Tag == signature.KeyTag && k.Algorithm == signature.Algorithm && k.MaySign))
            {
                if (!budget.TakeSignatureCheck())
                {
                    return new(null, $"more than {budget.Limits.MaxSignatureChecks} signatures would have to be checked");
                }

                if (SignatureAlgorithm.Verify(key, octets ??= set.SignedOctets(signature), signature.Signature.Span))
                {
                    return new(signature, "");
                }

                reason = $"the signature over {what} is wrong";
            }
        }

        return new(null, reason);
    }
}
