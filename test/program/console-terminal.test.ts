import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PROGRAM, run } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const root = await mkdtemp(join(tmpdir(), 'bifract-terminal-'));
after(() => rm(root, { recursive: true, force: true }));
const [first, second] = [join(root, 'first'), join(root, 'second')];
for (const dir of [first, second]) await run(['init', '--dir', dir]);
const home = join(root, 'home');
await mkdir(home);

/** The console on a pseudo-terminal, without variables that would apply to every installation. */
function open(dir: string, args: string[] = [], given: NodeJS.ProcessEnv = {}): PtyProgram {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BIFRACT_|POSTGRES_|CLICKHOUSE_|PGSSL|TMUX|STY|TERM_PROGRAM|WT_SESSION|XDG_)/.test(name),
  );
  const env = { ...Object.fromEntries(kept), HOME: home, ...given };
  return new PtyProgram(process.execPath, [PROGRAM, '--dir', dir, ...args], { columns: 118, env });
}

const lastMouse = ({ written }: PtyProgram) => [...written.matchAll(/\x1b\[\?1000([hl])/g)].at(-1)?.[1];
const lastTitle = ({ written }: PtyProgram) => [...written.matchAll(/\x1b\]2;([^\x1b]*)\x1b\\/g)].at(-1)?.[1];

test('a directory without an installation opens a page with the next step; r opens the one that was created', async () => {
  const dir = join(root, 'new');
  const console = open(dir);
  await console.waitFor(`bifract init --dir ${dir}`);
  assert.equal((await run(['init', '--dir', dir])).code, 0);
  console.type('r');
  await console.waitFor(/key [0-9a-f]{8}/);
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
});

test('@ switches between installations that were opened, within one process', async () => {
  for (const dir of [second, first]) {
    const console = open(dir);
    await console.waitFor(/PostgreSQL ✗/, 60_000);
    console.type('1@');
    await console.waitFor(dir);
    if (dir === first) {
      console.type('j');
      await console.waitFor(new RegExp(`▌ ${second}`));
      console.type('\r');
      await console.waitFor(new RegExp(`bifract +${second}`));
      await until(() => lastTitle(console)?.includes(second) === true, LIMIT_MS, 'the title');
    }
    console.type('qqq');
    assert.equal((await console.ended).exitCode, 0);
    assert.equal(console.screen.buffer.active.type, 'normal');
  }
});

for (const [how, leave] of [
  ['q', (console: PtyProgram) => console.type('qqq')],
  ['SIGTERM', (console: PtyProgram) => console.kill('SIGTERM')],
  ['Ctrl-C', (console: PtyProgram) => console.type('\x03')],
] as const) {
  test(`title and mouse are taken back on ${how}`, async () => {
    const console = open(first);
    await console.waitFor('q quit');
    await until(() => lastMouse(console) === 'h', LIMIT_MS, 'the mouse is on');
    await until(() => lastTitle(console)?.includes(first) === true, LIMIT_MS, 'the title is set');
    leave(console);
    await console.ended;
    assert.equal(lastMouse(console), 'l');
    assert.equal(lastTitle(console), '');
    assert.ok(console.written.lastIndexOf('\x1b[?1000l') < console.written.lastIndexOf('\x1b[?1049l'));
  });
}

for (const [how, args, env] of [
  ['--screen-reader', ['--screen-reader'], {}],
  ['INK_SCREEN_READER', [], { INK_SCREEN_READER: 'true' }],
] as const) {
  test(`${how} prints lines without any escape sequence, and takes commands as lines`, async () => {
    const console = open(first, [...args], env);
    await console.waitFor('Type help');
    await console.waitFor(/PostgreSQL: not ok/, 60_000);
    console.type('settings\r');
    await console.waitFor(/Setting: Sizes, Chosen: KiB/);
    console.type('quit\r');
    assert.equal((await console.ended).exitCode, 0);
    assert.doesNotMatch(console.written, /\x1b/);
  });
}
