using System.Collections.Immutable;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Identifiers;

/// <summary>The kinds of identifier that are served.</summary>
public enum IdentifierType
{
    /// <summary>A domain name (RFC 8555 section 9.7.7).</summary>
    Dns = 1,

    /// <summary>An IP address (RFC 8738).</summary>
    Ip = 2,
}

/// <summary>The words for <see cref="IdentifierType"/> in ACME JSON.</summary>
public static class IdentifierTypes
{
    /// <summary>All, in the order in which refusals name them.</summary>
    public static ImmutableArray<IdentifierType> All { get; } = [IdentifierType.Dns, IdentifierType.Ip];

    /// <summary>The word in ACME JSON.</summary>
    public static string Wire(this IdentifierType type) => type switch
    {
        IdentifierType.Dns => "dns",
        IdentifierType.Ip => "ip",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an identifier type"),
    };

    /// <summary>Reads the word, exactly; null when it is none of ours.</summary>
    public static IdentifierType? Read(string wire) => All.Where(t => t.Wire() == wire).Select(t => (IdentifierType?)t).FirstOrDefault();
}

/// <summary>What a certificate is for: a <see cref="CertificateName"/> or an <see cref="IpIdentifier"/>, and nothing else.</summary>
public abstract record Identifier
{
    private protected Identifier()
    {
    }

    /// <summary>Its kind.</summary>
    public abstract IdentifierType Type { get; }

    /// <summary>
    /// Its one spelling: as orders, the store and the audit log have it. No text is both a name and an address, since no name ends in a label of
    /// digits alone or has a colon.
    /// </summary>
    public abstract string Text { get; }

    /// <summary>Whether it stands for more than itself: a name with "*.".</summary>
    public abstract bool IsWildcard { get; }

    /// <summary>Its text without "*.": as authorizations have it (RFC 8555 section 7.1.4).</summary>
    public abstract string BaseText { get; }

    /// <summary>As it stands in ACME JSON.</summary>
    public AcmeIdentifier Acme => new(Type.Wire(), Text);

    /// <summary>Reads an identifier of a known kind.</summary>
    public static Parsed<Identifier> Parse(IdentifierType type, string text) => type switch
    {
        IdentifierType.Dns => Widen(CertificateName.Parse(text)),
        IdentifierType.Ip => Widen(IpIdentifier.Parse(text)),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an identifier type"),
    };

    /// <summary>Reads the content octets of an iPAddress (RFC 5280 section 4.2.1.6).</summary>
    public static Parsed<Identifier> ParseOctets(ReadOnlySpan<byte> address) => Widen(IpIdentifier.FromOctets(address));

    /// <summary>The identifier behind a text that this server wrote: the one place where a kind is told from a text.</summary>
    /// <exception cref="InvalidOperationException">The text is no identifier: it was not written by this server.</exception>
    public static Identifier Of(string stored)
    {
        if (IpIdentifier.Parse(stored) is { IsValid: true, Value: var ip })
        {
            return ip;
        }

        var name = CertificateName.Parse(stored);
        return name.IsValid ? name.Value : throw new InvalidOperationException($"a stored identifier is none: {name.Reason}");
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Text;

    private static Parsed<Identifier> Widen<T>(Parsed<T> read)
        where T : Identifier => read.IsValid ? Parsed<Identifier>.Ok(read.Value) : Parsed<Identifier>.Refused(read.Reason);
}
