import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { identityOf, isRunning } from '../../../src/core/adapters/process-identity.ts';
import { StateFolder } from '../../../src/core/adapters/state-folder.ts';
import type { JobNote } from '../../../src/core/ports/state.ts';
import { refuses } from '../../contracts/storage.ts';

const NOTE: JobNote = {
  id: 'archive-20260301-120000-abc123',
  kind: 'archive',
  started_at: '2026-03-01T12:00:00Z',
};
const FOLDER = new URL('../../../src/core/adapters/state-folder.ts', import.meta.url);
let dir: string;
let state: StateFolder;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-state-'));
  state = new StateFolder(dir);
});

afterEach(() => rm(dir, { recursive: true }));

function notePath(): string {
  return join(dir, '.bifract/jobs', `${NOTE.id}.json`);
}

async function changeOwner(change: Record<string, unknown>): Promise<void> {
  const note = JSON.parse(await readFile(notePath(), 'utf8'));
  await writeFile(notePath(), JSON.stringify({ ...note, process: { ...note.process, ...change } }));
}

test('nothing is noted, nothing is made', async () => {
  assert.deepEqual([await state.live(), await state.dead(), await readdir(dir)], [[], [], []]);
});

test('a job of this process is live, its later note replaces the earlier, until it is forgotten', async () => {
  await state.note(NOTE);
  const later = { ...NOTE, archive_id: 'a', object: 'archives/x' };
  await state.note(later);
  assert.deepEqual([await state.live(), await state.dead()], [[later], []]);
  await state.forget(NOTE.id);
  await state.forget(NOTE.id);
  assert.deepEqual([await state.live(), await state.dead()], [[], []]);
  assert.deepEqual(await readdir(join(dir, '.bifract/jobs')), []);
});

test('notes are for their owner alone', async () => {
  await state.note(NOTE);
  const modes = await Promise.all(
    ['.bifract', '.bifract/jobs', `.bifract/jobs/${NOTE.id}.json`].map((path) => stat(join(dir, path))),
  );
  assert.deepEqual(
    modes.map(({ mode }) => (mode & 0o777).toString(8)),
    ['700', '700', '600'],
  );
});

test('a job whose process was killed is dead', async () => {
  const script = `import { StateFolder } from ${JSON.stringify(FOLDER.href)};
    await new StateFolder(${JSON.stringify(dir)}).note(${JSON.stringify(NOTE)});
    console.log('noted'); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exit]);
  assert.deepEqual([await state.live(), await state.dead()], [[NOTE], []]);
  child.kill('SIGKILL');
  await exit;
  assert.deepEqual([await state.live(), await state.dead()], [[], [NOTE]]);
});

test('what a killed process had half written is tidied away, and what a live one writes stays', async () => {
  const jobs = join(dir, '.bifract/jobs');
  const script = `import { StateFolder } from ${JSON.stringify(FOLDER.href)};
    import fs from 'node:fs/promises';
    fs.rename = () => new Promise(() => setInterval(() => process.stdout.write('writing '), 10));
    await new StateFolder(${JSON.stringify(dir)}).note(${JSON.stringify(NOTE)});`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  await once(child.stdout, 'data');
  const other = { ...NOTE, id: `${NOTE.id}-other` };
  const half = () => readdir(jobs).then((names) => names.filter((name) => name.startsWith('.')).length);
  await new StateFolder(dir).note(other);
  await new StateFolder(dir).tidy();
  assert.equal(await half(), 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await new StateFolder(dir).tidy();
  assert.equal(await half(), 0);
  assert.deepEqual(await readdir(jobs), [`${other.id}.json`]);
});

/** A restore of one file, with tables that have come to stand. */
function restoring(plan: object, ...tables: string[]): JobNote {
  const rows = tables.map((name, file) => ({ name, file, rows: 1 }));
  return { ...NOTE, kind: 'restore-archive', restoring: { key: 'k', plan, tables: rows } as never };
}

async function jobFiles(): Promise<string[]> {
  return (await readdir(join(dir, '.bifract/jobs'))).sort();
}

test('the plan of a restore is kept once, the rest of its note with every step, and both are forgotten', async () => {
  const plan = { id: 'p', files: ['a'] };
  await state.note(restoring(plan));
  const { ino } = await stat(notePath());
  for (const tables of [['t1'], ['t1', 't2']]) {
    await state.note(restoring(plan, ...tables));
    assert.deepEqual(await new StateFolder(dir).live(), [restoring(plan, ...tables)]);
  }
  assert.equal((await stat(notePath())).ino, ino);
  assert.deepEqual(await jobFiles(), [`${NOTE.id}.json`, `${NOTE.id}.now`]);
  assert.doesNotMatch(await readFile(join(dir, '.bifract/jobs', `${NOTE.id}.now`), 'utf8'), /"files"/);
  await state.leave(restoring(plan, 't3'));
  assert.deepEqual(await state.live(), []);
  assert.deepEqual(await new StateFolder(dir).dead(), [restoring(plan, 't3')]);
  await state.forget(NOTE.id);
  assert.deepEqual(await jobFiles(), []);
  await state.note(restoring(plan, 't4'));
  assert.deepEqual(await state.live(), [restoring(plan, 't4')]);
});

test('steps count for the plan that they were noted with, and for no other', async () => {
  const [old, later] = [{ id: 'old' }, { id: 'later' }];
  await state.note(restoring(old));
  await state.note(restoring(old, 'of the old'));
  await new StateFolder(dir).note(restoring(later));
  assert.deepEqual(await state.live(), [restoring(later)]);
});

test('a plan that could not be kept is kept with the next note', async () => {
  const plan = { id: 'p' };
  const rename = mock.method(fs, 'rename', () =>
    Promise.reject(Object.assign(new Error('ENOSPC: made up'), { code: 'ENOSPC' })),
  );
  await refuses('STORAGE_FULL', state.note(restoring(plan)));
  rename.mock.restore();
  await state.note(restoring(plan, 't1'));
  assert.deepEqual(await state.live(), [restoring(plan, 't1')]);
});

test('steps of which the plan is forgotten are tidied away', async () => {
  const plan = { id: 'p' };
  await state.note(restoring(plan));
  await state.note(restoring(plan, 't1'));
  await rm(notePath());
  assert.deepEqual([await state.live(), await state.dead()], [[], []]);
  await state.note({ ...NOTE, id: 'other' });
  await state.tidy();
  assert.deepEqual(await jobFiles(), ['other.json']);
});

test('a process is not told by its id alone', async () => {
  await state.note(NOTE);
  for (const change of [{ start: '1' }, { boot: 'another' }, { pid: 1 }, { pid: 2 ** 22 + 1 }]) {
    await changeOwner(change);
    assert.deepEqual([await state.live(), await state.dead()], [[], [NOTE]], JSON.stringify(change));
    await state.note(NOTE);
  }
});

test('what is no note is passed over', async () => {
  await state.note(NOTE);
  for (const [name, text] of [
    ['half.json', '{"id":'],
    ['other.json', '{}'],
    ['.hidden.json', '{}'],
    ['x.txt', 'x'],
  ]) {
    await writeFile(join(dir, '.bifract/jobs', name ?? ''), text ?? '');
  }
  assert.deepEqual([await state.live(), await state.dead()], [[NOTE], []]);
});

test('an id that is no name of a file is refused', async () => {
  for (const id of ['', '../x', 'a/b', '.x']) await refuses('INTERNAL', state.note({ ...NOTE, id }));
});

test('a process that ended is not running, and no other has its identity', async () => {
  const child = spawn('sleep', ['60']);
  const identity = await identityOf(child.pid ?? 0);
  assert.ok(identity && (await isRunning(identity)));
  assert.notDeepEqual(identity, await identityOf(process.pid));
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
  assert.equal(await isRunning(identity), false);
});
