import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../helpers/until.ts';
import { APP_USER, DockerEngine } from './engine.ts';
import { DockerInstallation, descendants, type Event, type Running } from './installation.ts';

const MANY_ROWS = 400_000;
const MIDDLE_BYTES = 20 << 20;
const WAIT_MS = 120_000;
const FRACTAL = 'web-prod';

if (process.getuid?.() !== 0) {
  console.error('These tests start a Docker engine and install Debian packages: run them as root');
  process.exit(1);
}

describe('an installation in a real Docker engine', { timeout: 1_800_000 }, () => {
  let dir: string;
  let engine: DockerEngine;
  let installation: DockerInstallation;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'bifract-docker-real-'));
    engine = await DockerEngine.start(dir);
    installation = await DockerInstallation.start(engine, join(dir, 'installation'));
  });
  after(async () => {
    try {
      installation?.stop();
    } finally {
      await engine?.stop();
      await rm(dir, { recursive: true, force: true });
    }
  });

  /** A backup of the present database: its file and its rows by table. */
  async function backUp(hide_tools = false): Promise<{ name: string; counts: Record<string, number> }> {
    const counts = await installation.counts();
    const { code, last, stderr } = await installation.run(['backup'], { hide_tools });
    assert.equal(code, 0, stderr + JSON.stringify(last.error));
    assert.equal(last.result?.tables, Object.keys(counts).length);
    assert.equal(last.result?.rows, sum(counts));
    return { name: String(last.result?.name), counts };
  }

  /** The sealed backups. */
  const backups = () =>
    readdirSync(join(installation.dir, 'backups')).filter((name) => !name.startsWith('.'));

  const rowsIn = async (fractal: string) =>
    Number(
      await installation.clickhouse(
        `SELECT count() FROM logs WHERE fractal_id = '${await idOf(fractal)}'`,
        'logs',
      ),
    );

  const idOf = async (fractal: string) =>
    (await installation.sql(`SELECT id FROM fractals WHERE name = '${fractal}'`))[0]?.id;

  const databases = async () =>
    (await installation.sql('SELECT datname FROM pg_database ORDER BY 1')).map(({ datname }) => datname);

  const state = (container: string, field: string) =>
    installation.docker('inspect', '--format', `{{.State.${field}}}`, container).trim();

  /** pg_dump and pg_restore that are connected to the server. */
  const remoteTools = async () =>
    Number(
      (
        await installation.sql(
          `SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pg_dump', 'pg_restore')`,
        )
      )[0]?.count,
    );

  test('reports its version', (t) => {
    t.diagnostic(
      `Docker ${installation.docker('version', '--format', 'engine {{.Server.Version}}, client {{.Client.Version}}').trim()}`,
    );
    t.diagnostic(installation.compose('version').split('\n')[0] ?? '');
  });

  test('both databases are found in their containers', async () => {
    const { code, last } = await installation.run(['status']);
    assert.equal(code, 0);
    const { health } = last as unknown as { health: Record<string, { ok: boolean; detail: string }> };
    for (const part of ['postgres', 'clickhouse', 'backups', 'archives'])
      assert.equal(health[part]?.ok, true, JSON.stringify(health[part]));
    assert.match(health.postgres?.detail ?? '', /bifract-postgres/);
    assert.match(health.clickhouse?.detail ?? '', /bifract-clickhouse/);
  });

  for (const hide_tools of [false, true]) {
    describe(hide_tools ? 'with the programs of the container' : 'with local programs', () => {
      test('the programs are those', async () => {
        const { name } = await backUp(hide_tools);
        const { last } = await installation.run(['restore', name, '--dry-run'], { hide_tools });
        const { pg_restore } = last as unknown as { pg_restore: { location: string } };
        assert.equal(/in the container/.test(pg_restore.location), hide_tools, pg_restore.location);
        for (const program of ['pg_dump', 'pg_restore'])
          assert.equal(installation.canRun(program), false, program);
      });

      test('a backup has every table and row, and is proven', async () => {
        const { name, counts } = await backUp(hide_tools);
        const { code, last } = await installation.run(['verify', name], { hide_tools });
        assert.deepEqual([code, last.result?.proven, last.result?.rows], [0, 1, sum(counts)]);
      });

      test('a test restore compares every table and leaves no database', async () => {
        const { name, counts } = await backUp(hide_tools);
        const there = await databases();
        const { code, last } = await installation.run(['restore', name, '--drill'], { hide_tools });
        assert.deepEqual([code, last.result?.compared, last.result?.rows], [0, true, sum(counts)]);
        assert.deepEqual(await databases(), there);
      });

      test('a restore with --stop-app brings every table back, and the server runs again', async () => {
        const { name, counts } = await backUp(hide_tools);
        await installation.sql(
          'DROP TABLE attachments; DELETE FROM comments; UPDATE users SET is_admin = true',
        );
        const started = state('bifract-app', 'StartedAt');
        const { code, last, stderr } = await installation.run(
          ['restore', name, '--stop-app', '--end-sessions', '--yes'],
          { hide_tools },
        );
        assert.equal(code, 0, stderr + JSON.stringify(last.error));
        assert.deepEqual(await installation.counts(), counts);
        const [admins] = await installation.sql('SELECT count(*) FROM users WHERE is_admin');
        assert.equal(admins?.count, '1');
        assert.equal(state('bifract-app', 'Running'), 'true');
        assert.notEqual(state('bifract-app', 'StartedAt'), started);
        assert.ok(backups().includes(String(last.result?.safety_backup)));
      });
    });
  }

  describe('archives', () => {
    test('one in the volume can be read by the server, and restored', async () => {
      const rows = await rowsIn(FRACTAL);
      const { code, last } = await installation.run(['archive', FRACTAL, '--split', 'none']);
      assert.deepEqual([code, last.result?.log_count], [0, rows]);
      const { storage_path, checksum } = last.result as { storage_path: string; checksum: string };
      const volume = installation
        .docker('volume', 'ls', '--quiet')
        .split('\n')
        .find((name) => name.endsWith('bifract-archives'));
      const folder = installation.docker('volume', 'inspect', '--format', '{{.Mountpoint}}', String(volume));
      const { uid, mode } = statSync(join(folder.trim(), storage_path));
      assert.deepEqual([uid, mode & 0o777], [APP_USER, 0o600]);
      assert.ok(!existsSync(join(installation.dir, 'archives')));
      assert.equal(sha256InApp(`/archives/${storage_path}`), checksum);
      const verified = await installation.run(['verify', storage_path]);
      assert.deepEqual([verified.code, verified.last.result?.rows], [0, rows]);
      const args = ['restore-archive', storage_path, '--into', 'staging', '--yes'];
      const restored = await installation.run(args);
      assert.deepEqual([restored.code, restored.last.result?.rows_added], [0, rows]);
      assert.equal(await rowsIn('staging'), rows);
    });

    test('an archive waits for a ClickHouse that is killed halfway, and is complete', async () => {
      const rows = await rowsIn(FRACTAL);
      const running = installation.start(['archive', FRACTAL, '--split', 'none', '--fresh']);
      await within(running, ({ rows: read }) => Number(read) > 0, 'rows are read');
      installation.docker('kill', 'bifract-clickhouse');
      await within(running, ({ event }) => event === 'job:retry', 'the archive is retried');
      installation.docker('start', 'bifract-clickhouse');
      const { code, last } = await running.ended;
      assert.deepEqual([code, last.result?.log_count], [0, rows]);
      const verified = await installation.run(['verify', String(last.result?.archive_id)]);
      assert.deepEqual([verified.code, verified.last.result?.rows], [0, rows]);
    });

    function sha256InApp(path: string): string {
      const env = { ...process.env, ...engine.env };
      const args = ['compose', 'exec', '-T', 'bifract', 'cat', path];
      const content = execFileSync('docker', args, { cwd: installation.dir, env, maxBuffer: 1 << 30 });
      return createHash('sha256').update(content).digest('hex');
    }
  });

  describe('interrupted in the middle of much data', () => {
    before(async () => {
      await installation.sql(`CREATE TABLE much AS
        SELECT i, repeat(md5(i::text), 30) AS text FROM generate_series(1, ${MANY_ROWS}) AS i`);
    });

    /** Asserts that a job left nothing behind, and that the next backup is complete. */
    async function nothingLeft(sealed: string[], hide_tools: boolean): Promise<void> {
      assert.deepEqual(backups(), sealed);
      await until(async () => (await remoteTools()) === 0, WAIT_MS, 'no program of the job runs any more');
      const { name } = await backUp(hide_tools);
      assert.deepEqual(backups(), [...sealed, name].sort());
      const hidden = readdirSync(join(installation.dir, 'backups')).filter((one) => one.startsWith('.'));
      assert.deepEqual(hidden, []);
      assert.deepEqual(await databases(), ['bifract', 'postgres', 'template0', 'template1']);
      const { code } = await installation.run(['verify', name]);
      assert.equal(code, 0);
    }

    const dumping = ({ bytes_in }: Event) => Number(bytes_in) > MIDDLE_BYTES;

    const killed = {
      'the client that the program started': (all: number[]) => all.slice(0, 1),
      'the last client in the chain': (all: number[]) => all.slice(-1),
      'all clients': (all: number[]) => all,
    };
    for (const [what, choose] of Object.entries(killed)) {
      test(`kill -9 of docker compose exec (${what}) fails the backup and seals nothing`, async () => {
        const sealed = backups();
        const running = installation.start(['backup'], { hide_tools: true });
        await within(running, dumping, 'the dump is written');
        const clients = descendants(running.pid).filter(({ command }) => /\bexec\b/.test(command));
        assert.ok(clients.length > 0);
        for (const pid of choose(clients.map(({ pid }) => pid))) process.kill(pid, 'SIGKILL');
        const { code, last } = await running.ended;
        assert.deepEqual([last.event, last.error?.code], ['job:failed', 'DUMP_FAILED']);
        assert.equal(code, 1);
        assert.ok(last.error?.message && last.error.hint);
        await nothingLeft(sealed, true);
      });
    }

    test('kill -9 of pg_dump in the container fails the backup and seals nothing', async () => {
      const sealed = backups();
      const running = installation.start(['backup'], { hide_tools: true });
      await within(running, dumping, 'the dump is written');
      installation.compose('exec', '-T', 'postgres', 'sh', '-c', KILL_DUMP);
      const { last } = await running.ended;
      assert.deepEqual([last.event, last.error?.code], ['job:failed', 'DUMP_FAILED']);
      await nothingLeft(sealed, true);
    });

    for (const hide_tools of [false, true]) {
      const programs = hide_tools ? 'of the container' : 'of this machine';
      test(`PostgreSQL stopped halfway fails the backup (programs ${programs}), and the next works`, async () => {
        const sealed = backups();
        const running = installation.start(['backup'], { hide_tools });
        await within(running, dumping, 'the dump is written');
        installation.docker('stop', '--time', '5', 'bifract-postgres');
        const { code, last } = await running.ended;
        assert.equal(last.event, 'job:failed');
        assert.ok(['DUMP_FAILED', 'POSTGRES_UNREACHABLE', 'CUT_OFF'].includes(last.error?.code ?? ''));
        assert.notEqual(code, 0);
        assert.ok(last.error?.hint);
        const during = await installation.run(['backup'], { hide_tools });
        assert.deepEqual([during.code, during.last.error?.code], [4, 'POSTGRES_UNREACHABLE']);
        installation.docker('start', 'bifract-postgres');
        await installation.ready();
        await nothingLeft(sealed, hide_tools);
      });

      test(`PostgreSQL stopped halfway through a restore (programs ${programs}) changes nothing`, async () => {
        const { name } = await backUp(hide_tools);
        await installation.sql('DELETE FROM comments');
        const counts = await installation.counts();
        const sealed = backups();
        const args = ['restore', name, '--stop-app', '--end-sessions', '--yes'];
        const running = installation.start(args, { hide_tools });
        await within(
          running,
          ({ item }: Event) => item === 'public.much' || item === 'much',
          'the rows load',
        );
        installation.docker('stop', '--time', '5', 'bifract-postgres');
        const { code, last } = await running.ended;
        assert.equal(last.event, 'job:failed');
        assert.notEqual(code, 0);
        assert.equal(state('bifract-app', 'Running'), 'true');
        installation.docker('start', 'bifract-postgres');
        await installation.ready();
        assert.deepEqual(await installation.counts(), counts);
        await nothingLeft(sealed, hide_tools);
      });
    }

    test('a server that was stopped before a restore stays stopped', async () => {
      const { name } = await backUp();
      installation.docker('stop', '--time', '1', 'bifract-app');
      const { code } = await installation.run(['restore', name, '--stop-app', '--end-sessions', '--yes']);
      assert.deepEqual([code, state('bifract-app', 'Running')], [0, 'false']);
      installation.docker('start', 'bifract-app');
    });

    test('a server whose container disappears during a restore does not block the next backup', async () => {
      const { name, counts } = await backUp();
      const running = installation.start(['restore', name, '--stop-app', '--end-sessions', '--yes']);
      await within(running, ({ phase }) => /^Stopping /.test(phase ?? ''), 'the server is stopped');
      await until(() => state('bifract-app', 'Running') === 'false', WAIT_MS, 'the server has stopped');
      installation.docker('rm', '--force', 'bifract-app');
      const { code, events } = { ...(await running.ended), events: running.events };
      assert.equal(code, 0);
      assert.ok(events.some(({ event }) => event === 'job:warning'));
      assert.deepEqual(await installation.counts(), counts);
      await backUp();
      installation.compose('up', '--detach', 'bifract');
      await backUp();
      assert.equal(state('bifract-app', 'Running'), 'true');
    });

    test('an engine that does not answer is an error of its own', async () => {
      const sealed = backups();
      const env = { DOCKER_HOST: `unix://${dir}/nowhere` };
      const { code, last } = await installation.run(['backup'], { env });
      assert.deepEqual([code, last.error?.code], [4, 'POSTGRES_UNREACHABLE']);
      assert.deepEqual(backups(), sealed);
    });
  });
});

/** The image has no pkill. */
const KILL_DUMP =
  'cd /proc; for one in [0-9]*; do if grep -q ^pg_dump$ "$one/comm"; then kill -9 "$one"; fi; done';

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, rows) => total + rows, 0);
}

/** Waits for an event. Fails at once if the program ends before. */
async function within(running: Running, condition: (event: Event) => boolean, what: string): Promise<void> {
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  await until(() => over || running.events.some(condition), WAIT_MS, what);
  assert.ok(!over, `the program ended before ${what}: ${JSON.stringify(running.events.at(-1))}`);
}
