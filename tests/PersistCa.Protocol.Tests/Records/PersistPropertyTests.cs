using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using PersistCa.Protocol.Accounts;
using PersistCa.Protocol.Identifiers;
using PersistCa.Protocol.Records;

namespace PersistCa.Protocol.Tests.Records;

/// <summary>What holds of every set of records, whatever is in it.</summary>
public sealed class PersistPropertyTests
{
    private const string Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    private const string Earlier = "OLDLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    private const long Now = 1_800_000_000;

    private static readonly AccountFacts Account = new("123", "https://ca.example/acct/123", [Thumbprint, Earlier], IsValid: true);
    private static readonly PersistPolicy Policy = new(
        [IssuerName.Parse("ca.example").Value!],
        ["https://ca.example/account-hash/"],
        PersistDialects.All.ToImmutableHashSet());

    private static readonly DnsName[] Names = [.. new[] { "example.com", "www.example.com", "badexample.com", "com" }.Select(n => DnsName.Parse(n).Value!)];

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Select(
            Gen.OneOf(Gen.Const("ca.example"), Gen.Const("CA.example."), Gen.Const("other.example")),
            Gen.OneOf(
                Gen.Const(Account.Url),
                Gen.Const("https://ca.example/acct/9"),
                Gen.Const(HashedAccountUri.Compute(Policy.AccountHashPrefixes[0], "*", Thumbprint, Account.Url)),
                Gen.Const(HashedAccountUri.Compute(Policy.AccountHashPrefixes[0], "example.com", Earlier, Account.Url)),
                Gen.Const("https://ca.example/account-hash/sha-1/x")),
            Gen.OneOf(Gen.Const(""), Gen.Const("; policy=wildcard"), Gen.Const(";"), Gen.Const("; policy=x; policy=y")),
            Gen.OneOf(Gen.Const(""), Gen.Long[Now - 2, Now + 2].Select(t => "; persistUntil=" + t.ToString(CultureInfo.InvariantCulture))),
            (issuer, account, policy, until) => $"{issuer}; accounturi={account}{policy}{until}"),
        Gen.Select(
            Gen.OneOf(Gen.Const("ca.example"), Gen.Const("other.example")),
            Gen.OneOf(Gen.Const(Thumbprint), Gen.Const(Earlier), Gen.Const("123"), Gen.Const(Account.Url), Gen.Const("9")),
            Gen.OneOf(Gen.Const(""), Gen.Const("; policy=wildcard"), Gen.Const("; exp=2027-01-15T08:00:00Z"), Gen.Const("; exp=2027-01-15T07:59:59Z"), Gen.Const("; exp=soon"), Gen.Const(";;")),
            (issuer, account, rest) => $"v=acme-persist-01; ca={issuer}; account={account}{rest}"));

    private static readonly Gen<FoundTxt> Found = Gen.Select(
        Gen.OneOf([.. Names.Select(n => Gen.Const(n))]), Gen.Enum<PersistLabel>(), Texts, (at, label, text) => new FoundTxt(at, label, text, 60));

    private static readonly Gen<PersistQuestion> Questions = Gen.OneOf(Gen.Const("example.com"), Gen.Const("*.example.com"), Gen.Const("www.example.com"), Gen.Const("*.www.example.com"))
        .Select(name => Question(name));

    private static PersistQuestion Question(string name, long now = Now) =>
        new(CertificateName.Parse(name).Value!, Account, DateTimeOffset.FromUnixTimeSeconds(now));

    private static PersistDecision Judge(PersistQuestion question, params FoundTxt[] found) => PersistDecision.Judge(question, Policy, found);

    [Fact]
    public void The_order_of_an_answer_changes_neither_outcome_nor_winner_nor_words() => Gen.Select(Questions, Found.Array[0, 8]).SelectMany(
        (question, found) => Gen.Shuffle(found.ToArray()).Select(shuffled => (question, found, shuffled))).Sample(t =>
    {
        var (one, two) = (Judge(t.question, t.found), Judge(t.question, t.shuffled));
        Assert.Equal((one.Outcome, one.Winner, one.Problem?.Detail), (two.Outcome, two.Winner, two.Problem?.Detail));
    });

    [Fact]
    public void A_set_is_valid_exactly_when_one_of_its_records_alone_is() => Gen.Select(Questions, Found.Array[0, 8]).Sample((question, found) =>
    {
        var alone = found.Select(f => Judge(question, f)).ToList();
        var expected = alone.Any(d => d.Outcome == PersistOutcome.Valid) ? PersistOutcome.Valid
            : alone.Any(d => d.Outcome == PersistOutcome.Malformed) ? PersistOutcome.Malformed
            : alone.Any(d => d.Outcome == PersistOutcome.Unauthorized) ? PersistOutcome.Unauthorized : PersistOutcome.NoRecord;
        Assert.Equal(expected, Judge(question, found).Outcome);
    });

    [Fact]
    public void Foreign_records_change_nothing_and_are_not_kept() => Gen.Select(Questions, Found.Array[0, 5], Found.Array[0, 5]).Sample((question, found, more) =>
    {
        var foreign = more.Select(f => f with { Text = f.Text.Replace("ca.example;", "foreign.example;", StringComparison.OrdinalIgnoreCase).Replace("CA.example.;", "foreign.example;", StringComparison.Ordinal) })
            .Where(f => !f.Text.StartsWith("ca.example", StringComparison.OrdinalIgnoreCase)).ToArray();
        var (one, two) = (Judge(question, found), Judge(question, [.. foreign, .. found]));
        Assert.Equal((one.Outcome, one.Winner, one.Problem?.Detail), (two.Outcome, two.Winner, two.Problem?.Detail));
        Assert.DoesNotContain(two.Records, r => r.Record.Text.Contains("foreign.example", StringComparison.Ordinal));
    });

    [Fact]
    public void A_winner_stands_at_the_name_or_above_with_its_scope_and_in_its_time() => Gen.Select(Questions, Found.Array[0, 8]).Sample((question, found) =>
    {
        var decision = Judge(question, found);
        if (decision.Winner is not { } winner)
        {
            Assert.NotNull(decision.Problem);
            return;
        }

        var name = question.Requested.Name;
        var here = winner.Record.StandsAt.Equals(name);
        Assert.True(here || name.IsSubdomainOf(winner.Record.StandsAt));
        Assert.True(winner.Wildcard || (here && !question.Requested.IsWildcard));
        Assert.True(winner.Expires is null || winner.Expires >= question.Now);
        Assert.Equal(winner.Dialect == PersistDialect.Draft02, decision.Reusable);
    });

    [Fact]
    public void A_closed_account_wins_nothing() => Gen.Select(Questions, Found.Array[0, 8]).Sample((question, found) =>
        Judge(question with { Account = Account with { IsValid = false } }, found).Outcome == PersistOutcome.AccountClosed);

    [Fact]
    public void Every_refusal_is_short_and_printable() => Gen.Select(
        Questions, Gen.Select(Found, Gen.String[Gen.Char['\0', '\u00ff'], 0, 400], (f, tail) => f with { Text = f.Text + tail }).Array[0, 8]).Sample((question, found) =>
    {
        var detail = Judge(question, found).Problem?.Detail ?? "";
        Assert.True(detail.Length < 4_000, $"{detail.Length} characters");
        Assert.All(detail, c => Assert.InRange(c, ' ', '~'));
    });

    [Fact]
    public void A_record_is_usable_up_to_its_last_second_in_every_dialect() => Gen.Select(Gen.Enum<PersistDialect>(), Gen.Long[0, 253_402_300_798], Gen.Bool).Sample((dialect, end, wildcard) =>
    {
        var until = DateTimeOffset.FromUnixTimeSeconds(end);
        var question = Question("example.com", end);
        var record = RecordText.For(dialect, question.Requested.Name, Account, Policy, wildcard, until);
        var found = new FoundTxt(question.Requested.Name, dialect.Label(), record.Value, 60);
        Assert.Equal((PersistOutcome.Valid, until), (Judge(question, found).Outcome, Judge(question, found).RecordExpires));
        var late = Judge(question with { Now = until.AddTicks(1) }, found);
        Assert.Equal((PersistOutcome.Unauthorized, RecordReason.Expired), (late.Outcome, late.Records.Single().Reason));
    });

    [Fact]
    public void A_record_that_is_written_never_lasts_longer_than_was_asked() => Gen.Select(Gen.Enum<PersistDialect>(), Gen.Long[0, 9_999_999]).Sample((dialect, ticks) =>
    {
        var until = DateTimeOffset.FromUnixTimeSeconds(Now + 100).AddTicks(ticks);
        var record = RecordText.For(dialect, Names[0], Account, Policy, false, until);
        var decision = Judge(Question("example.com"), new FoundTxt(Names[0], dialect.Label(), record.Value, 60));
        Assert.InRange(decision.RecordExpires!.Value, until.AddSeconds(-1), until);
    });

    [Fact]
    public void An_end_is_read_as_the_library_reads_it_where_the_library_can() => Gen.Select(Gen.DateTimeOffset, Gen.Int[0, 7]).Sample((time, decimals) =>
    {
        var form = "yyyy-MM-dd'T'HH:mm:ss" + (decimals == 0 ? "" : "." + new string('f', decimals)) + "zzz";
        var text = time.ToString(form, CultureInfo.InvariantCulture);
        var found = new FoundTxt(Names[0], PersistLabel.AcmePersist, $"v=acme-persist-01; ca=ca.example; account=123; exp={text}", 60);
        var verdict = Judge(Question("example.com", 0) with { Now = DateTimeOffset.MinValue }, found);
        var expected = DateTimeOffset.ParseExact(text, form, CultureInfo.InvariantCulture).ToUniversalTime();
        Assert.Equal((expected, TimeSpan.Zero), (verdict.RecordExpires!.Value, verdict.RecordExpires!.Value.Offset));
    });

    [Fact]
    public void Digits_are_read_as_a_number_of_64_bits() => Gen.Select(Gen.ULong, Gen.Int[0, 30]).Sample((seconds, zeros) =>
    {
        var text = new string('0', zeros) + seconds.ToString(CultureInfo.InvariantCulture);
        var decision = Judge(Question("example.com", 0), new FoundTxt(Names[0], PersistLabel.ValidationPersist, $"ca.example; accounturi={Account.Url}; persistUntil={text}", 60));
        Assert.Equal(PersistOutcome.Valid, decision.Outcome);
        Assert.Equal(seconds > 253_402_300_799 ? 253_402_300_799 : (long)seconds, decision.RecordExpires!.Value.ToUnixTimeSeconds());
    });

    [Fact]
    public void Dialects_and_labels_have_their_words()
    {
        Assert.All(PersistDialects.All, d => Assert.Equal(d, PersistDialects.Read(d.Wire())));
        Assert.Equal(Enum.GetValues<PersistDialect>(), PersistDialects.All.Order());
        Assert.All(["", "Draft-01", "draft-03"], w => Assert.Null(PersistDialects.Read(w)));
        Assert.Equal(["_acme-persist", "_validation-persist", "_validation-persist"], PersistDialects.All.Select(d => d.Label().Text()));
        Assert.Equal([PersistLabel.AcmePersist], (Policy with { Dialects = ImmutableHashSet.Create(PersistDialect.AcmePersist) }).Labels);
        Assert.Equal([PersistLabel.ValidationPersist], (Policy with { Dialects = ImmutableHashSet.Create(PersistDialect.Draft02) }).Labels);
        Assert.Equal(PersistDialects.Labels, Policy.Labels);
    }
}
