using System.Security.Cryptography;

namespace PersistCa.Validation.Dnssec;

/// <summary>The hash of names (RFC 5155 section 5), with what was hashed kept for one proof.</summary>
/// <param name="iterations">Additional rounds, already found to be few enough.</param>
/// <param name="salt">Salt.</param>
internal sealed class Nsec3Hash(int iterations, byte[] salt)
{
    /// <summary>Octets of a hash.</summary>
    public const int Octets = 20;

    private readonly Dictionary<CanonicalName, byte[]> known = [];

    /// <summary>Hashes a name.</summary>
    public byte[] Of(CanonicalName name)
    {
        if (!known.TryGetValue(name, out var hash))
        {
            byte[] input = [.. name.Wire, .. salt];
#pragma warning disable CA5350 // RFC 5155 has no other hash; nothing rests on its collision resistance that a signature does not cover
            hash = SHA1.HashData(input);
            for (var i = 0; i < iterations; i++)
            {
                hash = SHA1.HashData((byte[])[.. hash, .. salt]);
            }
#pragma warning restore CA5350
            known[name] = hash;
        }

        return hash;
    }
}
