using System.Text;
using PersistCa.Issuance.Crl;
using PersistCa.Issuance.Csr;
using PersistCa.Issuance.Hierarchy;
using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Publication;
using PersistCa.Issuance.Signing;
using PersistCa.Protocol;

namespace PersistCa.Issuance.Ceremonies;

/// <summary>Does single steps of a ceremony again: what they signed is made anew from the inputs that were written down, and compared byte for byte with the file.</summary>
/// <param name="files">The public files by their names; those that a transcript names are there and as it says.</param>
internal sealed class StepReplay(IReadOnlyDictionary<string, byte[]> files)
{
    private readonly HashSet<string> shareSets = new(StringComparer.Ordinal);
    private (byte[] Der, TbsFields Fields)? root;
    private long lastNumber;
    private HashSet<string> lastRevoked = [];
    private readonly HashSet<string> destroyed = [];

    /// <summary>The root's certificate, DER; null where none was read.</summary>
    public byte[]? Root => root?.Der;

    /// <summary>Reads the root's certificate, which is there.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public string? ReadRoot()
    {
        var der = Certificate(CeremonyFolder.RootFile);
        if (!der.IsValid)
        {
            return der.Reason;
        }

        var parts = SignedParts.Read(der.Value);
        var fields = parts.IsValid ? TbsFields.Read(parts.Value.ToBeSigned) : Parsed<TbsFields>.Refused(parts.Reason);
        if (!fields.IsValid)
        {
            return $"{CeremonyFolder.RootFile}: {fields.Reason}";
        }

        if (KnownSignature.Refuse(fields.Value.SubjectPublicKeyInfo.Span, parts.Value!) is { } reason)
        {
            return $"{CeremonyFolder.RootFile}: its signature {reason} for its own key";
        }

        root = (der.Value, fields.Value);
        return null;
    }

    /// <summary>Whether a step made what its transcript says. Steps are asked for in their order.</summary>
    public string? Step(Transcript t) => Gone(t) ?? t.Step switch
    {
        CeremonyStep.Root => MakeRoot(t),
        CeremonyStep.Request => Request(t),
        CeremonyStep.Sign => Sign(t),
        CeremonyStep.CrossSign => CrossSign(t),
        CeremonyStep.Crl => List(t),
        CeremonyStep.Deal => Deal(t),
        CeremonyStep.Destroy => Destroy(t),
        _ => "it is of no step that is known",
    };

    /// <summary>A key that was destroyed signs nothing more and gets no certificate: whoever still has it has a copy. Only its destruction may be ordered once more, where the first attempt failed.</summary>
    private string? Gone(Transcript t) => t.Step != CeremonyStep.Destroy && destroyed.Contains(PublicKeyFingerprint.Of(t.Key))
        ? "the key that signed it was destroyed by a step before; a copy of it is left somewhere"
        : t.Certificate is { } made && destroyed.Contains(PublicKeyFingerprint.Of(made.Key)) ? "the key of the certificate was destroyed by a step before" : null;

    private string? Destroy(Transcript t)
    {
        var key = PublicKeyFingerprint.Of(t.Key);
        destroyed.Add(key);
        return t.Keys.Any(k => k.Fingerprint == key) ? null : "the key that signed is not the one that was destroyed";
    }

    private string? MakeRoot(Transcript t)
    {
        if (t.Certificate is not { Kind: AuthorityKind.Root } made || t.Number != 1 || t.Out is not [{ Name: CeremonyFolder.RootFile }, ..])
        {
            return "it makes no root, or not as the first step";
        }

        return !made.Key.AsSpan().SequenceEqual(t.Key) ? "the root's key is not the one that signed" : Rebuilt(made, CeremonyFolder.RootFile) ?? (t.Out is [_, var shares] ? Shares(shares.Name) : null);
    }

    private string? Request(Transcript t)
    {
        if (t.Out is not [var file, ..] || t.Subject is null)
        {
            return "it makes no request";
        }

        var request = AuthorityRequest.Read(files[file.Name]);
        if (!request.IsValid)
        {
            return $"{file.Name}: {request.Reason}";
        }

        return request.Value.Key.AsSpan().SequenceEqual(t.Key) && request.Value.Subject.AsSpan().SequenceEqual(t.Subject)
            ? null
            : $"{file.Name}: its name or key is not the one that was written down";
    }

    private string? Sign(Transcript t)
    {
        if (t.Certificate is not { Kind: AuthorityKind.Subordinate } made || t.Out is not [var file, ..] || t.In.FirstOrDefault(f => f.Name.EndsWith(".csr", StringComparison.Ordinal)) is not { } asked)
        {
            return "it signs no request";
        }

        var request = AuthorityRequest.Read(files[asked.Name]);
        if (!request.IsValid)
        {
            return $"{asked.Name}: {request.Reason}";
        }

        if (!request.Value.Key.AsSpan().SequenceEqual(made.Key) || !request.Value.Subject.AsSpan().SequenceEqual(made.Subject))
        {
            return $"{file.Name}: its name or key is not that of the request {asked.Name}";
        }

        return BySigner(t, made.Issuer, made.IssuerKeyIdentifier) ?? Rebuilt(made, file.Name);
    }

    private string? CrossSign(Transcript t)
    {
        if (t.Certificate is not { Kind: AuthorityKind.Cross } made || t.Out is not [var file, ..] || t.In.FirstOrDefault(f => f.Name != CeremonyFolder.RootFile) is not { } other)
        {
            return "it signs no certificate of another root";
        }

        var der = Certificate(other.Name);
        var parts = der.IsValid ? SignedParts.Read(der.Value) : Parsed<SignedParts>.Refused(der.Reason);
        var fields = parts.IsValid ? TbsFields.Read(parts.Value.ToBeSigned) : Parsed<TbsFields>.Refused(parts.Reason);
        if (!fields.IsValid)
        {
            return $"{other.Name}: {fields.Reason}";
        }

        return !fields.Value.Subject.Span.SequenceEqual(made.Subject) || !fields.Value.SubjectPublicKeyInfo.Span.SequenceEqual(made.Key)
            ? $"{file.Name}: its name or key is not that of {other.Name}"
            : BySigner(t, made.Issuer, made.IssuerKeyIdentifier) ?? Rebuilt(made, file.Name);
    }

    private string? Deal(Transcript t) => t.Out is not [var file] ? "it deals no shares" : BySigner(t, null, null) ?? Shares(file.Name);

    /// <summary>Whether a file describes shares, of a set that was not dealt before.</summary>
    private string? Shares(string file)
    {
        if (ShareSet.NumberOf(file) is null)
        {
            return $"{file}: it is no file of shares";
        }

        var set = ShareSet.Read(files[file]);
        if (!set.IsValid)
        {
            return $"{file}: {set.Reason}";
        }

        return shareSets.Add(set.Value.Set) ? null : $"{file}: the set {set.Value.Set} was dealt before";
    }

    private string? List(Transcript t)
    {
        if (t.List is not { } list || t.Out is not [var file, ..])
        {
            return "it makes no list";
        }

        var revoked = list.Revoked.Select(r => r.Serial).ToHashSet(StringComparer.Ordinal);
        if (list.Number <= lastNumber || !lastRevoked.IsSubsetOf(revoked))
        {
            return $"{file.Name}: its number does not rise, or what was revoked is not any more";
        }

        var first = lastNumber == 0;
        (lastNumber, lastRevoked) = (list.Number, revoked);
        if (root is not { } known || KeyIdentifier(known.Fields) is not { } identifier)
        {
            return $"the file {CeremonyFolder.RootFile} is missing or has no key identifier";
        }

        if ((BySigner(t, null, null) ?? (first ? Before(t, list, revoked) : null)) is { } reason)
        {
            return reason;
        }

        try
        {
            var tbs = CrlBuilder.ToBeSigned(known.Fields.Subject, identifier, SigningAlgorithms.Find(t.Algorithm)!, ContentOf(list));
            return Same(tbs, files[file.Name], t.Key, file.Name);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return $"{file.Name}: the list cannot be made again: {e.Message}";
        }
    }

    /// <summary>Whether the first list of a folder goes on with the one that was out before it, where there was one.</summary>
    private string? Before(Transcript t, TranscribedList list, HashSet<string> revoked)
    {
        if (t.In.FirstOrDefault(f => f.Name == ListBefore.FileName) is not { } file)
        {
            return null;
        }

        var read = ListBefore.Read(files[file.Name], root!.Value.Der);
        return !read.IsValid ? $"{file.Name}: {read.Reason}"
            : list.Number > read.Value.Number && read.Value.Revoked.All(r => revoked.Contains(r.Serial)) ? null
            : $"{file.Name}: the list is not above it in number, or what it revokes is not revoked any more";
    }

    internal static CrlContent ContentOf(TranscribedList list) => new()
    {
        Number = list.Number,
        Revoked = list.Revoked,
        ThisUpdate = list.ThisUpdate,
        NextUpdate = list.NextUpdate,
        OfAuthorities = true,
    };

    internal static byte[]? KeyIdentifier(TbsFields fields)
    {
        try
        {
            return fields.Find(Oids.SubjectKeyIdentifier) is { } identifier ? Oids.ReadOctets(identifier.Value) : null;
        }
        catch (System.Formats.Asn1.AsnContentException)
        {
            return null;
        }
    }

    /// <summary>Whether the root of this folder signed, under its own name.</summary>
    private string? BySigner(Transcript t, byte[]? issuer, byte[]? identifier)
    {
        if (root is not { } known)
        {
            return $"the file {CeremonyFolder.RootFile} is missing";
        }

        if (t.In.All(f => f.Name != CeremonyFolder.RootFile))
        {
            return $"it does not name {CeremonyFolder.RootFile}";
        }

        return !known.Fields.SubjectPublicKeyInfo.Span.SequenceEqual(t.Key)
            || (issuer is not null && !known.Fields.Subject.Span.SequenceEqual(issuer))
            || (identifier is not null && !identifier.AsSpan().SequenceEqual(KeyIdentifier(known.Fields)))
            ? $"the key or name that signed is not that of {CeremonyFolder.RootFile}"
            : null;
    }

    private string? Rebuilt(AuthorityCertificate made, string file)
    {
        var tbs = made.Encode();
        if (!tbs.IsValid)
        {
            return $"{file}: the certificate cannot be made again: {tbs.Reason}";
        }

        var signer = made.Kind == AuthorityKind.Root ? made.Key : root!.Value.Fields.SubjectPublicKeyInfo.ToArray();
        var der = Certificate(file);
        return der.IsValid ? Same(tbs.Value, der.Value, signer, file) : der.Reason;
    }

    private static string? Same(byte[] tbs, byte[] der, byte[] signer, string file)
    {
        var parts = SignedParts.Read(der);
        if (!parts.IsValid)
        {
            return $"{file}: {parts.Reason}";
        }

        if (!parts.Value.ToBeSigned.Span.SequenceEqual(tbs))
        {
            return $"{file}: its to-be-signed bytes are not those that the inputs make; they differ from octet {parts.Value.ToBeSigned.Span.CommonPrefixLength(tbs)} on";
        }

        return KnownSignature.Refuse(signer, parts.Value) is { } reason ? $"{file}: its signature {reason}" : null;
    }

    private Parsed<byte[]> Certificate(string file)
    {
        var read = Pem.ReadCertificates(Encoding.Latin1.GetString(files[file]));
        return read.IsValid ? Parsed<byte[]>.Ok(read.Value[0]) : Parsed<byte[]>.Refused($"{file}: {read.Reason}");
    }
}
