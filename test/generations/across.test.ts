import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Generation, migrateLogsTables, migratePostgres } from '../../bin/demo/generations.ts';
import { resultOfJob } from '../helpers/engine-jobs.ts';
import { loadVectors, vectorBytes } from '../helpers/vectors.ts';
import { type GenerationInstallation, makeInstallation, OTHER, WEB } from './installation.ts';

interface Row {
  ts: string;
  id: string;
  its: string;
  raw: string;
  /** Without what is empty: typed paths always exist. */
  fields: Record<string, unknown>;
}

/** What an event consists of on every release. */
async function events({ services, generation }: GenerationInstallation): Promise<Row[]> {
  const text = await services.ch(
    `SELECT toString(timestamp, 'UTC') AS ts, log_id AS id, toString(ingest_timestamp, 'UTC') AS its,
       ${generation < 'G' ? 'raw_log' : "''"} AS raw, toJSONString(fields) AS json
     FROM logs WHERE fractal_id = '${WEB}' ORDER BY timestamp, log_id, ingest_timestamp FORMAT JSONEachRow`,
  );
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const { json, ...row } = JSON.parse(line) as Omit<Row, 'fields'> & { json: string };
      const fields = Object.entries(JSON.parse(json) as object).filter(([, value]) => value !== '');
      return { ...row, fields: Object.fromEntries(fields) };
    });
}

/** Archives the rows of one installation and restores the files on another one, by their paths. */
async function carry(from: GenerationInstallation, to: GenerationInstallation): Promise<void> {
  const { children } = await resultOfJob(from.engine, { kind: 'archive', fractal_id: WEB, split: 'day' });
  for (const { storage_path, log_count } of children) {
    const copy = join(to.dir.dir, 'incoming', storage_path);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(join(from.dir.dir, storage_path), copy);
    for (const added of [log_count, 0]) {
      const { code, last } = await to.program('restore-archive', copy, '--into', 'web', '--yes');
      assert.deepEqual([code, last.result?.rows_added], [0, added], JSON.stringify(last));
    }
  }
}

for (const [from, to] of [
  ['A', 'H'],
  ['H', 'A'],
] as const) {
  test(`archives written on release ${from} are restored on release ${to}`, async () => {
    const [source, target] = [await makeInstallation(from), await makeInstallation(to, { rows: 0 })];
    await carry(source, target);
    const [written, restored] = [await events(source), await events(target)];
    assert.equal(written.length, source.rows);
    assert.deepEqual(restored.map(comparable), written.map(comparable));
    if (to === 'A')
      assert.ok(
        restored.every(({ raw }) => raw.length > 0),
        'recent rows have their original lines',
      );
    assert.equal(await target.differentCounts(), 0);
  });
}

/** A row without its original line, and all values as text: a typed path turns an object into its text. */
function comparable({ raw: _, fields, ...row }: Row): object {
  const text = (value: unknown) => {
    const given = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return given.startsWith('{') ? JSON.parse(given) : given;
  };
  return {
    ...row,
    fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, text(value)])),
  };
}

test('archives written by the server itself are restored on the newest release', async () => {
  const vectors = loadVectors().filter(
    ({ kind, ok, file }) =>
      kind === 'archive-v1' && ok && /^c-archive\/(lines-1|lines-5000|odd|wild)\./.test(file),
  );
  assert.equal(vectors.length, 4);
  const extra = { BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS: vectors[0]?.key_hex ?? '' };
  const on = await makeInstallation('H', { rows: 0, extra });
  for (const vector of vectors) {
    await on.clear();
    const path = join(on.dir.dir, vector.file.replace('/', '-'));
    await writeFile(path, vectorBytes(vector));
    const { data_lines = 0 } = vector.archive ?? {};
    // Two lines of this file are not rows, as the plan of the restore says.
    const lines = vector.file.includes('wild') ? data_lines - 2 : data_lines;
    for (const added of [lines, 0]) {
      const { code, last } = await on.program('restore-archive', path, '--into', 'web', '--yes');
      assert.deepEqual(
        [code, last.result?.rows_added],
        [0, added],
        `${vector.file}: ${JSON.stringify(last)}`,
      );
    }
    assert.equal(await on.services.ch(`SELECT count() FROM logs WHERE fractal_id = '${WEB}'`), `${lines}\n`);
    assert.equal(await on.differentCounts(), 0);
  }
});

async function upgrade(on: GenerationInstallation, to: Generation): Promise<void> {
  const { services, generation } = on;
  await migratePostgres(services.postgres, generation, to);
  await migrateLogsTables(services.clickhouse, services.clickhouse.database, generation, to);
  on.generation = to;
}

for (const from of ['A', 'D'] as const) {
  test(`an upgrade in place from release ${from} to H keeps records, schedules and old files`, async () => {
    const on = await makeInstallation(from);
    const schedule = { archive_schedule: 'weekly', archive_split: 'day', max_archives: 5 };
    await on.engine.setSchedule(OTHER, schedule);
    const { code, last } = await on.program('archive', 'web', '--split', 'day');
    assert.equal(code, 0, JSON.stringify(last));
    const group = String(last.result?.group_id);
    const due = await on.program('run-due');
    assert.equal(due.last.result?.archived, 1);
    const before = { archives: await on.engine.archives(), groups: await on.engine.groups() };
    const covered = (await on.engine.coverage(WEB)).periods;
    const written = await events(on);

    await upgrade(on, 'H');
    const engine = await on.reopen();
    const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);
    assert.deepEqual(ids(await engine.archives()), ids(before.archives));
    assert.deepEqual({ archives: await engine.archives(), groups: await engine.groups() }, before);
    const other = (await engine.fractals()).find(({ id }) => id === OTHER);
    assert.deepEqual({ ...schedule, ...other }, other);
    assert.deepEqual((await engine.coverage(WEB)).periods, covered);
    assert.equal((await on.program('list', 'archives')).code, 0);
    const verified = await resultOfJob(engine, { kind: 'verify', targets: 'all' });
    assert.deepEqual([verified.files, verified.proven], [before.archives.length, before.archives.length]);
    const again = await on.program('run-due');
    assert.deepEqual([again.code, again.last.result?.archived], [0, 0], JSON.stringify(again.last));

    await on.clear(`fractal_id = '${WEB}'`);
    const restored = await on.program('restore-archive', group, '--yes');
    assert.deepEqual(
      [restored.code, restored.last.result?.rows_added],
      [0, on.rows],
      JSON.stringify(restored.last),
    );
    assert.deepEqual((await events(on)).map(comparable), written.map(comparable));
    assert.equal(await on.differentCounts(), 0);

    const fresh = await on.program('archive', 'web', '--split', 'day');
    assert.equal(fresh.code, 0, JSON.stringify(fresh.last));
    assert.equal(fresh.last.result?.log_count, on.rows);
  });
}
