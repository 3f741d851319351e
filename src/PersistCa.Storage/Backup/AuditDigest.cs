using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using PersistCa.Storage.AuditLog;

namespace PersistCa.Storage.Backup;

/// <summary>
/// SHA-256 of an entry, lower-case hex: of a JSON array of its id, its time in milliseconds since 1970, kind, actor, subject, facts and trace id. The same on both
/// databases. Until the log has checkpoints, the newest one that was seen stands for what the log must still have.
/// </summary>
public static class AuditDigest
{
    /// <summary>Hexadecimal digits of a digest.</summary>
    public const int Length = 64;

    /// <summary>Of an entry.</summary>
    public static string Of(AuditEntry entry)
    {
        var octets = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(octets))
        {
            json.WriteStartArray();
            json.WriteNumberValue(entry.Id);
            json.WriteNumberValue(entry.At.ToUnixTimeMilliseconds());
            foreach (var text in new[] { entry.Kind, entry.Actor, entry.Subject, entry.Facts, entry.TraceId })
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }

        return Convert.ToHexStringLower(SHA256.HashData(octets.WrittenSpan));
    }
}
