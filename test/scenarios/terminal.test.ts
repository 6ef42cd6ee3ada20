import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startBackup, startConsole } from '../helpers/console.ts';
import { busyEngine, FakeEngine, fakeArchive, fakeFractal } from '../helpers/fake-engine.ts';
import { FakeTerminal } from '../helpers/terminal.ts';

test('control sequences in names do not reach the terminal or break the columns', async () => {
  const names = [
    'a\x1b[2J\x1b[31mred',
    'b\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\',
    'c\x9b2Jc1\x85x',
    'd\ntwo\r\nlines\ttab',
    'e\u202egnp.exe\u2066',
    'f日本語のログ',
    'g\x1b]52;c;aGFja2Vk\x07clip',
  ];
  const fractals = names.map((name, index) => fakeFractal(index + 1, { name }));
  const [first] = fractals;
  assert.ok(first);
  const archives = [fakeArchive(1, first, { status: 'failed', error_message: 'x\x1b[5mblink\x07' })];
  await using console = startConsole({ engine: new FakeEngine({ fractals, archives }) });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('7 fractals');
  for (const shown of ['ared', 'blink', 'cc1 x', 'd two lines tab', 'egnp.exe', 'f日本語のログ', 'gclip']) {
    await terminal.waitFor(shown);
  }
  const columns = ['1m', '2m', '3m', '4m', '5m', '6m', '7m'].map((age) => terminal.columnOf(`${age}  daily`));
  assert.equal(new Set(columns).size, 1, `the ages are in columns ${columns}`);
  await terminal.press('3', 'enter');
  await terminal.waitFor('xblink');
  assert.doesNotMatch(terminal.written, /evil|aGFja2Vk|\x1b\[5m|\x1b\[31m|\x9b|\u202e/);
});

test('the palette finds commands by name and runs them', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press(':');
  await terminal.waitFor('Commands');
  terminal.type('backup');
  await terminal.waitFor(':backup_');
  await terminal.press('enter');
  await terminal.waitFor('Back up the PostgreSQL database?');
  await terminal.press('y');
  await terminal.waitFor('Backup: started');
  assert.equal(engine.jobs.length, 1);
  await terminal.press(':');
  terminal.type('frac\r');
  await terminal.waitFor('10 fractals');
});

test('the help shows the keys of the screen, and why some are not available', async () => {
  await using console = startConsole({ columns: 120, rows: 40 });
  const { terminal } = console;
  await terminal.press('5', '?');
  await terminal.waitFor(/Cancel the job; asks first.*no job selected/);
  await terminal.press('esc');
  await terminal.waitUntilGone('Cancel the job; asks first');
  await terminal.press('2', '?');
  await terminal.waitFor('Archive the selected fractals');
});

test('a long description is wrapped in the help', async () => {
  await using console = startConsole({ columns: 60, rows: 40 });
  const { terminal } = console;
  await terminal.press('4', '?');
  await terminal.waitFor(/Verify the selected files: .*\n? *.*checksums/);
});

test('a key that is not available says why', async () => {
  await using console = startConsole();
  await console.terminal.press('5', 'x');
  await console.terminal.waitFor('Cannot cancel: no job selected');
});

test('y copies the chosen value through the terminal', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('4');
  await terminal.waitFor('6 backups');
  await terminal.press('y');
  await terminal.waitFor('p  path');
  await terminal.press('p');
  await terminal.waitFor('Copied path');
  const path = engine.data.backups[0]?.path ?? '';
  assert.ok(terminal.written.includes(`\x1b]52;c;${Buffer.from(path).toString('base64')}\x07`));
});

test('a resize is drawn at once; a terminal that is too small says so and accepts q', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  terminal.resize(120, 40);
  await terminal.waitFor('│ Fractal ');
  assert.match(terminal.lines()[39] ?? '', /Enter open/);
  terminal.resize(100, 20);
  await terminal.waitFor((lines) => /Enter open/.test(lines[19] ?? ''));
  terminal.resize(40, 8);
  await terminal.waitFor('40x8');
  await terminal.waitFor('60x14');
  await terminal.press('b', 'q');
  assert.deepEqual(await console.left, {});
  assert.equal(console.engine.jobs.length, 0, 'other keys do nothing');
});

test('a terminal that is too small still asks before jobs are cancelled', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await startBackup(terminal);
  await terminal.waitFor('Backup: started');
  terminal.resize(40, 8);
  await terminal.waitFor('40x8');
  await terminal.press('q');
  await terminal.waitFor('Quit and cancel 1 running job?');
  await terminal.press('enter');
  await terminal.waitFor('40x8');
  await terminal.press('q');
  await terminal.waitFor('Quit and cancel');
  await terminal.press('y');
  await console.left;
  assert.equal(engine.jobs[0]?.cancelRequested, true);
});

test('a failed query is shown on its screen, and old data is marked stale', async () => {
  const engine = busyEngine();
  engine.failure = new BifractError('POSTGRES_UNREACHABLE', 'PostgreSQL does not answer', {
    hint: 'Start the containers.',
  });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('Start the containers.');
  await terminal.waitFor('PostgreSQL does not answer');
  engine.failure = undefined;
  await terminal.press('r');
  await terminal.waitFor('10 fractals');
  engine.failure = new BifractError('POSTGRES_UNREACHABLE', 'PostgreSQL does not answer');
  await terminal.press('r');
  await terminal.waitFor(/stale.*: PostgreSQL does not answer/);
  await terminal.waitFor('web-prod');
});

test('a read-only console shows a padlock and has no commands that change data', async () => {
  await using console = startConsole({ readOnly: true, rows: 40 });
  const { terminal, engine } = console;
  await terminal.waitFor(/read-only .*🔒/u);
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await terminal.press('b', 'a');
  await terminal.waitFor('Cannot archive: the console is read-only');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('?');
  await terminal.waitFor('Show fractals');
  assert.doesNotMatch(terminal.text(), /Archive the selected|Back up/);
});

test('pasted text is ignored as keys and inserted into text inputs', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  terminal.type('\x1b[200~babq\r\x1b[201~');
  await terminal.waitFor('Paste ignored');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('/');
  terminal.type('\x1b[200~web\nprod\x1b[201~');
  await terminal.waitFor('/web_');
});

test('Ctrl-Z releases the terminal, SIGCONT draws a complete frame again', async () => {
  let stops = 0;
  await using console = startConsole({
    stop: () => {
      stops += 1;
    },
  });
  const { terminal } = console;
  await terminal.waitFor('q quit');
  await terminal.press('ctrl-z');
  await terminal.waitUntilGone('q quit');
  assert.equal(stops, 1);
  assert.equal(terminal.alternate, false);
  assert.equal(terminal.raw, false);
  process.emit('SIGCONT', 'SIGCONT');
  await terminal.waitFor('q quit');
  assert.equal(terminal.alternate, true);
  assert.equal(terminal.raw, true);
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
});

test('Ctrl-L redraws a screen that was overwritten', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.waitFor('Last backup');
  terminal.stdout.write('\x1b[Hgarbage\x1b[10;1Hmore garbage');
  await terminal.waitFor('garbage');
  await terminal.press('ctrl-l');
  await terminal.waitUntilGone('garbage');
  await terminal.waitFor(/bifract +\/opt\/bifract/);
});

test('an ASCII terminal gets only ASCII', async () => {
  await using console = startConsole({ utf8: false, rows: 40 });
  const { terminal } = console;
  for (const key of ['1', '2', '3', '5', '?']) await terminal.press(key);
  await terminal.waitFor('Show fractals');
  await terminal.press('esc');
  await startBackup(terminal);
  await terminal.press('5', 'x');
  await terminal.waitFor('Cancel this job?');
  assert.doesNotMatch(terminal.written, /[^\x00-\x7e]/);
});

test('an error while drawing is returned, and the terminal is restored', async () => {
  const engine = busyEngine();
  engine.data.archives = [
    {
      ...engine.data.archives[0],
      get status(): never {
        throw new Error('cannot draw this');
      },
    } as never,
  ];
  await using console = startConsole({ engine });
  await console.terminal.press('3');
  const { error } = await console.left;
  assert.match(String(error), /cannot draw this/);
  await console.terminal.settle();
  assert.equal(console.terminal.alternate, false);
  assert.equal(console.terminal.raw, false);
});

test('the console ends without an error if the terminal disappears', async () => {
  await using console = startConsole();
  await console.terminal.waitFor('q quit');
  console.terminal.stdout.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }));
  console.terminal.stdin.emit('error', Object.assign(new Error('setRawMode EIO'), { code: 'EIO' }));
  assert.deepEqual(await console.left, {});
});

test('keys that were echoed before the console started do not shift its lines', async () => {
  const terminal = new FakeTerminal(80, 24);
  terminal.stdout.write('typed ahead');
  await using console = startConsole({ terminal });
  await terminal.waitFor('Last backup');
  await terminal.waitFor(/^ bifract {2}\/opt\/bifract/);
  assert.equal(console.terminal, terminal);
});
