using System.Collections.Immutable;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores;

/// <summary>
/// What names a key in configuration: "file:NAME" or "file:PATH", "pkcs11:token=T;object=O" (RFC 7512), "aws-kms:alias/NAME", "aws-kms:KEY-ID" or
/// "aws-kms:ARN". It holds nothing secret.
/// </summary>
public sealed record KeyReference
{
    /// <summary>Longest reference, characters.</summary>
    public const int MaxLength = 2048;

    /// <summary>Scheme of keys in files.</summary>
    public const string File = "file";

    /// <summary>Scheme of keys in PKCS #11 tokens.</summary>
    public const string Pkcs11 = "pkcs11";

    /// <summary>Scheme of keys in AWS KMS.</summary>
    public const string Kms = "aws-kms";

    // RFC 7512 section 2.3: those that select a token or an object. slot-... and library-... say where, which tokens change.
    private static readonly string[] Attributes = ["token", "manufacturer", "serial", "model", "object", "id", "type"];

    private KeyReference(string text, string scheme, string target, ImmutableDictionary<string, byte[]> selectors)
    {
        Text = text;
        Scheme = scheme;
        Target = target;
        Selectors = selectors;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Which store.</summary>
    public string Scheme { get; }

    /// <summary>What stands behind the scheme.</summary>
    public string Target { get; }

    /// <summary>Of a PKCS #11 URI its attributes, decoded; empty otherwise.</summary>
    public ImmutableDictionary<string, byte[]> Selectors { get; }

    /// <summary>Reads a reference.</summary>
    /// <returns>The reference, or what is wrong with it.</returns>
    public static Parsed<KeyReference> Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            return Refuse($"the reference has {text.Length} characters; at most {MaxLength} are read");
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon < 0 ? "" : text[..colon];
        if (scheme is not (File or Pkcs11 or Kms))
        {
            // A URI with a PIN in it is not repeated here either: schemes are written in capitals too (RFC 3986 section 3.1), or misspelled.
            var shown = text.Contains("pin-", StringComparison.OrdinalIgnoreCase) ? "what is written" : $"'{text}'";
            return Refuse($"{shown} is no reference to a key; write file:NAME, pkcs11:token=TOKEN;object=NAME or aws-kms:alias/NAME");
        }

        var target = text[(colon + 1)..];
        if (target.Length == 0 || target.Any(char.IsControl))
        {
            return Refuse($"'{scheme}:' names no key");
        }

        return scheme switch
        {
            Pkcs11 => ParsePkcs11(text, target),
            Kms when target is "alias/" || target.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not (':' or '/' or '-' or '_')) =>
                Refuse($"'{text}' is no reference to a key of KMS; write aws-kms:alias/NAME, aws-kms:KEY-ID or aws-kms:ARN"),
            _ => Ok(text, scheme, target),
        };
    }

    /// <summary>The text of a selector, null when it is not there or is no UTF-8.</summary>
    public string? Selector(string name) => Selectors.TryGetValue(name, out var octets) ? System.Text.Encoding.UTF8.GetString(octets) : null;

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static Parsed<KeyReference> ParsePkcs11(string text, string target)
    {
        // Only the scheme is repeated: a URI with a PIN in it, which is refused, must not end in a log.
        if (target.Contains('?', StringComparison.Ordinal) || target.Contains("pin-value", StringComparison.OrdinalIgnoreCase))
        {
            return Refuse("the PKCS #11 URI has a query; the module and the PIN's file are configured by KeyStores:Pkcs11:Module and KeyStores:Pkcs11:PinFile, and a PIN never stands in configuration");
        }

        var found = ImmutableDictionary.CreateBuilder<string, byte[]>(StringComparer.Ordinal);
        foreach (var part in target.Split(';'))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? part : part[..equals];
            if (equals < 0 || !Attributes.Contains(name))
            {
                return Refuse($"the PKCS #11 URI has the part '{name}'; expected are {string.Join(", ", Attributes)}, each with a value (RFC 7512 section 2.3)");
            }

            if (found.ContainsKey(name))
            {
                return Refuse($"the PKCS #11 URI has '{name}' twice (RFC 7512 section 2.3)");
            }

            if (Decode(part[(equals + 1)..]) is not { Length: > 0 } value)
            {
                return Refuse($"the PKCS #11 URI's '{name}' is empty or not percent-encoded (RFC 3986 section 2.1)");
            }

            found[name] = value;
        }

        if (found.TryGetValue("type", out var type) && System.Text.Encoding.ASCII.GetString(type) != "private")
        {
            return Refuse("the PKCS #11 URI's type is not 'private', which alone signs");
        }

        return found.ContainsKey("object") || found.ContainsKey("id")
            ? Parsed<KeyReference>.Ok(new KeyReference(text, Pkcs11, target, found.ToImmutable()))
            : Refuse("the PKCS #11 URI has neither object nor id, so it names no key");
    }

    private static byte[]? Decode(string text)
    {
        var octets = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                if (text[i] is <= ' ' or > '~')
                {
                    return null;
                }

                octets.Add((byte)text[i]);
            }
            else if (i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var octet))
            {
                octets.Add(octet);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return [.. octets];
    }

    private static Parsed<KeyReference> Ok(string text, string scheme, string target) =>
        Parsed<KeyReference>.Ok(new KeyReference(text, scheme, target, ImmutableDictionary<string, byte[]>.Empty));

    private static Parsed<KeyReference> Refuse(string reason) => Parsed<KeyReference>.Refused(reason);
}
