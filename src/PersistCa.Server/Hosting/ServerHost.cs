using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.EntityFrameworkCore;
using PersistCa.Issuance.KeyStores;
using PersistCa.Server.Acme;
using PersistCa.Server.Admin;
using PersistCa.Server.Perspective;
using PersistCa.Server.Publication;
using PersistCa.Server.Registration;
using PersistCa.Server.Telemetry;
using PersistCa.Server.Workers;
using PersistCa.Storage;
using PersistCa.Storage.AuditLog;
using PersistCa.Storage.WorkQueue;
using PersistCa.Validation.Dns;

namespace PersistCa.Server.Hosting;

/// <summary>Builds the server from its options and brings it up, each thing that can be wrong checked before a port is opened.</summary>
public static class ServerHost
{
    /// <summary>Brings a server up.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The running server; dispose of it to stop it.</returns>
    /// <exception cref="StartRefusedException">The operator has something to mend.</exception>
    public static async Task<RunningServer> StartAsync(PersistCaOptions options, TimeProvider clock, CancellationToken cancel)
    {
        try
        {
            Directory.CreateDirectory(options.Server.DataDirectory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException("Server:DataDirectory", $"{options.Server.DataDirectory} cannot be used as a folder ({e.Message}); name another");
        }

        if (PerspectiveHost.IsAlone(options))
        {
            return new RunningServer(await PerspectiveHost.StartAsync(options, clock, cancel), null, null);
        }

        var passphrase = Passphrase.Find(options);
        var ring = KeySetup.Ring(options, passphrase, clock);
        FileStream? hold = null;
        WebApplication? app = null;
        WebApplication? perspective = null;
        try
        {
            var issuers = await IssuerSetup.OpenAsync(options, ring, clock.GetUtcNow(), cancel);
            RequireFree(options);
            hold = StoreGuard.Hold(options);
            app = Build(options, issuers, ring, clock);
            _ = app.Services.GetRequiredService<KeyRing>(); // the container closes what it has given out
            _ = app.Services.GetRequiredService<OperatorDesk>(); // opens the files by which operators are known
            await PrepareStoreAsync(app.Services, options, issuers, passphrase, cancel);
            await app.Services.GetRequiredService<TlsIdentity>().PrepareAsync(cancel);
            if (options.Server.Roles.Count == 0 || options.Server.Roles.Contains("worker"))
            {
                await DnsSetup.RequireValidationAsync(app.Services.GetRequiredService<StubResolver>(), options.Validation.Dns, clock, cancel);
            }

            perspective = PerspectiveHost.IsWanted(options) ? await PerspectiveHost.StartAsync(options, clock, cancel) : null;
            await app.StartAsync(cancel);
            app.Services.GetRequiredService<Readiness>().Started();
            return new RunningServer(app, perspective, hold);
        }
        catch
        {
            if (perspective is not null)
            {
                await perspective.StopAsync(CancellationToken.None);
                await perspective.DisposeAsync();
            }

            if (app is not null)
            {
                await app.StopAsync(CancellationToken.None);
                await app.DisposeAsync();
            }

            ring.Dispose();
            hold?.Dispose();
            throw;
        }
    }

    /// <summary>Where the SQLite file is, or the configured connection string; behind a pooler of transactions without what lasts longer than one.</summary>
    public static string ConnectionString(PersistCaOptions options) => options.Store switch
    {
        { TransactionPooler: true } store => new Npgsql.NpgsqlConnectionStringBuilder(store.ConnectionString) { NoResetOnClose = true, MaxAutoPrepare = 0 }.ConnectionString,
        { ConnectionString.Length: > 0 } store => store.ConnectionString,
        _ => $"Data Source={Path.Combine(options.Server.DataDirectory, "persistca.db")}",
    };

    /// <summary>Asks for the addresses before anything is started, so that a taken one is a line and not a stack of exceptions.</summary>
    private static void RequireFree(PersistCaOptions options)
    {
        foreach (var (key, address) in new[] { ("Server:Listen", options.Server.Listen), ("Server:ListenPublication", options.Server.ListenPublication), ("Operators:Listen", options.Operators.Listen) })
        {
            if (address.Length == 0 || (key != "Server:ListenPublication" && options.Server.Roles.Count > 0 && !options.Server.Roles.Contains("acme")))
            {
                continue;
            }

            try
            {
                using var probe = new TcpListener(IPEndPoint.Parse(address));
                probe.Start();
            }
            catch (SocketException e)
            {
                throw new StartRefusedException(key, $"{address} cannot be listened on ({e.Message}); choose another address or port, or stop the program that has it");
            }
        }
    }

    private static WebApplication Build(PersistCaOptions options, IssuerBook issuers, KeyRing ring, TimeProvider clock)
    {
        // The host would watch the working directory, where the database may be: each commit would wake it.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });

        // Read already, strictly; the framework is not to read it again its own way. OpenTelemetry takes its standard variables from here, though.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(
            Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                .Where(v => ((string)v.Key).StartsWith("OTEL_", StringComparison.Ordinal))
                .Select(v => new KeyValuePair<string, string?>((string)v.Key, (string?)v.Value)));
        builder.AddCaTelemetry(options.Log);
        builder.Services.AddSystemd();
        builder.Services.AddSingleton(clock);
        builder.Services.AddCaStorage(options.Store.Kind, ConnectionString(options), options.Store.TransactionPooler, options.Store.AccountMemory);
        builder.Services.AddSingleton(_ => ring); // by a factory, so that its keys are closed with the server
        builder.Services.AddAuthority(options, issuers, clock);
        var roles = options.Server.Roles.Count == 0 ? OptionRules.Roles : [.. options.Server.Roles];
        if (roles.Contains("worker"))
        {
            builder.Services.AddWorkers();
        }

        builder.Services.AddHostedService<TlsRenewalWorker>();
        builder.Services.AddHostedService<SwitchWorker>();
        builder.Services.AddHostedService<NodeWorker>();
        builder.Services.AddHostedService<Drain>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = options.Server.DrainDelay + options.Server.StopTimeout + Drain.Rest);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options, roles));
        var app = builder.Build();
        Map(app, roles);
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, PersistCaOptions options, IReadOnlyList<string> roles)
    {
        var proxied = kestrel.ApplicationServices.GetRequiredService<ProxiedConnections>();
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.Server.MaxConnections;

        // Our own limit is the one that refuses. What comes after it is thrown away unread into memory, so that the client gets to see the refusal
        // instead of a reset connection; beyond this the connection is cut.
        kestrel.Limits.MaxRequestBodySize = 32L * options.Acme.MaxBodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestLineSize = 4 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        if (roles.Contains("acme"))
        {
            kestrel.Listen(IPEndPoint.Parse(options.Server.Listen), listen =>
            {
                var identity = kestrel.ApplicationServices.GetRequiredService<TlsIdentity>();
                var asks = options.Operators is { Listen.Length: 0, ClientCertificates.CaFile.Length: > 0 };
                proxied.Use(listen);
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(asks ? identity.AnswerOperators() : identity.Answer()) });
            });
            if (options.Operators.Listen.Length > 0)
            {
                kestrel.Listen(IPEndPoint.Parse(options.Operators.Listen), listen =>
                {
                    var identity = kestrel.ApplicationServices.GetRequiredService<TlsIdentity>();
                    proxied.Use(listen);
                    listen.Use(next => connection =>
                    {
                        connection.Features.Set(OperatorDoor.Here);
                        return next(connection);
                    });
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(identity.AnswerOperators()) });
                });
            }
        }

        kestrel.Listen(IPEndPoint.Parse(options.Server.ListenPublication));
    }

    private static void Map(WebApplication app, IReadOnlyList<string> roles)
    {
        var urls = app.Services.GetRequiredService<AuthorityUrls>();
        var apart = app.Services.GetRequiredService<PersistCaOptions>().Operators.Listen.Length > 0;
        Drain.UseFarewell(app);
        app.Services.GetRequiredService<ProxiedConnections>().Use((IApplicationBuilder)app);
        app.MapWhen(c => c.Features.Get<OperatorDoor>() is not null, door =>
        {
            door.Use((context, next) =>
            {
                context.Response.Headers.CacheControl = "no-store";
                return next(context);
            });
            door.UseAcmeErrors(urls, app.Logger);
            door.UseRouting();
            door.UseEndpoints(routes =>
            {
                routes.MapAdmin();
                routes.MapProblemPages();
                routes.MapHealth();
            });
        });
        app.MapWhen(c => c.Request.IsHttps, door =>
        {
            door.UseAcmeHeaders(urls);
            door.UseAcmeErrors(urls, app.Logger);
            door.UseRouting();
            door.UseEndpoints(routes =>
            {
                routes.MapDirectory();
                AccountEndpoints.Map(routes);
                OrderEndpoints.Map(routes);
                AuthorizationEndpoints.Map(routes);
                CertificateEndpoints.Map(routes);
                routes.MapRenewalInfo();
                if (!apart)
                {
                    routes.MapAdmin();
                }

                routes.MapProblemPages();
                routes.MapPublication();
                routes.MapHealth();
            });
        });
        app.MapWhen(c => !c.Request.IsHttps, door =>
        {
            door.UseRouting();
            door.UseEndpoints(routes =>
            {
                routes.MapHealth();
                if (roles.Contains("publication"))
                {
                    routes.MapPublication();
                    routes.MapProblemPages();
                }
            });
        });
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<Readiness>().Stopping);
    }

    /// <summary>A schema with migrations that this program does not know was made by a newer one: what it means, this one cannot say.</summary>
    /// <exception cref="StartRefusedException">It is newer.</exception>
    internal static async Task RequireKnownSchemaAsync(StoreUpkeep upkeep, CancellationToken cancel)
    {
        if (await upkeep.UnknownMigrationsAsync(cancel) is { Count: > 0 } unknown)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the schema is newer than this program, which does not know {unknown[^1]}; run the version that made it, or a later one");
        }
    }

    private static async Task PrepareStoreAsync(IServiceProvider services, PersistCaOptions options, IssuerBook issuers, string passphrase, CancellationToken cancel)
    {
        var upkeep = services.GetRequiredService<StoreUpkeep>();
        if (await upkeep.ProbeAsync(cancel) is { } reason)
        {
            throw new StartRefusedException("Store:ConnectionString", $"the database does not answer: {reason}");
        }

        await RequireKnownSchemaAsync(upkeep, cancel);
        if (options.Store.Migrate)
        {
            await upkeep.MigrateAsync(cancel);
        }
        else if (await upkeep.PendingMigrationsAsync(cancel) is { Count: > 0 } pending)
        {
            throw new StartRefusedException("Store:Migrate", $"the schema lacks {pending.Count} migrations ({pending[0]} first) and migrating on start is off; run 'persistca database migrate'");
        }

        if (await services.GetRequiredService<Storage.Backup.StoreReconciliation>().IsAwaitedAsync(cancel))
        {
            throw new StartRefusedException("Store:ConnectionString", "a restore into this database was not finished; run 'persistca restore reconcile' first");
        }

        var store = services.GetRequiredService<CaStore>();
        await upkeep.FillSearchAsync(cancel);
        await store.ReadAsync(db => services.GetRequiredService<SwitchBoard>().LookAsync(db, cancel), cancel);
        await services.GetRequiredService<WorkLeases>().ReleaseNodeAsync(services.GetRequiredService<NodeIdentity>().Name, cancel);
        var outcome = await store.WriteAsync<string>(
            Actor.Server,
            async t =>
            {
                foreach (var (name, issuer) in issuers.All.Select(b => (b.Name, b.Issuer)))
                {
                    if (!await t.Db.Issuers.AnyAsync(i => i.Id == issuer.IssuerId, cancel))
                    {
                        t.Db.Issuers.Add(new IssuerRow { Id = issuer.IssuerId, CertificateDer = issuer.CertificateDer, ChainDer = [.. issuer.Chain.Skip(1)], AddedAt = t.Now });
                        t.Audit(AuditKinds.IssuerAdded, "issuer:" + issuer.IssuerId, ("name", name), ("sha256", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(issuer.CertificateDer))));
                    }
                }

                t.Audit(AuditKinds.ServerStarted, "server", ("version", ProductVersion.Text), ("runtime", RuntimeInformation.FrameworkDescription));
                return "recorded";
            },
            cancel);
        _ = outcome.Value;
        var secret = await SecretVault.OpenAsync(store, "nonce-key", passphrase, options.KeyStores.File.Iterations, cancel);
        StoreGuard.RequireSame(options, secret);
        services.GetRequiredService<AuthorityKeys>().Nonces = secret;
    }
}
