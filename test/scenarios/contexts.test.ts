import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { test } from 'node:test';
import { savedContexts } from '../../src/components/state/contexts.ts';
import { noPreferences, type Preferences } from '../../src/components/state/preferences.ts';
import { startConsole } from '../helpers/console.ts';
import { busyEngine } from '../helpers/fake-engine.ts';

const cursorOn = (name: string) => (lines: readonly string[]) =>
  lines.some((line) => line.startsWith('▌') && line.includes(name));

function withContexts(...dirs: string[]): Preferences {
  const preferences = noPreferences();
  const at = Date.now() - 3_600_000;
  preferences.set(
    'contexts',
    dirs.map((dir, index) => ({ dir, at: at - index })),
  );
  return preferences;
}

test('an installation is remembered, and Enter on another one closes this console for it', async () => {
  const preferences = withContexts('/srv/logs', '/srv/old');
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.waitFor(/PG ✓/);
  await terminal.press('@');
  await terminal.waitFor('3 installations');
  await terminal.waitFor(cursorOn('/opt/bifract'));
  await terminal.waitFor(/▌ \/opt\/bifract +open/);
  assert.equal(savedContexts(preferences)[0]?.dir, '/opt/bifract');
  await terminal.press('enter');
  await terminal.waitFor('already open');
  await terminal.press('j', 'enter');
  const { next, error } = await console.left;
  assert.deepEqual([next, error], ['/srv/logs', undefined]);
});

test('jobs that would end with the console are asked about before a switch', async () => {
  const engine = busyEngine();
  engine.outlives = () => false;
  await using console = startConsole({ engine, preferences: async () => withContexts('/srv/logs') });
  const { terminal } = console;
  await terminal.waitFor(/PG ✓/);
  engine.start({ kind: 'backup' });
  await terminal.waitFor('running');
  await terminal.press('@', 'j', 'enter');
  await terminal.waitFor('Switch and cancel 1 running job?');
  await terminal.press('n');
  await terminal.waitUntilGone('Switch and cancel');
  assert.equal(engine.jobs[0]?.cancelRequested, false);
  await terminal.press('enter');
  await terminal.waitFor('Switch and cancel');
  await terminal.press('y');
  assert.equal((await console.left).next, '/srv/logs');
  assert.equal(engine.jobs[0]?.cancelRequested, true);
});

test('a job that outlives the console does not hold up a switch', async () => {
  const engine = busyEngine();
  await using console = startConsole({ engine, preferences: async () => withContexts('/srv/logs') });
  const { terminal } = console;
  await terminal.waitFor(/PG ✓/);
  engine.outlives = () => true;
  engine.start({ kind: 'backup' });
  await terminal.waitFor('running');
  await terminal.press('@', 'j', 'enter');
  assert.equal((await console.left).next, '/srv/logs');
  assert.equal(engine.jobs[0]?.cancelRequested, false);
});

test('another directory can be typed or pasted', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('@', 'o');
  await terminal.waitFor('Directory:');
  terminal.type('\x1b[200~~/logs\x1b[201~');
  await terminal.waitFor('~/logs');
  await terminal.press('enter');
  assert.equal((await console.left).next, `${homedir()}/logs`);
});

test('an installation that is fixed is neither left nor remembered', async () => {
  const preferences = withContexts('/srv/logs');
  await using console = startConsole({ fixed: 'a reason', preferences: async () => preferences });
  const { terminal } = console;
  await terminal.waitFor(/PG ✓/);
  await terminal.press('@');
  await terminal.waitFor('1 installation');
  await terminal.press('enter');
  await terminal.waitFor('Cannot switch: a reason');
  await terminal.press('o');
  await terminal.waitFor('Cannot open directory: a reason');
  assert.deepEqual(
    savedContexts(preferences).map(({ dir }) => dir),
    ['/srv/logs'],
  );
});

test('x forgets an installation, but not the one that is open', async () => {
  const preferences = withContexts('/srv/logs');
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.waitFor(/PG ✓/);
  await terminal.press('@');
  await terminal.waitFor('2 installations');
  await terminal.press('x');
  await terminal.waitFor('Cannot forget: it is open');
  await terminal.press('j', 'x');
  await terminal.waitFor('1 installation');
  assert.deepEqual(
    savedContexts(preferences).map(({ dir }) => dir),
    ['/opt/bifract'],
  );
});
