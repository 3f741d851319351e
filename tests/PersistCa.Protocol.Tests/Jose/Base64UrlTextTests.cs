using System.Buffers.Text;
using CsCheck;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Jose;

public sealed class Base64UrlTextTests
{
    [Fact]
    public void What_is_encoded_decodes_to_itself() => Gen.Byte.Array[0, 80].Sample(octets =>
        Base64UrlText.Decode(Base64UrlText.Encode(octets)) is { IsValid: true } decoded && decoded.Value.AsSpan().SequenceEqual(octets));

    [Fact]
    public void Any_text_is_judged_without_an_exception_and_each_value_has_one_spelling() => Gen.String[Gen.Char["AaBbZz019-_=+/ \u00e9"], 0, 12].Sample(text =>
        Base64UrlText.Decode(text) is var decoded && (!decoded.IsValid || Base64Url.EncodeToString(decoded.Value) == text));

    [Theory]
    [InlineData("AB", "bits that stand for nothing")]
    [InlineData("AAB", "bits that stand for nothing")]
    [InlineData("A", "a length that base64url never has")]
    [InlineData("AA==", "padded")]
    [InlineData("A+AA", "plain base64")]
    [InlineData("A/AA", "plain base64")]
    [InlineData("A AA", "a character outside")]
    [InlineData("AA\n", "a character outside")]
    public void Another_spelling_is_refused_with_its_reason(string text, string reason) => Assert.Contains(reason, Base64UrlText.Decode(text).Reason, StringComparison.Ordinal);
}
