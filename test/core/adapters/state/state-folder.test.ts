import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { chmod, chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { identityOf, isRunning } from '../../../../src/core/adapters/state/process-identity.ts';
import { StateFolder } from '../../../../src/core/adapters/state/state-folder.ts';
import { type FileCheck, type JobRecord, UNREADABLE } from '../../../../src/core/ports/state.ts';
import { stateContract } from '../../../contracts/state.ts';
import { refuses } from '../../../contracts/storage.ts';
import { asNobody, isRoot, NOBODY } from '../../../helpers/nobody.ts';

const RECORD: JobRecord = {
  id: 'archive-20260301-120000-abc123',
  kind: 'archive',
  started_at: '2026-03-01T12:00:00Z',
};
const WRITER = fileURLToPath(new URL('./record-writer.ts', import.meta.url));
let dir: string;
let state: StateFolder;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-state-'));
  state = new StateFolder(dir);
});

afterEach(() => rm(dir, { recursive: true }));

function recordPath(): string {
  return join(dir, '.bifract/jobs', `${RECORD.id}.json`);
}

function startWriter(...mode: string[]) {
  const args = ['--import', 'tsx', WRITER, dir, JSON.stringify(RECORD), ...mode];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

stateContract('state folder', async () => {
  const home = await mkdtemp(join(tmpdir(), 'bifract-state-'));
  return {
    state: new StateFolder(home),
    crash: () => endProcess(join(home, '.bifract/jobs')),
    close: () => rm(home, { recursive: true }),
  };
});

/** Makes another process, which has ended, the owner of all records. */
async function endProcess(jobs: string): Promise<void> {
  for (const name of await readdir(jobs)) {
    const record = JSON.parse(await readFile(join(jobs, name), 'utf8'));
    await writeFile(
      join(jobs, name),
      JSON.stringify({ ...record, process: { ...record.process, start: '1' } }),
    );
  }
}

async function changeOwner(change: Record<string, unknown>): Promise<void> {
  const record = JSON.parse(await readFile(recordPath(), 'utf8'));
  await writeFile(recordPath(), JSON.stringify({ ...record, process: { ...record.process, ...change } }));
}

test('without a record no folder is created', async () => {
  assert.deepEqual([await state.running(), await state.interrupted(), await readdir(dir)], [[], [], []]);
});

test('records have mode 0600, folders 0700', async () => {
  await state.save(RECORD);
  const modes = await Promise.all(
    ['.bifract', '.bifract/jobs', `.bifract/jobs/${RECORD.id}.json`].map((path) => stat(join(dir, path))),
  );
  assert.deepEqual(
    modes.map(({ mode }) => (mode & 0o777).toString(8)),
    ['700', '700', '600'],
  );
});

test('a job whose process was killed is interrupted', async () => {
  const child = startWriter();
  const exit = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exit]);
  assert.deepEqual([await state.running(), await state.interrupted()], [[RECORD], []]);
  child.kill('SIGKILL');
  await exit;
  assert.deepEqual([await state.running(), await state.interrupted()], [[], [RECORD]]);
});

test('cleanup removes partial writes of killed processes, and keeps those of running ones', async () => {
  const jobs = join(dir, '.bifract/jobs');
  const child = startWriter('block');
  await once(child.stdout, 'data');
  const other = { ...RECORD, id: `${RECORD.id}-other` };
  const partial = () => readdir(jobs).then((names) => names.filter((name) => name.startsWith('.')).length);
  await new StateFolder(dir).save(other);
  await new StateFolder(dir).cleanUp();
  assert.equal(await partial(), 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await new StateFolder(dir).cleanUp();
  assert.equal(await partial(), 0);
  assert.deepEqual(await readdir(jobs), [`${other.id}.json`]);
});

test('cleanup removes what a process left that was killed while it waited for a lock or saved leftovers', async () => {
  const files = () => readdir(join(dir, '.bifract')).then((names) => names.sort());
  await state.locked('own', async () => {
    const before = await files();
    for (const mode of ['wait', 'leftovers']) {
      const child = startWriter(mode);
      await once(child.stdout, 'data');
      await state.cleanUp();
      assert.equal((await files()).length, before.length + 1, mode);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await state.cleanUp();
      assert.deepEqual(await files(), before, mode);
    }
  });
});

test('cleanup removes the lock of a killed process, and keeps that of a running one', async () => {
  const child = startWriter('hold');
  await once(child.stdout, 'data');
  const lock = join(dir, '.bifract', 'changing');
  await state.cleanUp();
  await stat(lock);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await state.cleanUp();
  await assert.rejects(stat(lock), { code: 'ENOENT' });
});

const PLAN = { into: { id: 'f' }, files: [{ name: 'a' }] };

/** A record of a restore with these staging tables. */
function restoring(plan: object, ...tables: string[]): JobRecord {
  const rows = tables.map((name, file) => ({ name, file, rows: 1 }));
  return {
    ...RECORD,
    kind: 'restore-archive',
    restoring: { key: 'k', plan, phase: 'staging', archive_ids: [], tables: rows } as never,
  };
}

async function jobFiles(): Promise<string[]> {
  return (await readdir(join(dir, '.bifract/jobs'))).sort();
}

test('the plan of a restore is saved once, the rest of its record with every step, and both are removed', async () => {
  const plan = { ...PLAN };
  await state.save(restoring(plan));
  const { ino } = await stat(recordPath());
  for (const tables of [['t1'], ['t1', 't2']]) {
    await state.save(restoring(plan, ...tables));
    assert.deepEqual(await new StateFolder(dir).running(), [restoring(plan, ...tables)]);
  }
  assert.equal((await stat(recordPath())).ino, ino);
  assert.deepEqual(await jobFiles(), [`${RECORD.id}.json`, `${RECORD.id}.now`]);
  assert.doesNotMatch(await readFile(join(dir, '.bifract/jobs', `${RECORD.id}.now`), 'utf8'), /"files"/);
  await state.saveInterrupted(restoring(plan, 't3'));
  assert.deepEqual(await state.running(), []);
  assert.deepEqual(await new StateFolder(dir).interrupted(), [restoring(plan, 't3')]);
  await state.remove(RECORD.id);
  assert.deepEqual(await jobFiles(), []);
  await state.save(restoring(plan, 't4'));
  assert.deepEqual(await state.running(), [restoring(plan, 't4')]);
});

test('a second file is only valid for the plan it was saved with', async () => {
  const [old, later] = [
    { ...PLAN, id: 'old' },
    { ...PLAN, id: 'later' },
  ];
  await state.save(restoring(old));
  await state.save(restoring(old, 'of the old'));
  await new StateFolder(dir).save(restoring(later));
  assert.deepEqual(await state.running(), [restoring(later)]);
});

test('a plan that could not be saved is saved with the next record', async () => {
  const plan = { ...PLAN };
  const rename = mock.method(fs, 'rename', () =>
    Promise.reject(Object.assign(new Error('ENOSPC: made up'), { code: 'ENOSPC' })),
  );
  await refuses('STORAGE_FULL', state.save(restoring(plan)));
  rename.mock.restore();
  await state.save(restoring(plan, 't1'));
  assert.deepEqual(await state.running(), [restoring(plan, 't1')]);
});

test('cleanup removes a second file without a plan', async () => {
  const plan = { ...PLAN };
  await state.save(restoring(plan));
  await state.save(restoring(plan, 't1'));
  await rm(recordPath());
  assert.deepEqual([await state.running(), await state.interrupted()], [[], []]);
  await state.save({ ...RECORD, id: 'other' });
  await state.cleanUp();
  assert.deepEqual(await jobFiles(), ['other.json']);
});

test('a process is not identified by its PID alone', async () => {
  await state.save(RECORD);
  for (const change of [{ start: '1' }, { boot: 'another' }, { pid: 1 }, { pid: 2 ** 22 + 1 }]) {
    await changeOwner(change);
    assert.deepEqual(
      [await state.running(), await state.interrupted()],
      [[], [RECORD]],
      JSON.stringify(change),
    );
    await state.save(RECORD);
  }
});

test('ignores files that are not records', async () => {
  await state.save(RECORD);
  for (const [name, text] of [
    ['half.json', '{"id":'],
    ['other.json', '{}'],
    ['.hidden.json', '{}'],
    ['x.txt', 'x'],
  ]) {
    await writeFile(join(dir, '.bifract/jobs', name ?? ''), text ?? '');
  }
  assert.deepEqual([await state.running(), await state.interrupted()], [[RECORD], []]);
});

test('a file with the name of a job that holds no record of it is unreadable, and keeps nobody from the others', async () => {
  await state.save(RECORD);
  const names = ['archive-20260301-120000-aaaaaa', 'restore-archive-20260301-120001-aaaaaa'];
  for (const text of ['', '[[[[', 'null', '{"id":5}', JSON.stringify(RECORD)]) {
    for (const name of names) await writeFile(join(dir, '.bifract/jobs', `${name}.json`), text);
    assert.deepEqual(
      [await state.running(), await state.interrupted()],
      [[RECORD], names.map((id) => ({ id, kind: UNREADABLE, started_at: '' }))],
      text,
    );
  }
});

test('an id that is not a valid file name is refused', async () => {
  for (const id of ['', '../x', 'a/b', '.x']) await refuses('INTERNAL', state.save({ ...RECORD, id }));
});

test('a process that has ended is not running, and processes have different identities', async () => {
  const child = spawn('sleep', ['60']);
  const identity = await identityOf(child.pid ?? 0);
  assert.ok(identity && (await isRunning(identity)));
  assert.notDeepEqual(identity, await identityOf(process.pid));
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
  assert.equal(await isRunning(identity), false);
});

test('a record that cannot be read is interrupted for recovery, and an error for who asks what is running', async () => {
  await state.save(RECORD);
  const file = join(dir, '.bifract/jobs', `${RECORD.id}.json`);
  await chmod(file, 0);
  const paths = [dir, join(dir, '.bifract'), dirname(file), file];
  if (isRoot) for (const path of paths) await chown(path, NOBODY, NOBODY);
  await asNobody(async () => {
    assert.deepEqual(await state.interrupted(), [{ id: RECORD.id, kind: UNREADABLE, started_at: '' }]);
    await refuses('STORAGE_DENIED', state.running());
  });
});

test('notes about leftovers that are damaged are no notes', async () => {
  for (const text of ['', '{"a":', '{}', '7']) {
    await state.save(RECORD);
    await writeFile(join(dir, '.bifract/leftovers.json'), text);
    assert.deepEqual(await state.leftovers(), []);
  }
});

test('a note that is no note does not hide the others', async () => {
  await state.save(RECORD);
  const note = {
    ...{ job: 'a', kind: 'backup', since: '' },
    ...{ code: 'INTERNAL', message: '', hint: '', warned_at: null },
  };
  const others = [null, 5, 'x', [], {}, { ...note, job: 7 }, { ...note, warned_at: 5 }];
  await writeFile(join(dir, '.bifract/leftovers.json'), JSON.stringify([...others, note]));
  assert.deepEqual(await state.leftovers(), [note]);
});

test('what is no check, or no folder, does not hide the others', async () => {
  await state.save(RECORD);
  const check = {
    ...{ kind: 'drill', path: '/a', size_bytes: null, modified_at: null, uuid: null },
    ...{ checksum: null, key_id: null, at: '2026-03-01T12:00:00Z', message: '', error: null },
  };
  const wrong = [{ kind: 'x' }, { path: 7 }, { size_bytes: '5' }, { at: 'soon' }, { error: 'x' }];
  const checks = [null, [], ...wrong.map((change) => ({ ...check, ...change })), check];
  await writeFile(join(dir, '.bifract/checks.json'), JSON.stringify(checks));
  assert.deepEqual(await state.checks(), [check]);
  const folder = { path: '/a', id: '1:2', seen_at: '2026-03-01T12:00:00Z' };
  const folders = [7, { ...folder, id: 7 }, { ...folder, seen_at: null }, folder];
  await writeFile(join(dir, '.bifract/folders.json'), JSON.stringify(folders));
  assert.deepEqual(await state.folders(), [folder]);
  for (const text of ['', '[', '{}']) {
    await writeFile(join(dir, '.bifract/checks.json'), text);
    assert.deepEqual(await state.checks(), []);
    await state.addChecks([check as FileCheck]);
    assert.deepEqual(await state.checks(), [check]);
  }
});

test('with read_only, checks are kept in memory, and nothing is written', async () => {
  const check: FileCheck = {
    ...{ kind: 'verify', path: '/a', size_bytes: 5, modified_at: null, uuid: null },
    ...{ checksum: null, key_id: null, at: '2026-03-01T12:00:00Z', message: '', error: null },
  };
  const reading = new StateFolder(dir, { read_only: true });
  await reading.addChecks([check]);
  await reading.changeFolders(() => [{ path: '/a', id: '1:2', seen_at: '2026-03-01T12:00:00Z' }]);
  assert.deepEqual(await reading.checks(), [check]);
  assert.deepEqual(await state.checks(), []);
  assert.deepEqual(await reading.folders(), []);
  assert.deepEqual(await readdir(dir), []);
});

test('a record that no version can have written is unreadable, and an error for nobody', async () => {
  const request = { fractal_id: 'f', split: 'none', from: null, to: null, archive_type: 'adhoc' };
  const window = { label: null, from: null, to: '2026-03-01T12:00:00Z', rows: 1 };
  const archive = { request, end: '', begun_at: '', window, leftovers: [] };
  const restoring = { key: 'k', plan: { into: { id: 'f' }, files: [] }, phase: 'staging', archive_ids: [] };
  const invalid: Record<string, unknown[]> = {
    archive_id: [5, {}],
    archive: [{}, 'x', { ...archive, request: undefined }, { ...archive, leftovers: [5] }],
    databases: ['x', [5], {}],
    rekey: [[null], [{ place: 'replaceKey', name: 'x' }], 7],
    deleting: [true, [{}]],
    copying: [[], { place: 'key', name: 'x', to: 's3', archive_id: null }],
    restoring: [{}, { ...restoring, plan: {} }, { ...restoring, archive_ids: 'x' }],
    containers_stopped: ['x'],
  };
  for (const [member, values] of Object.entries(invalid)) {
    for (const value of values) {
      await state.saveInterrupted(RECORD);
      const stored = JSON.parse(await readFile(recordPath(), 'utf8'));
      await writeFile(recordPath(), JSON.stringify({ ...stored, [member]: value }));
      const { id, started_at } = RECORD;
      assert.deepEqual(await state.interrupted(), [{ id, kind: UNREADABLE, started_at }], member);
      assert.deepEqual(await state.running(), []);
    }
  }
  const valid = { ...RECORD, archive, restoring, databases: ['x'], later: { any: 'thing' } };
  await new StateFolder(dir).saveInterrupted(valid as unknown as JobRecord);
  assert.deepEqual(await new StateFolder(dir).interrupted(), [valid]);
});
