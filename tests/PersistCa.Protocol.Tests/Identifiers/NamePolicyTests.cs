using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Tests.Identifiers;

/// <summary>Each rule of the policy with the names just inside and just outside.</summary>
public sealed class NamePolicyTests
{
    private static string? Refusal(NamePolicyOptions options, string name)
    {
        var judged = new NamePolicy(options, PublicSuffixList.Shipped).Judge(CertificateName.Parse(name).Value!);
        if (!judged.IsRefused)
        {
            Assert.Equal(name, judged.Value.Text);
            return null;
        }

        Assert.Equal((ProblemCatalog.RejectedIdentifier, name), (judged.Problem.Type, judged.Problem.Identifier!.Value));
        Assert.StartsWith($"{name} is not served here: ", judged.Problem.Detail, StringComparison.Ordinal);
        return judged.Problem.Detail;
    }

    [Theory]
    [InlineData("corp.test", true)]
    [InlineData("*.corp.test", true)]
    [InlineData("a.b.corp.test", true)]
    [InlineData("test", false)]
    [InlineData("*.test", false)]
    [InlineData("badcorp.test", false)]
    [InlineData("corp.test.example", false)]
    public void Only_allowed_suffixes_are_served_once_there_are_some(string name, bool served)
    {
        var refusal = Refusal(new NamePolicyOptions { AllowedSuffixes = [".corp.test", "other.example"], AllowSingleLabels = true }, name);
        Assert.Equal(served, refusal is null);
        Assert.Contains(served ? "" : "none of the suffixes that this authority serves", refusal ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("secret.corp.test", "names under secret.corp.test are denied")]
    [InlineData("*.secret.corp.test", "names under secret.corp.test are denied")]
    [InlineData("a.b.secret.corp.test", "names under secret.corp.test are denied")]
    [InlineData("*.corp.test", "its wildcard would cover secret.corp.test, which is denied")]
    [InlineData("corp.test", null)]
    [InlineData("*.test", null)]
    [InlineData("*.other.corp.test", null)]
    [InlineData("topsecret.corp.test", null)]
    public void Denied_suffixes_are_refused_and_no_wildcard_covers_them(string name, string? reason)
    {
        var options = new NamePolicyOptions { DeniedSuffixes = ["secret.corp.test"], AllowSingleLabels = true };
        foreach (var allowed in new[] { new List<string>(), ["test"], ["secret.corp.test", "test"] })
        {
            options.AllowedSuffixes = allowed;
            var refusal = Refusal(options, name);
            Assert.Equal(reason is null, refusal is null);
            Assert.Contains(reason ?? "", refusal ?? "", StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("*.kobe.jp", "the names under kobe.jp are public suffixes")]
    [InlineData("*.co.uk", "co.uk is a public suffix, so its wildcard would cover strangers' names")]
    [InlineData("*.c.kobe.jp", "c.kobe.jp is a public suffix")]
    [InlineData("c.kobe.jp", "it is a public suffix")]
    [InlineData("kobe.jp", null)]
    [InlineData("*.city.kobe.jp", null)]
    [InlineData("*.example.co.uk", null)]
    [InlineData("*.host.corp", null)]
    public void No_wildcard_covers_what_strangers_register(string name, string? reason)
    {
        var refusal = Refusal(new NamePolicyOptions(), name);
        Assert.Equal(reason is null, refusal is null);
        Assert.Contains(reason ?? "", refusal ?? "", StringComparison.Ordinal);
        Assert.Null(Refusal(new NamePolicyOptions { AllowPublicSuffixes = true }, name));
    }

    [Theory]
    [InlineData("intranet")]
    [InlineData("*.intranet")]
    public void Single_labels_are_served_only_when_configured(string name)
    {
        Assert.Contains("single label", Refusal(new NamePolicyOptions(), name), StringComparison.Ordinal);
        Assert.Null(Refusal(new NamePolicyOptions { AllowSingleLabels = true }, name));
    }

    [Fact]
    public void Wildcards_are_refused_where_they_are_off_and_plain_names_are_not()
    {
        var options = new NamePolicyOptions { AllowWildcards = false };
        Assert.Contains("wildcards are not served", Refusal(options, "*.example.com"), StringComparison.Ordinal);
        Assert.Null(Refusal(options, "www.example.com"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("*.corp.test")]
    [InlineData("corp.test.")]
    [InlineData("b\u00fccher.example")]
    public void A_suffix_that_is_no_name_is_a_fault_of_configuration(string suffix)
    {
        Assert.Throws<ArgumentException>(() => new NamePolicy(new NamePolicyOptions { AllowedSuffixes = [suffix] }, PublicSuffixList.Shipped));
        Assert.Throws<ArgumentException>(() => new NamePolicy(new NamePolicyOptions { DeniedSuffixes = [suffix] }, PublicSuffixList.Shipped));
    }
}
