using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X9;

namespace PersistCa.Issuance.Csr;

/// <summary>Full validation of EC public keys (Baseline Requirements section 6.1.6).</summary>
internal static class EcPoints
{
    /// <summary>Says why octets are no public key on a curve; null when they are one.</summary>
    /// <param name="curveOid">A named curve that is known here.</param>
    /// <param name="point">The subjectPublicKey.</param>
    public static string? Refuse(string curveOid, byte[] point)
    {
        var curve = ECNamedCurveTable.GetByOid(new DerObjectIdentifier(curveOid)).Curve;
        var length = 1 + (2 * ((curve.FieldSize + 7) / 8));
        if (point.Length != length || point[0] != 4)
        {
            return $"The EC point is not written uncompressed; {length} octets beginning with 04 are expected (RFC 5480 section 2.2).";
        }

        try
        {
            return curve.DecodePoint(point).IsValid() ? null : "The EC point is not on its curve.";
        }
        catch (ArgumentException)
        {
            return "The EC point is not on its curve.";
        }
    }
}
