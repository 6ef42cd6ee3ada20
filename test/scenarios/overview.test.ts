import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeHealth } from '../helpers/fake-engine.ts';

test('the overview tells where archives go and what their storage is like, wrapped where that is long', async () => {
  const health = fakeHealth();
  const detail = 'Writes, reads, lists and deletes; versioning is on, so what is deleted keeps its space';
  health.archives = { ok: true, detail, location: 's3://logs at https://s3.example.org' };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  const { terminal } = console;
  await terminal.see('Archives go to s3://logs at https://s3.example.org');
  await terminal.see('✓ Writes, reads, lists and deletes; versioning is on, so what');
  await terminal.see('keeps its space');
  assert.ok(terminal.text().includes('Protection'), 'the rest is still there');
});

test('a storage that fails says what to do on the overview', async () => {
  const health = fakeHealth();
  const detail = 'Files above 8 MiB cannot be stored: denied. Give the key the right s3:AbortMultipartUpload';
  health.backups = { ok: false, detail, location: 's3://logs' };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.see(/Storage ✗/);
  await console.terminal.see('Files above 8 MiB cannot be stored');
  await console.terminal.see('s3:AbortMultipartUpload');
});

test('header and overview tell the key as it is now, and not as it was when the console was opened', async () => {
  const health = fakeHealth();
  health.key = { ok: true, detail: '256 bits, fingerprint 0badcafe', key_id: '0badcafe' };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.see(/key 0badcafe/);
  await console.terminal.see(/Key +0badcafe/);
  assert.ok(!console.terminal.text().includes('9f31c2a4'));
});
