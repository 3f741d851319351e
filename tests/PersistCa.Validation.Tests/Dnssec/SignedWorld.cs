using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc8032;
using PersistCa.Validation.Dns;
using PersistCa.Validation.Dns.Wire;
using PersistCa.Validation.Dnssec;

namespace PersistCa.Validation.Tests.Dnssec;

/// <summary>One key pair, of any algorithm that is known.</summary>
internal sealed class ZoneKey
{
    private readonly Func<byte[], byte[]> sign;

    public ZoneKey(int algorithm, int flags = 257)
    {
        (byte[] Public, Func<byte[], byte[]> Sign) pair = algorithm switch
        {
            8 or 10 => Rsa(algorithm == 8 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512),
            13 => Ec(ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
            14 => Ec(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
            15 => Edwards(),
            _ => (new byte[32], _ => new byte[64]),
        };
        sign = pair.Sign;
        Record = KeyRecord.Read((byte[])[(byte)(flags >> 8), (byte)flags, 3, (byte)algorithm, .. pair.Public])!;
    }

    public KeyRecord Record { get; }

    public byte[] Sign(byte[] octets) => sign(octets);

    private static (byte[], Func<byte[], byte[]>) Rsa(HashAlgorithmName hash)
    {
        var rsa = RSA.Create(2048);
        var p = rsa.ExportParameters(false);
        return ([(byte)p.Exponent!.Length, .. p.Exponent, .. p.Modulus!], o => rsa.SignData(o, hash, RSASignaturePadding.Pkcs1));
    }

    private static (byte[], Func<byte[], byte[]>) Ec(ECCurve curve, HashAlgorithmName hash)
    {
        var ec = ECDsa.Create(curve);
        var q = ec.ExportParameters(false).Q;
        return ([.. q.X!, .. q.Y!], o => ec.SignData(o, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    private static (byte[], Func<byte[], byte[]>) Edwards()
    {
        var key = new Ed25519PrivateKeyParameters(RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize));
        return (key.GeneratePublicKey().GetEncoded(), o =>
        {
            var signature = new byte[Ed25519.SignatureSize];
            key.Sign(Ed25519.Algorithm.Ed25519, null, o, 0, o.Length, signature, 0);
            return signature;
        }
        );
    }
}

/// <summary>A zone in memory: signed when it is asked, so that a test can change anything before.</summary>
internal sealed class WorldZone(string name, int algorithm = 13)
{
    public CanonicalName Name { get; } = CanonicalName.FromText(name)!;

    public List<ZoneKey> Keys { get; } = [new ZoneKey(algorithm)];

    public Dictionary<(CanonicalName Owner, int Type), List<byte[]>> Records { get; } = [];

    public bool IsSigned { get; set; } = true;

    public int? Nsec3Iterations { get; set; }

    public bool OptOut { get; set; }

    public DateTimeOffset From { get; set; } = SignedWorld.Now.AddDays(-1);

    public DateTimeOffset To { get; set; } = SignedWorld.Now.AddDays(7);

    public WorldZone With(string owner, int type, params byte[] data)
    {
        var key = (CanonicalName.FromText(owner)!, type);
        if (!Records.TryGetValue(key, out var all))
        {
            Records[key] = all = [];
        }

        all.Add(data);
        return this;
    }

    public WorldZone Alias(string owner, string target) => With(owner, 5, CanonicalName.FromText(target)!.Wire.ToArray());

    /// <summary>A delegation to a zone below; signed with its key's digest, or not.</summary>
    public WorldZone Delegate(WorldZone child, bool secure = true, DelegationRecord? other = null)
    {
        With(child.Name.Text, 2, 0);
        if (secure)
        {
            var ds = other ?? DelegationRecord.For(child.Name, child.Keys[0].Record);
            With(child.Name.Text, 43, [(byte)(ds.KeyTag >> 8), (byte)ds.KeyTag, (byte)ds.Algorithm, (byte)ds.DigestType, .. ds.Digest.Span]);
        }

        return this;
    }

    public IEnumerable<DnsMessageRecord> Set(CanonicalName owner, int type, IEnumerable<byte[]> data, CanonicalName? wildcard = null)
    {
        var records = data.Select(d => new DnsMessageRecord(owner.LabelCount == 0 ? "" : owner.Text, type, 1, 60, d) { Target = type == 5 ? CanonicalName.Read(d, out _)!.Text : null }).ToList();
        return IsSigned ? records.Concat(Keys.Select(k => Signature(records, owner, type, k, wildcard ?? owner))) : records;
    }

    public IEnumerable<DnsMessageRecord> Denials() => !IsSigned ? [] : Nsec3Iterations is { } rounds ? Nsec3(rounds) : Nsec();

    private CanonicalName[] Names(bool withEmpty)
    {
        // What lies under a delegation is glue, and no name of this zone.
        var names = Records.Keys.Select(k => k.Owner).Append(Name).ToHashSet();
        foreach (var name in withEmpty ? names.ToList() : [])
        {
            for (var n = name; n.IsBelow(Name); n = n.Parent)
            {
                names.Add(n);
            }
        }

        return [.. names.Order(Comparer<CanonicalName>.Create(CanonicalName.Compare))];
    }

    private IEnumerable<DnsMessageRecord> Nsec()
    {
        var names = Names(false);
        return names.SelectMany((n, i) => Set(n, 47, [(byte[])[.. names[(i + 1) % names.Length].Wire, .. Bitmap(n, 47)]]));
    }

    private IEnumerable<DnsMessageRecord> Nsec3(int rounds)
    {
        var hash = new Nsec3Hash(rounds, [0xAB]);
        var names = Names(true).Where(n => !OptOut || !Records.ContainsKey((n, 2)) || Records.ContainsKey((n, 43)) || n.Equals(Name)).OrderBy(n => Convert.ToHexString(hash.Of(n)), StringComparer.Ordinal).ToList();
        return names.SelectMany((n, i) => Set(
            CanonicalName.FromText($"{Base32(hash.Of(n))}.{Name.Text}".TrimEnd('.'))!,
            50,
            [(byte[])[1, (byte)(OptOut ? 1 : 0), (byte)(rounds >> 8), (byte)rounds, 1, 0xAB, 20, .. hash.Of(names[(i + 1) % names.Count]), .. Bitmap(n, 0)]]));
    }

    private byte[] Bitmap(CanonicalName name, int own)
    {
        int[] apex = name.Equals(Name) ? [2, 6, 48] : [];
        var map = new byte[34];
        map[1] = 32;
        foreach (var type in Records.Keys.Where(k => k.Owner.Equals(name)).Select(k => k.Type).Concat(apex).Append(own).Where(t => t is > 0 and < 256))
        {
            map[2 + (type / 8)] |= (byte)(0x80 >> (type % 8));
        }

        return map;
    }

    private DnsMessageRecord Signature(List<DnsMessageRecord> records, CanonicalName owner, int type, ZoneKey key, CanonicalName signedAs)
    {
        var fixedPart = new byte[18];
        BinaryPrimitives.WriteUInt16BigEndian(fixedPart, (ushort)type);
        (fixedPart[2], fixedPart[3]) = ((byte)key.Record.Algorithm, (byte)signedAs.SignedLabelCount);
        BinaryPrimitives.WriteUInt32BigEndian(fixedPart.AsSpan(4), 60);
        BinaryPrimitives.WriteUInt32BigEndian(fixedPart.AsSpan(8), (uint)To.ToUnixTimeSeconds());
        BinaryPrimitives.WriteUInt32BigEndian(fixedPart.AsSpan(12), (uint)From.ToUnixTimeSeconds());
        BinaryPrimitives.WriteUInt16BigEndian(fixedPart.AsSpan(16), (ushort)key.Record.Tag);
        byte[] head = [.. fixedPart, .. Name.Wire];
        var set = SignedSet.Of([.. records])[0];
        return new DnsMessageRecord(records[0].Owner, 46, 1, 60, (byte[])[.. head, .. key.Sign(set.SignedOctets(SignatureRecord.Read((byte[])[.. head, 0])!))]);
    }

    private static string Base32(byte[] octets)
    {
        const string digits = "0123456789abcdefghijklmnopqrstuv";
        var bits = string.Concat(octets.Select(o => Convert.ToString(o, 2).PadLeft(8, '0')));
        return string.Concat(Enumerable.Range(0, bits.Length / 5).Select(i => digits[Convert.ToInt32(bits.Substring(i * 5, 5), 2)]));
    }
}

/// <summary>Zones from the root down, and the resolver that asks them.</summary>
internal sealed class SignedWorld
{
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    public List<WorldZone> Zones { get; } = [];

    public ChainLimits Limits { get; set; } = new();

    public List<string> Islands { get; } = [];

    public List<string> Asked { get; } = [];

    public Func<CanonicalName, int, bool> IsDead { get; set; } = (_, _) => false;

    /// <summary>Changes a reply on its way.</summary>
    public Func<DnsMessage, DnsMessage> Tamper { get; set; } = m => m;

    public ChainCache? Cache { get; set; }

    public ChainBudget? Budget { get; private set; }

    public ChainOfTrust Chain(TimeProvider time, bool isFresh = false)
    {
        var root = Zones[0].Keys[0].Record;
        var anchors = TrustAnchors.Create([$". DNSKEY {root.Flags} 3 {root.Algorithm} {Convert.ToBase64String(root.Key.Span)}"], Islands).Value!;
        Budget = new ChainBudget(Limits);
        return new ChainOfTrust(anchors, Cache ??= new ChainCache(Limits, time), Budget, FetchAsync, time) { IsFresh = isFresh };
    }

    public async Task<AnswerTrust> AskAsync(string name, TimeProvider time)
    {
        var reply = Reply(CanonicalName.FromText(name)!, 16);
        var answer = DnsReply.Read(reply, 100, name, DnsRecordKind.Txt, new DnsOptions());
        Assert.False(answer.IsFailure, answer.Reason);
        return await AnswerTrust.OfAsync(answer, reply, Chain(time), default);
    }

    private Task<ChainReply> FetchAsync(CanonicalName name, int type, CancellationToken cancel)
    {
        Asked.Add($"{type} {name}");
        return Task.FromResult(IsDead(name, type) ? new ChainReply(null, "no answer came in time") : new ChainReply(Reply(name, type), null));
    }

    private DnsMessage Reply(CanonicalName name, int type)
    {
        var (answers, authorities, code) = (new List<DnsMessageRecord>(), new List<DnsMessageRecord>(), 0);
        while (true)
        {
            var zone = Zones.Where(z => type == 43 ? name.IsBelow(z.Name) : name.IsWithin(z.Name)).MaxBy(z => z.Name.LabelCount)!;
            if (type == 48 && name.Equals(zone.Name))
            {
                answers.AddRange(zone.Set(name, 48, zone.IsSigned ? zone.Keys.Select(k => k.Record.Data.ToArray()) : []));
                break;
            }

            var exists = zone.Records.Keys.Any(k => k.Owner.IsWithin(name)) || name.Equals(zone.Name);
            var closest = name;
            while (!exists && !zone.Records.Keys.Any(k => k.Owner.IsWithin(closest)) && closest.IsBelow(zone.Name))
            {
                closest = closest.Parent;
            }

            var source = exists ? name : closest.Wildcard()!;
            if (zone.Records.TryGetValue((source, type), out var data))
            {
                answers.AddRange(zone.Set(name, type, data, source));
                authorities.AddRange(exists ? [] : zone.Denials());
                break;
            }

            if (zone.Records.TryGetValue((source, 5), out var alias) && type != 43)
            {
                answers.AddRange(zone.Set(name, 5, alias, source));
                authorities.AddRange(exists ? [] : zone.Denials());
                name = CanonicalName.Read(alias[0], out _)!;
                continue;
            }

            code = exists || zone.Records.Keys.Any(k => k.Owner.Equals(source)) ? 0 : 3;
            authorities.AddRange(zone.Denials());
            break;
        }

        return Tamper(new DnsMessage
        {
            Id = 1,
            IsReply = true,
            Opcode = 0,
            IsAuthoritative = false,
            IsTruncated = false,
            IsRecursionAvailable = true,
            IsAuthenticData = false,
            IsCheckingDisabled = true,
            ResponseCode = code,
            Questions = [],
            Answers = [.. answers],
            Authorities = [.. authorities],
            Additionals = [],
        });
    }
}
