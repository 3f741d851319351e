using System.Net;
using CsCheck;
using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Identifiers;

public sealed class IpIdentifierTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("2001:db8::1")]
    [InlineData("2001:db8::1:0:0:1")] // the first of two runs of the same length (RFC 5952 section 4.2.3)
    [InlineData("2001:0:0:1::1")] // the longer run
    [InlineData("2001:db8:0:1:1:1:1:1")] // "::" never for a single group (section 4.2.2)
    [InlineData("0:1:2:3:4:5:6:7")]
    [InlineData("fe80::a:b:c:d")]
    [InlineData("::c000:201")]
    [InlineData("64:ff9b::c000:201")]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void The_one_spelling_is_read(string text)
    {
        var read = IpIdentifier.Parse(text);

        Assert.True(read.IsValid, read.Reason);
        Assert.Equal(text, read.Value.Text);
        Assert.Equal(IPAddress.Parse(text), read.Value.Address);
        Assert.Equal(read.Value, IpIdentifier.FromOctets(read.Value.Address.GetAddressBytes()).Value);
        Assert.Equal(new AcmeIdentifier("ip", text), read.Value.Acme);
        Assert.Equal((IdentifierType.Ip, false, text), (read.Value.Type, read.Value.IsWildcard, read.Value.BaseText));
    }

    [Theory]
    [InlineData("", "has 0 characters")]
    [InlineData("1.2.3", "has 3 parts")]
    [InlineData("1.2.3.4.5", "has 5 parts")]
    [InlineData("1.2.3.4.", "has 5 parts")]
    [InlineData("2130706433", "has 1 parts")]
    [InlineData("0x7f000001", "has 1 parts")]
    [InlineData("010.0.0.1", "leading zero")]
    [InlineData("0x7f.0.0.1", "leading zero")]
    [InlineData("127.0.0.01", "leading zero")]
    [InlineData("1.2.3.256", "0 to 255")]
    [InlineData("1.2.3.-4", "0 to 255")]
    [InlineData("1.2.3.+4", "0 to 255")]
    [InlineData("1.2.3. 4", "0 to 255")]
    [InlineData("1..3.4", "0 to 255")]
    [InlineData("1.2.3.\u0664", "0 to 255")]
    [InlineData("10.0.0.1:443", "a port")]
    [InlineData("10.0.0.0/8", "prefix length")]
    [InlineData("*.0.0.1", "0 to 255")]
    [InlineData("www.example.com", "has 3 parts")]
    [InlineData("2001:DB8::1", "2001:db8::1 is expected")]
    [InlineData("2001:0db8::1", "2001:db8::1 is expected")]
    [InlineData("2001:db8:0:0:0:0:0:1", "2001:db8::1 is expected")]
    [InlineData("2001:db8::0:1", "2001:db8::1 is expected")]
    [InlineData("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1 is expected")]
    [InlineData("2001:db8:0:0:1::1", "2001:db8::1:0:0:1 is expected")]
    [InlineData("::192.0.2.1", "::c000:201 is expected")]
    [InlineData("64:ff9b::192.0.2.1", "64:ff9b::c000:201 is expected")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1 is expected")]
    [InlineData("::ffff:c000:201", "192.0.2.1 is expected")]
    [InlineData("fe80::1%eth0", "zone id")]
    [InlineData("[::1]", "brackets")]
    [InlineData("[::1]:443", "brackets")]
    [InlineData("2001:db8::/32", "prefix length")]
    [InlineData("::1::", "no IPv6 address")]
    [InlineData("1:2:3:4:5:6:7:8:9", "no IPv6 address")]
    [InlineData("12345::", "no IPv6 address")]
    [InlineData("g::1", "hexadecimal digits")]
    [InlineData("::1 ", "hexadecimal digits")]
    public void Anything_else_is_refused_with_what_is_expected(string text, string reason)
    {
        var read = IpIdentifier.Parse(text);

        Assert.False(read.IsValid);
        Assert.Contains(reason, read.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_huge_text_is_refused_by_its_length() =>
        Assert.Contains("has 100000 characters", IpIdentifier.Parse(new string('1', 100_000)).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("192.0.2.1", "1.2.0.192.in-addr.arpa")]
    [InlineData("2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")] // RFC 3596 section 2.5 has the form
    public void The_reverse_name_is_that_of_the_reverse_tree(string text, string reverse)
    {
        Assert.Equal(reverse, IpIdentifier.Parse(text).Value!.ReverseName);
        Assert.True(DnsName.Parse(reverse).IsValid);
    }

    [Fact]
    public void Every_address_has_one_spelling_that_is_read_back() => Gen.Byte.Array[16].Where(o => !new IPAddress(o).IsIPv4MappedToIPv6).Sample(octets =>
    {
        // Zeros are what the spelling is about, so that half of the octets are.
        var sparse = octets.Select(o => (o & 1) == 0 ? (byte)0 : o).ToArray();
        if (IpIdentifier.FromOctets(sparse) is not { IsValid: true, Value: var ip })
        {
            return new IPAddress(sparse).IsIPv4MappedToIPv6;
        }

        return IpIdentifier.Parse(ip.Text).Value == ip && IPAddress.Parse(ip.Text).GetAddressBytes().SequenceEqual(sparse) && !CertificateName.Parse(ip.Text).IsValid;
    });
}
