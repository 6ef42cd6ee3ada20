import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError, createUnavailableEngine, type Engine } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { busyEngine, type FakeEngine } from '../helpers/fake-engine.ts';

const MISSING = new BifractError('ENV_MISSING', '/srv/nothing does not exist', { hint: 'Pass --dir.' });
const DOWN = { ok: false, detail: 'Nothing answers at localhost. Start the containers.' };

function unavailable(dir = '/srv/nothing'): FakeEngine {
  const installation = { dir, key_id: null, storage: '', read_only: true, version: '1' };
  return createUnavailableEngine(installation, MISSING) as Engine as FakeEngine;
}

const copied = (written: string) =>
  [...written.matchAll(/\x1b\]52;c;([^\x07]*)\x07/g)].map(([, text]) =>
    Buffer.from(text ?? '', 'base64').toString(),
  );

test('a directory without an installation says so once, and offers the next steps', async () => {
  await using console = startConsole({ engine: unavailable(), columns: 100 });
  const { terminal } = console;
  await terminal.waitFor('✗ /srv/nothing does not exist. Pass --dir.');
  await terminal.waitFor('bifract init --dir /srv/nothing');
  assert.doesNotMatch(terminal.text(), /Cannot load/);
  await terminal.press('y');
  await terminal.waitFor('Copy');
  await terminal.press('2');
  await terminal.waitFor('Copied');
  assert.deepEqual(copied(terminal.written), ['bifract init --dir /srv/nothing']);
  await terminal.press('b');
  await terminal.waitFor('read-only');
  await terminal.press('r');
  assert.equal((await console.left).next, '/srv/nothing');
});

test('a path in a command is quoted for the shell', async () => {
  await using console = startConsole({ engine: unavailable("/srv/it's here; rm"), columns: 100 });
  await console.terminal.waitFor(`bifract init --dir '/srv/it'\\''s here; rm'`);
});

test('an installation without a key says how to get one', async () => {
  const engine = busyEngine();
  engine.data.health.key = { ok: false, detail: 'The key is not set.', key_id: null, known_ids: [] };
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor('✗ The key is not set.');
  await terminal.waitFor('BIFRACT_BACKUP_ENCRYPTION_KEY=');
  await terminal.waitFor('bifract init --dir /opt/bifract');
  await terminal.waitFor(/PostgreSQL +✓/);
  engine.data.health.key = { ok: true, detail: 'fingerprint 9f31c2a4', key_id: '9f31c2a4', known_ids: [] };
  await terminal.press('r');
  await terminal.waitFor('All parts work');
});

test('if no database answers, the commands that start the containers are shown; Esc leaves the page for good', async () => {
  const engine = busyEngine();
  Object.assign(engine.data.health, { postgres: DOWN, clickhouse: DOWN });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor('up -d postgres');
  await terminal.waitFor('up -d clickhouse');
  await terminal.press('esc');
  await terminal.waitFor('Last backup');
  await terminal.press('r');
  await terminal.waitFor('Last backup');
});

test('one database that does not answer leaves the overview in place; ! shows the next step', async () => {
  const engine = busyEngine();
  engine.data.health.postgres = DOWN;
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor(/PG ✗/);
  await terminal.waitFor('Last backup');
  await terminal.press('!');
  await terminal.waitFor('up -d postgres');
  assert.doesNotMatch(terminal.text(), /up -d clickhouse/);
});

test('a user who is already on another screen is not taken away from it', async () => {
  const engine = busyEngine();
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  Object.assign(engine.data.health, { postgres: DOWN, clickhouse: DOWN });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.waitFor('q quit');
  await terminal.press('5');
  await terminal.waitFor('0 jobs');
  gate.resolve();
  await terminal.waitFor(/PG ✗/);
  await terminal.waitFor('0 jobs');
});
