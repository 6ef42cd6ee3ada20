import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';

const FRACTAL = 'f1000000-0000-4000-8000-000000000001';
const services = await testServices();
const { dir } = await services.installation();
let archive = '';
let file = '';

const DIGEST = `SELECT count(), sum(cityHash64(timestamp, raw_log, log_id, toJSONString(fields), ingest_timestamp))
  FROM logs WHERE fractal_id = {fractal:String}`;
const digest = (fractal = FRACTAL) => services.ch(DIGEST, { fractal });
const clear = () => services.ch(`ALTER TABLE logs DELETE WHERE 1 SETTINGS mutations_sync = 2`);

async function bifract(...args: string[]) {
  const { code, stdout, stderr } = await start([...args, '--dir', dir], {
    BIFRACT_ARCHIVE_DIR: dir,
  }).ended;
  return { code, stderr, lines: String(stdout).trimEnd().split('\n') };
}

async function last(...args: string[]) {
  const { code, lines } = await bifract(...args, '--json');
  return { code, end: JSON.parse(lines.at(-1) ?? '{}') };
}

before(async () => {
  await services.sql(`INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'web')`);
  const [from, to] = [new Date('2026-02-20'), new Date('2026-03-10')];
  const rows = { fractal_id: FRACTAL, kind: 'mixed', rows: 3000, seed: 5, from, to } as const;
  await seedRows(services.clickhouse, services.clickhouse.database, rows);
  const { end } = await last('archive', 'web');
  assert.equal(end.event, 'job:done', JSON.stringify(end));
  const [record] = await services.sql('SELECT id, storage_path FROM archives');
  archive = record?.id ?? '';
  file = join(dir, record?.storage_path ?? '');
});

test('a dry run shows the plan and changes nothing', async () => {
  const before_restore = await digest();
  const { code, lines } = await bifract('restore-archive', archive, '--dry-run', '--json');
  assert.equal(code, 0);
  const plan = JSON.parse(lines[0] ?? '');
  assert.deepEqual([plan.rows, plan.rows_there, plan.into.name, plan.obstacles], [3000, 3000, 'web', []]);
  assert.match((await bifract('restore-archive', archive, '--dry-run')).lines.join('\n'), /3,000 rows/);
  assert.equal(await digest(), before_restore);
});

test('rows are restored exactly, and a second call does not duplicate them', async () => {
  const before_restore = await digest();
  await clear();
  const { code, end } = await last('restore-archive', archive, '--yes');
  assert.equal(code, 0, JSON.stringify(end));
  assert.equal(end.result.rows_added, 3000);
  assert.equal(await digest(), before_restore);
  const again = await last('restore-archive', file, '--yes');
  assert.deepEqual([again.end.result.rows_added, again.end.result.rows_there], [0, 3000]);
  assert.equal(await digest(), before_restore);
  const [record] = await services.sql('SELECT status, restore_lines_sent, restore_error FROM archives');
  assert.deepEqual(record, { status: 'completed', restore_lines_sent: '3000', restore_error: null });
});

test('--replace with a window replaces only rows in the window', async () => {
  const before_restore = await digest();
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id) VALUES ('2026-03-01 00:00:00', 'wrong', 'x', '${FRACTAL}'), ('2026-03-05 00:00:00', 'outside', 'x', '${FRACTAL}')`,
  );
  const window = ['--from', '2026-03-01', '--to', '2026-03-02T00:00'];
  assert.equal((await bifract('restore-archive', archive, '--replace', ...window)).code, 2);
  const { code } = await last('restore-archive', archive, '--replace', ...window, '--yes');
  assert.equal(code, 0);
  assert.equal(await services.ch("SELECT raw_log FROM logs WHERE log_id = 'x'"), 'outside\n');
  await services.ch("DELETE FROM logs WHERE log_id = 'x'");
  assert.equal(await digest(), before_restore);
});

test('a group is restored into another fractal', async () => {
  const other = 'f1000000-0000-4000-8000-000000000002';
  await services.sql(`INSERT INTO fractals (id, name) VALUES ('${other}', 'other')`);
  const [group] = await services.sql('SELECT id FROM archive_groups');
  const { code } = await last('restore-archive', group?.id ?? '', '--into', 'other', '--yes');
  assert.equal(code, 0);
  assert.equal(await digest(other), await digest());
});

test('a fractal in use exits with 6, a damaged file with 5, an unknown file with 1', async () => {
  await services.sql(
    `INSERT INTO archives (fractal_id, filename, storage_type, storage_path, status, format_version) VALUES ('${FRACTAL}', 'x', 'disk', 'x', 'in_progress', 1)`,
  );
  assert.equal((await bifract('restore-archive', archive, '--yes')).code, 6);
  await services.sql("DELETE FROM archives WHERE filename = 'x'");
  const before_restore = await digest();
  const bytes = await readFile(file);
  const copy = join(dir, 'broken.bifract-archive');
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 1;
  await writeFile(copy, bytes);
  assert.equal((await bifract('restore-archive', copy, '--yes')).code, 5);
  assert.equal((await bifract('restore-archive', 'nothing', '--yes')).code, 1);
  assert.equal(await digest(), before_restore);
  assert.equal(
    await services.ch(
      "SELECT count() FROM system.tables WHERE name LIKE 'bifract_restore_%' AND database = currentDatabase()",
    ),
    '0\n',
  );
});
