using System.Formats.Asn1;
using System.Numerics;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;
using PersistCa.Protocol.Acme;

namespace PersistCa.Issuance.Csr;

/// <summary>
/// Judges subscriber keys (Baseline Requirements sections 6.1.1.3, 6.1.5, 6.1.6). Each key has one accepted spelling, so that equal keys are
/// equal octets.
/// </summary>
/// <param name="options">What is accepted; the defaults when null.</param>
public sealed class KeyPolicy(KeyPolicyOptions? options = null)
{
    private readonly KeyPolicyOptions options = options ?? new KeyPolicyOptions();

    /// <summary>Judges a key.</summary>
    /// <param name="subjectPublicKeyInfo">The key, DER.</param>
    /// <returns>Its kind; badPublicKey with what was found and what was expected.</returns>
    public Outcome<KeyKind> Judge(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        try
        {
            var outer = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER);
            var info = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var algorithm = info.ReadSequence();
            var oid = algorithm.ReadObjectIdentifier();
            var key = info.ReadBitString(out var unused);
            info.ThrowIfNotEmpty();
            if (unused != 0)
            {
                return Bad("The key is no whole number of octets.");
            }

            return oid switch
            {
                Oids.RsaEncryption => JudgeRsa(algorithm, key),
                Oids.EcPublicKey => JudgeEc(algorithm, key),
                Oids.Ed25519 => JudgeEd25519(algorithm, key),
                _ when KeyKinds.All.FirstOrDefault(k => k.Oid == oid && MlDsa.Is(k.Kind)) is { } facts => JudgeMlDsa(facts, algorithm, key),
                _ => Bad($"The key's algorithm {oid} is not accepted; accepted are {Accepted()}."),
            };
        }
        catch (AsnContentException e)
        {
            return Bad("The key is no SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7): " + e.Message);
        }
    }

    private static AcmeProblem Bad(string detail) => new(ProblemCatalog.BadPublicKey, detail);

    private string Accepted() => "RSA, EC on P-256, P-384 and P-521" + (options.AcceptEd25519 ? ", and Ed25519" : "") + (options.AcceptMlDsa ? ", and ML-DSA-44, -65 and -87" : "");

    private Outcome<KeyKind> JudgeRsa(AsnReader algorithm, byte[] key)
    {
        if (!algorithm.HasData)
        {
            return Bad("The RSA key's algorithm has no parameters; NULL is expected (RFC 3279 section 2.3.1).");
        }

        algorithm.ReadNull();
        algorithm.ThrowIfNotEmpty();
        var outer = new AsnReader(key, AsnEncodingRules.DER);
        var numbers = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var modulus = numbers.ReadInteger();
        var exponent = numbers.ReadInteger();
        numbers.ThrowIfNotEmpty();

        // Size before anything that costs.
        var bits = modulus.GetBitLength();
        if (modulus.Sign <= 0 || bits < options.MinRsaBits || bits > options.MaxRsaBits)
        {
            return Bad($"The RSA key has {bits} bits; {options.MinRsaBits} to {options.MaxRsaBits} are accepted (lint L14).");
        }

        if (bits % 8 != 0)
        {
            return Bad($"The RSA key has {bits} bits; a multiple of 8 is expected (lint L14).");
        }

        if (exponent.IsEven || exponent < options.MinRsaExponent || exponent > options.MaxRsaExponent)
        {
            return Bad($"The RSA public exponent is not accepted; expected is an odd number from {options.MinRsaExponent} to {options.MaxRsaExponent}, normally 65537 (lint L14).");
        }

        if (RsaWeaknesses.SmallFactor(modulus, options.SmallFactorBound) is { } factor)
        {
            return Bad($"The RSA modulus is divisible by {factor}, so the key is broken; make a new one with a sound generator (lint L14).");
        }

        if (RsaWeaknesses.HasRocaFingerprint(modulus))
        {
            return Bad("The RSA modulus bears the fingerprint of CVE-2017-15361 (ROCA), so the private key can be computed; make a new one with other software (lint L17).");
        }

        return RsaWeaknesses.FermatFactors(modulus, options.FermatRounds)
            ? Bad($"The RSA modulus is factored by {options.FermatRounds} rounds of Fermat's method: its primes are too close together. Make a new key with a sound generator (lint L16).")
            : KeyKind.Rsa;
    }

    private Outcome<KeyKind> JudgeEc(AsnReader algorithm, byte[] key)
    {
        if (!algorithm.HasData || algorithm.PeekTag() != Asn1Tag.ObjectIdentifier)
        {
            return Bad("The EC key spells out its curve or names none; the name of P-256, P-384 or P-521 is expected (RFC 5480 section 2.1.1).");
        }

        var oid = algorithm.ReadObjectIdentifier();
        algorithm.ThrowIfNotEmpty();
        KeyKind? kind = oid switch
        {
            "1.2.840.10045.3.1.7" => KeyKind.P256,
            "1.3.132.0.34" => KeyKind.P384,
            "1.3.132.0.35" => KeyKind.P521,
            _ => null,
        };
        if (kind is null)
        {
            return Bad($"The curve {oid} is not accepted; accepted are {Accepted()}.");
        }

        return EcPoints.Refuse(oid, key) is { } reason ? Bad($"{reason[..^1]} (lint L15).") : kind.Value;
    }

    private Outcome<KeyKind> JudgeEd25519(AsnReader algorithm, byte[] key)
    {
        if (!options.AcceptEd25519)
        {
            return Bad($"Ed25519 keys are not accepted here; accepted are {Accepted()}.");
        }

        if (algorithm.HasData)
        {
            return Bad("The Ed25519 key's algorithm has parameters; none are allowed (RFC 8410 section 3).");
        }

        if (key.Length != Ed25519.PublicKeyOctets)
        {
            return Bad($"The Ed25519 key has {key.Length} octets; {Ed25519.PublicKeyOctets} are expected.");
        }

        return Ed25519.IsValidPublicKey(key) ? KeyKind.Ed25519 : Bad("The Ed25519 key is no point of the curve's prime-order group.");
    }

    /// <summary>Judges an ML-DSA key: every octet string of the right length is one (FIPS 204 algorithm 23).</summary>
    private Outcome<KeyKind> JudgeMlDsa(KeyKindFacts facts, AsnReader algorithm, byte[] key)
    {
        if (!options.AcceptMlDsa)
        {
            return Bad($"{facts.Name} keys are not accepted here; accepted are {Accepted()}.");
        }

        if (algorithm.HasData)
        {
            return Bad($"The {facts.Name} key's algorithm has parameters; none are allowed (RFC 9881 section 2).");
        }

        return key.Length == MlDsa.PublicKeyOctets(facts.Kind)
            ? facts.Kind
            : Bad($"The {facts.Name} key has {key.Length} octets; {MlDsa.PublicKeyOctets(facts.Kind)} are expected (FIPS 204 table 2).");
    }
}
