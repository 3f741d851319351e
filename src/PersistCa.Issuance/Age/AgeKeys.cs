using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Age;

/// <summary>A public key that files are encrypted to (C2SP age, section "The X25519 recipient type").</summary>
public sealed class AgeRecipient
{
    internal const int KeyOctets = 32;
    private const string Prefix = "age";

    private readonly byte[] point;

    internal AgeRecipient(byte[] point) => this.point = point;

    internal ReadOnlySpan<byte> Point => point;

    /// <summary>Reads one, such as age1....</summary>
    public static Parsed<AgeRecipient> Parse(string text)
    {
        var read = Bech32.Read(text, Prefix);
        return !read.IsValid ? Parsed<AgeRecipient>.Refused(read.Reason)
            : read.Value.Length != KeyOctets ? Parsed<AgeRecipient>.Refused($"it has {read.Value.Length} octets; {KeyOctets} are expected")
            : Parsed<AgeRecipient>.Ok(new AgeRecipient(read.Value));
    }

    /// <inheritdoc/>
    public override string ToString() => Bech32.Write(Prefix, point);
}

/// <summary>What opens a file.</summary>
public abstract class AgeOpener
{
    /// <summary>Finds the key of a file in one of its stanzas.</summary>
    /// <returns>The key; null when this stanza is not for this opener.</returns>
    internal abstract byte[]? Open(AgeStanza stanza);

    /// <summary>What is to be tried when it opens nothing.</summary>
    internal abstract string Remedy { get; }
}

/// <summary>The private key of a recipient.</summary>
public sealed class AgeIdentity : AgeOpener
{
    private const string Prefix = "age-secret-key-";

    private readonly byte[] scalar;

    private AgeIdentity(byte[] scalar)
    {
        this.scalar = scalar;
        var point = new byte[AgeRecipient.KeyOctets];
        X25519.ScalarMultBase(scalar, 0, point, 0);
        Recipient = new AgeRecipient(point);
    }

    /// <summary>The public half.</summary>
    public AgeRecipient Recipient { get; }

    /// <inheritdoc/>
    internal override string Remedy => "it is encrypted to other keys, or to a passphrase";

    /// <summary>Makes one.</summary>
    public static AgeIdentity Generate() => new(RandomNumberGenerator.GetBytes(AgeRecipient.KeyOctets));

    /// <summary>Reads a file of identities: a line each, comments beginning with '#'.</summary>
    public static Parsed<IReadOnlyList<AgeIdentity>> ParseFile(string text)
    {
        var found = new List<AgeIdentity>();
        foreach (var line in text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#'))
        {
            var read = Bech32.Read(line, Prefix);
            if (!read.IsValid || read.Value.Length != AgeRecipient.KeyOctets)
            {
                return Parsed<IReadOnlyList<AgeIdentity>>.Refused("a line of it is no private key of age (AGE-SECRET-KEY-1...)"); // the line itself is a secret
            }

            found.Add(new AgeIdentity(read.Value));
        }

        return found.Count == 0 ? Parsed<IReadOnlyList<AgeIdentity>>.Refused("it holds no private key of age (AGE-SECRET-KEY-1...)") : Parsed<IReadOnlyList<AgeIdentity>>.Ok(found);
    }

    /// <summary>The secret, as it stands in a file of identities.</summary>
    public string Secret() => Bech32.Write(Prefix, scalar).ToUpperInvariant();

    /// <inheritdoc/>
    internal override byte[]? Open(AgeStanza stanza)
    {
        if (stanza.Type != AgeStanza.X25519 || stanza.Arguments is not [var share] || AgeStanza.Decode(share) is not { Length: AgeRecipient.KeyOctets } ephemeral)
        {
            return null;
        }

        var shared = new byte[AgeRecipient.KeyOctets];
        return X25519.CalculateAgreement(scalar, 0, ephemeral, 0, shared, 0) ? AgeStanza.Unwrap(AgeStanza.KeyFor(shared, ephemeral, Recipient), stanza.Body) : null;
    }
}

/// <summary>A passphrase (C2SP age, section "The scrypt recipient type").</summary>
/// <param name="passphrase">The passphrase.</param>
public sealed class AgePassphrase(string passphrase) : AgeOpener
{
    /// <summary>log2 of scrypt's N of a new file: 256 MiB and about a second for each guess, as age itself has it.</summary>
    public const int DefaultWork = 18;

    /// <summary>Highest log2 of N that is spent to open a file: 1 GiB.</summary>
    public const int MaxWork = 20;

    /// <summary>log2 of N of a file that is written.</summary>
    public int Work { get; init; } = DefaultWork;

    /// <inheritdoc/>
    internal override string Remedy => "the passphrase is another, or it is encrypted to a key";

    /// <inheritdoc/>
    internal override byte[]? Open(AgeStanza stanza) =>
        stanza.Type == AgeStanza.Scrypt && stanza.Arguments is [var salt, var work] && AgeStanza.Decode(salt) is { Length: AgeStanza.SaltOctets } octets && ReadWork(work) is { } log
            ? AgeStanza.Unwrap(AgeStanza.KeyFor(passphrase, octets, log), stanza.Body)
            : null;

    internal AgeStanza Wrap(ReadOnlySpan<byte> fileKey)
    {
        var salt = RandomNumberGenerator.GetBytes(AgeStanza.SaltOctets);
        return new AgeStanza(
            AgeStanza.Scrypt,
            [AgeStanza.Encode(salt), Work.ToString(System.Globalization.CultureInfo.InvariantCulture)],
            AgeStanza.Wrap(AgeStanza.KeyFor(passphrase, salt, Work), fileKey));
    }

    /// <summary>A number without leading zero, in range: what is above would let a stranger's file take the machine's memory.</summary>
    private static int? ReadWork(string text) =>
        text is ['1' or '2', >= '0' and <= '9'] or [>= '1' and <= '9'] && int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) is <= MaxWork and var work ? work : null;
}
