using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PersistCa.Server.Hosting;
using PersistCa.Testing;

namespace PersistCa.Server.Tests.Perspectives;

/// <summary>Certificates are renewed while servers run.</summary>
public sealed class RenewedTlsFilesTests(PerspectiveBed bed) : IClassFixture<PerspectiveBed>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_perspective_shows_its_renewed_certificate_without_a_restart_and_the_last_good_one_beside_broken_files()
    {
        var options = bed.Options(bed.Zones[0]);
        options.Server.TlsFileCheckInterval = TimeSpan.Zero;
        var file = bed.Make("renewed", PeerTrust.ServerUsage);
        (options.Perspective.TlsCertificateFile, options.Perspective.TlsKeyFile) = (file, PerspectiveBed.KeyOf(file));
        await using var server = await ServerHost.StartAsync(options, bed.Clock, CancellationToken.None);

        var first = PerspectiveBed.Fingerprint(file);
        Assert.Equal(first, await ShownAsync(options.Perspective.Listen));

        bed.Make("renewed", PeerTrust.ServerUsage);
        var second = PerspectiveBed.Fingerprint(file);
        Assert.NotEqual(first, second);
        Assert.Equal(second, await ShownAsync(options.Perspective.Listen));

        await File.WriteAllTextAsync(file, "half a file");
        Assert.Equal(second, await ShownAsync(options.Perspective.Listen));
    }

    [Fact]
    public async Task A_server_shows_its_renewed_certificate_without_a_restart()
    {
        var file = bed.Make("own", PeerTrust.ServerUsage);
        await using var authority = await RunningAuthority.StartAsync(o =>
        {
            (o.Server.TlsCertificateFile, o.Server.TlsKeyFile, o.Server.TlsFileCheckInterval) = (file, PerspectiveBed.KeyOf(file), TimeSpan.Zero);
        });
        Assert.Equal(PerspectiveBed.Fingerprint(file), await ShownAsync(authority.Options.Server.Listen));

        bed.Make("own", PeerTrust.ServerUsage);
        Assert.Equal(PerspectiveBed.Fingerprint(file), await ShownAsync(authority.Options.Server.Listen));
    }

    [Fact]
    public void Files_are_looked_at_once_in_an_interval_and_read_only_when_they_changed()
    {
        var (clock, file, loads) = (new FakeTimeProvider(), Path.GetTempFileName(), 0);
        var watched = new WatchedFiles<string>([file, ""], () => $"{++loads}", Interval, clock);

        clock.Advance(Interval);
        Assert.Equal("1", watched.Current(NullLogger.Instance));
        File.WriteAllText(file, "more");
        clock.Advance(Interval - TimeSpan.FromSeconds(1));
        Assert.Equal("1", watched.Current(NullLogger.Instance));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("2", watched.Current(NullLogger.Instance));
        clock.Advance(Interval);
        Assert.Equal("2", watched.Current(NullLogger.Instance));
        File.Delete(file);
    }

    [Fact]
    public void Broken_files_leave_the_last_good_value_are_told_once_and_tried_again_when_they_change()
    {
        var (clock, file, log, broken) = (new FakeTimeProvider(), Path.GetTempFileName(), new LineLog(), false);
        var watched = new WatchedFiles<string>(
            [file], () => broken ? throw new StartRefusedException("Perspective:ClientTrustFile", "it cannot be read") : File.ReadAllText(file), Interval, clock);
        void Change(string text, bool isBroken)
        {
            File.WriteAllText(file, text);
            broken = isBroken;
            clock.Advance(Interval);
        }

        Change("x", isBroken: true);
        Assert.Equal("", watched.Current(log));
        clock.Advance(Interval);
        Assert.Equal("", watched.Current(log));
        Assert.Equal("Error Perspective:ClientTrustFile: it cannot be read. What was read before stays in use", Assert.Single(log.Lines));

        Change("good", isBroken: false);
        Assert.Equal("good", watched.Current(log));
        Assert.StartsWith("Information Read again after a change: ", log.Lines[1], StringComparison.Ordinal);
        File.Delete(file);
    }

    private async Task<string> ShownAsync(string address)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(System.Net.IPEndPoint.Parse(address));
        var shown = "";
        using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            ClientCertificates = [X509Certificate2.CreateFromPemFile(bed.ClientFile, PerspectiveBed.KeyOf(bed.ClientFile))],
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                shown = certificate!.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant();
                return certificate is not null && shown.Length > 0;
            },
        });
        return shown;
    }

    private sealed class LineLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel} {formatter(state, exception)}");
    }
}
