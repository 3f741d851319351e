namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L37: keyUsage is critical and fits the key.</summary>
internal sealed class L37KeyUsage() : CertificateLint("L37", "keyUsage is critical and fits the key", "RFC 5280 section 4.2.1.3; BR section 7.1.2.7.11")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        if (context.Kind != CertificateKind.Subscriber)
        {
            return [];
        }

        if (facts.KeyUsage is not { } bits)
        {
            return ["keyUsage is missing"];
        }

        if (!facts.Fields.Find(Oids.KeyUsage)!.Critical)
        {
            return ["keyUsage is not critical"];
        }

        // digitalSignature is bit 0, keyEncipherment bit 2 (RFC 5280 section 4.2.1.3). The kind of key is read from the certificate itself.
        var isRsa = facts.Key.Oid == Oids.RsaEncryption;
        var allowed = isRsa ? 0b1010_0000 : 0b1000_0000;
        return (bits & 0b1000_0000) != 0 && (bits & ~allowed) == 0
            ? []
            : [$"keyUsage is {bits:x2}; for a key of the algorithm {facts.Key.Oid} digitalSignature{(isRsa ? " with or without keyEncipherment" : " alone")} is expected"];
    }
}
