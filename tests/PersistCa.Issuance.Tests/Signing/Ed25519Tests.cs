using PersistCa.Issuance.Signing;
using PersistCa.Protocol.Jose;

namespace PersistCa.Issuance.Tests.Signing;

public sealed class Ed25519Tests
{
    private const string File = "ed25519.json";

    public static TheoryData<string> Cases => VectorFile.Names(File);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_signature_holds_as_RFC_8032_says(string name)
    {
        var row = VectorFile.Row(File, name);
        Ed25519Check check = Ed25519.Verify;
        var holds = check(Convert.FromHexString(row.Text("key")), Convert.FromHexString(row.Text("message")), Convert.FromHexString(row.Text("signature")));
        Assert.Equal(row.GetProperty("holds").GetBoolean(), holds);
    }
}
