import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FolderJobBus } from '../../../../src/core/adapters/job-bus/job-bus.ts';
import { AuditLog } from '../../../../src/core/adapters/state/audit-log.ts';
import { StateFolder } from '../../../../src/core/adapters/state/state-folder.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import type { JobRecord } from '../../../../src/core/ports/state.ts';
import { isRoot, NOBODY } from '../../../helpers/nobody.ts';

const RECORD: JobRecord = { id: 'backup-1', kind: 'backup', started_at: '2026-03-01T12:00:00Z' };
const ENTRY = { time: RECORD.started_at, event: 'begun', job: 'x', kind: 'delete', title: 'Delete' } as const;
let base: string;
let dir: string;
let victim: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'bifract-trust-'));
  dir = join(base, 'installation');
  victim = join(base, 'victim');
  await mkdir(dir);
  await mkdir(victim, { mode: 0o700 });
  for (const name of ['jobs', 'journal', 'run']) await mkdir(join(victim, name), { mode: 0o700 });
  await writeFile(
    join(victim, 'jobs', 'x.json'),
    JSON.stringify({ ...RECORD, id: 'x', process: { pid: 0 } }),
  );
  if (isRoot) await chown(dir, NOBODY, NOBODY);
});

afterEach(() => rm(base, { recursive: true, force: true }));

const own = (...names: string[]) => join(dir, '.bifract', ...names);
const NO_EVENTS = { onCancel: () => undefined, onJournalError: assert.fail };
const publish = async () =>
  (await new FolderJobBus(dir, () => undefined).publish('backup-1', NO_EVENTS)).close();
const save = () => new StateFolder(dir).save(RECORD);
const append = () => new AuditLog(dir).append(ENTRY);
const tree = (folder: string) => readdir(folder, { recursive: true }).then((names) => names.sort());

async function hintOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('It should have been refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof BifractError && error.code === 'UNSAFE_PATH', String(error));
  return error.hint ?? '';
}

test('a link in the place of the state folder, or of one in it, is refused and leads nowhere', async () => {
  const before = await tree(victim);
  await symlink(victim, own());
  for (const work of [save, append, publish, () => new StateFolder(dir).running()]) {
    assert.ok((await hintOf(work())).includes(`rm ${own()}`));
  }
  await rm(own());
  await mkdir(own(), { mode: 0o700 });
  for (const [name, work] of [
    ['jobs', save],
    ['journal', publish],
    ['run', publish],
  ] as const) {
    await rm(own(name), { recursive: true, force: true });
    await symlink(join(victim, name), own(name));
    assert.ok((await hintOf(work())).includes(`rm ${own(name)}`), name);
    await new FolderJobBus(dir, () => undefined).sweep();
    await rm(own(name));
  }
  assert.deepEqual(await tree(victim), before);
});

test('the command in the hint makes a folder usable that others can write to', async () => {
  for (const part of [[], ['jobs']]) {
    await save();
    await chmod(own(...part), 0o777);
    const [, command = 'false'] = /`([^`]+)`/.exec(await hintOf(save())) ?? [];
    execFileSync('sh', ['-c', command]);
    await save();
  }
});

test('the state may belong to root or the owner of the installation, but to nobody else', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  await save();
  await chown(own(), NOBODY, NOBODY);
  await save();
  await chown(own('jobs'), 12_345, 12_345);
  await hintOf(save());
  await hintOf(new StateFolder(dir).interrupted());
  await chown(own('jobs'), 0, 0);
  await chown(own(), 12_345, 12_345);
  await hintOf(append());
});

test('the audit log is appended to a file of its own only', async () => {
  await mkdir(own(), { mode: 0o700 });
  await writeFile(join(victim, 'profile'), 'echo\n');
  const make = [
    () => symlink(join(victim, 'profile'), own('audit.log')),
    () => symlink(join(victim, 'new'), own('audit.log')),
    () => link(join(victim, 'profile'), own('audit.log')),
    async () => void execFileSync('mkfifo', [own('audit.log')]),
  ];
  for (const one of make) {
    await one();
    assert.ok((await hintOf(append())).includes(`rm ${own('audit.log')}`));
    await rm(own('audit.log'));
  }
  assert.equal(await readFile(join(victim, 'profile'), 'utf8'), 'echo\n');
  assert.deepEqual(await readdir(victim), ['jobs', 'journal', 'profile', 'run']);
  await append();
  await append();
  assert.equal((await readFile(own('audit.log'), 'utf8')).trim().split('\n').length, 2);
});

test('what is no record in the folder of records does no harm, and stays', async () => {
  await save();
  execFileSync('mkfifo', [own('jobs', 'fifo.json'), own('jobs', 'x.now')]);
  await symlink(join(victim, 'jobs', 'x.json'), own('jobs', 'x.json'));
  await link(join(victim, 'jobs', 'x.json'), own('jobs', 'hard.json'));
  await mkdir(own('jobs', 'folder.json'));
  const state = new StateFolder(dir);
  await state.cleanUp();
  assert.deepEqual([await state.running(), await state.interrupted()], [[RECORD], []]);
  await state.remove(RECORD.id);
  assert.deepEqual((await readdir(own('jobs'))).sort(), [
    'fifo.json',
    'folder.json',
    'hard.json',
    'x.json',
    'x.now',
  ]);
});

test('a record must be of the job that its file is named after, and have a valid time', async () => {
  await save();
  const stored = JSON.parse(await readFile(own('jobs', 'backup-1.json'), 'utf8'));
  for (const [name, change] of [
    ['other', {}],
    ['time', { id: 'time', started_at: 'yesterday' }],
    ['number', { id: 'number', started_at: 7 }],
    ['id', { id: 7 }],
    ['process', { id: 'process', process: null }],
  ] as const) {
    await writeFile(own('jobs', `${name}.json`), JSON.stringify({ ...stored, ...change }));
  }
  await writeFile(own('jobs', 'null.json'), 'null');
  assert.deepEqual(await new StateFolder(dir).running(), [RECORD]);
  assert.deepEqual(await new StateFolder(dir).interrupted(), []);
});

test('a lock that is a link or a FIFO holds nobody up', async () => {
  await mkdir(own(), { mode: 0o700 });
  await symlink(join(victim, 'jobs', 'x.json'), own('recovering'));
  assert.equal(await new StateFolder(dir).exclusive(async () => 7), 7);
  execFileSync('mkfifo', [own('recovering')]);
  assert.equal(await new StateFolder(dir).exclusive(async () => 8), 8);
  assert.equal((await lstat(join(victim, 'jobs', 'x.json'))).isFile(), true);
  assert.deepEqual(await readdir(own()), []);
});
