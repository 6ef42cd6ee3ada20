import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError, type FileCheck } from '../../src/core/index.ts';
import { describeServerArchive } from '../../src/core/policy/server-archive.ts';
import { startConsole } from '../helpers/console.ts';
import {
  FakeEngine,
  fakeArchive,
  fakeBackup,
  fakeCoverage,
  fakeFractal,
  fakeHealth,
} from '../helpers/fake-engine.ts';
import { until } from '../helpers/until.ts';

const DAY = 86_400_000;

function drill(path: string, days: number, error: FileCheck['error'] = null): FileCheck {
  return {
    kind: 'drill',
    path,
    size_bytes: 1,
    modified_at: null,
    uuid: 'u',
    checksum: null,
    key_id: null,
    at: new Date(Date.now() - days * DAY).toISOString(),
    message: '',
    error,
  };
}

/** An installation in which all is well. */
function safeEngine(): FakeEngine {
  const fractal = fakeFractal(1, { name: 'web' });
  const created_at = new Date(Date.now() - 3_600_000).toISOString();
  const backup = fakeBackup(0.2);
  return new FakeEngine({
    fractals: [fractal],
    archives: [fakeArchive(1, fractal, { created_at, archive_type: 'scheduled', group_id: null })],
    backups: [backup, fakeBackup(1)],
    checks: [drill(backup.path, 3)],
    coverage: { [fractal.id]: fakeCoverage(fractal, ['both', 'clickhouse', 'both']) },
  });
}

/** The line with this label. */
function lineOf(lines: readonly string[], label: string): string {
  return lines.find((line) => line.slice(1).trimStart().startsWith(label)) ?? '';
}

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 50],
] as const) {
  test(`all that matters is on the screen at ${columns}x${rows}, without scrolling`, async () => {
    const engine = safeEngine();
    await using console = startConsole({ engine, columns, rows });
    const { terminal } = console;
    await terminal.waitFor('Your data is safe');
    await terminal.waitFor(/web +·{27,}█✗█/);
    const lines = terminal.lines();
    assert.match(lineOf(lines, 'Last backup'), /✓ 4h ago, 45\.8 MiB/);
    assert.match(lineOf(lines, 'Test restore'), /✓ 3d ago/);
    assert.match(lineOf(lines, 'Stored'), /[▁-█]{30,} {2}\d/);
    assert.match(lineOf(lines, 'Schedules'), /✓ nothing due; next at \d{4}-/);
    assert.match(lineOf(lines, 'Key'), /✓ 9f31c2a4/);
    assert.match(lineOf(lines, 'Backup storage'), /✓ \/opt\/bifract\/backups, 120 GiB free/);
    assert.match(lineOf(lines, 'Databases'), /✓ PostgreSQL 16\.4, ClickHouse 26\.3\.1/);
  });
}

test('each line leads to where it can be fixed, and back to that line', async () => {
  await using console = startConsole({ engine: safeEngine() });
  const { terminal, engine } = console;
  await terminal.waitFor(/web +·{27}█✗█/);
  const visit = async (label: string, shown: string | RegExp) => {
    const cursor = () => terminal.lines().find((line) => line.startsWith('▌')) ?? '';
    await terminal.press('g');
    await until(() => cursor().includes('Your data'), 8_000, 'the cursor is at the top');
    while (!cursor().startsWith(`▌ ${label}`)) {
      const before = cursor();
      await terminal.press('j');
      await until(() => cursor() !== before, 8_000, `the cursor moves to ${label}`);
    }
    await terminal.press('enter');
    await terminal.waitFor(shown);
    await terminal.press('esc');
    await terminal.waitFor(new RegExp(`^▌ ${label}`, 'm'));
  };
  await visit('Last backup', /Overview › .*bifract-backup-/);
  await visit('Test restore', /Overview › .*bifract-backup-/);
  await visit('web', 'Overview › web, by day');
  await visit('Stored', 'Overview › Archives');
  await visit('Schedules', 'Overview › Fractals');
  await visit('Jobs', 'Overview › Jobs');
  await visit('Key', 'Overview › Health');
  const job = engine.start({ kind: 'backup' });
  await terminal.waitFor('Running');
  await visit('Running', `Overview › ${job.title}`);
});

test('a failed job is shown until the same is done', async () => {
  await using console = startConsole({ engine: safeEngine() });
  const { terminal, engine } = console;
  await terminal.waitFor('Your data is safe');
  engine.start({ kind: 'backup' });
  engine.jobs[0]?.fail({ code: 'DUMP_FAILED', message: 'pg_dump ended early' });
  await terminal.waitFor(/Failed +✗ .*pg_dump ended early/);
  engine.start({ kind: 'backup' });
  engine.jobs[1]?.done();
  await terminal.waitFor('none running, none failed');
});

test('the reasons why data is not safe come first, the worst at the top, with the key that helps', async () => {
  const engine = safeEngine();
  engine.data.backups = [];
  engine.data.checks = [];
  engine.data.fractals.push(fakeFractal(2, { name: 'dns', archive_schedule: 'never' }));
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor('Your data is NOT safe');
  const [, , , headline, first, second, third] = terminal.lines();
  assert.match(headline ?? '', /✗/);
  assert.match(first ?? '', /✗ There is no backup of PostgreSQL {2}\(press b\)/);
  assert.match(second ?? '', /! No backup was ever test-restored/);
  assert.match(third ?? '', /! Fractal dns was never archived/);
  assert.match(lineOf(terminal.lines(), 'Last backup'), /✗ none/);
});

test('a backup that the key does not open is red everywhere', async () => {
  const engine = safeEngine();
  const error = { code: 'WRONG_KEY', message: 'Encrypted with another key, 11112222' } as const;
  engine.data.backups = [fakeBackup(0.2, { error, sealed: false })];
  await using console = startConsole({ engine, colors: 'truecolor' });
  const { terminal } = console;
  await terminal.waitFor('Your data is NOT safe');
  await terminal.waitFor('No backup is good. Encrypted with another key');
  assert.match(lineOf(terminal.lines(), 'Last backup'), /✗ 4h ago: Encrypted with another key/);
  await terminal.press('4');
  await terminal.waitFor('✗ wrong key');
  assert.doesNotMatch(terminal.lines().slice(4).join('\n'), /✓/);
  await terminal.press('enter');
  await terminal.waitFor(/Not usable +✗ Encrypted with another key/);
});

test('a folder of backups that vanished is no installation without backups', async () => {
  const engine = safeEngine();
  const gone = '/opt/bifract/backups does not exist, but held files on 2026-03-01';
  engine.data.health = fakeHealth({
    backups: { ok: false, detail: `${gone}. Mount it.`, location: '/opt/bifract/backups' },
  });
  engine.backups = async () => {
    throw new BifractError('STORAGE_UNREACHABLE', gone, { hint: 'Mount it.' });
  };
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor('Your data is NOT safe');
  await terminal.waitFor(`✗ ${gone.slice(0, 60)}`);
  await terminal.waitFor(/Storage ✗/);
  await terminal.press('4');
  await terminal.waitFor('Mount it.');
  assert.doesNotMatch(terminal.text(), /No backups yet/);
});

test('backups in the other storage are mentioned and listed, each by its path', async () => {
  const engine = safeEngine();
  const [backup] = engine.data.backups;
  assert.ok(backup);
  engine.data.backups = [
    { ...backup, storage_type: 's3', path: `bucket/${backup.name}` },
    { ...backup, id: backup.path },
  ];
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor(/Elsewhere +1 backup in \/opt\/bifract\/backups/);
  await terminal.press('4');
  await terminal.waitFor('2 backups');
  await terminal.press('G', 'v');
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'verify', targets: [backup.path] });
});

test('fractals are counted one after the other, and only while the overview is shown', async () => {
  const fractals = [1, 2, 3].map((seed) => fakeFractal(seed));
  const engine = new FakeEngine({ fractals });
  const counted: string[] = [];
  const gates = new Map<string, () => void>();
  engine.coverage = async (fractal_id) => {
    counted.push(fractal_id);
    await new Promise<void>((resolve) => gates.set(fractal_id, resolve));
    return fakeCoverage(fractals[0] as (typeof fractals)[number], ['both']);
  };
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor('counting…');
  assert.equal(counted.length, 1);
  gates.get(counted[0] ?? '')?.();
  await terminal.waitFor('all archived');
  assert.equal(counted.length, 2);
  await terminal.press('2');
  await terminal.waitFor('3 fractals');
  gates.get(counted[1] ?? '')?.();
  await terminal.press('1');
  await terminal.waitFor('all archived');
  assert.equal(counted.length, 3);
  await terminal.press('2');
  gates.get(counted[2] ?? '')?.();
  assert.equal(new Set(counted).size, 3);
});

test('the health page has the details of every part, wrapped if long', async () => {
  const health = fakeHealth();
  const detail = 'Writes, reads, lists and deletes; versioning is on, so what is deleted keeps its space';
  health.archives = { ok: true, detail, location: 's3://logs at https://s3.example.org' };
  const denied = 'Files above 8 MiB cannot be stored: denied. Give the key the right s3:AbortMultipartUpload';
  health.backups = { ok: false, detail: denied, location: 's3://logs' };
  await using console = startConsole({ engine: new FakeEngine({ health }), rows: 40 });
  const { terminal } = console;
  await terminal.waitFor(/Storage ✗/);
  await terminal.press('G', 'enter');
  await terminal.waitFor('s3://logs at https://s3.example.org');
  await terminal.waitFor('✓ Writes, reads, lists and deletes; versioning is on, so what');
  await terminal.waitFor('keeps its space');
  await terminal.waitFor('s3:AbortMultipartUpload');
});

test('header and overview show the current key, not the one at the start of the console', async () => {
  const health = fakeHealth();
  health.key = {
    ok: true,
    detail: '256 bits, fingerprint 0badcafe',
    key_id: '0badcafe',
    known_ids: ['0badcafe', '9f31c2a4'],
  };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.waitFor(/key 0badcafe/);
  await console.terminal.waitFor(/Key +✓ 0badcafe, and 1 earlier key/);
  assert.ok(!console.terminal.text().includes('9f31c2a4'));
});

test('what could not be cleaned up is shown, and on the health page what to do', async () => {
  const leftover = {
    job: 'drill-20260301-120000-3f9a1c',
    kind: 'drill',
    since: '2026-03-01T12:00:00Z',
    code: 'QUERY_FAILED',
    message: 'Cannot drop it\u001b[31m',
    hint: 'As a superuser, run DROP DATABASE x',
    warned_at: null,
  };
  const health = fakeHealth({ leftovers: [leftover] });
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.waitFor(/Not cleaned up +! drill-20260301-120000-3f9a1c/);
  await console.terminal.press('G', 'enter');
  await console.terminal.waitFor('DROP DATABASE x');
});

test("the server's own archive is shown if there is one, with a warning if its archiver has stopped", async () => {
  const archive = {
    updated_at: '2026-08-20T12:00:00.000Z',
    last_commit_at: '2026-08-20T11:00:00.000Z',
    fractal_count: 3,
    total_bytes: 5_000_000_000,
    total_records: 7_654_321,
  };
  for (const [minutes, sign] of [
    [1, '✓'],
    [20, '!'],
  ] as const) {
    const now = new Date(Date.parse(archive.updated_at) + minutes * 60_000);
    const health = fakeHealth({ server_archive: describeServerArchive(archive, now) });
    await using console = startConsole({ engine: new FakeEngine({ health }), columns: 120 });
    await console.terminal.waitFor(new RegExp(`Iceberg +${sign} 3 fractals, 7,654,321 records, 4.7 GiB`));
    await console.terminal.press('G', 'enter');
    if (minutes > 5) await console.terminal.waitFor('bifract-archiver');
  }
});
