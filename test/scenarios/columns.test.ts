import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { startBackup, startConsole } from '../helpers/console.ts';

test('columns are shown and hidden with a key, and the choice is remembered', async () => {
  const saved = noPreferences();
  const preferences = async () => saved;
  {
    await using console = startConsole({ preferences });
    const { terminal } = console;
    const titles = () => terminal.lines()[3] ?? '';
    await terminal.press('3');
    await terminal.waitFor('Range / error');
    assert.match(titles(), /Fractal +Status +Size +Rows +Age. +Range/);
    assert.doesNotMatch(titles(), /Created/);
    await terminal.press('w');
    await terminal.waitFor(/\[✓\] Created \(UTC\) +no room here/);
    await terminal.press('down', 'down', ' ', 'down', ' ', 'down', 'down', ' ');
    await terminal.waitFor(/\[✓\] Created \(UTC\) +│/);
    await terminal.press('enter');
    await terminal.waitFor(() => /Fractal +Status +Age. +Type +Created/.test(titles()));
  }
  assert.deepEqual(saved.get('columns.archives'), ['fractal', 'status', 'age', 'type', 'created']);
  await using console = startConsole({ preferences });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor(/Fractal +Status +Age. +Type +Created/);
  await terminal.press('w', 'r', 'esc');
  await terminal.waitFor(/Fractal +Status +Size +Rows +Age. +Range/);
  assert.deepEqual(saved.get('columns.archives'), []);
});

test('the last column stays, and columns of another version are ignored', async () => {
  const saved = noPreferences();
  saved.set('columns.backups', ['name']);
  saved.set('columns.jobs', ['no-such-column']);
  await using console = startConsole({ preferences: async () => saved });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor(() => /^ +Backup *$/.test(terminal.lines()[3] ?? ''));
  await terminal.press('w');
  await terminal.waitFor('▌[✓] Backup');
  await terminal.press(' ');
  await terminal.waitFor('▌[✓] Backup');
  assert.deepEqual(saved.get('columns.backups'), ['name']);
  await terminal.press('esc');
  await startBackup(terminal);
  await terminal.press('5');
  await terminal.waitFor(/Job +State +Progress/);
});
