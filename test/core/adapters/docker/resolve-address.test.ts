import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { findContainer } from '../../../../src/core/adapters/docker/compose.ts';
import { resolveClickHouse, resolvePostgres } from '../../../../src/core/adapters/docker/resolve-address.ts';
import { refuses } from '../../../contracts/storage.ts';

const PATH = process.env.PATH;
const ADDRESS = '127.0.0.9';
const servers: Server[] = [];
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-resolve-'));
  process.env.PATH = [dir, PATH].join(delimiter);
});

afterEach(async () => {
  process.env.PATH = PATH;
  for (const server of servers.splice(0)) server.close();
  await rm(dir, { recursive: true });
});

/** Listens on a port, by default a free one. */
async function listen(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}

/** A Compose project with a fake docker that reports one container for each service. */
async function project({ running = true } = {}): Promise<void> {
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  const networks = { other: { IPAddress: '' }, bifract_default: { IPAddress: ADDRESS } };
  const inspected = [
    { Name: '/bifract-postgres', State: { Running: running }, NetworkSettings: { Networks: networks } },
  ];
  await writeFile(join(dir, 'inspect.json'), JSON.stringify(inspected));
  await writeFile(
    join(dir, 'docker'),
    `#!/bin/sh\ncase "$1 $2" in "compose ps") echo c0ffee;; "inspect c0ffee") cat "${dir}/inspect.json";; *) exit 1;; esac\n`,
  );
  await chmod(join(dir, 'docker'), 0o755);
}

function postgres(host: string, port: number, host_given: boolean) {
  return { host, port, host_given, database: 'bifract', user: 'bifract', password: 'x' };
}

test('uses the configured host if it is reachable', async () => {
  await project();
  const port = await listen('127.0.0.1');
  const {
    connection,
    description: how,
    in_container,
  } = await resolvePostgres(postgres('127.0.0.1', port, true), dir);
  assert.deepEqual(
    [connection.host, connection.port, how, in_container],
    ['127.0.0.1', port, `127.0.0.1:${port}`, false],
  );
  assert.deepEqual(Object.keys(connection).sort(), ['database', 'host', 'password', 'port', 'user']);
});

test('uses the container if the configured host is unreachable', async () => {
  await project();
  const port = await listen(ADDRESS);
  const {
    connection,
    description: how,
    in_container,
  } = await resolvePostgres(postgres('postgres.invalid', port, true), dir);
  assert.deepEqual([connection.host, in_container], [ADDRESS, true]);
  for (const value of ['bifract-postgres', `${ADDRESS}:${port}`]) assert.ok(how.includes(value), how);
});

test('prefers the container to the default host', async () => {
  await project();
  const port = await listen('127.0.0.1');
  await listen(ADDRESS, port);
  assert.equal((await resolvePostgres(postgres('127.0.0.1', port, false), dir)).connection.host, ADDRESS);
});

test('uses the default host if there is no container', async () => {
  const port = await listen('127.0.0.1');
  assert.equal((await resolvePostgres(postgres('127.0.0.1', port, false), dir)).connection.host, '127.0.0.1');
});

test('fails with a hint if nothing is reachable', async () => {
  const resolving = resolvePostgres(postgres('127.0.0.1', 1, true), dir);
  await refuses('POSTGRES_UNREACHABLE', resolving);
  await assert.rejects(resolving, { exitCode: 4, hint: /docker compose up/ });
  await project({ running: false });
  await refuses('POSTGRES_UNREACHABLE', resolvePostgres(postgres('127.0.0.1', 1, false), dir));
});

test('the host may be the folder of a socket', async () => {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(join(dir, '.s.PGSQL.5432'), resolve));
  assert.equal((await resolvePostgres(postgres(dir, 5432, true), dir)).connection.host, dir);
});

test('finds ClickHouse in the same way, by its HTTP port', async () => {
  const settings = { database: 'logs', user: 'default', password: undefined, cluster: undefined };
  const port = await listen('127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  const direct = await resolveClickHouse({ ...settings, url, host_given: true, http_port: port }, dir);
  assert.equal(direct.connection.url, url);
  await project();
  const inside = await listen(ADDRESS);
  const moved = { ...settings, url: `http://nowhere.invalid:${inside}`, host_given: true, http_port: inside };
  assert.equal((await resolveClickHouse(moved, dir)).connection.url, `http://${ADDRESS}:${inside}`);
  await refuses(
    'CLICKHOUSE_UNREACHABLE',
    resolveClickHouse({ ...moved, url: 'http://127.0.0.1:1', http_port: 1 }, dir),
  );
});

test('of several ClickHouse hosts, the first that listens comes first', async () => {
  const settings = { database: 'logs', user: 'default', password: undefined, cluster: undefined };
  const alive = `http://127.0.0.1:${await listen('127.0.0.1')}`;
  const [dead, other] = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
  const several = { ...settings, url: dead, other_urls: [alive, other], host_given: true, http_port: 1 };
  const { connection } = await resolveClickHouse(several, dir);
  assert.deepEqual([connection.url, connection.other_urls], [alive, [other, dead]]);
  await assert.rejects(resolveClickHouse({ ...several, other_urls: [other] }, dir), {
    code: 'CLICKHOUSE_UNREACHABLE',
    hint: /CLICKHOUSE_HOSTS/,
  });
});

test('finds nothing, without an error, if there is no project, Docker or container', async () => {
  assert.equal(await findContainer('postgres', dir), undefined);
  await project();
  assert.deepEqual(await findContainer('postgres', dir), {
    id: 'c0ffee',
    name: 'bifract-postgres',
    address: ADDRESS,
  });
  await project({ running: false });
  assert.equal(await findContainer('postgres', dir), undefined);
  process.env.PATH = '/nonexistent';
  assert.equal(await findContainer('postgres', dir), undefined);
});

test('in a container, TLS stays on and the certificate is verified by the configured name', async () => {
  await project();
  const port = await listen(ADDRESS);
  const tls = { mode: 'verify-full' as const, ca_file: 'ca', cert_file: 'c', key_file: 'k', crl_file: 'r' };
  const named = await resolvePostgres({ ...postgres('db.invalid', port, true), tls }, dir);
  assert.deepEqual([named.connection.host, named.connection.tls?.server_name], [ADDRESS, 'db.invalid']);
  const unnamed = await resolvePostgres({ ...postgres('localhost', port, false), tls }, dir);
  assert.deepEqual([unnamed.connection.host, unnamed.connection.tls?.server_name], [ADDRESS, undefined]);
  const settings = { database: 'logs', user: 'default', password: undefined, cluster: undefined };
  const clickhouse = {
    ...settings,
    url: `https://ch.invalid:${port}`,
    host_given: true,
    http_port: 1,
    tls: { ca_file: undefined, server_name: undefined, skip_verify: false },
  };
  const { connection } = await resolveClickHouse(clickhouse, dir);
  assert.deepEqual(
    [connection.url, connection.tls?.server_name],
    [`https://${ADDRESS}:${port}`, 'ch.invalid'],
  );
});
