using PersistCa.Issuance.KeyStores;

namespace PersistCa.Issuance.Tests.KeyStores;

public sealed class KeyReferenceTests
{
    [Theory]
    [InlineData("file:issuing", "file", "issuing")]
    [InlineData("file:/var/lib/ca/issuing.key.pem", "file", "/var/lib/ca/issuing.key.pem")]
    [InlineData("aws-kms:alias/persistca-issuing", "aws-kms", "alias/persistca-issuing")]
    [InlineData("aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd", "aws-kms", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd")]
    public void A_reference_names_store_and_key(string text, string scheme, string target)
    {
        var read = KeyReference.Parse(text).Value!;
        Assert.Equal((scheme, target, text), (read.Scheme, read.Target, read.ToString()));
    }

    [Fact]
    public void A_PKCS_11_URI_is_decoded_as_RFC_7512_says()
    {
        var read = KeyReference.Parse("pkcs11:token=my%20token;object=iss%c3%bc;id=%01%fe;type=private").Value!;
        Assert.Equal("my token", read.Selector("token"));
        Assert.Equal("iss\u00fc", read.Selector("object"));
        Assert.Equal([1, 0xfe], read.Selectors["id"]);
    }

    [Theory]
    [InlineData("issuing", "is no reference to a key")]
    [InlineData("vault:issuing", "is no reference to a key")]
    [InlineData("file:", "names no key")]
    [InlineData("aws-kms:alias/", "is no reference to a key of KMS")]
    [InlineData("aws-kms:alias/a b", "is no reference to a key of KMS")]
    [InlineData("pkcs11:token=a", "neither object nor id")]
    [InlineData("pkcs11:token=a;object=b;object=c", "'object' twice")]
    [InlineData("pkcs11:object=", "'object' is empty")]
    [InlineData("pkcs11:object=%zz", "not percent-encoded")]
    [InlineData("pkcs11:object=a;slot-id=3", "the part 'slot-id'")]
    [InlineData("pkcs11:object=a;type=cert", "not 'private'")]
    public void A_reference_that_names_no_key_is_refused(string text, string reason) =>
        Assert.Contains(reason, KeyReference.Parse(text).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("pkcs11:object=a?pin-value=4711")]
    [InlineData("pkcs11:object=a;pin-value=4711")]
    public void A_PIN_in_a_reference_is_refused_and_not_repeated(string text)
    {
        var reason = KeyReference.Parse(text).Reason!;
        Assert.Contains("KeyStores:Pkcs11:PinFile", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("4711", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PKCS11:object=a?pin-value=4711")]
    [InlineData("pkcs-11:object=a?pin-value=4711")]
    [InlineData("pkcs11;object=a;PIN-VALUE=4711")]
    public void Nor_is_it_repeated_behind_a_scheme_that_is_not_known(string text) =>
        Assert.DoesNotContain("4711", KeyReference.Parse(text).Reason!, StringComparison.Ordinal);

    [Fact]
    public void A_reference_above_the_limit_is_refused()
    {
        Assert.True(KeyReference.Parse("file:" + new string('a', KeyReference.MaxLength - 5)).IsValid);
        Assert.Contains($"at most {KeyReference.MaxLength}", KeyReference.Parse("file:" + new string('a', KeyReference.MaxLength - 4)).Reason, StringComparison.Ordinal);
    }
}
