using System.Text;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.ExternalAccounts;
using PersistCa.Server.Admin;
using PersistCa.Server.Registration;

namespace PersistCa.Fuzz;

/// <summary>What operators and those who pretend to be some send: cursors and parameters of every door, names of client certificates, restrictions.</summary>
internal static class OperatorTarget
{
    private static readonly QueryParameter[] Parameters = [.. AdminRoutes.Doors.SelectMany(d => d.Query).Distinct()];

    /// <summary>A good one of some kinds.</summary>
    public static IEnumerable<byte[]> Seeds() =>
    [
        Encoding.ASCII.GetBytes(Paging.Write(123_456)),
        "2030-01-31T12:00:00Z"u8.ToArray(),
        ".corp.example"u8.ToArray(),
        Encoding.ASCII.GetBytes(new string('a', 64)),
        Convert.FromHexString("30188112616E6E61406578616D706C652E636F6D2E2E2E2E82027878"),
    ];

    /// <summary>Reads the octets as each of them.</summary>
    public static void Run(byte[] octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        foreach (var parameter in Parameters)
        {
            var read = parameter.Read(text);
            if (!read.IsValid && read.Reason.Any(char.IsControl))
            {
                throw new InvalidOperationException($"the refusal of {parameter.Name} shows a control character");
            }
        }

        if (Paging.Read(text) is { IsValid: true, Value: var id } && Paging.Write(id) != text)
        {
            throw new InvalidOperationException("a cursor has two spellings");
        }

        if (CertificateTrust.NamesIn(octets).Any(n => !n.StartsWith("dns:", StringComparison.Ordinal) && !n.StartsWith("email:", StringComparison.Ordinal) && !n.StartsWith("uri:", StringComparison.Ordinal)))
        {
            throw new InvalidOperationException("a name of a certificate has no kind");
        }

        if (NameRule.Parse(text) is { IsValid: true, Value: var rule })
        {
            var restrictions = new AccountRestrictions { Names = [rule.Text] };
            if (restrictions.AllowMoreThan(restrictions, new Dictionary<string, Protocol.Limits.RateLimit>()) || RestrictionsText.Write(RestrictionsText.Read(RestrictionsText.Write(restrictions))) != RestrictionsText.Write(restrictions))
            {
                throw new InvalidOperationException("restrictions do not read to themselves");
            }
        }
    }
}
