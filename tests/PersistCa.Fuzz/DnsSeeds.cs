namespace PersistCa.Fuzz;

/// <summary>Seeds for the reader of DNS messages: one for each part of a message that it treats in its own way.</summary>
internal static class DnsSeeds
{
    private const string Question = "036361610765" + "78616d706c6500"; // caa.example
    private const string Pointer = "c00c";
    private const string Opt = "0000290" + "4d000008000";

    /// <summary>The seeds.</summary>
    public static IEnumerable<byte[]> All => new[]
    {
        // A query with EDNS.
        Header("0120", 0, 0, 1) + Question + "00100001" + Opt + "0000",

        // Two TXT records, the owner compressed.
        Header("81a0", 2, 0, 0) + Question + "00100001" + Pointer + "001000010000003c0002" + "0178" + Pointer + "001000010000003c0003" + "026162",

        // An alias whose target shares the question's suffix, and the record there.
        Header("8180", 2, 0, 0) + Question + "00100001" + Pointer + "000500010000003c0006" + "03777777c010" + "03777777c010" + "001000010000003c0002" + "0178",

        // CAA: 0 issue "ca.example".
        Header("8180", 1, 0, 0) + Question + "01010001" + Pointer + "010100010000003c0011" + "0005697373756563612e6578616d706c65",

        // SERVFAIL with an extended error, 6 and text.
        Header("8182", 0, 0, 1) + Question + "00100001" + Opt + "000b" + "000f0007" + "0006" + "626f677573",

        // NXDOMAIN with an SOA in the authority section.
        Header("8183", 0, 1, 0) + Question + "00100001" + "c010" + "000600010000003c0018" + "0000" + "0000000100000001000000010000000100000001" + "0000",
    }.Select(Convert.FromHexString);

    private static string Header(string flags, int answers, int authorities, int additionals) =>
        $"1234{flags}0001{answers:x4}{authorities:x4}{additionals:x4}";
}
