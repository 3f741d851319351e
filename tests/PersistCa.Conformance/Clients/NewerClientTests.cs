using PersistCa.Testing;

namespace PersistCa.Conformance.Clients;

/// <summary>
/// What the installed versions of certbot and lego do not know yet, profiles and renewal information, by acme-client (Node), which sends what it is told and
/// shows what it gets.
/// </summary>
public sealed class NewerClientTests : IAsyncLifetime
{
    private readonly (int Http, int Tls) ports = (RunningAuthority.FreePort(), RunningAuthority.FreePort());
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
    public async Task Acme_client_orders_by_profile_asks_when_to_renew_and_says_what_it_replaces()
    {
        Requirement.Program("node");
        Requirement.Program("bash");
        Requirement.Program("curl");
        var modules = Path.Combine(Environment.GetEnvironmentVariable("PERSISTCA_TEST_NPM") ?? "", "node_modules");
        Requirement.Need(Directory.Exists(Path.Combine(modules, "acme-client")), "acme-client", "PERSISTCA_TEST_NPM names no folder with node_modules/acme-client");
        bench = ClientBench.Over(
            await RunningAuthority.StartAsync(o =>
            {
                o.Validation.Http.Port = ports.Http;
                o.Validation.TlsAlpnPort = ports.Tls;
            }),
            ports.Http,
            ports.Tls);
        var name = bench.Fresh("node");
        var folder = await bench.RunAsync($$"""
            export NODE_EXTRA_CA_CERTS=$ROOT NODE_PATH={{modules}}
            cat >drive.js <<'C'
            const acme = require('acme-client'), fs = require('fs'), crypto = require('crypto'), { execSync } = require('child_process');
            const sh = (base, owner, value) => execSync(`${base} -d owner=${owner}${value ? ` -d value=${value}` : ''}`);
            const assert = require('assert'), name = '{{name}}';
            const url64 = (hex) => Buffer.from(hex, 'hex').toString('base64url');
            // RFC 9773 section 4.1, from the leaf alone.
            const idOf = (chain) => {
              const leaf = new crypto.X509Certificate(chain);
              const der = leaf.raw, at = der.indexOf(Buffer.from('0603551d23', 'hex'));
              const aki = der.subarray(at + 5), key = aki.subarray(6, 6 + aki[5]);
              assert.equal(aki[4], 0x80);
              const serial = leaf.serialNumber.length % 2 ? '0' + leaf.serialNumber : leaf.serialNumber;
              return `${url64(key.toString('hex'))}.${url64(parseInt(serial.slice(0, 2), 16) > 127 ? '00' + serial : serial)}`;
            };
            (async () => {
              const client = new acme.Client({ directoryUrl: process.env.DIRECTORY, accountKey: await acme.crypto.createPrivateEcdsaKey(), backoffMin: 200, backoffMax: 1000 });
              await client.createAccount({ termsOfServiceAgreed: true });
              const directory = (await acme.axios.get(process.env.DIRECTORY)).data;
              const issue = async (more) => {
                const order = await client.createOrder({ identifiers: [{ type: 'dns', value: name }], ...more });
                for (const a of await client.getAuthorizations(order)) {
                  if (a.status === 'valid') continue;
                  const c = a.challenges.find((x) => x.type === 'dns-01');
                  sh(process.env.ADD, `_acme-challenge.${name}`, await client.getChallengeKeyAuthorization(c));
                  await client.completeChallenge(c);
                  await client.waitForValidStatus(c);
                }
                const [, csr] = await acme.crypto.createCsr({ altNames: [name] });
                const done = await client.finalizeOrder(order, csr);
                return { order, chain: await client.getCertificate(done) };
              };
              let last;
              for (const profile of Object.keys(directory.meta.profiles)) {
                last = await issue({ profile });
                assert.equal(last.order.profile, profile);
                fs.writeFileSync(`${profile}.pem`, last.chain);
                const days = Math.round((Date.parse(new crypto.X509Certificate(last.chain).validTo) - Date.now()) / 864e5);
                assert.equal(days, profile === 'server-short-lived' ? 6 : 90);
              }
              await assert.rejects(issue({ profile: 'nothing' }), /profile 'nothing' is not offered/);
              const info = await acme.axios.get(`${directory.renewalInfo}/${idOf(last.chain)}`);
              assert.ok(Date.parse(info.data.suggestedWindow.start) < Date.parse(info.data.suggestedWindow.end));
              assert.equal(info.headers['retry-after'], '21600');
              const next = await issue({ replaces: idOf(last.chain) });
              assert.equal(next.order.replaces, idOf(last.chain));
              await assert.rejects(client.createOrder({ identifiers: [{ type: 'dns', value: name }], replaces: idOf(last.chain) }), /replaced by another order already/);
              await client.revokeCertificate(next.chain);
              const after = (await acme.axios.get(`${directory.renewalInfo}/${idOf(next.chain)}`)).data.suggestedWindow;
              assert.ok(Date.parse(after.end) < Date.now());
            })().catch((e) => { console.error(e); process.exit(1); });
            C
            node drive.js
            ls *.pem | wc -l | grep -qx 3
            """);
        bench.Verify($"{folder}/server.pem", name);
    }
}
