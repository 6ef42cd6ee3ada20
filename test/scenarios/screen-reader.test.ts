import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLineConsole } from '../../src/components/line-console.ts';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { busyEngine, type FakeEngine } from '../helpers/fake-engine.ts';
import { fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';
import { FakeTerminal } from '../helpers/terminal.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

/** A console for screen readers on a fake terminal. */
class Lines implements AsyncDisposable {
  readonly engine: FakeEngine;
  readonly terminal = new FakeTerminal();
  readonly left: Promise<{ next?: string }>;
  #read = 0;

  constructor(engine = busyEngine()) {
    this.engine = engine;
    const { stdin, stdout } = this.terminal;
    const preferences = noPreferences();
    preferences.set('contexts', [{ dir: '/srv/logs', at: 1 }]);
    this.left = openLineConsole(engine, { stdin, stdout, preferences: async () => preferences });
  }

  /** Types lines at once, and waits for what is printed after them. */
  async type(lines: string, wanted: string | RegExp): Promise<string> {
    this.#read = this.terminal.written.length;
    this.terminal.type(lines);
    return this.reads(wanted);
  }

  /** Waits until it is printed after what was typed last. */
  async reads(wanted: string | RegExp): Promise<string> {
    const text = () => this.terminal.written.slice(this.#read);
    const found = () => (typeof wanted === 'string' ? text().includes(wanted) : wanted.test(text()));
    await until(found, LIMIT_MS, String(wanted)).catch((cause: Error) => {
      throw new Error(`${cause.message}; printed was:\n${text()}`, { cause });
    });
    // A question can be answered in the turn after it was printed.
    await new Promise((resolve) => setImmediate(resolve));
    return text();
  }

  async [Symbol.asyncDispose]() {
    this.terminal.stdin.push(null);
    await this.left;
    this.terminal.dispose();
  }
}

const overview = /Overview\n/;

test('screens are printed as plain lines: no escape sequence, no box, no bar, raw mode never on', async () => {
  await using console = new Lines();
  const { terminal } = console;
  await console.reads(overview);
  await console.type('fractals\n', /10 fractals\n1\. current .*a-name-that/);
  await console.type('3\n', /3\. current Fractal: dns, .*Rows: /);
  await console.type('open\n', /Fractals, dns\n/);
  await console.type('back\n', '10 fractals');
  await console.type('filter web\n', /2 fractals, filter: web/);
  await console.type('filter\n', '10 fractals');
  await console.type('jobs\n', 'No jobs yet');
  await console.type('help\n', /backup \(b\): /);
  await console.type('settings\n', /Setting: Sizes, Chosen: KiB/);
  assert.doesNotMatch(terminal.written, /[\x00-\x09\x0b-\x1f\x7f─-╿█-▟⠀-⣿✓✗]/);
  assert.equal(terminal.raw, false);
});

test('commands are typed by name, by the start of it, or by key, with the number of a row before them', async () => {
  await using console = new Lines();
  await console.reads(overview);
  await console.type('backups\n', '6 backups');
  await console.type('2 verify\n', 'started');
  const [first, second] = console.engine.data.backups;
  assert.ok(first && second);
  assert.deepEqual(console.engine.jobs[0]?.request, {
    kind: 'verify',
    targets: [second.name],
  });
  await console.type('no such command\n', 'Unknown command: no such command');
  await console.type('99 verify\n', 'There is no row 99');
  await console.type('jump dns\n', 'Fractals, dns');
});

test('a deletion needs its plan, its confirmation and its answer, as on the full screen', async () => {
  await using console = new Lines();
  const { engine } = console;
  const [backup] = engine.data.backups;
  assert.ok(backup);
  engine.data.deletion = fakeDeletePlan([fakeDeleteItem(backup)]);
  await console.reads(overview);
  await console.type('backups\n', '6 backups');
  const asked = await console.type('1 delete\n', 'To confirm, first type');
  const word = /first type: (\S.*)/.exec(asked)?.[1] ?? '';
  await console.type('ctrl-y\n', /first/);
  assert.equal(engine.jobs.length, 0);
  await console.type('\n', /Cancel|6 backups/);
  assert.equal(engine.jobs.length, 0, 'only Enter is the safe answer');
  await console.type('1 delete\n', 'To confirm, first type');
  await console.type(`${word}\n`, 'ctrl-y: ');
  assert.equal(engine.jobs.length, 0);
  await console.type('ctrl-y\n', 'started');
  assert.equal(engine.jobs[0]?.request.kind, 'delete');
});

test('answers that are sent together with the command that asks are dropped', async () => {
  await using console = new Lines();
  const { engine } = console;
  await console.reads(overview);
  engine.start({ kind: 'backup' });
  await console.reads('started');
  await console.type('jobs\n', '1 job');
  await console.type('cancel\ny\n', 'y: Cancel job');
  assert.equal(engine.jobs[0]?.cancelRequested, false);
  await console.type('y\n', '');
  await until(() => engine.jobs[0]?.cancelRequested === true, LIMIT_MS, 'the job is cancelled');
});

test('problems are read out, and an idle console prints nothing', async () => {
  await using console = new Lines();
  const { engine, terminal } = console;
  await console.reads(overview);
  engine.start({ kind: 'backup' });
  engine.jobs[0]?.fail({ code: 'STORAGE_FULL', message: 'The disk is full', hint: 'Free some space.' });
  await console.reads(/Error: Backup.*The disk is full\. Free some space\./);
  await console.type('overview\n', overview);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const before = terminal.written.length;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(terminal.written.slice(before), '');
});

test('installations are switched, and quit and the end of the input leave', async () => {
  const console = new Lines();
  await console.reads(overview);
  await console.type('contexts\n', '/srv/logs');
  await console.type('2 switch\n', '');
  assert.equal((await console.left).next, '/srv/logs');
  const other = new Lines();
  await other.reads(overview);
  await other.type('quit\n', '');
  assert.deepEqual(await other.left, {});
});

test('a restore is prepared by the numbers of its choices', async () => {
  await using console = new Lines();
  await console.reads(overview);
  await console.type('backups\n', '6 backups');
  await console.type('1 restore\n', /Step 1 of \d/);
  await console.type('1\n', /Step 2 of \d/);
  await console.type('esc\n', /Step 1 of \d/);
  assert.deepEqual(console.engine.jobs, []);
});
