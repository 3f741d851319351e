using System.Formats.Asn1;
using PersistCa.Issuance.Ocsp;

namespace PersistCa.Server.Tests.Status;

/// <summary>Questions as a client writes them (RFC 6960 section 4.1.1).</summary>
internal static class Question
{
    public static byte[] Of(IReadOnlyList<OcspCertId> ids, byte[]? nonce = null)
    {
        var w = new AsnWriter(AsnEncodingRules.DER);
        using (w.PushSequence())
        using (w.PushSequence())
        {
            using (w.PushSequence())
            {
                foreach (var id in ids)
                {
                    using var request = w.PushSequence();
                    WriteId(w, id);
                }
            }

            if (nonce is not null)
            {
                using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                using (w.PushSequence())
                using (w.PushSequence())
                {
                    w.WriteObjectIdentifier("1.3.6.1.5.5.7.48.1.2");
                    using (w.PushOctetString())
                    {
                        w.WriteOctetString(nonce);
                    }
                }
            }
        }

        return w.Encode();
    }

    private static void WriteId(AsnWriter w, OcspCertId id)
    {
        using (w.PushSequence())
        {
            using (w.PushSequence())
            {
                w.WriteObjectIdentifier(id.Hash == OcspHash.Sha1 ? "1.3.14.3.2.26" : "2.16.840.1.101.3.4.2.1");
                w.WriteNull();
            }

            w.WriteOctetString(id.IssuerNameHash.Span);
            w.WriteOctetString(id.IssuerKeyHash.Span);
            w.WriteInteger(Convert.FromHexString(id.Serial));
        }
    }
}
