import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, commandsAt } from '../../src/components/input/keymap.ts';
import { createSession, type Session } from '../../src/components/state/session.ts';
import { symbolsFor } from '../../src/components/text/symbols.ts';
import { rowUnderCursor } from '../../src/components/view/lists/index.ts';
import type { DialogState, ScreenName } from '../../src/components/view/types.ts';
import type { Engine, JobRequest } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { busyEngine, type FakeEngine } from '../helpers/fake-engine.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

/** What a read-only console may call; the compiler asks about every new method. */
const MAY_CALL: Record<keyof Engine, boolean> = {
  installation: true,
  health: true,
  fractals: true,
  groups: true,
  archives: true,
  backups: true,
  checks: true,
  show: true,
  extract: true,
  search: true,
  browse: true,
  orphans: true,
  coverage: true,
  planRestore: true,
  planPrune: true,
  planArchiveRestore: true,
  planAdopt: true,
  planDelete: true,
  planCopy: true,
  planRotate: true,
  planDue: true,
  knownJobs: true,
  findJob: true,
  follow: true,
  resumable: true,
  resumeRequest: true,
  queuedJobs: true,
  queueStarted: true,
  outlives: true,
  subscribe: true,
  close: true,
  setSchedule: false,
  requestCancel: false,
  enqueue: false,
  removeQueued: false,
  moveQueued: false,
  runQueue: false,
  detach: false,
  recover: false,
  // Depends on the job.
  start: false,
  cancel: false,
};

/** The engine, and the calls that change something. */
function watched(engine: FakeEngine): { engine: FakeEngine; changes: string[] } {
  const changes: string[] = [];
  const own = new Set<string>();
  const proxy = new Proxy(engine, {
    get(target, name: keyof Engine) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const isOwn = name === 'cancel' && own.has(args[0] as string);
        const reads = name === 'start' && (args[0] as JobRequest).kind === 'verify';
        if (MAY_CALL[name] === false && !isOwn && !reads) changes.push(`${name} ${JSON.stringify(args[0])}`);
        const result: unknown = Reflect.apply(value, target, args);
        if (reads) own.add((result as { id: string }).id);
        return result;
      };
    },
  });
  return { engine: proxy, changes };
}

/** Every screen that has a list or a page, on something that exists. */
const SCREENS: readonly ScreenName[] = [
  'overview',
  'fractals',
  'archives',
  'backups',
  'jobs',
  'log',
  'orphans',
  'fractal-archives',
  'group',
  'fractal',
  'archive',
  'backup',
  'job',
  'entry',
  'orphan',
  'coverage',
  'rows',
  'row',
  'settings',
  'contexts',
  'setup',
];

/** They end the console: afterwards nothing is started any more. */
const LEAVING = ['quit', 'switch', 'open directory'];

/** A session on a busy installation, on which another process runs a job, has queued one, and has lost one. */
async function openSession(read_only: boolean) {
  const fake = busyEngine();
  fake.detached = true;
  const { engine, changes } = watched(fake);
  const session = createSession({
    engine,
    terminal: { write() {}, repaint() {}, suspend() {}, leave() {} },
    symbols: symbolsFor(true),
    read_only,
    columns: 120,
    rows: 40,
  });
  session.start();
  session.load();
  const archive = { kind: 'archive', fractal_id: fake.data.fractals[0]?.id ?? '' } as const;
  await fake.enqueue(archive);
  await fake.enqueue(archive);
  await fake.enqueue(archive);
  fake.interrupted.set(fake.data.archives.find(({ status }) => status === 'failed')?.id ?? '', archive);
  await until(() => session.snapshot().queue.length === 2, LIMIT_MS, 'the queue is shown');
  await until(() => session.snapshot().data.backups.value?.length, LIMIT_MS, 'the data is loaded');
  return { session, changes, fake };
}

const SUBJECTS: Partial<Record<ScreenName, (fake: FakeEngine) => string | undefined>> = {
  'fractal-archives': ({ data }) => data.fractals[0]?.id,
  fractal: ({ data }) => data.fractals[0]?.id,
  coverage: ({ data }) => data.fractals[0]?.id,
  archive: ({ data }) => data.archives[0]?.id,
  rows: ({ data }) => data.archives[1]?.id,
  row: ({ data }) => data.archives[1]?.id,
  group: ({ data }) => data.archives[0]?.group_id ?? undefined,
  backup: ({ data }) => data.backups[0]?.name,
  orphan: ({ data }) => data.orphans[0]?.id,
  job: ({ jobs }) => jobs[0]?.id,
};

function show(session: Session, name: ScreenName, fake: FakeEngine): void {
  session.dispatch({ type: 'mode', mode: { name: 'keys' } });
  session.dispatch({ type: 'go', screen: { name, subject: SUBJECTS[name]?.(fake) } });
}

/** Gives every answer of the dialog or prompt that is open. */
function answer(session: Session): void {
  const { mode } = session.snapshot().ui;
  if (mode.name === 'prompt') mode.prompt.submit('1');
  const dialog: DialogState | undefined = mode.name === 'dialog' ? mode.dialog : undefined;
  for (const option of dialog?.options ?? []) option.run();
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test('no command that says it changes nothing reaches the engine with a change, whatever is answered', async () => {
  const { session, changes, fake } = await openSession(true);
  const run = new Set<string>();
  for (const name of SCREENS) {
    for (const command of COMMANDS) {
      show(session, name, fake);
      if (command.changesData !== false || (command.screens && !command.screens.includes(name))) continue;
      if (LEAVING.includes(command.name)) continue;
      command.run(session);
      await settled();
      answer(session);
      await settled();
      run.add(command.name);
      assert.deepEqual(changes, [], `${command.name} on ${name}`);
    }
  }
  for (const command of COMMANDS.filter(({ name }) => LEAVING.includes(name))) {
    show(session, command.screens?.[0] ?? 'overview', fake);
    command.run(session);
    answer(session);
    assert.deepEqual(changes, [], command.name);
  }
  session.close();
  // Those of the wizard cannot be reached.
  const left = COMMANDS.filter(({ name, changesData }) => changesData === false && !run.has(name));
  assert.deepEqual(
    left
      .filter(({ screens }) => screens?.join() !== 'wizard')
      .map(({ name }) => name)
      .sort(),
    LEAVING.toSorted(),
  );
});

test('no key of a read-only console reaches the engine with a change', async () => {
  const { session, changes, fake } = await openSession(true);
  for (const name of SCREENS) {
    for (const { keys } of COMMANDS) {
      show(session, name, fake);
      const command = commandsAt(session.snapshot()).find((one) =>
        one.keys.some((key) => keys.includes(key)),
      );
      if (!command || LEAVING.includes(command.name) || command.disabled?.(session.snapshot())) continue;
      command.run(session);
      await settled();
      answer(session);
      assert.deepEqual(changes, [], `${command.name} on ${name}, ${rowUnderCursor(session.snapshot())}`);
    }
  }
  session.close();
});

test('the same walk in a console that may change things does change them', async () => {
  const { session, changes, fake } = await openSession(false);
  const changing = new Set<string>();
  for (const name of SCREENS) {
    for (const command of COMMANDS) {
      show(session, name, fake);
      if (LEAVING.includes(command.name) || (command.screens && !command.screens.includes(name))) continue;
      changes.length = 0;
      if (!command.disabled?.(session.snapshot())) command.run(session);
      await settled();
      answer(session);
      await settled();
      if (changes.length > 0) changing.add(command.name);
    }
  }
  session.close();
  for (const name of ['backup', 'archive', 'schedule', 'cancel'])
    assert.ok(changing.has(name), `${name} changes something`);
});

test('a read-only console cancels no job of others, and can stop its own verification', async () => {
  const fake = busyEngine();
  fake.onCancel = () => {};
  await fake.enqueue({ kind: 'archive', fractal_id: fake.data.fractals[0]?.id ?? '' });
  const other = fake.jobs[0];
  await using console = startConsole({ engine: fake, readOnly: true });
  const { terminal } = console;
  other?.emit('job:progress', { rows: 1 });
  await terminal.press('5');
  await terminal.waitFor('1 job');
  await terminal.press('x');
  await terminal.waitFor('Cannot cancel: the console is read-only');
  assert.equal(other?.cancelRequested, false);
  await terminal.press('4');
  await terminal.waitFor('6 backups');
  await terminal.press('v', '5');
  await terminal.waitFor('2 jobs');
  await terminal.press('g', 'x');
  await terminal.waitFor('Cancel this job?');
  await terminal.press('y');
  await terminal.waitFor('cancelling');
  assert.deepEqual(
    fake.jobs.map(({ cancelRequested }) => cancelRequested),
    [false, true],
  );
});
