using System.Security.Cryptography;
using PersistCa.Protocol.Acme;

namespace PersistCa.Protocol.Jose;

/// <summary>Checks an Ed25519 signature (RFC 8032), which the base class library cannot.</summary>
public delegate bool Ed25519Check(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);

/// <summary>
/// Verifies JWS signatures. Importing a key costs three times a verification, so imported keys are kept: a bounded pool per thumbprint, since
/// no instance may serve two threads at once.
/// </summary>
/// <param name="ed25519">The Ed25519 check.</param>
/// <param name="capacity">Keys kept; the one used longest ago gives way.</param>
public sealed class JwsVerifier(Ed25519Check ed25519, int capacity = 4096) : IDisposable
{
    private readonly Dictionary<string, LinkedListNode<Imported>> keys = new(StringComparer.Ordinal);
    private readonly LinkedList<Imported> byUse = new();
    private readonly Lock gate = new();

    /// <summary>Verifies a signature.</summary>
    /// <returns>Null when it holds; else the refusal.</returns>
    public AcmeProblem? Verify(FlattenedJws jws, Jwk key)
    {
        var alg = jws.Header.Alg;
        if (SignatureAlgorithms.Find(alg) is not { } row)
        {
            return SignatureAlgorithms.Refuse(alg);
        }

        if (row.Key != key.Kind)
        {
            return SignatureAlgorithms.Refusal($"The signature algorithm {alg} does not go with a key of the kind {Describe(key.Kind)}.");
        }

        if (row.SignatureOctets is { } length && jws.Signature.Length != length)
        {
            return new AcmeProblem(ProblemCatalog.Malformed, $"JWS verification error: the signature has {jws.Signature.Length} octets; {alg} signatures have {length}.");
        }

        return Holds(jws, key, row) ? null : new AcmeProblem(ProblemCatalog.Malformed, "JWS verification error: the signature does not hold for this key.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var kept in byUse)
            {
                kept.Key.Dispose();
            }

            byUse.Clear();
            keys.Clear();
        }
    }

    private bool Holds(FlattenedJws jws, Jwk key, SignatureAlgorithms.Row row)
    {
        if (key.Kind == JwkKind.Ed25519)
        {
            return ed25519(key.Ed25519Octets, jws.SigningInput.Span, jws.Signature.Span);
        }

        var imported = Take(key);
        try
        {
            return imported switch
            {
                ECDsa ec => ec.VerifyData(jws.SigningInput.Span, jws.Signature.Span, row.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                RSA rsa => rsa.VerifyData(jws.SigningInput.Span, jws.Signature.Span, row.Hash, RSASignaturePadding.Pkcs1),
                _ => throw new InvalidOperationException("a key of an unknown kind"),
            };
        }
        finally
        {
            Return(key.Thumbprint, imported);
        }
    }

    /// <summary>Takes the kept instance out, so that nobody else has it meanwhile, or imports another.</summary>
    private AsymmetricAlgorithm Take(Jwk key)
    {
        lock (gate)
        {
            if (keys.Remove(key.Thumbprint, out var node))
            {
                byUse.Remove(node);
                return node.Value.Key;
            }
        }

        return key.Kind == JwkKind.Rsa ? key.ImportRsa() : key.ImportEc();
    }

    private void Return(string thumbprint, AsymmetricAlgorithm key)
    {
        AsymmetricAlgorithm? spare = null;
        lock (gate)
        {
            if (keys.ContainsKey(thumbprint))
            {
                spare = key;
            }
            else
            {
                keys[thumbprint] = byUse.AddFirst(new Imported(thumbprint, key));
                if (byUse.Count > capacity && byUse.Last is { } oldest)
                {
                    byUse.RemoveLast();
                    keys.Remove(oldest.Value.Thumbprint);
                    spare = oldest.Value.Key;
                }
            }
        }

        spare?.Dispose();
    }

    private static string Describe(JwkKind kind) => kind switch
    {
        JwkKind.Rsa => "RSA",
        JwkKind.P256 => "EC P-256",
        JwkKind.P384 => "EC P-384",
        JwkKind.P521 => "EC P-521",
        _ => "Ed25519",
    };

    private sealed record Imported(string Thumbprint, AsymmetricAlgorithm Key);
}
