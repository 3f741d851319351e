namespace PersistCa.Protocol.Identifiers;

/// <summary>Which identifiers may stand in certificates at all: asked when an order is opened, and again before a certificate is made.</summary>
/// <param name="names">Judges names.</param>
/// <param name="addresses">Judges addresses.</param>
public sealed class IdentifierPolicy(NamePolicy names, IpPolicy addresses)
{
    /// <summary>Accepts an identifier or says which rule refuses it.</summary>
    public Outcome<Identifier> Judge(Identifier identifier)
    {
        var refused = identifier switch
        {
            CertificateName name => names.Judge(name).Problem,
            IpIdentifier ip => addresses.Judge(ip).Problem,
            _ => throw new ArgumentOutOfRangeException(nameof(identifier), identifier, "not a kind of identifier"),
        };
        return refused is null ? identifier : refused;
    }
}
