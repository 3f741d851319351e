using System.Text;
using System.Text.Json;
using PersistCa.Protocol.Caa;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Fuzz;

/// <summary>CAA records: the RDATA is a stranger's, and so is every value in it.</summary>
internal static class CaaTarget
{
    private static readonly CaaPolicy Policy = new([IssuerName.Parse("ca.example").Value!]);

    private static readonly CaaQuestion[] Questions =
        [.. new[] { "example.com", "*.example.com" }.Select(n => new CaaQuestion(CertificateName.Parse(n).Value!, ["https://ca.example/acct/123"], "dns-persist-01"))];

    /// <summary>Every record of the golden vectors.</summary>
    public static IEnumerable<byte[]> Seeds()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "caa.json")));
        return
        [
            .. file.RootElement.GetProperty("cases").EnumerateArray()
                .SelectMany(c => c.GetProperty("zone").EnumerateObject())
                .Where(n => n.Value.ValueKind == JsonValueKind.Array)
                .SelectMany(n => n.Value.EnumerateArray())
                .Select(r => r.ValueKind == JsonValueKind.String
                    ? Convert.FromHexString(r.GetString()!)
                    : Encoding.Latin1.GetBytes(new CaaRecord(r[0].GetByte(), r[1].GetString()!, r[2].GetString()!).ToRdata()))
                .Where(r => r.Length > 0)
                .DistinctBy(Convert.ToHexString),
        ];
    }

    /// <summary>Reads the record and has it judged, alone and beside one that forbids.</summary>
    public static void Run(byte[] octets)
    {
        var rdata = Encoding.Latin1.GetString(octets);
        var read = CaaRecord.Read(rdata);
        if (read.IsValid && CaaRecord.Read(read.Value.ToRdata()).Value != read.Value)
        {
            throw new InvalidOperationException("a CAA record does not read to itself");
        }

        if (CaaRecord.Present(rdata).Any(c => c is < ' ' or > '~'))
        {
            throw new InvalidOperationException("a CAA record is shown in what is not printable");
        }

        foreach (var question in Questions)
        {
            var alone = Judge(question, rdata);
            if (alone.Outcome == CaaOutcome.Permitted && !read.IsValid)
            {
                throw new InvalidOperationException("a CAA record that cannot be read permits");
            }

            // The record beside it is of the kind that decides, so that only one that names this authority can help.
            var beside = Judge(question, rdata, new CaaRecord(0, question.Requested.IsWildcard ? CaaRecord.IssueWildTag : CaaRecord.IssueTag, ";").ToRdata());
            if (beside.Outcome == CaaOutcome.Permitted && !rdata.Contains("ca.example", StringComparison.OrdinalIgnoreCase))
            {
                throw new InvalidOperationException("a CAA record permits that does not name this authority");
            }
        }
    }

    private static CaaVerdict Judge(CaaQuestion question, params string[] rdata)
    {
        var verdict = Policy.Judge(question, [CaaAnswer.Found(question.Requested.Name, [.. rdata.Select(r => new FoundCaa(r, 300))]), CaaAnswer.None(question.Requested.Name.Parent()!)]);
        return verdict.Detail.All(c => c is >= ' ' and <= '~') ? verdict : throw new InvalidOperationException("a verdict shows what is not printable");
    }
}
