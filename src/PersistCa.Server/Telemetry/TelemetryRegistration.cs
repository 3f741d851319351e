using Npgsql;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using PersistCa.Server.Hosting;

namespace PersistCa.Server.Telemetry;

/// <summary>Logs, traces and metrics. Exported over OTLP when the standard OTEL_EXPORTER_OTLP_* variables say where to.</summary>
internal static class TelemetryRegistration
{
    public static void AddCaTelemetry(this WebApplicationBuilder builder, LogOptions log)
    {
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(log.Level);

        // The framework's own lines speak of every request and query: useful only to who debugs this server.
        foreach (var noisy in new[] { "Microsoft", "System", "OpenTelemetry" })
        {
            builder.Logging.AddFilter(noisy, log.Level <= LogLevel.Debug ? log.Level : LogLevel.Warning);
        }

        // EF logs a failed command before its exception reaches us, which is how a lost race shows too; the exception is logged where it matters.
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", log.Level <= LogLevel.Debug ? log.Level : LogLevel.Critical);
        if (log.Format == LogFormat.Json)
        {
            builder.Logging.AddJsonConsole(o =>
            {
                o.IncludeScopes = true;
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }
        else
        {
            builder.Logging.AddSimpleConsole(o =>
            {
                o.IncludeScopes = true;
                o.SingleLine = true;
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
        }

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService("persistca", serviceVersion: ProductVersion.Text))
            .WithTracing(t => t.AddSource(CaTelemetry.Name).AddNpgsql().AddAspNetCoreInstrumentation(o => o.Filter = c => !c.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)))
            .WithMetrics(m => m.AddMeter(CaTelemetry.Name, "Npgsql", "Microsoft.EntityFrameworkCore", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel").AddRuntimeInstrumentation());
        if (Exports("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
        {
            telemetry.WithTracing(t => t.AddOtlpExporter());
        }

        if (Exports("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"))
        {
            telemetry.WithMetrics(m => m.AddOtlpExporter());
        }

        if (Exports("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"))
        {
            telemetry.WithLogging(l => l.AddOtlpExporter(), o => o.IncludeScopes = true);
        }
    }

    private static bool Exports(string variable) =>
        Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED") is not "true"
        && (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 } || Environment.GetEnvironmentVariable(variable) is { Length: > 0 });
}
