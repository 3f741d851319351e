namespace PersistCa.Issuance.Linting.Rules;

/// <summary>L02: the serial number is positive and has 8 to 20 octets.</summary>
internal sealed class L02SerialNumber() : CertificateLint("L02", "the serial number is positive and has 8 to 20 octets", "RFC 5280 section 4.1.2.2; BR section 7.1.2.7")
{
    /// <inheritdoc/>
    public override IEnumerable<LintObservation> Check(CertificateFacts facts, LintContext context)
    {
        // That it is unique and random is for its maker: fewer octets than eight cannot hold the 64 random bits.
        var serial = facts.Fields.Serial.Span;
        if ((serial[0] & 0x80) != 0 || serial.IndexOfAnyExcept((byte)0) < 0)
        {
            return ["the serial number is not positive"];
        }

        return serial.Length is < 8 or > 20 ? [$"the serial number has {serial.Length} octets; 8 to 20 are expected"] : [];
    }
}
