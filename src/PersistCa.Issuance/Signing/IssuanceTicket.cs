using PersistCa.Issuance.Linting;

namespace PersistCa.Issuance.Signing;

/// <summary>
/// Leave to sign one certificate once. Make it only after the intent is durable: a crash between the two leaves an intent without a signature,
/// never a signature that the store does not know of.
/// </summary>
public sealed class IssuanceTicket
{
    private readonly byte[] tbsDer;
    private int used;

    private IssuanceTicket(byte[] tbsDer, string serial)
    {
        this.tbsDer = tbsDer;
        Serial = serial;
    }

    /// <summary>Serial number, lower-case hex.</summary>
    public string Serial { get; }

    /// <summary>The ticket of an intent that has just been made durable.</summary>
    public static IssuanceTicket FromIntent(IssuanceIntent durable) => Resume(durable.TbsDer, durable.Serial);

    /// <summary>The ticket of an intent read back from the store, after a crash or by another worker.</summary>
    /// <exception cref="ArgumentException">The serial number is not the one in the bytes: the store mixed two intents up.</exception>
    public static IssuanceTicket Resume(byte[] tbsDer, string serial)
    {
        var fields = TbsFields.Read(tbsDer);
        return fields.IsValid && Convert.ToHexStringLower(fields.Value.Serial.Span) == serial
            ? new IssuanceTicket(tbsDer.ToArray(), serial)
            : throw new ArgumentException($"the stored to-be-signed bytes are not those of serial {serial}: {fields.Reason ?? "they have another"}", nameof(tbsDer));
    }

    /// <summary>Hands out the bytes to sign.</summary>
    /// <exception cref="InvalidOperationException">The ticket has been used.</exception>
    internal byte[] Redeem() => Interlocked.Exchange(ref used, 1) == 0
        ? tbsDer
        : throw new InvalidOperationException($"the ticket of serial {Serial} has been used; one ticket signs once");
}
