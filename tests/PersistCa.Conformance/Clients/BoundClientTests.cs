using Microsoft.EntityFrameworkCore;
using PersistCa.Server.Hosting;
using PersistCa.Server.Registration;
using PersistCa.Testing;

namespace PersistCa.Conformance.Clients;

/// <summary>Installed clients at an authority that requires external account bindings: each registers with its own key, and gets a certificate for a name of that key.</summary>
public sealed class BoundClientTests : IAsyncLifetime
{
    private readonly (int Http, int Tls) ports = (RunningAuthority.FreePort(), RunningAuthority.FreePort());
    private RunningAuthority? authority;
    private ClientBench? bench;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (bench is not null)
        {
            await bench.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task Certbot()
    {
        Requirement.Program("certbot");
        var (b, key, name) = await BeginAsync("certbot");
        var folder = await b.RunAsync($$"""
            export REQUESTS_CA_BUNDLE=$ROOT
            cb() { command=$1; shift; certbot $command --config-dir etc --work-dir lib --logs-dir log --server $DIRECTORY --non-interactive "$@"; }
            ! cb register --agree-tos -m tester@example.test --no-eff-email
            ! cb register --agree-tos -m tester@example.test --no-eff-email --eab-kid {{key.Key.PublicId}} --eab-hmac-key {{Wrong(key)}}
            cb register --agree-tos -m tester@example.test --no-eff-email --eab-kid {{key.Key.PublicId}} --eab-hmac-key {{key.Secret}}
            ! cb certonly --standalone --http-01-port $HTTP_PORT -d outside.{{name}}.other.test
            cb certonly --standalone --http-01-port $HTTP_PORT -d {{name}}
            cb update_account -m other@example.test --no-eff-email
            cb renew --force-renewal --no-random-sleep-on-renew
            """);
        await EndAsync(b, key, $"{folder}/etc/live/{name}/fullchain.pem", name);
    }

    [SkippableFact]
    public async Task Lego()
    {
        Requirement.Program("lego");
        var (b, key, name) = await BeginAsync("lego");
        var folder = await b.RunAsync($$"""
            export LEGO_CA_CERTIFICATES=$ROOT
            lg() { lego --server $DIRECTORY --path $PWD/lego --email tester@example.test --accept-tos --http --http.port 127.0.0.1:$HTTP_PORT "$@"; }
            ! lg -d {{name}} run
            rm -rf lego
            ! lg --eab --kid {{key.Key.PublicId}} --hmac {{Wrong(key)}} -d {{name}} run
            rm -rf lego
            lg --eab --kid {{key.Key.PublicId}} --hmac {{key.Secret}} -d {{name}} run
            lg --eab --kid {{key.Key.PublicId}} --hmac {{key.Secret}} -d {{name}} renew --days 10000 --no-random-sleep
            """);
        await EndAsync(b, key, $"{folder}/lego/certificates/{name}.crt", name);
    }

    [SkippableFact]
    public async Task Dehydrated()
    {
        Requirement.Program("dehydrated");
        var (b, key, name) = await BeginAsync("dehydrated");
        var folder = await b.RunAsync($$"""
            printf '#!/bin/bash\ncase $1 in deploy_challenge) %s -d owner=_acme-challenge.$2 -d value=$4 ;; clean_challenge) %s -d owner=_acme-challenge.$2 ;; esac\n' "$ADD" "$CLEAR" >hook
            chmod +x hook
            cat >config <<C
            CA=$DIRECTORY
            BASEDIR=$PWD
            CHALLENGETYPE=dns-01
            HOOK=$PWD/hook
            CURL_OPTS="--cacert $ROOT"
            CONTACT_EMAIL=tester@example.test
            C
            echo '{{name}}' >domains.txt
            ! dehydrated -f config --register --accept-terms
            rm -rf accounts
            echo 'EAB_KID={{key.Key.PublicId}}' >>config
            echo 'EAB_HMAC_KEY={{key.Secret}}' >>config
            dehydrated -f config --register --accept-terms
            dehydrated -f config --cron
            dehydrated -f config --account
            """);
        await EndAsync(b, key, $"{folder}/certs/{name}/fullchain.pem", name);
    }

    [SkippableFact]
    public async Task Uacme()
    {
        Requirement.Program("uacme");
        Requirement.Need(Environment.UserName == "root", "uacme", "it reads the machine's own trust store, and only root can put another in its place");
        var (b, key, name) = await BeginAsync("uacme");
        var folder = await b.RunAsync($$"""
            printf '#!/bin/bash\n[ "$2" = dns-01 ] || exit 1\ncase $1 in begin) %s -d owner=_acme-challenge.$3 -d value=$5 ;; *) %s -d owner=_acme-challenge.$3 ;; esac\n' "$ADD" "$CLEAR" >hook
            chmod +x hook
            cat /etc/ssl/certs/ca-certificates.crt $ROOT >store.crt 2>/dev/null || cp $ROOT store.crt
            ua() { unshare -m -- bash -c 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec uacme "$@"' $PWD/store.crt -a $DIRECTORY -c $PWD/uacme -y "$@"; }
            ! ua new tester@example.test
            rm -rf uacme
            ua -e {{key.Key.PublicId}}:{{key.Secret}} new tester@example.test
            ua -h $PWD/hook issue {{name}}
            ua newkey
            """);
        await EndAsync(b, key, $"{folder}/uacme/{name}/cert.pem", name);
    }

    [SkippableFact]
    public async Task Caddy()
    {
        Requirement.Program("caddy");
        var (b, key, name) = await BeginAsync("caddy");
        var folder = await b.RunAsync($$"""
            export XDG_DATA_HOME=$PWD/data XDG_CONFIG_HOME=$PWD/config
            mkdir data
            cat >Caddyfile <<C
            {
              acme_ca $DIRECTORY
              acme_ca_root $ROOT
              acme_eab {
                key_id {{key.Key.PublicId}}
                mac_key {{key.Secret}}
              }
              email tester@example.test
              http_port $HTTP_PORT
              https_port $TLS_PORT
              admin off
              skip_install_trust
            }
            {{name}} {
              respond "hello"
            }
            C
            caddy run --config Caddyfile --adapter caddyfile >caddy.log 2>&1 &
            trap 'kill %1' EXIT
            for i in $(seq 200); do
              found=$(find data -name '{{name}}.crt' | head -1)
              [ -z "$found" ] || break
              sleep 0.3
            done
            cp "$found" chain.pem || { cat caddy.log; exit 1; }
            """);
        await EndAsync(b, key, $"{folder}/chain.pem", name);
    }

    [SkippableFact]
    public async Task AcmeClientOfNode()
    {
        Requirement.Program("node");
        var modules = Path.Combine(Environment.GetEnvironmentVariable("PERSISTCA_TEST_NPM") ?? "", "node_modules");
        Requirement.Need(Directory.Exists(Path.Combine(modules, "acme-client")), "acme-client", "PERSISTCA_TEST_NPM names no folder with node_modules/acme-client");
        var (b, key, name) = await BeginAsync("node");
        var folder = await b.RunAsync($$"""
            export NODE_EXTRA_CA_CERTS=$ROOT NODE_PATH={{modules}}
            cat >drive.js <<'C'
            const acme = require('acme-client'), fs = require('fs'), { execSync } = require('child_process');
            const sh = (base, owner, value) => execSync(`${base} -d owner=${owner}${value ? ` -d value=${value}` : ''}`);
            const client = async (binding) => new acme.Client({
              directoryUrl: process.env.DIRECTORY, accountKey: await acme.crypto.createPrivateEcdsaKey(), backoffMin: 200, backoffMax: 1000,
              ...(binding ? { externalAccountBinding: binding } : {}) });
            const refused = async (binding) => {
              try { await (await client(binding)).createAccount({ termsOfServiceAgreed: true }); } catch (e) { return e.message; }
              throw new Error('it was let in');
            };
            (async () => {
              console.log(await refused());
              console.log(await refused({ kid: '{{key.Key.PublicId}}', hmacKey: '{{Wrong(key)}}' }));
              const bound = await client({ kid: '{{key.Key.PublicId}}', hmacKey: '{{key.Secret}}' });
              const [, csr] = await acme.crypto.createCsr({ altNames: ['{{name}}'] });
              fs.writeFileSync('chain.pem', await bound.auto({
                csr, email: 'tester@example.test', termsOfServiceAgreed: true, skipChallengeVerification: true, challengePriority: ['dns-01'],
                challengeCreateFn: async (a, c, k) => sh(process.env.ADD, `_acme-challenge.${a.identifier.value}`, k),
                challengeRemoveFn: async () => {},
              }));
            })().catch((e) => { console.error(e); process.exit(1); });
            C
            node drive.js
            """);
        await EndAsync(b, key, $"{folder}/chain.pem", name);
    }

    /// <summary>A MAC key of the right length that is another.</summary>
    private static string Wrong(MadeExternalAccountKey key) => new(key.Secret.Select(c => c == 'A' ? 'B' : 'A').Take(key.Secret.Length - 1).Append('A').ToArray());

    private async Task<(ClientBench Bench, MadeExternalAccountKey Key, string Name)> BeginAsync(string client)
    {
        Requirement.Program("bash");
        Requirement.Program("curl");
        authority ??= await RunningAuthority.StartAsync(o =>
        {
            o.Acme.ExternalAccount = ExternalAccountMode.Required;
            o.Validation.Http.Port = ports.Http;
            o.Validation.TlsAlpnPort = ports.Tls;
        });
        bench ??= ClientBench.Over(authority, ports.Http, ports.Tls);
        var name = bench.Fresh(client);
        return (bench, await authority.ExternalKeyAsync(t => t with { Names = [name] }, singleUse: true), name);
    }

    /// <summary>The certificate is good, and one account, of those that there are, is bound to the key.</summary>
    private async Task EndAsync(ClientBench b, MadeExternalAccountKey key, string chain, string name)
    {
        b.Verify(chain, name);
        var (bound, unbound) = await authority!.Store.ReadAsync(
            async db => (await db.Accounts.CountAsync(a => a.ExternalKeyId == key.Key.Id), await db.Accounts.CountAsync(a => a.ExternalKeyId == null)), CancellationToken.None);
        Assert.Equal((1, 0), (bound, unbound));
    }
}
