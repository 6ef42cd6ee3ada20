import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type PostgresServer, startPostgres } from '../../../../bin/demo/postgres.ts';
import { queryPostgres } from '../../../../bin/demo/query.ts';
import { startDemoSupervisor } from '../../../../bin/demo/supervisor.ts';
import { newClient } from '../../../../src/core/adapters/postgres/driver.ts';
import { postgresError } from '../../../../src/core/adapters/postgres/errors.ts';
import { settleTls, tlsEnvironment } from '../../../../src/core/adapters/postgres/tls.ts';
import { localTool } from '../../../../src/core/adapters/postgres/tools/pg-tool.ts';
import { readSettings, SSL_MODES } from '../../../../src/core/config/settings.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { Authority, type CertificateFiles, exposeKey } from '../../../helpers/certificates.ts';
import { until } from '../../../helpers/until.ts';

const dir = await mkdtemp(join(tmpdir(), 'bifract-tls-'));
const home = join(dir, 'home');
const supervisor = await startDemoSupervisor();
after(async () => {
  await supervisor.stop();
  await rm(dir, { recursive: true, force: true });
});

let server: PostgresServer;
let data: string;
let owner: { uid: number; gid: number };
let authority: Authority;
let other: Authority;
let good: CertificateFiles;

before(async () => {
  mkdirSync(home);
  authority = new Authority(join(dir, 'ca'));
  other = new Authority(join(dir, 'other'));
  good = authority.issue('server', { names: 'DNS:localhost,IP:127.0.0.1' });
  server = await startPostgres(supervisor, 'geheim');
  const [found] = await sql<{ data_directory: string }>('SHOW data_directory');
  data = found?.data_directory ?? '';
  owner = statSync(data);
});

function sql<Row extends object>(text: string): Promise<Row[]> {
  return queryPostgres<Row & Record<string, unknown>>(server, text) as Promise<Row[]>;
}

interface Situation {
  /** The certificate of the server; undefined: ssl is off. */
  certificate?: CertificateFiles;
  /** Lines of pg_hba.conf for TCP connections of the user `guest`; our own administration uses `bifract`. */
  rules?: string;
}

/** Changes the server and waits until it has taken it. */
async function arrange({
  certificate,
  rules = 'host all guest 127.0.0.1/32 scram-sha-256',
}: Situation): Promise<void> {
  await sql(
    `DO $$ BEGIN CREATE ROLE guest LOGIN PASSWORD 'geheim'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  if (certificate) {
    place(certificate.cert, 'server.crt');
    place(certificate.key, 'server.key');
  }
  place(authority.cert, 'root.crt');
  writeFileSync(join(data, 'pg_hba.conf'), `host all bifract 127.0.0.1/32 scram-sha-256\n${rules}\n`);
  const loadTime = async () =>
    (await sql<{ time: string }>('SELECT pg_conf_load_time()::text AS time'))[0]?.time;
  const before = await loadTime();
  await sql(`ALTER SYSTEM SET ssl_ca_file = 'root.crt'`);
  await sql(`ALTER SYSTEM SET ssl = ${certificate ? 'on' : 'off'}`);
  await sql(`SELECT pg_reload_conf()`);
  await until(async () => (await loadTime()) !== before, 10_000, 'the server to reload its configuration');
  const [{ ssl } = { ssl: '' }] = await sql<{ ssl: string }>('SHOW ssl');
  assert.equal(ssl, certificate ? 'on' : 'off');
}

function place(from: string, name: string): void {
  const path = join(data, name);
  copyFileSync(from, path);
  chmodSync(path, 0o600);
  chownSync(path, owner.uid, owner.gid);
}

type Outcome = 'encrypted' | 'plain' | 'failed';

function settings(env: Record<string, string>, host = '127.0.0.1') {
  const vars = {
    POSTGRES_HOST: host,
    POSTGRES_PORT: String(server.port),
    POSTGRES_DB: 'bifract',
    POSTGRES_USER: 'guest',
    POSTGRES_PASSWORD: 'geheim',
    ...env,
  };
  return readSettings(vars, { HOME: home }, dir).postgres;
}

const IS_ENCRYPTED = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

async function connectAs(env: Record<string, string>, host?: string): Promise<Outcome> {
  const connection = await settleTls(settings(env, host));
  const client = await newClient(connection);
  try {
    await client.connect();
    const { rows } = await client.query(IS_ENCRYPTED);
    return rows[0].ssl ? 'encrypted' : 'plain';
  } catch (error) {
    throw postgresError(error, connection);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ours(env: Record<string, string>, host?: string): Promise<Outcome> {
  try {
    return await connectAs(env, host);
  } catch (error) {
    assert.ok(
      error instanceof BifractError && ['POSTGRES_UNREACHABLE', 'ENV_INVALID'].includes(error.code),
      String(error),
    );
    return 'failed';
  }
}

async function psql(environment: Record<string, string>): Promise<Outcome> {
  const env = {
    PATH: process.env.PATH ?? '',
    PGUSER: 'guest',
    PGDATABASE: 'bifract',
    PGPASSWORD: 'geheim',
    HOME: home,
    ...environment,
  };
  try {
    const { stdout } = await promisify(execFile)(join(server.bin, 'psql'), ['-XAtqc', IS_ENCRYPTED], { env });
    return stdout.trim() === 't' ? 'encrypted' : 'plain';
  } catch {
    return 'failed';
  }
}

/** What psql makes of libpq's variables, and of those that we give to PostgreSQL's programs. */
async function oracles(env: Record<string, string>, host = '127.0.0.1'): Promise<[Outcome, Outcome]> {
  const address = { PGHOST: host, PGPORT: String(server.port) };
  const tools = await tlsEnvironment(settings(env, host), 15);
  return Promise.all([psql({ ...address, ...env }), psql({ ...address, ...tools })]);
}

async function failure(env: Record<string, string>, host?: string): Promise<BifractError> {
  const error = await connectAs(env, host).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof BifractError, `${JSON.stringify(env)} did not fail`);
  return error;
}

test('each mode does what psql does, whatever the server', async () => {
  const hostssl = 'hostssl all guest 127.0.0.1/32 scram-sha-256';
  const situations: Record<string, Situation> = {
    'no TLS': {},
    TLS: { certificate: good },
    'TLS required': { certificate: good, rules: hostssl },
    'TLS forbidden': { certificate: good, rules: hostssl.replace('ssl', 'nossl') },
    'another name': { certificate: authority.issue('elsewhere', { names: 'DNS:elsewhere.example.com' }) },
    'only a common name': { certificate: authority.issue('common', { common_name: 'localhost' }) },
    'unknown authority': { certificate: other.issue('unknown', { names: 'DNS:localhost,IP:127.0.0.1' }) },
    expired: {
      certificate: authority.issue('expired', {
        names: 'IP:127.0.0.1',
        from: '20200101000000Z',
        to: '20210101000000Z',
      }),
    },
    'client certificate': { certificate: good, rules: `${hostssl} clientcert=verify-ca` },
  };
  const trust: Record<string, Record<string, string>> = {
    nothing: {},
    'the authority': { PGSSLROOTCERT: authority.cert },
    'a missing file': { PGSSLROOTCERT: join(dir, 'missing.crt') },
  };
  const seen = new Set<Outcome>();
  for (const [situation, arrangement] of Object.entries(situations)) {
    await arrange(arrangement);
    for (const mode of [undefined, ...SSL_MODES]) {
      for (const [trusted, variables] of Object.entries(trust)) {
        for (const host of ['127.0.0.1', 'localhost']) {
          if (host === 'localhost' && mode !== 'verify-full') continue;
          const env = { ...variables, ...(mode === undefined ? {} : { PGSSLMODE: mode }) };
          const [expected, actual] = await Promise.all([oracles(env, host), ours(env, host)]);
          assert.deepEqual([actual, actual], expected, `${situation}, ${mode}, trusting ${trusted}, ${host}`);
          seen.add(actual);
        }
      }
    }
  }
  assert.deepEqual([...seen].sort(), ['encrypted', 'failed', 'plain']);
});

test("libpq's folder in the home directory is used as psql uses it", async () => {
  const folder = join(home, '.postgresql');
  mkdirSync(folder);
  copyFileSync(other.cert, join(folder, 'root.crt'));
  try {
    await arrange({ certificate: good });
    for (const mode of SSL_MODES) {
      const env = { PGSSLMODE: mode };
      const actual = await ours(env);
      assert.deepEqual([actual, actual], await oracles(env), mode);
    }
    assert.equal(await ours({}), 'plain');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a client certificate is presented; its own failures are named', async () => {
  const rules = 'hostssl all guest 127.0.0.1/32 cert';
  await arrange({ certificate: good, rules });
  const guest = authority.issue('guest');
  const files = ({ cert, key }: CertificateFiles) => ({
    POSTGRES_SSLMODE: 'verify-full',
    POSTGRES_CA_FILE: authority.cert,
    POSTGRES_CERT_FILE: cert,
    POSTGRES_KEY_FILE: key,
  });
  assert.equal(await connectAs(files(guest)), 'encrypted');
  const libpq = { PGSSLMODE: 'require', PGSSLCERT: guest.cert, PGSSLKEY: guest.key };
  assert.equal(await connectAs(libpq), 'encrypted');
  assert.deepEqual(await oracles(libpq), ['encrypted', 'encrypted']);
  const bad: [CertificateFiles, hint: RegExp][] = [
    [exposeKey(guest), /chmod 600/],
    [{ cert: guest.cert, key: good.key }, /belongs to the certificate/],
    [{ cert: guest.cert, key: join(dir, 'none') }, /POSTGRES_KEY_FILE/],
    [{ cert: guest.key, key: guest.key }, /PEM/],
    [other.issue('guest'), /POSTGRES_CERT_FILE/],
    [{ cert: join(dir, 'none'), key: guest.key }, /POSTGRES_CERT_FILE/],
  ];
  const messages = new Set<string>();
  for (const [one, hint] of bad) {
    const error = await failure(files(one));
    assert.deepEqual([error.code, error.exitCode], ['POSTGRES_UNREACHABLE', 4], error.message);
    assert.match(error.hint ?? '', hint);
    messages.add(error.message);
  }
  assert.equal(messages.size, bad.length);
});

test('each failure has its own message, and a hint that names the setting', async () => {
  const messages = new Set<string>();
  const expect = async (env: Record<string, string>, hint: RegExp, host?: string) => {
    const error = await failure(env, host);
    assert.deepEqual([error.code, error.exitCode], ['POSTGRES_UNREACHABLE', 4], error.message);
    assert.match(error.hint ?? '', hint);
    assert.ok(!messages.has(error.message), error.message);
    messages.add(error.message);
  };
  const verify = { POSTGRES_SSLMODE: 'verify-full', POSTGRES_CA_FILE: authority.cert };
  await arrange({});
  await expect({ POSTGRES_SSLMODE: 'require' }, /POSTGRES_SSLMODE=prefer/);
  await arrange({ certificate: good, rules: 'hostssl all guest 127.0.0.1/32 scram-sha-256' });
  await expect({ POSTGRES_SSLMODE: 'disable' }, /POSTGRES_SSLMODE=require/);
  await expect({ POSTGRES_PASSWORD: 'wrong' }, /POSTGRES_PASSWORD/);
  await arrange({ certificate: good, rules: 'hostnossl all guest 127.0.0.1/32 scram-sha-256' });
  await expect({ POSTGRES_SSLMODE: 'require' }, /POSTGRES_SSLMODE=disable/);
  await arrange({ certificate: authority.issue('wrong', { names: 'DNS:db.example.com' }) });
  await expect(verify, /POSTGRES_HOST/);
  await arrange({ certificate: other.issue('foreign', { names: 'IP:127.0.0.1' }) });
  await expect(verify, /POSTGRES_CA_FILE/);
  await arrange({
    certificate: authority.issue('old', {
      names: 'IP:127.0.0.1',
      from: '20200101000000Z',
      to: '20210101000000Z',
    }),
  });
  await expect(verify, /Renew/);
  await arrange({
    certificate: authority.issue('young', {
      names: 'IP:127.0.0.1',
      from: '20900101000000Z',
      to: '20910101000000Z',
    }),
  });
  await expect(verify, /clock/);
  const revoked = authority.issue('revoked', { names: 'IP:127.0.0.1' });
  await arrange({ certificate: revoked });
  const list = authority.revoke(revoked);
  await expect({ ...verify, PGSSLCRL: list }, /Replace/);
  await arrange({
    certificate: good,
    rules: 'hostssl all guest 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
  });
  await expect(verify, /POSTGRES_CERT_FILE/);
  assert.equal(
    (await failure({ POSTGRES_SSLMODE: 'verify-ca', POSTGRES_CA_FILE: 'none.pem' })).code,
    'ENV_INVALID',
  );
});

test('a container is verified by the configured name, also by pg_dump', async () => {
  const named = authority.issue('named', { names: 'DNS:*.example.com' });
  await arrange({ certificate: named, rules: 'hostssl all guest 127.0.0.1/32 scram-sha-256' });
  const env = { POSTGRES_SSLMODE: 'verify-full', POSTGRES_CA_FILE: authority.cert };
  for (const [name, works] of [
    ['db.example.com', true],
    ['DB.EXAMPLE.COM', true],
    ['a.b.example.com', false],
    ['example.com', false],
  ] as const) {
    const base = settings(env);
    const connection = { ...base, tls: base.tls && { ...base.tls, server_name: name } };
    const client = await newClient(await settleTls(connection));
    const connected = await client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
    const tool = localTool(
      'pg_dump',
      { path: join(server.bin, 'pg_dump'), version: server.version },
      connection,
    );
    await using running = await tool.start(['--schema-only', '--no-password'], {});
    running.stdin.end();
    running.stdout.resume();
    assert.deepEqual([connected, (await running.ended).ok], [works, works], name);
  }
});

test('the certificates of the system are a file for programs that do not know the word', async () => {
  const connection = settings({ POSTGRES_CA_FILE: 'system' });
  assert.equal((await tlsEnvironment(connection, 16)).PGSSLROOTCERT, 'system');
  const path = (await tlsEnvironment(connection, 15)).PGSSLROOTCERT ?? '';
  assert.match(readFileSync(path, 'latin1'), /BEGIN CERTIFICATE/);
  await arrange({ certificate: good });
  assert.equal((await failure({ POSTGRES_CA_FILE: 'system' })).code, 'POSTGRES_UNREACHABLE');
});

test("libpq's variables in the environment of this process do not reach the driver", async () => {
  await arrange({ certificate: good });
  const variables = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: other.cert, PGSSLNEGOTIATION: 'direct' };
  Object.assign(process.env, variables);
  try {
    assert.equal(await connectAs({ POSTGRES_SSLMODE: 'disable' }), 'plain');
    assert.equal(await connectAs({ POSTGRES_SSLMODE: 'require' }), 'encrypted');
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
});
