using System.Text;
using PersistCa.Issuance.Age;
using PersistCa.Storage.Backup;

namespace PersistCa.Fuzz;

/// <summary>Files that are said to be backups: encrypted ones, their lines once decrypted, and marks.</summary>
internal static class BackupTarget
{
    // A key for this program alone; nothing is encrypted to it.
    private static readonly AgeIdentity Key = AgeIdentity.Generate();

    private const string Lines =
        """
        {"format":"persistca-backup","version":1,"product":"1","madeAt":"2030-01-01T00:00:00+00:00","store":"Sqlite","schema":["Initial"]}
        {"table":"a","columns":[["id","Int"],["b","Bool"],["t","Text"],["o","Bytes"],["at","Time"],["day","Date"],["many","Texts"],["blobs","Blobs"]]}
        [1,true,"x","AQID",1893456000000000,"2030-01-01",["a","b"],["AQ=="]]
        {"file":"ca/root.pem","data":"AQ=="}
        {"manifest":{"tables":[],"files":[],"marks":{"at":"2030-01-01T00:00:00+00:00","audit":{"id":1,"hash":"00"},"lists":[{"issuer":"i","part":0,"number":1}],"checkpoint":null}}}

        """;

    public static void Run(byte[] octets)
    {
        if (AgeFile.Decrypt(new MemoryStream(octets), [Key]).IsValid)
        {
            throw new InvalidOperationException("a file is opened that was never encrypted to the key");
        }

        using var reader = new BackupReader(new MemoryStream(octets));
        var read = VerifiedBackup.Read(reader, CancellationToken.None);
        if (!read.IsValid && (read.Reason.Length == 0 || read.Reason.Any(char.IsControl)))
        {
            throw new InvalidOperationException("a refusal says nothing, or shows a control character");
        }

        if (StoreMarksText.Read(Encoding.UTF8.GetString(octets)) is { IsValid: true, Value: var marks } && StoreMarksText.Write(StoreMarksText.Read(StoreMarksText.Write(marks)).Value!) != StoreMarksText.Write(marks))
        {
            throw new InvalidOperationException("marks do not read to themselves");
        }
    }

    public static IEnumerable<byte[]> Seeds()
    {
        var file = new MemoryStream();
        using (var stream = AgeFile.Encrypt(file, [AgeIdentity.Generate().Recipient]))
        {
            stream.Write(Encoding.UTF8.GetBytes(Lines));
        }

        return [Encoding.UTF8.GetBytes(Lines), file.ToArray(), Encoding.UTF8.GetBytes("""{"at":"2030-01-01T00:00:00+00:00","audit":{"id":1,"hash":"00"},"lists":[],"checkpoint":null}""")];
    }
}
