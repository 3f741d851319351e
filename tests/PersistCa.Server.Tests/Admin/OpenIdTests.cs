using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;
using PersistCa.Server.Hosting;
using PersistCa.Storage.AuditLog;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Admin;

/// <summary>Operators by bearer tokens of an OpenID Connect provider: one good token, and each way in which it is not good.</summary>
public sealed class OpenIdTests : IAsyncLifetime
{
    private ProviderDouble provider = null!;
    private OperatorBed bed = null!;

    public async Task InitializeAsync()
    {
        provider = await ProviderDouble.StartAsync();
        bed = await OperatorBed.StartAsync(o =>
        {
            o.Limits.FailedOperatorCallsPerAddress = "off";
            o.Operators.SecondApprover = ["none"];
            o.Operators.OpenIdConnect.Issuer = provider.Issuer;
            o.Operators.OpenIdConnect.Audience = ProviderDouble.Audience;
            o.Operators.OpenIdConnect.CaFile = provider.CaFile;
            o.Operators.OpenIdConnect.MaxDocumentBytes = 16 * 1024;
            o.Operators.OpenIdConnect.Timeout = TimeSpan.FromSeconds(60);
            o.Operators.OpenIdConnect.Roles = [new ClaimRoleOptions { Value = "ca-operators", Role = "operator" }, new ClaimRoleOptions { Value = "ca-audit", Role = "auditor" }];
        });
    }

    public async Task DisposeAsync()
    {
        await bed.DisposeAsync();
        await provider.DisposeAsync();
    }

    private DateTimeOffset Now => bed.Authority.Clock.GetUtcNow();

    private async Task<int> KnockAsync(string token) => (await bed.GetAsync("jobs", token)).Status;

    private async Task<string> WhyAsync(string token)
    {
        Assert.Equal(401, await KnockAsync(token));
        return (await bed.AuditAsync(AuditKinds.OperatorRefused))[^1].Facts;
    }

    [Fact]
    public async Task A_good_token_opens_what_its_role_opens_in_its_name()
    {
        var token = provider.Token(Now);
        Assert.Equal(200, await KnockAsync(token));
        Assert.Equal(403, (await bed.GetAsync("audit", token)).Status);
        Assert.Equal(200, (await bed.GetAsync("audit", provider.Token(Now, groups: ["ca-audit", "others"]))).Status);
        Assert.Equal(200, (await bed.PostAsync("profiles/client/withdraw", token)).Status);
        Assert.Contains(await bed.AuditAsync(AuditKinds.OperatorCalled), e => e is { Actor: "operator:olga", Subject: "openid:42" });
        Assert.Contains(await bed.AuditAsync(AuditKinds.ProposalCarriedOut), e => e.Actor == "operator:olga");
        Assert.Equal(1, provider.Asked);
    }

    [Fact]
    public async Task A_token_with_one_thing_wrong_opens_nothing_and_the_audit_says_what()
    {
        Assert.Contains("another issuer", await WhyAsync(provider.Token(Now, issuer: "https://evil.example")), StringComparison.Ordinal);
        Assert.Contains("SecurityTokenInvalidAudience", await WhyAsync(provider.Token(Now, audience: "other")), StringComparison.Ordinal);
        Assert.Contains("SecurityTokenInvalidLifetime", await WhyAsync(provider.Token(Now - TimeSpan.FromHours(1))), StringComparison.Ordinal);
        Assert.Contains("SecurityTokenInvalidLifetime", await WhyAsync(provider.Token(Now, from: TimeSpan.FromMinutes(4))), StringComparison.Ordinal);
        Assert.Contains("SecurityToken", await WhyAsync(provider.Token(Now, life: TimeSpan.MaxValue)), StringComparison.Ordinal);
        Assert.Contains("without a role", await WhyAsync(provider.Token(Now, groups: ["others"])), StringComparison.Ordinal);
        Assert.Contains("several roles", await WhyAsync(provider.Token(Now, groups: ["ca-operators", "ca-audit"])), StringComparison.Ordinal);
        Assert.Contains("without a name", await WhyAsync(provider.Token(Now, name: "Olga Operator")), StringComparison.Ordinal);
        Assert.Contains("does not publish", await WhyAsync(provider.Token(Now, credentials: Signer("two"))), StringComparison.Ordinal);
        Assert.Contains("SecurityTokenInvalidSignature", await WhyAsync(provider.Token(Now, credentials: Signer("one"))), StringComparison.Ordinal);
        Assert.Contains("without a key id", await WhyAsync(provider.Token(Now, credentials: Signer(null))), StringComparison.Ordinal);
        var good = provider.Token(Now);
        Assert.Contains("SecurityTokenInvalidSignature", await WhyAsync(good[..^4] + (good[^4..] == "AAAA" ? "BBBB" : "AAAA")), StringComparison.Ordinal);
        Assert.Equal(200, await KnockAsync(good));

        static SigningCredentials Signer(string? kid) => new(new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = kid }, "ES256");
    }

    [Fact]
    public async Task A_token_without_signature_or_signed_with_what_all_can_read_opens_nothing()
    {
        var parts = provider.Token(Now).Split('.');
        var none = Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT","kid":"one"}""");
        Assert.Contains("algorithm that is not allowed", await WhyAsync($"{none}.{parts[1]}."), StringComparison.Ordinal);

        // The public key taken for a shared secret, and a secret that the provider gives away.
        var published = provider.Keys["one"].ExportSubjectPublicKeyInfo();
        foreach (var (kid, secret) in new[] { ("one", published), ("one", Encoding.ASCII.GetBytes(provider.Keys["one"].ExportSubjectPublicKeyInfoPem())), ("shared", ProviderDouble.Shared) })
        {
            Assert.Contains("algorithm that is not allowed", await WhyAsync(provider.Token(Now, credentials: new SigningCredentials(new SymmetricSecurityKey(secret) { KeyId = kid }, "HS256"))), StringComparison.Ordinal);
        }

        var lies = Base64UrlEncoder.Encode("""{"alg":"ES256","typ":"JWT","kid":"shared"}""");
        Assert.Contains("does not publish", await WhyAsync($"{lies}.{parts[1]}.{parts[2]}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_took_another_s_place_is_found_and_not_asked_for_again_and_again()
    {
        Assert.Equal(200, await KnockAsync(provider.Token(Now)));
        provider.Keys["two"] = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rotated = provider.Token(Now, kid: "two", life: TimeSpan.FromHours(1));
        Assert.Equal(401, await KnockAsync(rotated)); // asked within the last minute
        bed.Authority.Clock.Ahead += TimeSpan.FromMinutes(2);
        Assert.Equal(200, await KnockAsync(rotated));
        Assert.Equal(2, provider.Asked);
        provider.Keys.Remove("one", out var gone);
        bed.Authority.Clock.Ahead += TimeSpan.FromHours(13);
        Assert.Equal(401, await KnockAsync(provider.Token(Now, credentials: new SigningCredentials(new ECDsaSecurityKey(gone!) { KeyId = "one" }, "ES256"))));
        Assert.Equal(3, provider.Asked);
    }

    [Fact]
    public async Task A_provider_whose_document_is_not_its_own_or_too_large_is_not_believed()
    {
        provider.SaysIssuer = "https://evil.example";
        Assert.Contains("names another issuer", await WhyAsync(provider.Token(Now)), StringComparison.Ordinal);
        provider.SaysIssuer = null;
        provider.Padding = 17 * 1024;
        bed.Authority.Clock.Ahead += TimeSpan.FromMinutes(2);
        Assert.Contains("cannot be fetched", await WhyAsync(provider.Token(Now)), StringComparison.Ordinal);
        provider.Padding = 0;
        bed.Authority.Clock.Ahead += TimeSpan.FromMinutes(2);
        Assert.Equal(200, await KnockAsync(provider.Token(Now)));
    }

    [Fact]
    public async Task The_same_person_by_token_and_by_provider_is_one()
    {
        await using var two = await DecisionBed.StartAsync(configure: o =>
        {
            o.Operators.OpenIdConnect.Issuer = provider.Issuer;
            o.Operators.OpenIdConnect.Audience = ProviderDouble.Audience;
            o.Operators.OpenIdConnect.CaFile = provider.CaFile;
            o.Operators.OpenIdConnect.Roles = [new ClaimRoleOptions { Value = "ca-operators", Role = "operator" }];
        });
        var proposal = (await two.Bed.PostAsync("profiles/client/withdraw", two.Olga)).Body;
        var path = $"proposals/{DecisionBed.Text(proposal, "id")}/approve";
        Assert.Equal(403, (await two.Bed.PostAsync(path, provider.Token(Now, name: "OLGA"))).Status);
        Assert.Equal(200, (await two.Bed.PostAsync(path, provider.Token(Now, name: "oskar@example.com"))).Status);
    }

    [Theory]
    [InlineData("http://idp.example", "a", "RS256", "Operators:OpenIdConnect:Issuer")]
    [InlineData("https://idp.example", "", "RS256", "Operators:OpenIdConnect:Audience")]
    [InlineData("https://idp.example", "a", "HS256", "Operators:OpenIdConnect:Algorithms")]
    [InlineData("https://idp.example", "a", "none", "Operators:OpenIdConnect:Algorithms")]
    public void A_configuration_that_would_let_strangers_in_stops_the_start(string issuer, string audience, string algorithm, string key) => Assert.Equal(key, Assert.Single(OperatorRules.Check(new OperatorOptions
    {
        OpenIdConnect = new OpenIdConnectOptions { Issuer = issuer, Audience = audience, Algorithms = [algorithm], Roles = [new ClaimRoleOptions { Value = "x", Role = "viewer" }] },
    })).Key);
}
