using System.Formats.Asn1;

namespace PersistCa.Issuance.Linting.Rules;

/// <summary>Reads a value through to its leaves as DER.</summary>
internal static class DerWalk
{
    // No extension of RFC 5280 is nested as deep; deeper is refused before the stack is.
    private const int MaxDepth = 16;

    /// <summary>Says why octets are not one value in DER; null when they are.</summary>
    public static string? Judge(ReadOnlyMemory<byte> value)
    {
        try
        {
            var reader = new AsnReader(value, AsnEncodingRules.DER);
            Walk(reader.ReadEncodedValue(), 0);
            reader.ThrowIfNotEmpty();
            return null;
        }
        catch (AsnContentException e)
        {
            return e.Message;
        }
    }

    /// <summary>True when a named bit list ends in a set bit, or is empty (X.690 section 11.2.2).</summary>
    public static bool IsMinimalBitList(ReadOnlyMemory<byte> value)
    {
        var octets = new AsnReader(value, AsnEncodingRules.DER).ReadBitString(out var unused);
        return octets.Length == 0 || (octets[^1] >> unused & 1) == 1;
    }

    private static void Walk(ReadOnlyMemory<byte> value, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new AsnContentException($"it is nested deeper than {MaxDepth}");
        }

        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var tag = reader.PeekTag();
        if (tag.IsConstructed)
        {
            var inside = tag.TagClass != TagClass.Universal ? reader.ReadSequence(tag)
                : tag.TagValue == (int)UniversalTagNumber.Set ? reader.ReadSetOf() : reader.ReadSequence();
            while (inside.HasData)
            {
                Walk(inside.ReadEncodedValue(), depth + 1);
            }
        }
        else if (tag.TagClass == TagClass.Universal)
        {
            ReadPrimitive(reader, (UniversalTagNumber)tag.TagValue);
        }
    }

    private static void ReadPrimitive(AsnReader reader, UniversalTagNumber tag)
    {
        switch (tag)
        {
            case UniversalTagNumber.Boolean:
                reader.ReadBoolean();
                break;
            case UniversalTagNumber.Integer:
                reader.ReadIntegerBytes();
                break;
            case UniversalTagNumber.BitString:
                reader.ReadBitString(out _);
                break;
            case UniversalTagNumber.Null:
                reader.ReadNull();
                break;
            case UniversalTagNumber.ObjectIdentifier:
                reader.ReadObjectIdentifier();
                break;
            case UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String:
                reader.ReadCharacterString(tag);
                break;
        }
    }
}
