using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace PersistCa.Storage.Operators;

/// <summary>What is asked of the store about proposals of operators.</summary>
public static class OperatorProposals
{
    /// <summary>The proposal of an id, held until this transaction ends: of two that decide it one comes after the other.</summary>
    public static async Task<OperatorProposal?> HoldDecisionAsync(this StoreTransaction t, string publicId, CancellationToken cancel) => t.Db.Kind == StoreKind.PostgreSql
        ? (await t.Db.OperatorProposals.FromSql(FormattableStringFactory.Create("SELECT * FROM operator_proposals WHERE public_id = {0} FOR UPDATE", publicId)).ToListAsync(cancel)).FirstOrDefault()
        : await t.Db.OperatorProposals.FirstOrDefaultAsync(p => p.PublicId == publicId, cancel);
}
