import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { readSettings } from '../../../../src/core/config/settings.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { Authority, type CertificateFiles } from '../../../helpers/certificates.ts';
import { testServices } from '../../../helpers/services.ts';

const services = await testServices();
const dir = await mkdtemp(join(tmpdir(), 'bifract-ch-tls-'));
after(() => rm(dir, { recursive: true, force: true }));
const authority = new Authority(join(dir, 'ca'));
const other = new Authority(join(dir, 'other'));
const good = authority.issue('good', { names: 'IP:127.0.0.1,DNS:ch.example.com' });

/** A TLS proxy in front of the test server; its port. */
async function proxy({ cert, key }: CertificateFiles, options: TlsOptions = {}): Promise<number> {
  const target = new URL(services.clickhouse.url);
  const server = createServer({ ...options, cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    const onward = connect(Number(target.port), target.hostname);
    socket.pipe(onward).pipe(socket);
    for (const one of [socket, onward])
      one.on('error', () => void [socket, onward].map((end) => end.destroy()));
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function version(port: number, env: Record<string, string> = {}): Promise<string> {
  const { user, password, database } = services.clickhouse;
  const vars = {
    CLICKHOUSE_HOST: '127.0.0.1',
    CLICKHOUSE_HTTP_PORT: String(port),
    CLICKHOUSE_SECURE: '1',
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    CLICKHOUSE_DB: database,
    ...env,
  };
  const logs = await connectClickHouse(readSettings(vars, {}, dir).clickhouse);
  try {
    return await logs.version();
  } finally {
    await logs.close();
  }
}

const messages = new Set<string>();

async function fails(hint: RegExp, port: number, env: Record<string, string> = {}): Promise<void> {
  const error = await version(port, env).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof BifractError, 'it did not fail');
  assert.deepEqual(
    [error.code, error.exitCode, error.transient],
    ['CLICKHOUSE_UNREACHABLE', 4, false],
    error.message,
  );
  assert.match(error.hint ?? '', hint);
  const text = error.message.replaceAll(String(port), '');
  assert.ok(!messages.has(text), text);
  messages.add(text);
}

test('verifies the certificate with the authority, by address or by the given name', async () => {
  const port = await proxy(good);
  assert.match(await version(port, { CLICKHOUSE_CA_CERT: authority.cert }), /^\d/);
  assert.match(await version(port, { CLICKHOUSE_CA_CERT: 'ca/ca.crt' }), /^\d/);
  const named = { CLICKHOUSE_CA_CERT: authority.cert, CLICKHOUSE_TLS_SERVER_NAME: 'ch.example.com' };
  assert.match(await version(port, named), /^\d/);
  assert.match(
    await version(port, { CLICKHOUSE_URL: `https://127.0.0.1:${port}`, CLICKHOUSE_CA_CERT: authority.cert }),
    /^\d/,
  );
  assert.match(await version(port, { CLICKHOUSE_TLS_INSECURE_SKIP_VERIFY: 'true' }), /^\d/);
});

test('each failure has its own message, a hint that names the setting, and exit code 4', async () => {
  const trust = { CLICKHOUSE_CA_CERT: authority.cert };
  const port = await proxy(good);
  await fails(/CLICKHOUSE_CA_CERT/, port);
  await fails(/CLICKHOUSE_TLS_SERVER_NAME/, port, {
    ...trust,
    CLICKHOUSE_TLS_SERVER_NAME: 'other.example.com',
  });
  await fails(/CLICKHOUSE_SECURE=true/, port, { CLICKHOUSE_SECURE: 'no' });
  await fails(/CLICKHOUSE_SECURE=false/, Number(new URL(services.clickhouse.url).port));
  const old = authority.issue('old', {
    names: 'IP:127.0.0.1',
    from: '20200101000000Z',
    to: '20210101000000Z',
  });
  await fails(/Renew/, await proxy(old), trust);
  const young = authority.issue('young', {
    names: 'IP:127.0.0.1',
    from: '20900101000000Z',
    to: '20910101000000Z',
  });
  await fails(/clock/, await proxy(young), trust);
  const demanding = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(other.cert) };
  await fails(/client certificate/, await proxy(good, demanding), trust);
});

test('a file of authorities that cannot be used is an invalid setting', async () => {
  await writeFile(join(dir, 'empty.pem'), 'nothing');
  for (const path of ['missing.pem', 'empty.pem']) {
    await assert.rejects(version(1, { CLICKHOUSE_CA_CERT: path }), { code: 'ENV_INVALID' });
  }
});
