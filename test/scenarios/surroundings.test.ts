import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { busyEngine, FakeEngine, fakeArchive, fakeFractal } from '../helpers/fake-engine.ts';

test('names from outside cannot steer the terminal or break the columns', async () => {
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
  await terminal.see('7 fractals');
  for (const shown of ['ared', 'blink', 'cc1 x', 'd two lines tab', 'egnp.exe', 'f日本語のログ', 'gclip']) {
    await terminal.see(shown);
  }
  const columns = ['1m', '2m', '3m', '4m', '5m', '6m', '7m'].map((age) => terminal.columnOf(`${age}  daily`));
  assert.equal(new Set(columns).size, 1, `the ages stand at ${columns}`);
  await terminal.press('3', 'enter');
  await terminal.see('xblink');
  assert.doesNotMatch(terminal.written, /evil|aGFja2Vk|\x1b\[5m|\x1b\[31m|\x9b|\u202e/);
});

test('the palette finds commands by name and runs them', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press(':');
  await terminal.see('Commands');
  terminal.type('backup');
  await terminal.see(':backup_');
  await terminal.press('enter');
  await terminal.see('Backup: started');
  assert.equal(engine.jobs.length, 1);
  await terminal.press(':');
  terminal.type('frac\r');
  await terminal.see('10 fractals');
});

test('the help is of this screen, and says why something cannot be done', async () => {
  await using console = startConsole({ columns: 120, rows: 40 });
  const { terminal } = console;
  await terminal.press('5', '?');
  await terminal.see('On this screen: Jobs');
  await terminal.see('Cancel the job, after a question  not now: there is no job here');
  await terminal.press('esc');
  await terminal.see('Nothing has run in this session');
  await terminal.press('2', '?');
  await terminal.see('Archive the fractal, or all that are marked');
});

test('help that is too long for a line goes on in the next', async () => {
  await using console = startConsole({ columns: 60, rows: 40 });
  const { terminal } = console;
  await terminal.press('4', '?');
  await terminal.see('On this screen: Backups');
  // More than fits beside the keys.
  await terminal.see(/Read the file, or all that are marked, .*\n +.*it is whole/);
});

test('a disabled key says why', async () => {
  await using console = startConsole();
  await console.terminal.press('5', 'x');
  await console.terminal.see('Cannot cancel: there is no job here');
});

test('y copies by the terminal, what it is asked for', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('4');
  await terminal.see('6 backups');
  await terminal.press('y');
  await terminal.see('p  path');
  await terminal.press('p');
  await terminal.see('Copied the path');
  const path = engine.data.backups[0]?.path ?? '';
  assert.ok(terminal.written.includes(`\x1b]52;c;${Buffer.from(path).toString('base64')}\x07`));
});

test('a resize is drawn at once, a small terminal says what it needs and takes q', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('10 fractals');
  terminal.resize(120, 40);
  await terminal.see('Oldest log (UTC)');
  assert.match(terminal.lines()[39] ?? '', /Enter open/);
  terminal.resize(100, 20);
  await terminal.see((lines) => /Enter open/.test(lines[19] ?? ''));
  terminal.resize(40, 8);
  await terminal.see('have 40x8');
  await terminal.see('need 60x14');
  await terminal.press('b', 'q');
  assert.deepEqual(await console.left, {});
  assert.equal(console.engine.jobs.length, 0, 'only q is taken');
});

test('a small terminal still asks before jobs are cancelled', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('b');
  await terminal.see('Backup: started');
  terminal.resize(40, 8);
  await terminal.see('have 40x8');
  await terminal.press('q');
  await terminal.see('Quit and cancel 1 running job?');
  await terminal.press('enter');
  await terminal.see('have 40x8');
  await terminal.press('q');
  await terminal.see('Quit and cancel');
  await terminal.press('y');
  await console.left;
  assert.equal(engine.jobs[0]?.cancelAsked, true);
});

test('a failing query is told in its place, and old data is called stale', async () => {
  const engine = busyEngine();
  engine.failure = new BifractError('POSTGRES_UNREACHABLE', 'PostgreSQL does not answer', {
    hint: 'Start the containers.',
  });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('Start the containers.');
  await terminal.see('Press r to try again');
  engine.failure = undefined;
  await terminal.press('r');
  await terminal.see('10 fractals');
  engine.failure = new BifractError('POSTGRES_UNREACHABLE', 'PostgreSQL does not answer');
  await terminal.press('r');
  await terminal.see(/stale, .* old: PostgreSQL does not answer/);
  await terminal.see('web-prod');
});

test('a read-only console shows its padlock and offers nothing that changes something', async () => {
  await using console = startConsole({ readOnly: true, rows: 40 });
  const { terminal, engine } = console;
  await terminal.see(/read-only .*🔒/u);
  await terminal.press('2');
  await terminal.see('10 fractals');
  await terminal.press('b', 'a');
  await terminal.see('Cannot archive: this console is read-only');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('?');
  await terminal.see('On this screen');
  assert.doesNotMatch(terminal.text(), /Archive the fractal|Back up/);
});

test('a pasted text is not taken for keys, but typed where text is asked for', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('2');
  await terminal.see('10 fractals');
  terminal.type('\x1b[200~babq\r\x1b[201~');
  await terminal.see('A pasted text is not taken for keys');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('/');
  terminal.type('\x1b[200~web\nprod\x1b[201~');
  await terminal.see('/web_');
});

test('Ctrl-Z hands the terminal over, SIGCONT takes it back with a whole frame', async () => {
  let stops = 0;
  await using console = startConsole({
    stop: () => {
      stops += 1;
    },
  });
  const { terminal } = console;
  await terminal.see('q quit');
  await terminal.press('ctrl-z');
  await terminal.miss('q quit');
  assert.equal(stops, 1);
  assert.equal(terminal.alternate, false);
  assert.equal(terminal.raw, false);
  process.emit('SIGCONT', 'SIGCONT');
  await terminal.see('q quit');
  assert.equal(terminal.alternate, true);
  assert.equal(terminal.raw, true);
  await terminal.press('2');
  await terminal.see('10 fractals');
});

test('Ctrl-L draws anew what something else has overwritten', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.see('Protection');
  terminal.stdout.write('\x1b[Hgarbage\x1b[10;1Hmore garbage');
  await terminal.see('garbage');
  await terminal.press('ctrl-l');
  await terminal.miss('garbage');
  await terminal.see('bifract  /opt/bifract');
});

test('an ASCII terminal gets ASCII only', async () => {
  await using console = startConsole({ utf8: false, rows: 40 });
  const { terminal } = console;
  for (const key of ['1', '2', '3', '5', '?']) await terminal.press(key);
  await terminal.see('On this screen');
  await terminal.press('esc', 'b', '5', 'x');
  await terminal.see('Cancel this job?');
  assert.doesNotMatch(terminal.written, /[^\x00-\x7e]/);
});

test('an error while drawing is given back, with the terminal as it was', async () => {
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

test('a terminal that dies ends the console without an error of its own', async () => {
  await using console = startConsole();
  await console.terminal.see('q quit');
  console.terminal.stdout.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }));
  console.terminal.stdin.emit('error', Object.assign(new Error('setRawMode EIO'), { code: 'EIO' }));
  assert.deepEqual(await console.left, {});
});
