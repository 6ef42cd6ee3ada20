import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ndjson, run } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';

const FRACTAL = 'f2000000-0000-4000-8000-000000000001';
const services = await testServices();
const { dir } = await services.installation();
let backup = '';
let archive = '';
let group = '';

const bifract = (...args: string[]) => run([...args, '--dir', dir]);
const backups = async () => (await readdir(join(dir, 'backups'))).sort();

/** Everything that the commands of this file could change. */
async function state(): Promise<object> {
  return {
    files: (await readdir(dir, { recursive: true })).filter((name) => !name.startsWith('.bifract')).sort(),
    env: await readFile(join(dir, '.env'), 'utf8'),
    records: await services.sql('SELECT * FROM archives ORDER BY id'),
    groups: await services.sql('SELECT * FROM archive_groups ORDER BY id'),
    rows: await services.ch('SELECT count() FROM logs'),
  };
}

before(async () => {
  await services.sql(
    `INSERT INTO fractals (id, name, archive_schedule, archive_split) VALUES ('${FRACTAL}', 'web', 'never', 'none')`,
  );
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id) VALUES ('2026-03-01 00:00:00', 'a', 'a', '${FRACTAL}')`,
  );
  const made = [await bifract('backup', '--json'), await bifract('backup'), await bifract('archive', 'web')];
  for (const ended of made) assert.equal(ended.code, 0, ended.stderr);
  const [first] = made;
  assert.ok(first);
  backup = ndjson<{ result: { name: string } }>(first).at(-1)?.result.name ?? '';
  const [record] = await services.sql('SELECT id, group_id FROM archives');
  archive = record?.id ?? '';
  group = record?.group_id ?? '';
});

/** Without a terminal: exits with 2, and nothing changes. */
async function refuses(...args: string[]): Promise<void> {
  const unchanged = await state();
  for (const flag of ['--non-interactive', '--json']) {
    const ended = await bifract(...args, flag);
    assert.equal(ended.code, 2, `${args.join(' ')} ${flag}: ${ended.stdout}${ended.stderr}`);
    assert.match(ended.stdout + ended.stderr, /USAGE/);
  }
  assert.deepEqual(await state(), unchanged, args.join(' '));
}

test('without --yes, commands that delete or replace data exit with 2 and change nothing', async () => {
  await refuses('delete', 'backup', backup);
  await refuses('delete', 'archive', archive);
  await refuses('delete', 'group', group);
  await refuses('prune', '--keep-last', '1');
  await refuses('key', 'rotate');
  await refuses('restore-archive', archive);
  await refuses('restore-archive', archive, '--replace');
  await services.sql(`UPDATE archives SET status = 'in_progress', created_at = now() - interval '30 days'`);
  await refuses('clean');
  await services.sql('DELETE FROM archives');
  await refuses('adopt');
});

test('a deletion of which every item is refused shows its plan and starts no job', async () => {
  const unchanged = await state();
  for (const [name, code, exit] of [
    ['nope', 'USAGE', 2],
    ['bifract-backup-20200101-000000.bifract-backup', 'NOT_FOUND', 1],
  ] as const) {
    const ended = await bifract('delete', 'backup', name);
    assert.equal(ended.code, exit, ended.stdout + ended.stderr);
    assert.match(String(ended.stdout), /Nothing will be deleted/);
    assert.match(String(ended.stderr), new RegExp(code));
    assert.doesNotMatch(String(ended.stdout), /Deleting/);
    const events = ndjson<{ event?: string; error?: { code: string } }>(
      await bifract('delete', 'backup', name, '--yes', '--json'),
    );
    assert.equal(events.at(-1)?.error?.code, code);
    assert.ok(events.every(({ event }) => event !== 'job:started'));
  }
  assert.deepEqual(await state(), unchanged);
});

test('--yes confirms', async () => {
  for (const args of [['adopt'], ['key', 'rotate'], ['prune', '--keep-last', '1']]) {
    const ended = await bifract(...args, '--yes', '--non-interactive');
    assert.equal(ended.code, 0, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  }
  assert.equal((await services.sql('SELECT id FROM archives')).length, 1);
  assert.deepEqual((await backups()).includes(backup), false);
});

test('--prune confirms the retention after a backup', async () => {
  const before_backup = await backups();
  const ended = await bifract('backup', '--prune', '--keep-last', '1', '--non-interactive');
  assert.equal(ended.code, 0, ended.stderr);
  const left = await backups();
  assert.equal(left.length, 1);
  assert.notDeepEqual(left, before_backup);
});
