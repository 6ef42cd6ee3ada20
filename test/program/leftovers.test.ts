import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { queryPostgres } from '../../bin/demo/query.ts';
import { type Ended, ndjson, run } from '../helpers/program.ts';
import type { FaultPlan } from '../helpers/s3/fault.ts';
import { TEST_CREDENTIALS } from '../helpers/s3/server.ts';
import { BUCKET, startS3Server } from '../helpers/s3/test-server.ts';
import { testServices } from '../helpers/services.ts';

const services = await testServices();
const { postgres, sql } = services;
const suffix = randomBytes(4).toString('hex');
const DEAD = { pid: 0, start: '', boot: '' };
const OLD = { started_at: '2026-01-01T00:00:00Z', process: DEAD };

/** A user as on installations with a careful administrator. */
const limited = `careful_${suffix}`;
await sql(`CREATE ROLE ${limited} LOGIN CREATEDB PASSWORD '${postgres.password}' IN ROLE pg_read_all_data`);
after(() => onServer(`DROP ROLE ${limited}`));

const lab = await startS3Server();
after(() => lab.stop());
const S3 = {
  BIFRACT_S3_BUCKET: BUCKET,
  BIFRACT_S3_ENDPOINT: lab.server.url,
  BIFRACT_S3_ACCESS_KEY: TEST_CREDENTIALS.access_key,
  BIFRACT_S3_SECRET_KEY: TEST_CREDENTIALS.secret_key,
};

function onServer(text: string): Promise<unknown> {
  return queryPostgres({ ...postgres, database: 'postgres' }, text);
}

/** Something that cannot be cleaned up until it is fixed. */
interface Variety {
  /** Variables of `.env`. */
  settings?: Record<string, string>;
  /** Of the process: a fake docker, for example. */
  env?: NodeJS.ProcessEnv;
  /** Creates it; `dir` is the installation. */
  make(dir: string, id: string): Promise<void>;
  fix(dir: string, id: string): Promise<void>;
  /** What the hint must have. */
  hint: RegExp;
}

async function record(dir: string, id: string, content: object): Promise<void> {
  const jobs = join(dir, '.bifract', 'jobs');
  await mkdir(jobs, { recursive: true, mode: 0o700 });
  await writeFile(join(jobs, `${id}.json`), JSON.stringify({ id, ...OLD, ...content }), { mode: 0o600 });
}

const S3_OBJECT = 'bifract-backup-20260101-000000.bifract-backup';

/** An interrupted upload, on a store that rejects what is needed to clean it up. */
function upload(fault: FaultPlan): Variety {
  return {
    settings: S3,
    hint: /lifecycle/,
    async make(dir, id) {
      lab.server.fault = fault;
      await record(dir, id, { kind: 'backup', object: S3_OBJECT });
    },
    async fix() {
      lab.server.fault = undefined;
    },
  };
}

const scratch = `bifract_drill_${suffix}`;
const docker = await mkdtemp(join(tmpdir(), 'bifract-docker-'));
after(() => rm(docker, { recursive: true, force: true }));
const DOCKER = `#!/bin/sh
case "$*" in
  "compose config --services") printf 'postgres\\nbifract\\n' ;;
  "compose stop bifract") rm -f "${docker}/started" ;;
  "compose ps --quiet bifract") test -e "${docker}/started" && echo abc ;;
  "inspect abc") echo '[{"Name":"/bifract-app","State":{"Running":true}}]' ;;
  "compose start bifract") test -e "${docker}/fixed" || { echo "port is already allocated" >&2; exit 1; }; touch "${docker}/started" ;;
  *) exit 1 ;;
esac
`;
await writeFile(join(docker, 'docker'), DOCKER);
await chmod(join(docker, 'docker'), 0o755);

const VARIETIES: Record<string, Variety> = {
  'a database of another owner': {
    settings: { POSTGRES_USER: limited },
    hint: /DROP DATABASE/,
    async make(dir, id) {
      await onServer(`CREATE DATABASE ${scratch}`);
      await record(dir, id, { kind: 'drill', databases: [scratch] });
    },
    fix: async () => void (await onServer(`DROP DATABASE ${scratch}`)),
  },
  'uploads that may not be listed': upload(({ operation }) =>
    operation === 'list-uploads' ? { status: 403, code: 'AccessDenied' } : undefined,
  ),
  'a store that cannot list uploads': upload(({ operation }) =>
    operation === 'list-uploads' ? { status: 501, code: 'NotImplemented' } : undefined,
  ),
  'another storage that is unreachable': {
    settings: S3,
    hint: /lifecycle/,
    async make(dir, id) {
      await rm(join(dir, 'backups'), { recursive: true });
      await writeFile(join(dir, 'backups'), 'not mounted');
      await record(dir, id, { kind: 'backup', object: S3_OBJECT });
    },
    async fix(dir) {
      await rm(join(dir, 'backups'));
      await mkdir(join(dir, 'backups'), { mode: 0o700 });
    },
  },
  'a container that cannot be started': {
    env: { PATH: [docker, process.env.PATH].join(delimiter) },
    hint: /docker compose up -d bifract/,
    async make(dir, id) {
      await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
      await record(dir, id, { kind: 'restore', app_stopped: true, databases: [] });
    },
    fix: () => writeFile(join(docker, 'fixed'), ''),
  },
  'a job of a newer version': {
    hint: /bifract clean/,
    make: (dir, id) => record(dir, id, { kind: 'replicate', replicating: { to: 'elsewhere' } }),
    fix: (dir, id) => rm(join(dir, '.bifract/jobs', `${id}.json`)),
  },
  'staged rows in a ClickHouse that is down': {
    settings: { CLICKHOUSE_URL: 'http://127.0.0.1:1' },
    hint: /ClickHouse|CLICKHOUSE/,
    make: (dir, id) => record(dir, id, { kind: 'restore-archive', restoring: RESTORING }),
    fix: (dir, id) => rm(join(dir, '.bifract/jobs', `${id}.json`)),
  },
};
const RESTORING = {
  key: 'k',
  plan: { into: { id: 'x', name: 'web' }, files: [] },
  phase: 'staging',
  archive_ids: [],
  prefix: 'bifract_restore_x_',
  tables: [],
};

function warned({ stdout }: Ended, id: string): boolean {
  return ndjson<{ event?: string; message?: string }>({ stdout } as Ended).some(
    ({ event, message }) => event === 'job:warning' && message?.includes(id),
  );
}

for (const [index, [title, variety]] of Object.entries(VARIETIES).entries()) {
  test(`${title}: backups are made, with a warning once a day, and status shows it until it is fixed`, async () => {
    const { dir } = await services.installation(variety.settings);
    const id = `left-20260101-000000-${suffix}${index}`;
    const bifract = (...args: string[]) => run([...args, '--dir', dir], variety.env);
    const shown = async () => {
      const [status] = ndjson<{ leftovers: { job: string; hint: string }[] }>(
        await bifract('status', '--json'),
      );
      return status?.leftovers.filter(({ job }) => job === id) ?? [];
    };
    await variety.make(dir, id);
    try {
      for (const expected of [true, false]) {
        const ended = await bifract('backup', '--json');
        assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
        assert.equal(warned(ended, id), expected, ended.stdout.toString());
      }
      const [left, ...others] = await shown();
      assert.match(left?.hint ?? '', variety.hint);
      assert.deepEqual(others, []);
      assert.match((await bifract('status')).stdout.toString(), new RegExp(id));
      const stuck = await bifract('clean', '--yes');
      assert.notEqual(stuck.code, 0, `${stuck.stdout}${stuck.stderr}`);
      assert.match(stuck.stdout.toString(), new RegExp(id));
    } finally {
      await variety.fix(dir, id);
    }
    const cleaned = await bifract('clean', '--yes');
    assert.equal(cleaned.code, 0, `${cleaned.stdout}${cleaned.stderr}`);
    assert.deepEqual(await shown(), []);
  });
}

test('a restore whose container cannot be started again has succeeded, and says that the server is stopped', async () => {
  const { dir } = await services.installation();
  const env = { PATH: [docker, process.env.PATH].join(delimiter) };
  const bifract = (...args: string[]) => run([...args, '--dir', dir], env);
  const [made] = ndjson<{ result: { name: string } }>(await bifract('backup', '--json')).slice(-1);
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  await writeFile(join(docker, 'started'), '');
  await rm(join(docker, 'fixed'), { force: true });
  await sql('CREATE TABLE since (x int)');
  const restored = await bifract('restore', made?.result.name ?? '', '--stop-app', '--yes', '--json');
  assert.equal(restored.code, 0, `${restored.stdout}${restored.stderr}`);
  const [done] = ndjson<{ event: string; result: { live: boolean; app_stopped?: boolean } }>(restored).slice(
    -1,
  );
  assert.deepEqual([done?.event, done?.result.live, done?.result.app_stopped], ['job:done', true, true]);
  assert.deepEqual(await sql(`SELECT to_regclass('since')::text AS it`), [{ it: null }]);
  const left = async () =>
    ndjson<{ leftovers: { code: string }[] }>(await bifract('status', '--json')).flatMap(
      (one) => one.leftovers,
    );
  assert.deepEqual(
    (await left()).map(({ code }) => code),
    ['SERVER_UNREACHABLE'],
  );
  assert.equal((await bifract('backup')).code, 0);
  await writeFile(join(docker, 'fixed'), '');
  assert.equal((await bifract('backup')).code, 0);
  assert.deepEqual(await left(), []);
});

/** Longer than the limit for what hangs, and far below the time limits of S3 and Docker. */
const SOON_MS = 14_000;

test('a storage and a Docker that hang delay a backup by some seconds only', async () => {
  const { dir } = await services.installation(S3);
  const bin = join(dir, 'bin');
  await mkdir(bin);
  await writeFile(
    join(bin, 'docker'),
    '#!/bin/sh\n[ "$2" = config ] && echo bifract && exit\nexec sleep 120\n',
  );
  await chmod(join(bin, 'docker'), 0o755);
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  for (const name of ['a', 'b', 'c']) {
    await record(dir, `hung-${name}`, { kind: 'restore', app_stopped: true, object: S3_OBJECT });
  }
  lab.server.fault = ({ operation }) => (operation === 'list-uploads' ? { stall: true } : undefined);
  try {
    const ended = await run(['backup', '--json', '--dir', dir], {
      PATH: [bin, process.env.PATH].join(delimiter),
    });
    assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
    const times = ndjson<{ event: string; time: string }>(ended)
      .filter(({ event }) => event === 'job:started' || event === 'job:done')
      .map(({ time }) => Date.parse(time));
    assert.ok((times[1] ?? Infinity) - (times[0] ?? 0) < SOON_MS, times.join());
    for (const name of ['a', 'b', 'c']) assert.ok(warned(ended, `hung-${name}`));
  } finally {
    lab.server.fault = undefined;
  }
});
