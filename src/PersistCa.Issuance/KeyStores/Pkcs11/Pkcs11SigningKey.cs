using System.Security.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;
using PersistCa.Issuance.Signing;

namespace PersistCa.Issuance.KeyStores.Pkcs11;

/// <summary>A key in a token: it is found anew when the token comes back.</summary>
internal sealed class Pkcs11SigningKey(Pkcs11KeyStore store, Pkcs11Token token, SigningAlgorithm algorithm, byte[] subjectPublicKeyInfo, string label, byte[] id) : ISigningKey
{
    private readonly string handleName = label + "/" + Convert.ToHexStringLower(id);
    private volatile bool closed;

    /// <inheritdoc/>
    public SigningAlgorithm Algorithm => algorithm;

    /// <inheritdoc/>
    public byte[] SubjectPublicKeyInfo => subjectPublicKeyInfo;

    /// <inheritdoc/>
    public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        var mechanism = Pkcs11Objects.Mechanisms(algorithm)!.Value.Sign;
        var data = mechanism == CKM.CKM_ECDSA ? CryptographicOperations.HashData(algorithm.Hash, message.Span) : message.ToArray();
        var signature = await token.RunAsync(
            (session, connection) => session.Sign(session.Factories.MechanismFactory.Create(mechanism), Handle(session, connection), data), writing: false, cancellationToken);
        return mechanism == CKM.CKM_ECDSA ? Pkcs11Objects.EcdsaSignature(signature) : signature;
    }

    /// <summary>Reads an attribute of the private key, which a token that is away cannot give.</summary>
    /// <exception cref="KeyStoreAwayException">The token does not answer, or the key is gone.</exception>
    public Task TouchAsync(CancellationToken cancel) => token.RunAsync(
        (session, connection) =>
        {
            // Found anew: a handle alone may be answered from the module's memory.
            connection.Handles.TryRemove(handleName, out _);
            return session.GetAttributeValue(Handle(session, connection), [CKA.CKA_KEY_TYPE])[0].GetValueAsUlong();
        },
        writing: false,
        cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        closed = true;
        store.Closed(this);
    }

    private IObjectHandle Handle(ISession session, Pkcs11Token.Connection connection)
    {
        if (connection.Handles.TryGetValue(handleName, out var known))
        {
            return known;
        }

        var found = Pkcs11Objects.Find(session, CKO.CKO_PRIVATE_KEY, label.Length > 0 ? label : null, id.Length > 0 ? id : null);
        if (found.Count != 1)
        {
            throw new KeyStoreAwayException($"the token has {found.Count} keys named {label}; the one that was opened is not to be found");
        }

        connection.Handles[handleName] = found[0];
        return found[0];
    }
}
