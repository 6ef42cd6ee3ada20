import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { startConsole } from '../helpers/console.ts';

test('the palette jumps to a fractal, an archive and a backup by a part of its name', async () => {
  await using console = startConsole({ columns: 100 });
  const { terminal, engine } = console;
  await terminal.waitFor(/PG ✓/);
  await terminal.press(':', ...'fractal dns');
  await terminal.waitFor(/fractal +dns/);
  await terminal.press('enter');
  await terminal.waitFor('Fractals › dns');
  await terminal.press(':', ...'archive web-prod');
  await terminal.waitFor(/archive +web-prod, 20/);
  await terminal.press('enter');
  await terminal.waitFor('Archives › web-prod, 20');
  await terminal.press('esc');
  await terminal.waitFor('17 archives');
  await terminal.press(':', ...'backup 20');
  await terminal.waitFor(/backup +20.* UTC/);
  await terminal.press('enter');
  await terminal.waitFor(`Backups › `);
  assert.deepEqual(engine.jobs, [], 'no command was run');
});

test('a word that is only similar to a command runs none', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.waitFor(/PG ✓/);
  await terminal.press(':', ...'bckp', 'enter');
  await terminal.press('5');
  await terminal.waitFor('0 jobs');
  assert.deepEqual(engine.jobs, []);
});

test('the palette switches to another installation by name', async () => {
  const preferences = noPreferences();
  preferences.set('contexts', [{ dir: '/srv/logs-berlin', at: 1 }]);
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.waitFor(/PG ✓/);
  await terminal.press(':', ...'context berlin');
  await terminal.waitFor(/context +\/srv\/logs-berlin/);
  await terminal.press('enter');
  assert.equal((await console.left).next, '/srv/logs-berlin');
});
