import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { SETTINGS } from '../../src/components/view/settings.ts';
import { startConsole } from '../helpers/console.ts';
import { busyEngine } from '../helpers/fake-engine.ts';
import type { FakeTerminal } from '../helpers/terminal.ts';

const cursorOn = (name: string) => (lines: readonly string[]) =>
  lines.some((line) => line.startsWith('▌') && line.includes(name));

async function moveTo(terminal: FakeTerminal, setting: string): Promise<void> {
  await terminal.waitFor(cursorOn('Colors'));
  for (let steps = 0; steps < SETTINGS.length && !cursorOn(setting)(terminal.lines()); steps++)
    await terminal.press('j');
  await terminal.waitFor(cursorOn(setting));
}

test('a setting applies at once, is saved, and is read by the next console', async () => {
  const preferences = noPreferences();
  {
    await using console = startConsole({ preferences: async () => preferences });
    const { terminal } = console;
    await terminal.press('4');
    await terminal.waitFor(/\d MiB/);
    await terminal.press(',');
    await terminal.waitFor('Settings');
    await moveTo(terminal, 'Sizes');
    await terminal.press('enter');
    await terminal.waitFor('KiB, MiB, GiB');
    await terminal.press('2');
    await terminal.waitFor(/Sizes +kB, MB, GB/);
    assert.equal(preferences.get('settings.units'), 'si');
    await terminal.press('esc');
    await terminal.waitFor(/\.\d MB/);
    assert.doesNotMatch(terminal.text(), /MiB/);
  }
  await using console = startConsole({ preferences: async () => preferences });
  await console.terminal.press('4');
  await console.terminal.waitFor(/\d MB/);
});

test('Space turns a setting on and off', async () => {
  const preferences = noPreferences();
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.press(',');
  await terminal.waitFor('Settings');
  await moveTo(terminal, 'Mouse');
  await terminal.press(' ');
  await terminal.waitFor(/Mouse +off/);
  await terminal.press(' ');
  await terminal.waitFor(/Mouse +on/);
  assert.equal(preferences.get('settings.mouse'), true);
});

test('saved values that are no choices are ignored', async () => {
  const preferences = noPreferences();
  preferences.set('settings.units', 'furlongs');
  preferences.set('settings.mouse', 'yes');
  preferences.set('settings.time_zone', ['utc']);
  preferences.set('settings.refresh_s', 0.001);
  const engine = busyEngine();
  await using console = startConsole({ engine, preferences: async () => preferences });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor(/\d MiB/);
  await terminal.press(',');
  await terminal.waitFor(/Mouse +on/);
  await terminal.waitFor(/Times +UTC/);
  await terminal.waitFor(/Reload lists +every 15 seconds/);
});

test('local times are named as such, and names and periods stay in UTC', async (t) => {
  const zone = process.env.TZ;
  process.env.TZ = 'Asia/Kolkata';
  t.after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  const preferences = noPreferences();
  const engine = busyEngine();
  const [backup] = engine.data.backups;
  assert.ok(backup);
  engine.data.backups = [{ ...backup, created_at: '2026-03-01T20:00:00Z' }];
  await using console = startConsole({ engine, columns: 110, preferences: async () => preferences });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor('Created (UTC)');
  await terminal.waitFor('2026-03-01 20:00');
  await terminal.press(',');
  await moveTo(terminal, 'Times');
  await terminal.press('enter');
  await terminal.waitFor('local time');
  await terminal.press('2');
  await terminal.waitFor(/Times +local time/);
  await terminal.press('esc');
  await terminal.waitFor('Created (local)');
  await terminal.waitFor('2026-03-02 01:30');
  await terminal.press('enter');
  await terminal.waitFor('2026-03-02 01:30 +05:30');
});
