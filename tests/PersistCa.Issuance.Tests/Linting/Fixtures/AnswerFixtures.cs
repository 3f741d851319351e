using PersistCa.Issuance.Linting;
using PersistCa.Issuance.Signing;
using static PersistCa.Issuance.Tests.Linting.Fixtures.AnswerFixture;

namespace PersistCa.Issuance.Tests.Linting.Fixtures;

/// <summary>L60: OCSP answers.</summary>
internal static class AnswerFixtures
{
    private const string Times = "thisUpdate of 01 is later";
    private const string Revocation = "the revocation of 01";

    public static IEnumerable<AnswerFixture> All =>
    [
        Pass("L60", d => d, c => c with { Regime = Regime.CabfBr, ResponderKeyHash = AnswerDraft.KeyHash, KnownSerials = new HashSet<string> { "01" } }),
        Pass("L60", d => d with { Embedded = null }),
        Fail("L60", "not named by the key", d => d with { Responder = null }),
        Fail("L60", "not named by the key", d => d with { Responder = new byte[20], Embedded = null }, c => c with { ResponderKeyHash = AnswerDraft.KeyHash }),
        Fail("L60", "not named by the key", d => d with { Responder = new byte[20] }),
        Fail("L60", "algorithm is not allowed", d => d with { Algorithm = SigningAlgorithms.Ed25519.AlgorithmIdentifier.ToArray() }, c => c with { Regime = Regime.CabfBr }),
        Pass("L60", d => d with { Algorithm = SigningAlgorithms.Ed25519.AlgorithmIdentifier.ToArray() }),
        Fail("L60", "no status, or two", d => d with { Singles = [] }),
        Fail("L60", "no status, or two", d => d with { Singles = [new(), new()] }),
        Pass("L60", d => d with { Singles = [new(), new() { Serial = [2] }, new() { HashOid = "2.16.840.1.101.3.4.2.1" }] }),

        Fail("L60", Times, d => d with { ProducedAt = "20300506070808Z" }),
        Pass("L60", d => d with { ProducedAt = "20300506070810Z" }),
        Fail("L60", Times, d => d.Of(s => s with { NextUpdate = null })),
        Fail("L60", Times, d => d.Of(s => s with { NextUpdate = s.ThisUpdate })),
        Fail("L60", "lives 7", d => d.Of(s => s with { NextUpdate = "20300506143809Z" }), weight: LintSeverity.Warning),
        Pass("L60", d => d.Of(s => s with { NextUpdate = "20300506150809Z" })),
        Fail("L60", "8 hours to 10 days", d => d.Of(s => s with { NextUpdate = "20300506150808Z" }), weight: LintSeverity.Warning),
        Pass("L60", d => d.Of(s => s with { NextUpdate = "20300516070809Z" })),
        Fail("L60", "8 hours to 10 days", d => d.Of(s => s with { NextUpdate = "20300516070810Z" }), c => c with { Regime = Regime.CabfBr }, LintSeverity.Error),
        Pass("L60", d => d.Of(s => s with { Status = 2, NextUpdate = "20300506071309Z" })),
        Fail("L60", "in an extension", d => d.Of(s => s with { Extensions = [CrlDraft.Superseded] })),
        Pass("L60", d => d.Of(s => s with { Extensions = [new TbsExtension("1.2.3.4", false, new byte[] { 5, 0 })] })),

        Pass("L60", d => d.Of(s => s with { Status = 1, Reason = 4 })),
        Pass("L60", d => d.Of(s => s with { Status = 1 })),
        Fail("L60", Revocation, d => d.Of(s => s with { Status = 1, RevokedAt = "20300506070810Z" })),
        Fail("L60", Revocation, d => d.Of(s => s with { Status = 1, Reason = 0 })),
        Fail("L60", Revocation, d => d.Of(s => s with { Status = 1, Reason = 6 })),

        Fail("L60", "was not issued here", d => d, NoneIssued),
        Fail("L60", "was not issued here", d => d.Of(s => s with { Status = 1 }), NoneIssued),
        Pass("L60", d => d.Of(s => s with { Status = 2 }), NoneIssued),
    ];

    private static OcspLintContext NoneIssued(OcspLintContext context) => context with { KnownSerials = new HashSet<string>() };
}
