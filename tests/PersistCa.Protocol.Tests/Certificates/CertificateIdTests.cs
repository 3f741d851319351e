using CsCheck;
using PersistCa.Protocol.Certificates;
using PersistCa.Protocol.Jose;

namespace PersistCa.Protocol.Tests.Certificates;

public sealed class CertificateIdTests
{
    [Fact]
    public void The_example_of_rfc_9773_is_read_and_written()
    {
        // Section 4.1: keyIdentifier 69:88:5B:6B:87:46:40:41:E1:B3:7B:84:7B:A0:AE:2C:DE:01:C8:D4, serial number 00:87:65:43:21.
        const string text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
        var read = CertificateId.Parse(text).Value!;
        Assert.Equal(("69885b6b87464041e1b37b847ba0ae2cde01c8d4", "0087654321"), (read.KeyIdentifier, read.Serial));
        Assert.Equal(text, read.ToString());
    }

    [Theory]
    [InlineData("", "0 dots")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ", "0 dots")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE.", "2 dots")]
    [InlineData(".AIdlQyE", "key identifier has 0 octets")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.", "serial number has 0 octets")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE=", "padded")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ=.AIdlQyE", "padded")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AId+QyE", "of plain base64")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyF", "bits that stand for nothing")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.h2VDIQ", "negative")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA", "is zero")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AAECAw", "a zero octet that stands for nothing")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AQEBAQEBAQEBAQEBAQEBAQEBAQEB", "serial number has 21 octets")]
    [InlineData("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdl QyE", "outside A-Z")]
    public void Anything_else_is_refused_with_its_reason(string text, string reason) => Assert.Contains(reason, CertificateId.Parse(text).Reason!, StringComparison.Ordinal);

    [Fact]
    public void A_text_that_is_too_long_is_not_looked_at() =>
        Assert.Contains("at most", CertificateId.Parse(new string('A', CertificateId.MaxLength) + ".AQ").Reason!, StringComparison.Ordinal);

    [Fact]
    public void Each_id_has_one_spelling() => Gen.Select(Gen.Byte.Array[1, CertificateId.MaxKeyIdentifierOctets], Gen.Byte.Array[0, CertificateId.MaxSerialOctets - 1], Gen.Byte[1, 127]).Sample((key, rest, first) =>
    {
        byte[] serial = [first, .. rest];
        var text = $"{Base64UrlText.Encode(key)}.{Base64UrlText.Encode(serial)}";
        var read = CertificateId.Parse(text);
        Assert.Equal(text, read.Value!.ToString());
        Assert.Equal((Convert.ToHexStringLower(key), Convert.ToHexStringLower(serial)), (read.Value.KeyIdentifier, read.Value.Serial));
    });

    [Fact]
    public void Whatever_text_comes_it_is_refused_or_reads_to_itself() => Gen.String[Gen.Char['+', 'z'], 0, 80].Sample(text =>
    {
        var read = CertificateId.Parse(text);
        Assert.True(!read.IsValid || read.Value.ToString() == text);
    });
}
