using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Net;
using PersistCa.Issuance.Linting;
using PersistCa.Protocol;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Issuance.Hierarchy;

/// <summary>
/// For which names an authority may sign: the nameConstraints of its certificate and of every one above it (RFC 5280 section 4.2.1.10). A client
/// refuses a certificate that is outside them, so this authority refuses the order.
/// </summary>
public sealed class NameConstraints
{
    /// <summary>Most subtrees read from one certificate: a name is held against each of them.</summary>
    public const int MaxSubtrees = 1024;

    private const int DirectoryNameTag = 4;

    private readonly ImmutableArray<Layer> layers;

    private NameConstraints(ImmutableArray<Layer> layers) => this.layers = layers;

    /// <summary>No constraints.</summary>
    public static NameConstraints None { get; } = new([]);

    /// <summary>Whether any certificate has constraints.</summary>
    public bool IsEmpty => layers.IsEmpty;

    /// <summary>Whether subjects are constrained too: then a subject is best left empty, which no constraint touches.</summary>
    public bool BindsSubjects => layers.Any(l => l.BindsSubjects);

    /// <summary>Says why an identifier is outside; null when it is inside.</summary>
    public string? Refuse(Identifier identifier)
    {
        foreach (var layer in layers)
        {
            var refusal = identifier switch
            {
                CertificateName name => layer.Refuse(name),
                IpIdentifier ip => layer.Refuse(ip.Address),
                _ => "it is of a kind that no constraint speaks of",
            };
            if (refusal is not null)
            {
                return refusal;
            }
        }

        return null;
    }

    /// <summary>Adds those of one more certificate; a value that cannot be read is a reason, since a constraint that is not understood must not be passed over.</summary>
    internal Parsed<NameConstraints> With(TbsFields certificate)
    {
        if (certificate.Find(Oids.NameConstraints) is not { } extension)
        {
            return Parsed<NameConstraints>.Ok(this);
        }

        try
        {
            var body = Oids.ReadList(extension.Value);
            var layer = new Layer();
            while (body.HasData)
            {
                var tag = body.PeekTag();
                var subtrees = body.ReadSequence(tag);
                if (tag.TagClass != TagClass.ContextSpecific || tag.TagValue is not (0 or 1))
                {
                    return Refused("it has something besides permitted and excluded subtrees");
                }

                while (subtrees.HasData)
                {
                    if (layer.Read(subtrees.ReadSequence(), permitted: tag.TagValue == 0) is { } reason)
                    {
                        return Refused(reason);
                    }
                }
            }

            return Parsed<NameConstraints>.Ok(new NameConstraints(layers.Add(layer)));
        }
        catch (AsnContentException e)
        {
            return Refused(e.Message);
        }

        static Parsed<NameConstraints> Refused(string reason) => Parsed<NameConstraints>.Refused("has nameConstraints that cannot be obeyed: " + reason);
    }

    /// <summary>The constraints of one certificate.</summary>
    private sealed class Layer
    {
        private readonly List<(string Text, bool Permitted)> names = [];
        private readonly List<(byte[] Address, byte[] Mask, bool Permitted)> networks = [];

        public bool BindsSubjects { get; private set; }

        public string? Read(AsnReader subtree, bool permitted)
        {
            if (names.Count + networks.Count >= MaxSubtrees)
            {
                return $"it has more than {MaxSubtrees} subtrees";
            }

            var tag = subtree.PeekTag();
            switch (tag.TagValue)
            {
                case Oids.DnsNameTag:
                    var text = subtree.ReadCharacterString(UniversalTagNumber.IA5String, tag).ToLowerInvariant();
                    names.Add((text, permitted));
                    break;
                case Oids.IpAddressTag:
                    var octets = subtree.ReadOctetString(tag);
                    if (octets.Length is not (8 or 32))
                    {
                        return $"an address with its mask has {octets.Length} octets; 8 or 32 are expected";
                    }

                    networks.Add((octets[..(octets.Length / 2)], octets[(octets.Length / 2)..], permitted));
                    break;
                default:
                    BindsSubjects |= tag.TagValue == DirectoryNameTag;
                    subtree.ReadEncodedValue();
                    break;
            }

            // minimum 0 and no maximum is all that RFC 5280 allows; DER leaves both out.
            return subtree.HasData ? "a subtree has a minimum or maximum" : null;
        }

        public string? Refuse(CertificateName name)
        {
            var text = name.Name.Text;
            if (names.Exists(n => !n.Permitted && (Within(text, n.Text) || (name.IsWildcard && Within(n.Text.TrimStart('.'), text)))))
            {
                return "it lies in a subtree that the issuer's certificate excludes";
            }

            var permitted = names.Where(n => n.Permitted).Select(n => n.Text).ToList();
            return permitted.Count == 0 || permitted.Exists(p => Within(text, p) || (name.IsWildcard && p == "." + text))
                ? null
                : $"the issuer's certificate permits names under {string.Join(", ", permitted.Take(10).Select(p => p.Length == 0 ? "any" : p))} only";
        }

        public string? Refuse(IPAddress address)
        {
            var octets = address.GetAddressBytes();
            if (networks.Exists(n => !n.Permitted && Within(octets, n.Address, n.Mask)))
            {
                return "it lies in a network that the issuer's certificate excludes";
            }

            // A list of permitted networks of one family says nothing good of the other: iPAddress is one kind of name.
            var permitted = networks.FindAll(n => n.Permitted);
            return permitted.Count == 0 || permitted.Exists(n => Within(octets, n.Address, n.Mask))
                ? null
                : "it lies in none of the networks that the issuer's certificate permits";
        }

        /// <summary>Any name that can be made by adding labels to the left is inside; with a dot in front, at least one label.</summary>
        private static bool Within(string name, string subtree) =>
            subtree.Length == 0 || (subtree[0] == '.' ? name.EndsWith(subtree, StringComparison.Ordinal) : name == subtree || name.EndsWith("." + subtree, StringComparison.Ordinal));

        private static bool Within(byte[] address, byte[] network, byte[] mask) =>
            address.Length == network.Length && address.Select((b, i) => (b & mask[i]) == (network[i] & mask[i])).All(same => same);
    }
}
