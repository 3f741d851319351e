using System.Formats.Asn1;
using System.Numerics;
using System.Text;
using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>Parts of certificates, lists and answers in DER.</summary>
internal static class Der
{
    public const string Ski = "2.5.29.14";
    public const string Ku = "2.5.29.15";
    public const string San = "2.5.29.17";
    public const string Bc = "2.5.29.19";
    public const string Constraints = "2.5.29.30";
    public const string Points = "2.5.29.31";
    public const string Policies = "2.5.29.32";
    public const string Aki = "2.5.29.35";
    public const string Eku = "2.5.29.37";
    public const string Access = "1.3.6.1.5.5.7.1.1";
    public const string OcspMethod = "1.3.6.1.5.5.7.48.1";
    public const string IssuersMethod = "1.3.6.1.5.5.7.48.2";
    public const string NoCheck = "1.3.6.1.5.5.7.48.1.5";
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    public const string OcspSigning = "1.3.6.1.5.5.7.3.9";
    public const string Country = "2.5.4.6";
    public const string Organization = "2.5.4.10";
    public const string Unit = "2.5.4.11";
    public const string CommonName = "2.5.4.3";

    /// <summary>any, codeSigning, emailProtection, timeStamping, OCSPSigning.</summary>
    public static readonly string[] ForeignPurposes = ["2.5.29.37.0", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8", OcspSigning];

    public static byte[] Null => [0x05, 0x00];

    public static byte[] Hex(string hex) => Convert.FromHexString(hex);

    public static byte[] Sequence(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            write(writer);
        }

        return writer.Encode();
    }

    public static void WriteExtension(AsnWriter writer, TbsExtension extension)
    {
        using var sequence = writer.PushSequence();
        writer.WriteObjectIdentifier(extension.Oid);
        if (extension.Critical)
        {
            writer.WriteBoolean(true);
        }

        writer.WriteOctetString(extension.Value.Span);
    }

    /// <summary>Octets under a context tag.</summary>
    public static void WriteTagged(AsnWriter writer, int tag, ReadOnlySpan<byte> octets) => writer.WriteOctetString(octets, new Asn1Tag(TagClass.ContextSpecific, tag));

    /// <summary>A name of one attribute in each RDN; countries as PrintableString, everything else as UTF8String.</summary>
    public static byte[] Name(params (string Oid, string Text)[] attributes) =>
        Name([.. attributes.Select(a => new[] { (a.Oid, a.Oid == Country ? UniversalTagNumber.PrintableString : UniversalTagNumber.UTF8String, a.Text) })]);

    public static byte[] Name(params (string Oid, UniversalTagNumber Tag, string Text)[][] rdns) => Sequence(names => Array.ForEach(rdns, rdn =>
    {
        using var set = names.PushSetOf();
        foreach (var (oid, tag, text) in rdn)
        {
            using var attribute = names.PushSequence();
            names.WriteObjectIdentifier(oid);
            names.WriteCharacterString(tag, text);
        }
    }));

    public static Func<TbsDraft, TbsDraft> Subject(params (string Oid, string Text)[] attributes) => d => d with { Subject = Name(attributes) };

    public static Func<TbsDraft, TbsDraft> Subject(string oid, UniversalTagNumber tag, string text) => d => d with { Subject = Name([(oid, tag, text)]) };

    /// <summary>subjectAltName with a dNSName for each.</summary>
    public static Func<TbsDraft, TbsDraft> Named(params string[] names) =>
        d => d.With(San, true, Sequence(w => Array.ForEach(names, n => WriteTagged(w, 2, Encoding.ASCII.GetBytes(n)))));

    /// <summary>subjectAltName with one iPAddress.</summary>
    public static Func<TbsDraft, TbsDraft> Addressed(params byte[] octets) => d => d.With(San, true, Sequence(w => WriteTagged(w, 7, octets)));

    public static Func<TbsDraft, TbsDraft> Purposes(params string[] oids) => d => d.With(Eku, false, Sequence(w => Array.ForEach(oids, o => w.WriteObjectIdentifier(o))));

    public static Func<TbsDraft, TbsDraft> Usage(params byte[] bits) => d => d.With(Ku, true, UsageBits(bits));

    /// <summary>A named bit list of whole octets, its trailing zero bits left out.</summary>
    public static byte[] UsageBits(params byte[] bits) => [0x03, (byte)(bits.Length + 1), (byte)BitOperations.TrailingZeroCount(bits[^1]), .. bits];

    public static Func<TbsDraft, TbsDraft> Life(string from, string to) => d => d with { NotBefore = TbsDraft.Utc(from), NotAfter = TbsDraft.Utc(to) };

    /// <summary>A validity of seconds, both ends counted.</summary>
    public static Func<TbsDraft, TbsDraft> Life(DateTimeOffset from, TimeSpan length) => Life(Time(from), Time(from + length - TimeSpan.FromSeconds(1)));

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    public static byte[] RsaKey(BigInteger modulus, BigInteger exponent) => Sequence(w =>
    {
        w.WriteEncodedValue(Hex("300d06092a864886f70d0101010500"));
        w.WriteBitString(Sequence(numbers =>
        {
            numbers.WriteInteger(modulus);
            numbers.WriteInteger(exponent);
        }));
    });

    public static byte[] KeyOf(byte[] algorithm, byte[] octets) => Sequence(w =>
    {
        w.WriteEncodedValue(algorithm);
        w.WriteBitString(octets);
    });

    /// <summary>authorityInfoAccess with a URI for each method.</summary>
    public static Func<TbsDraft, TbsDraft> AccessTo(params (string Method, string Uri)[] rows) => d => d.With(Access, false, Sequence(w => Array.ForEach(rows, r =>
    {
        using var description = w.PushSequence();
        w.WriteObjectIdentifier(r.Method);
        WriteTagged(w, 6, Encoding.ASCII.GetBytes(r.Uri));
    })));

    /// <summary>cRLDistributionPoints.</summary>
    public static Func<TbsDraft, TbsDraft> PointsTo(params Action<AsnWriter>[] points) => d => d.With(Points, false, Sequence(w => Array.ForEach(points, point =>
    {
        using var sequence = w.PushSequence();
        point(w);
    })));

    /// <summary>A distributionPoint whose full name is a URI.</summary>
    public static Action<AsnWriter> FullName(string uri) => w => WritePoint(w, 0, (6, uri));

    /// <summary>A distributionPoint: the form of its name, and its names.</summary>
    public static void WritePoint(AsnWriter writer, int form, params (int Tag, string Text)[] names)
    {
        using var name = writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        using var inner = writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, form));
        foreach (var (tag, text) in names)
        {
            WriteTagged(writer, tag, Encoding.ASCII.GetBytes(text));
        }
    }

    public static Func<TbsDraft, TbsDraft> Policy(params string[] oids) => d => d.With(Policies, false, Sequence(w => Array.ForEach(oids, o =>
    {
        using var policy = w.PushSequence();
        w.WriteObjectIdentifier(o);
    })));

    /// <summary>certificatePolicies with one policy and one qualifier.</summary>
    public static Func<TbsDraft, TbsDraft> Qualified(string kind, Action<AsnWriter> value) => d => d.With(Policies, false, Sequence(w =>
    {
        using var policy = w.PushSequence();
        w.WriteObjectIdentifier("1.2.3");
        using var qualifiers = w.PushSequence();
        using var qualifier = w.PushSequence();
        w.WriteObjectIdentifier(kind);
        value(w);
    }));

    /// <summary>One change after another.</summary>
    public static Func<TbsDraft, TbsDraft> Then(this Func<TbsDraft, TbsDraft> first, Func<TbsDraft, TbsDraft> second) => d => second(first(d));
}
