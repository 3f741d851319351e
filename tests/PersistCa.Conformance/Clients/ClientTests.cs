using PersistCa.Testing;

namespace PersistCa.Conformance.Clients;

/// <summary>Installed clients, each with dns-persist-01 on offer beside what it knows: register, issue, renew, revoke, leave.</summary>
public abstract class ClientTests : IAsyncLifetime
{
    private ClientBench? bench;

    protected abstract Task<string?> ConnectionAsync();

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
        var b = await BenchAsync();
        var (name, wild) = (b.Fresh("certbot"), b.Fresh("certbot"));
        var folder = await b.RunAsync($$"""
            export REQUESTS_CA_BUNDLE=$ROOT
            cb() { command=$1; shift; certbot $command --config-dir etc --work-dir lib --logs-dir log --server $DIRECTORY --non-interactive "$@"; }
            cb certonly --agree-tos -m tester@example.test --no-eff-email --standalone --http-01-port $HTTP_PORT -d {{name}}
            cp etc/live/{{name}}/cert.pem first.pem
            cb renew --force-renewal --no-random-sleep-on-renew
            ! cmp -s first.pem etc/live/{{name}}/cert.pem
            printf '#!/bin/bash\n%s -d owner=_acme-challenge.$CERTBOT_DOMAIN -d value=$CERTBOT_VALIDATION\n' "$ADD" >hook
            chmod +x hook
            cb certonly --manual --preferred-challenges dns --manual-auth-hook $PWD/hook -d {{wild}} -d '*.{{wild}}'
            cb revoke --cert-name {{name}} --reason superseded --no-delete-after-revoke
            cb update_account -m other@example.test --no-eff-email
            cb unregister
            """);
        b.Verify($"{folder}/etc/live/{name}/fullchain.pem", name);
        b.Verify($"{folder}/etc/live/{wild}/fullchain.pem", wild, "*." + wild);
        await ClientBench.IsRevokedAsync($"{folder}/etc/live/{name}/cert.pem");
    }

    [SkippableFact]
    public async Task Lego()
    {
        Requirement.Program("lego");
        var b = await BenchAsync();
        var (name, wild, alpn) = (b.Fresh("lego"), b.Fresh("lego"), b.Fresh("lego"));
        var folder = await b.RunAsync($$"""
            export LEGO_CA_CERTIFICATES=$ROOT
            lg() { lego --server $DIRECTORY --path $PWD/lego --email tester@example.test --accept-tos "$@"; }
            lg --http --http.port 127.0.0.1:$HTTP_PORT -d {{name}} run
            cp lego/certificates/{{name}}.crt first.pem
            lg --http --http.port 127.0.0.1:$HTTP_PORT -d {{name}} renew --days 10000 --no-random-sleep
            ! cmp -s first.pem lego/certificates/{{name}}.crt
            lg --tls --tls.port 127.0.0.1:$TLS_PORT -d {{alpn}} run
            printf '#!/bin/bash\n[ $1 != present ] || %s -d owner=${2%%.} -d value=$3\n' "$ADD" >hook
            chmod +x hook
            EXEC_PATH=$PWD/hook EXEC_PROPAGATION_TIMEOUT=1 EXEC_POLLING_INTERVAL=1 lg --dns exec --dns.disable-cp -d '*.{{wild}}' -d {{wild}} run
            lg -d {{name}} revoke --keep --reason 4
            """);
        b.Verify($"{folder}/lego/certificates/{name}.crt", name);
        b.Verify($"{folder}/lego/certificates/{alpn}.crt", alpn);
        b.Verify($"{folder}/lego/certificates/_.{wild}.crt", wild, "*." + wild);
        await ClientBench.IsRevokedAsync($"{folder}/lego/certificates/{name}.crt");
    }

    [SkippableFact]
    public async Task Dehydrated()
    {
        Requirement.Program("dehydrated");
        var b = await BenchAsync();
        var name = b.Fresh("dehydrated");
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
            echo '{{name}} *.{{name}}' >domains.txt
            dehydrated -f config --register --accept-terms
            dehydrated -f config --cron
            cp certs/{{name}}/cert.pem first.pem
            dehydrated -f config --cron --force
            ! cmp -s first.pem certs/{{name}}/cert.pem
            dehydrated -f config --revoke first.pem
            mv first.pem-revoked first.pem
            dehydrated -f config --account
            """);
        b.Verify($"{folder}/certs/{name}/fullchain.pem", name, "*." + name);
        await ClientBench.IsRevokedAsync($"{folder}/first.pem");
    }

    [SkippableFact]
    public async Task Uacme()
    {
        Requirement.Program("uacme");
        Requirement.Need(Environment.UserName == "root", "uacme", "it reads the machine's own trust store, and only root can put another in its place");
        var b = await BenchAsync();
        var name = b.Fresh("uacme");
        var folder = await b.RunAsync($$"""
            printf '#!/bin/bash\n[ "$2" = dns-01 ] || exit 1\ncase $1 in begin) %s -d owner=_acme-challenge.$3 -d value=$5 ;; *) %s -d owner=_acme-challenge.$3 ;; esac\n' "$ADD" "$CLEAR" >hook
            chmod +x hook
            cat /etc/ssl/certs/ca-certificates.crt $ROOT >store.crt 2>/dev/null || cp $ROOT store.crt
            ua() { unshare -m -- bash -c 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec uacme "$@"' $PWD/store.crt -a $DIRECTORY -c $PWD/uacme -y "$@"; }
            ua new tester@example.test
            ua -h $PWD/hook issue {{name}} '*.{{name}}'
            cp uacme/{{name}}/cert.pem first.pem
            ua -f -h $PWD/hook issue {{name}} '*.{{name}}'
            ! cmp -s first.pem uacme/{{name}}/cert.pem
            cp uacme/{{name}}/cert.pem second.pem
            ua newkey
            ua revoke second.pem
            ua deactivate
            """);
        b.Verify($"{folder}/first.pem", name, "*." + name);
    }

    [SkippableFact]
    public async Task Caddy()
    {
        Requirement.Program("caddy");
        Requirement.Program("openssl");
        var b = await BenchAsync();
        var name = b.Fresh("caddy");
        var folder = await b.RunAsync($$"""
            export XDG_DATA_HOME=$PWD/data XDG_CONFIG_HOME=$PWD/config
            mkdir data
            cat >Caddyfile <<C
            {
              acme_ca $DIRECTORY
              acme_ca_root $ROOT
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
            for i in $(seq 100); do
              found=$(find data -name '{{name}}.crt' | head -1)
              [ -z "$found" ] || break
              sleep 0.3
            done
            cp "$found" chain.pem || { cat caddy.log; exit 1; }
            """);
        b.Verify($"{folder}/chain.pem", name);
    }

    [SkippableFact]
    public async Task AcmeClientOfNode()
    {
        Requirement.Program("node");
        var modules = Path.Combine(Environment.GetEnvironmentVariable("PERSISTCA_TEST_NPM") ?? "", "node_modules");
        Requirement.Need(Directory.Exists(Path.Combine(modules, "acme-client")), "acme-client", "PERSISTCA_TEST_NPM names no folder with node_modules/acme-client");
        var b = await BenchAsync();
        var name = b.Fresh("node");
        var folder = await b.RunAsync($$"""
            export NODE_EXTRA_CA_CERTS=$ROOT NODE_PATH={{modules}}
            cat >drive.js <<'C'
            const acme = require('acme-client'), fs = require('fs'), { execSync } = require('child_process');
            const sh = (base, owner, value) => execSync(`${base} -d owner=${owner}${value ? ` -d value=${value}` : ''}`);
            (async () => {
              const client = new acme.Client({ directoryUrl: process.env.DIRECTORY, accountKey: await acme.crypto.createPrivateEcdsaKey(), backoffMin: 200, backoffMax: 1000 });
              const [, csr] = await acme.crypto.createCsr({ altNames: ['{{name}}', '*.{{name}}'] });
              const chain = await client.auto({
                csr, email: 'tester@example.test', termsOfServiceAgreed: true, skipChallengeVerification: true, challengePriority: ['dns-01'],
                challengeCreateFn: async (a, c, k) => sh(process.env.ADD, `_acme-challenge.${a.identifier.value}`, k),
                challengeRemoveFn: async () => {},
              });
              fs.writeFileSync('chain.pem', chain);
              await client.revokeCertificate(chain, { reason: 4 });
              let twice = false;
              try { await client.revokeCertificate(chain); twice = true; } catch { /* refused, as it must be */ }
              if (twice) throw new Error('revoked twice');
              await client.updateAccountKey(await acme.crypto.createPrivateEcdsaKey());
              await client.updateAccount({ status: 'deactivated' });
            })().catch((e) => { console.error(e); process.exit(1); });
            C
            node drive.js
            """);
        b.Verify($"{folder}/chain.pem", name, "*." + name);
        await ClientBench.IsRevokedAsync($"{folder}/chain.pem");
    }

    private async Task<ClientBench> BenchAsync()
    {
        Requirement.Program("bash");
        Requirement.Program("curl");
        return bench ??= await ClientBench.StartAsync(await ConnectionAsync());
    }
}

public sealed class SqliteClientTests : ClientTests
{
    protected override Task<string?> ConnectionAsync() => Task.FromResult<string?>(null);
}

public sealed class PostgreSqlClientTests : ClientTests
{
    protected override async Task<string?> ConnectionAsync() => await PostgresCluster.NewDatabaseAsync();
}
