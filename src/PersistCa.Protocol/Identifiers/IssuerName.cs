namespace PersistCa.Protocol.Identifiers;

/// <summary>
/// The domain name by which a record or a CAA property names a certification authority, normalised for comparison: folded case, NFC, A-labels,
/// one trailing dot removed (dns-persist-01 rules section 2).
/// </summary>
public sealed record IssuerName
{
    private IssuerName(string text) => Text = text;

    /// <summary>The normalised name.</summary>
    public string Text { get; }

    /// <summary>Reads a name from a record or from configuration.</summary>
    public static Parsed<IssuerName> Parse(string text)
    {
        var trimmed = text.EndsWith('.') ? text[..^1] : text;
        if (trimmed.Length is 0 or > 4 * DnsName.MaxLength)
        {
            return Parsed<IssuerName>.Refused("it is empty or far too long");
        }

        var ascii = trimmed.All(char.IsAscii) ? trimmed : DnsName.ToALabels(trimmed.ToLowerInvariant());
        if (ascii is null)
        {
            return Parsed<IssuerName>.Refused("it cannot be written in A-labels");
        }

        var name = DnsName.Parse(ascii);
        return name.IsValid ? Parsed<IssuerName>.Ok(new IssuerName(name.Value.Text)) : Parsed<IssuerName>.Refused(name.Reason);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
