import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../helpers/program.ts';

const PLANTED = ['pg', 'ch', 's3access', 's3secret', 'url1', 'url3', 'jwt', 'smtp', 'hook', 'env'].map(
  (name) => `${name}-9Tq${name}7xZ`,
);
const [PG, CH, ACCESS, SECRET, URL1, URL3, JWT, SMTP, HOOK, ENV] = PLANTED as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const KEY = '4f'.repeat(32);
const OLD_KEY = 'b3'.repeat(32);

let port = 0;
let postgresPort = 0;
let asked = 0;
let logins = 0;

/** An S3 service and a ClickHouse server that repeat in their errors the credentials that they were sent. */
const service = createServer(({ url, method, headers }, response) => {
  asked++;
  const sent = Object.entries(headers).filter(([name]) => /auth|key|user|password/.test(name));
  const text = `Bad ${sent.map(([name, value]) => `${name} ${value}`).join(' ')} in ${url}`;
  const isS3 = headers['x-amz-date'] !== undefined;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  response.writeHead(isS3 ? 400 : url === '/ping' ? 200 : 500, { 'x-clickhouse-exception-code': '62' });
  if (method === 'HEAD') response.end();
  else if (isS3) response.end(`<Error><Code>Bad</Code><Message>${escaped}</Message></Error>`);
  else response.end(`Code: 62. DB::Exception: ${text}. (SYNTAX_ERROR)`);
});

/** A PostgreSQL server that asks for the password and repeats it in its error. */
const postgres = createTcpServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', function greet(start) {
    // A request for TLS, which it does not offer.
    if (start.length === 8) return void socket.once('data', greet).write('N');
    socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    socket.once('data', (data) => {
      logins++;
      const sent = data.toString('latin1', 5, data.length - 1);
      const fields = `${['S', 'FATAL\0C', '28P01\0M', `wrong login ${sent}`].join('')}\0\0`;
      const head = Buffer.from([0x45, 0, 0, 0, 0]);
      head.writeInt32BE(4 + fields.length, 1);
      socket.end(Buffer.concat([head, Buffer.from(fields, 'latin1')]));
    });
  });
});

before(async () => {
  for (const server of [service, postgres]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  port = (service.address() as AddressInfo).port;
  postgresPort = (postgres.address() as AddressInfo).port;
});

after(() => {
  service.closeAllConnections();
  service.close();
  postgres.close();
});

async function installation(more: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-secrets-'));
  after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'backups'));
  const variables = {
    BIFRACT_BACKUP_ENCRYPTION_KEY: KEY,
    BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS: OLD_KEY,
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: String(postgresPort),
    POSTGRES_PASSWORD: PG,
    CLICKHOUSE_URL: `http://logs:${URL1}@127.0.0.1:${port}`,
    CLICKHOUSE_PASSWORD: CH,
    JWT_SECRET: JWT,
    SMTP_PASS: SMTP,
    ...more,
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(dir, '.env'), lines.join(''));
  return dir;
}

const s3 = () => ({
  BIFRACT_S3_ENDPOINT: `http://127.0.0.1:${port}`,
  BIFRACT_S3_BUCKET: 'b',
  BIFRACT_S3_ACCESS_KEY: ACCESS,
  BIFRACT_S3_SECRET_KEY: SECRET,
});

async function textOf(dir: string): Promise<string> {
  let text = '';
  for (const path of await readdir(dir, { recursive: true })) {
    if (path !== '.env' && (await stat(join(dir, path))).isFile())
      text += await readFile(join(dir, path), 'latin1');
  }
  return text;
}

const BROKEN = `curl -H 'Authorization: Bearer ${HOOK}' --data token=${HOOK} -u me:${HOOK} http://127.0.0.1:1; exit 3`;

const COMMANDS: string[][] = [
  ['status'],
  ['list', 'backups'],
  ['list', 'orphans'],
  ['backup', '--on-failure', BROKEN],
  ['archive', 'main'],
  ['prune', '--keep-last', '1', '--yes'],
  ['verify', '--all'],
  ['clean', '--yes'],
  ['coverage', 'main'],
  ['key', 'show'],
  ['key', 'rotate', '--yes'],
  ['run-due', '--yes'],
  ['restore', 'bifract-backup-20260301-120000.bifract-backup', '--yes'],
  ['jobs'],
];

for (const [place, more] of [
  ['on disk', () => ({})],
  ['in a bucket', s3],
  [
    'behind a proxy',
    () => ({
      ...s3(),
      HTTP_PROXY: `http://p:${URL3}@127.0.0.1:${port}`,
      HTTPS_PROXY: `http://p:${URL3}@127.0.0.1:${port}`,
    }),
  ],
] as const) {
  test(`no output, journal or log of failing commands has a secret: files ${place}`, {
    timeout: 300_000,
  }, async () => {
    const dir = await installation(more());
    asked = 0;
    logins = 0;
    let shown = '';
    const shell = { BIFRACT_DEBUG: '1', MY_API_TOKEN: ENV, PGPASSWORD: PG };
    for (const [index, command] of COMMANDS.entries()) {
      const flag = index % 2 === 0 ? '--json' : '--non-interactive';
      const { stdout, stderr } = await run([...command, flag, '--dir', dir], shell);
      shown += `\n# ${command.join(' ').replaceAll(HOOK, '')}\n${stdout}${stderr}`;
    }
    const all = shown + (await textOf(dir));
    for (const secret of [...PLANTED, KEY, OLD_KEY]) {
      const at = all.indexOf(secret);
      assert.equal(at, -1, `${secret}: ${all.slice(Math.max(0, at - 300), at + 100)}`);
    }
    assert.ok(asked > 0 && logins > 0);
    // The commands did fail at the services, and jobs were recorded.
    assert.match(shown, /CLICKHOUSE_UNREACHABLE|QUERY_FAILED|POSTGRES_UNREACHABLE|STORAGE_/);
    assert.match(shown, /--on-failure command failed/);
    assert.match(await textOf(dir), /job:failed/);
  });
}
