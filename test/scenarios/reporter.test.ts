import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { terminalAbilities } from '../../src/components/text/osc.ts';
import { startConsole } from '../helpers/console.ts';
import { busyEngine, type FakeJob } from '../helpers/fake-engine.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const GHOSTTY = terminalAbilities({ TERM: 'xterm-ghostty' });
const BELL = '\x07';
const MOUSE = /\x1b\[\?(?:1000|1006)[hl]/g;
const PROGRESS = /\x1b\]9;4;(\d(?:;\d+)?)\x1b\\/g;
const TITLE = /\x1b\]2;([^\x1b]*)\x1b\\/g;
const DESKTOP = /\x1b\]9;bifract: ([^\x1b]*)\x1b\\/g;

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, part]) => part);

/** A console in a terminal with all abilities, and a running backup. */
async function withJob(given: Record<string, unknown> = {}, abilities = GHOSTTY) {
  const preferences = noPreferences();
  for (const [key, value] of Object.entries(given)) preferences.set(`settings.${key}`, value);
  const engine = busyEngine();
  const console = startConsole({ engine, abilities, preferences: async () => preferences, stop: () => {} });
  await console.terminal.waitFor(/PG ✓/);
  engine.start({ kind: 'backup' });
  await console.terminal.waitFor(/Running +Backup/);
  const [job] = engine.jobs;
  assert.ok(job);
  const { terminal } = console;
  const told = (pattern: RegExp, wanted: string) =>
    until(() => all(terminal.written, pattern).at(-1) === wanted, LIMIT_MS, wanted);
  return { console, terminal, job, told };
}

function end(job: FakeJob, after_s: number): void {
  job.emit('job:done', { result: {} }, Date.now() + after_s * 1_000);
}

test('title and progress follow the running job, and are taken back at the end', async () => {
  const { console, terminal, job, told } = await withJob();
  await using _ = console;
  await told(TITLE, '[running] bifract /opt/bifract');
  await told(PROGRESS, '3');
  job.emit('job:progress', { rows: 420, total_rows: 1_000 });
  await told(TITLE, '[42%] bifract /opt/bifract');
  await told(PROGRESS, '1;42');
  terminal.stdin.emit('end');
  await console.left;
  assert.equal(all(terminal.written, PROGRESS).at(-1), '0');
  assert.equal(all(terminal.written, TITLE).at(-1), '');
  assert.ok(terminal.written.includes('\x1b[22;2t'));
  assert.ok(terminal.written.includes('\x1b[23;2t'));
  assert.ok(terminal.written.lastIndexOf('\x1b[?1000l') < terminal.written.lastIndexOf('\x1b[?1049l'));
});

test('a part of the installation that does not work is in the title', async () => {
  const engine = busyEngine();
  engine.data.health = { ...engine.data.health, postgres: { ok: false, detail: 'does not answer' } };
  await using console = startConsole({ engine, abilities: GHOSTTY });
  const { terminal } = console;
  const wanted = '[!] bifract /opt/bifract';
  await until(() => all(terminal.written, TITLE).at(-1) === wanted, LIMIT_MS, wanted);
});

test('the end of a long job rings once and sends a notification; that of a short or cancelled one does not', async () => {
  const { console, terminal, job, told } = await withJob();
  await using _ = console;
  end(job, 31);
  await told(DESKTOP, 'Backup done: in 31s');
  assert.equal(terminal.written.split(BELL).length, 2);
  for (const finish of [
    (one: FakeJob) => end(one, 20),
    (one: FakeJob) =>
      one.emit('job:cancelled', { error: { code: 'CANCELLED', message: '' } }, Date.now() + 60_000),
  ]) {
    console.engine.start({ kind: 'backup' });
    const next = console.engine.jobs.at(-1);
    assert.ok(next);
    await told(TITLE, '[running] bifract /opt/bifract');
    finish(next);
    await told(TITLE, 'bifract /opt/bifract');
  }
  assert.equal(terminal.written.split(BELL).length, 2);
  assert.equal(all(terminal.written, DESKTOP).length, 1);
});

test('each of them can be turned off', async () => {
  const off = { title: false, progress: 'off', bell: false, desktop: 'off', mouse: false };
  const { console, terminal, job } = await withJob(off);
  await using _ = console;
  const from = terminal.written.length;
  job.emit('job:progress', { rows: 420, total_rows: 1_000 });
  await terminal.waitFor('42%');
  end(job, 60);
  await terminal.waitFor('done');
  const written = terminal.written.slice(from);
  for (const pattern of [TITLE, PROGRESS, DESKTOP, MOUSE, /\x07/g])
    assert.deepEqual(all(written, pattern), []);
});

test('a terminal that is not known gets neither progress nor notifications, unless that is chosen', async () => {
  const unknown = terminalAbilities({ TERM: 'xterm-256color' });
  for (const chosen of ['auto', 'on']) {
    const { console, terminal, job } = await withJob({ progress: chosen, desktop: chosen }, unknown);
    await using _ = console;
    end(job, 60);
    await until(() => terminal.written.includes(BELL), LIMIT_MS, 'the bell');
    assert.equal(all(terminal.written, PROGRESS).length > 0, chosen === 'on');
    assert.equal(all(terminal.written, DESKTOP).length > 0, chosen === 'on');
  }
});

test('suspending takes everything back, resuming tells it again', async () => {
  const { console, terminal, told } = await withJob();
  await using _ = console;
  const mouse = () => all(terminal.written, /\x1b\[\?1000([hl])/g).at(-1);
  await told(PROGRESS, '3');
  assert.equal(mouse(), 'h');
  await terminal.press('ctrl-z');
  await told(PROGRESS, '0');
  await told(TITLE, '');
  assert.equal(mouse(), 'l');
  process.emit('SIGCONT', 'SIGCONT');
  await told(PROGRESS, '3');
  await told(TITLE, '[running] bifract /opt/bifract');
  assert.equal(mouse(), 'h');
});

test('an error while drawing takes everything back', async () => {
  const engine = busyEngine();
  engine.data.archives = [
    {
      ...engine.data.archives[0],
      get status(): never {
        throw new Error('cannot draw this');
      },
    } as never,
  ];
  await using console = startConsole({ engine, abilities: GHOSTTY });
  const { terminal } = console;
  await until(() => terminal.written.includes('\x1b[?1000h'), LIMIT_MS, 'the mouse is on');
  await terminal.press('3');
  const { error } = await console.left;
  assert.match(String(error), /cannot draw this/);
  const { written } = terminal;
  assert.equal(all(written, /\x1b\[\?1000([hl])/g).at(-1), 'l');
  assert.equal(all(written, TITLE).at(-1), '');
});

test('an idle console writes nothing', async () => {
  await using console = startConsole({ abilities: GHOSTTY });
  await console.terminal.waitFor(/PG ✓/);
  await console.terminal.settle();
  const before = console.terminal.written.length;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.equal(console.terminal.written.slice(before), '');
});
