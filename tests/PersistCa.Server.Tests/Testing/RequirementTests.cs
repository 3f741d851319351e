using PersistCa.Testing;
using Xunit.Sdk;

namespace PersistCa.Server.Tests.Testing;

/// <summary>What is not there skips a test, or fails it where it is required.</summary>
public sealed class RequirementTests
{
    [Theory]
    [InlineData("")]
    [InlineData("knotd certbot")]
    public void What_is_not_required_is_skipped_with_its_reason(string required)
    {
        var skipped = Assert.Throws<Xunit.SkipException>(() => Requirement.Need(false, "lego", "there is none", required));
        Assert.Equal("lego is not available: there is none", skipped.Message);
    }

    [Theory]
    [InlineData("all")]
    [InlineData("certbot lego")]
    public void What_is_required_fails(string required)
    {
        var failed = Assert.ThrowsAny<XunitException>(() => Requirement.Need(false, "lego", "there is none", required));
        Assert.Contains("lego is required here (PERSISTCA_TEST_REQUIRE), but there is none", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_there_is_neither() => Requirement.Need(true, "lego", "unused", "all");
}
