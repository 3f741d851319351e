using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Certificates;

/// <summary>
/// The id by which renewal information names a certificate (RFC 9773 section 4.1): keyIdentifier of its authorityKeyIdentifier, a dot, and the content octets
/// of its serial number, both in base64url without padding. Each certificate has one.
/// </summary>
/// <param name="KeyIdentifier">The key identifier, lower-case hex.</param>
/// <param name="Serial">The serial number, lower-case hex of its content octets.</param>
public sealed record CertificateId(string KeyIdentifier, string Serial)
{
    /// <summary>Most octets of a serial number (RFC 5280 section 4.1.2.2).</summary>
    public const int MaxSerialOctets = 20;

    /// <summary>Most octets of a key identifier that is looked at; those of RFC 5280 section 4.2.1.2 have 20.</summary>
    public const int MaxKeyIdentifierOctets = 64;

    /// <summary>Longest text that is looked at, in characters.</summary>
    public const int MaxLength = ((MaxKeyIdentifierOctets + MaxSerialOctets) * 4 / 3) + 4;

    /// <summary>Reads an id.</summary>
    /// <returns>The id; or what is wrong with the text.</returns>
    public static Parsed<CertificateId> Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            return Refused($"it has {text.Length} characters where at most {MaxLength} are expected");
        }

        var parts = text.Split('.');
        if (parts.Length != 2)
        {
            return Refused($"it has {parts.Length - 1} dots; one is expected, between key identifier and serial number");
        }

        var (key, serial) = (Base64UrlText.Decode(parts[0]), Base64UrlText.Decode(parts[1]));
        if (!key.IsValid || !serial.IsValid)
        {
            return Refused(key.IsValid ? $"its serial number is not base64url: {serial.Reason}" : $"its key identifier is not base64url: {key.Reason}");
        }

        if (key.Value.Length is 0 or > MaxKeyIdentifierOctets)
        {
            return Refused($"its key identifier has {key.Value.Length} octets; 1 to {MaxKeyIdentifierOctets} are expected");
        }

        return JudgeSerial(serial.Value) is { } fault
            ? Refused(fault)
            : Parsed<CertificateId>.Ok(new CertificateId(Convert.ToHexStringLower(key.Value), Convert.ToHexStringLower(serial.Value)));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Base64UrlText.Encode(Convert.FromHexString(KeyIdentifier))}.{Base64UrlText.Encode(Convert.FromHexString(Serial))}";

    /// <summary>The content octets of a positive DER INTEGER, in their one form (X.690 section 8.3.2).</summary>
    private static string? JudgeSerial(byte[] octets) => octets switch
    {
        [] or { Length: > MaxSerialOctets } => $"its serial number has {octets.Length} octets; 1 to {MaxSerialOctets} are expected",
        [0] => "its serial number is zero; a positive one is expected",
        [0, < 0x80, ..] => "its serial number begins with a zero octet that stands for nothing",
        [>= 0x80, ..] => "its serial number is negative; a zero octet is expected before it",
        _ => null,
    };

    private static Parsed<CertificateId> Refused(string reason) => Parsed<CertificateId>.Refused(reason);
}
