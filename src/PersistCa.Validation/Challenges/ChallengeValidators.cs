using System.Collections.Frozen;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Records;
using PersistCa.Validation.Dns;

namespace PersistCa.Validation.Challenges;

/// <summary>The validators by challenge type: one for each type that exists, so that none can be missing when an account asks.</summary>
public sealed class ChallengeValidators
{
    private readonly FrozenDictionary<ChallengeType, IChallengeValidator> byType;

    /// <summary>Registers validators.</summary>
    /// <exception cref="ArgumentException">A type has no validator, or more than one.</exception>
    public ChallengeValidators(IEnumerable<IChallengeValidator> validators)
    {
        var all = validators.ToList();
        foreach (var type in ChallengeTypes.All)
        {
            var count = all.Count(v => v.Type == type);
            if (count != 1)
            {
                throw new ArgumentException($"there are {count} validators for {type.Wire()}, exactly 1 expected", nameof(validators));
            }
        }

        byType = all.ToFrozenDictionary(v => v.Type);
    }

    /// <summary>The validators of this room.</summary>
    /// <param name="resolver">Looks records up.</param>
    /// <param name="policy">What persistent records are judged by.</param>
    /// <param name="http01">http-01.</param>
    /// <param name="tlsAlpn01">tls-alpn-01.</param>
    /// <param name="sharedOwnerGrace">How long a look-up of dns-01 or dns-account-01 counts for the account's other challenge at the same owner name; zero for not at all.</param>
    /// <param name="time">The time.</param>
    public static ChallengeValidators Create(
        IDnsResolver resolver, PersistPolicy policy, Http01Options http01, TlsAlpn01Options tlsAlpn01, TimeSpan sharedOwnerGrace, TimeProvider time)
    {
        var recent = sharedOwnerGrace > TimeSpan.Zero ? new RecentTxt(time, sharedOwnerGrace) : null;
        return new([
            new Http01Validator(resolver, http01, time),
            new Dns01Validator(resolver, time, recent),
            new TlsAlpn01Validator(resolver, tlsAlpn01, time),
            new DnsAccount01Validator(resolver, time, recent),
            new DnsPersist01Validator(resolver, policy, time),
        ]);
    }

    /// <summary>The validator for a type.</summary>
    public IChallengeValidator For(ChallengeType type) => byType[type];
}
