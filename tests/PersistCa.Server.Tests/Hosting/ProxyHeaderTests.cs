using System.Buffers;
using System.Net;
using System.Text;
using CsCheck;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Tests.Hosting;

/// <summary>The PROXY protocol, version 2: read whole or not at all, in whatever pieces it comes.</summary>
public sealed class ProxyHeaderTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";

    // Signature, version and command, family, length; source, destination, ports; then a TLV of type NOOP and two octets of what comes after.
    private const string V4 = Signature + "2111000C" + "C0000201" + "C000020A" + "C35001BB";
    private const string V6 = Signature + "21210027" + "20010DB8000000000000000000000001" + "20010DB8000000000000000000000002" + "C35001BB" + "04000000";

    [Theory]
    [InlineData(V4 + "1603", 28, "192.0.2.1:50000")]
    [InlineData(Signature + "2111000F" + "C0000201C000020AC35001BB" + "040000" + "1603", 31, "192.0.2.1:50000")] // with a NOOP
    [InlineData(Signature + "20000000", 16, null)] // a health check of the balancer's own
    [InlineData(Signature + "2011000C" + "C0000201C000020AC35001BB", 28, null)] // the same, with addresses that say nothing
    [InlineData(Signature + "21000000", 16, null)] // of no known family
    [InlineData(Signature + "2112000C" + "C0000201C000020AC35001BB", 28, null)] // UDP
    public void A_header_is_read_with_its_length_and_the_client_where_it_names_one(string hex, int length, string? client)
    {
        var read = ProxyHeader.Read(new ReadOnlySequence<byte>(Convert.FromHexString(hex)));
        Assert.True(read.IsValid, read.Reason);
        Assert.Equal(length, read.Value.Length);
        Assert.Equal(client is null ? null : IPEndPoint.Parse(client), read.Value.Client);
    }

    [Fact]
    public void An_address_of_IPv6_is_read()
    {
        var read = ProxyHeader.Read(new ReadOnlySequence<byte>(Convert.FromHexString(V6.Replace("21210027", "21210028", StringComparison.Ordinal))));
        Assert.Equal(new ProxyHeader(56, IPEndPoint.Parse("[2001:db8::1]:50000")), read.Value);
    }

    [Theory]
    [InlineData("16030100", "it does not begin with the signature")] // TLS
    [InlineData("50524F585920", "it does not begin with the signature")] // version 1
    [InlineData(Signature + "3111000C" + "C0000201C000020AC35001BB", "version 3")]
    [InlineData(Signature + "2211000C" + "C0000201C000020AC35001BB", "command 2")]
    [InlineData(Signature + "21110008" + "C0000201C000020A", "its addresses are cut off")]
    [InlineData(Signature + "2111FFFF", "at most 2064")]
    public void What_is_no_header_is_refused_with_its_reason(string hex, string reason) =>
        Assert.Contains(reason, ProxyHeader.Read(new ReadOnlySequence<byte>(Convert.FromHexString(hex))).Reason, StringComparison.Ordinal);

    [Fact]
    public void Every_beginning_of_a_header_is_waited_for()
    {
        var whole = Convert.FromHexString(V4);
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Same(ProxyHeader.Unfinished, ProxyHeader.Read(new ReadOnlySequence<byte>(whole, 0, length)).Value);
        }
    }

    [Fact]
    public void Whatever_comes_is_waited_for_refused_or_read_within_what_came() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Bool).Sample((octets, signed) =>
        {
            var all = signed ? [.. Convert.FromHexString(Signature), .. octets] : octets;
            var read = ProxyHeader.Read(new ReadOnlySequence<byte>(all));
            Assert.True(!read.IsValid || read.Value == ProxyHeader.Unfinished || read.Value.Length is >= 16 and <= ProxyHeader.MaxOctets && read.Value.Length <= all.Length);
        });

    [Fact]
    public void A_header_in_pieces_reads_as_in_one()
    {
        var whole = Convert.FromHexString(V4);
        for (var cut = 1; cut < whole.Length; cut++)
        {
            var first = new Piece(whole.AsMemory(0, cut));
            var last = first.Then(whole.AsMemory(cut));
            var read = ProxyHeader.Read(new ReadOnlySequence<byte>(first, 0, last, whole.Length - cut));
            Assert.Equal("192.0.2.1:50000", read.Value!.Client!.ToString());
        }
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Piece Then(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
