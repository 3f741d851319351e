namespace PersistCa.Protocol.Identifiers;

/// <summary>A name as it stands in a certificate: a domain name, or "*." before one (RFC 6125 section 6.4.3, RFC 8555 section 7.1.3).</summary>
/// <param name="Name">The domain name, without "*.".</param>
/// <param name="IsWildcard">Whether it stands for every name one label below.</param>
public sealed record CertificateName(DnsName Name, bool IsWildcard) : Identifier
{
    /// <inheritdoc/>
    public override bool IsWildcard { get; } = IsWildcard;

    /// <inheritdoc/>
    public override IdentifierType Type => IdentifierType.Dns;

    /// <summary>"x" or "*.x".</summary>
    public override string Text => IsWildcard ? "*." + Name.Text : Name.Text;

    /// <inheritdoc/>
    public override string BaseText => Name.Text;

    /// <summary>Reads a name. The wildcard is one whole left-most label or nothing.</summary>
    public static Parsed<CertificateName> Parse(string text)
    {
        var wildcard = text.StartsWith("*.", StringComparison.Ordinal);
        var rest = wildcard ? text[2..] : text;
        if (rest.Contains('*', StringComparison.Ordinal))
        {
            return Parsed<CertificateName>.Refused("it has a '*' elsewhere than as its whole left-most label");
        }

        var parsed = DnsName.Parse(rest);
        if (!parsed.IsValid)
        {
            return Parsed<CertificateName>.Refused(parsed.Reason);
        }

        return wildcard && parsed.Value.Text.Length > DnsName.MaxLength - 2
            ? Parsed<CertificateName>.Refused($"with its '*.' it has more than {DnsName.MaxLength} characters")
            : Parsed<CertificateName>.Ok(new CertificateName(parsed.Value, wildcard));
    }
}
