using CsCheck;
using PersistCa.Protocol.Caa;

namespace PersistCa.Protocol.Tests.Caa;

public sealed class CaaRecordTests
{
    [Theory]
    [InlineData("", "it has 0 octets")]
    [InlineData("\0", "it has 1 octets")]
    [InlineData("\0\0", "its tag is empty")]
    [InlineData("\0\0issue", "its tag is empty")]
    [InlineData("\0\u0006issue", "its tag should have 6 octets and 5 are there")]
    [InlineData("\0\u0005is ue", "other characters than letters and digits")]
    [InlineData("\0\u0005is\0ue", "other characters than letters and digits")]
    [InlineData("\0\u0005issue\u0100", "characters that are no octets")]
    public void What_is_no_record_is_refused_with_its_reason(string rdata, string reason)
    {
        Assert.Contains(reason, CaaRecord.Read(rdata).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_of_the_rfc_is_read()
    {
        // RFC 8659 section 4.1.1: flags, tag, value; the value has the rest, without a length.
        var record = CaaRecord.Read("\u0080\u0005issueca.example; a=b").Value!;

        Assert.Equal((128, "issue", "ca.example; a=b"), (record.Flags, record.Tag, record.Value));
        Assert.True(record is { IsCritical: true, IsUnderstood: true });
    }

    [Fact]
    public void A_value_may_be_empty()
    {
        Assert.Equal("", CaaRecord.Read("\0\u0005issue").Value!.Value);
    }

    [Fact]
    public void A_record_reads_to_itself() => Gen.Select(Gen.Byte, Gen.String[Gen.Char['a', 'z'], 1, 255], Gen.String[Gen.Char['\0', '\u00FF'], 0, 300])
        .Select(t => new CaaRecord(t.Item1, t.Item2, t.Item3))
        .Sample(record => CaaRecord.Read(record.ToRdata()).Value == record);

    [Fact]
    public void Any_octets_are_read_or_refused_and_shown_in_printable_form() => Gen.String[Gen.Char['\0', '\u00FF'], 0, 40].Sample(rdata =>
    {
        var read = CaaRecord.Read(rdata);
        Assert.True(read.IsValid || read.Reason.Length > 0);
        Assert.All(CaaRecord.Present(rdata), c => Assert.InRange(c, ' ', '~'));
    });

    [Theory]
    [InlineData("\0\u0005issueca.example", "0 issue \"ca.example\"")]
    [InlineData("\u0080\u0005IsSue;", "128 IsSue \";\"")]
    [InlineData("\0\u0003tbsa\"b\\c\0\u00FF", "0 tbs \"a\\\"b\\\\c\\000\\255\"")]
    [InlineData("\0\u00FFx", "\\# 3 00ff78")]
    [InlineData("", "\\# 0")]
    public void A_record_is_shown_as_zone_files_write_it(string rdata, string text)
    {
        Assert.Equal(text, CaaRecord.Present(rdata));
    }

    [Fact]
    public void Two_records_never_show_alike() => Gen.String[Gen.Char['\0', '\u00FF'], 0, 12].Array[2].Sample(
        two => two[0] == two[1] || CaaRecord.Present(two[0]) != CaaRecord.Present(two[1]));

    [Fact]
    public void Any_value_is_read_or_refused() => Gen.String[Gen.Char['\0', '\u00FF'], 0, 60].Sample(value =>
    {
        var read = CaaIssueValue.Read(value);
        Assert.True(read.IsValid || read.Reason.All(c => c is >= ' ' and <= '~'));
    });

    [Fact]
    public void An_issuer_name_that_nobody_can_have_is_read_and_is_somebody_elses()
    {
        var value = CaaIssueValue.Read("192.0.2.1").Value!;

        Assert.Equal(("192.0.2.1", null, false), (value.IssuerText, value.Issuer?.Text, value.NamesNobody));
    }

    [Fact]
    public void Parameters_are_there_when_they_stand_in_the_value()
    {
        var bound = CaaIssueValue.Read("ca.example; accounturi=u; validationmethods=dns-01,http-01; x=y").Value!;
        var free = CaaIssueValue.Read("ca.example").Value!;

        Assert.Equal("u", bound.AccountUri);
        Assert.Equal(["dns-01", "http-01"], bound.ValidationMethods!.Value.AsEnumerable());
        Assert.Equal(2, bound.Parameters.Count);
        Assert.Null(free.AccountUri);
        Assert.Null(free.ValidationMethods);
        Assert.Empty(CaaIssueValue.Read("ca.example; validationmethods=").Value!.ValidationMethods!.Value);
    }
}
