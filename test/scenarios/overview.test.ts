import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeServerArchive } from '../../src/core/policy/server-archive.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeHealth } from '../helpers/fake-engine.ts';

test('the overview shows the location and the details of the archive storage, wrapped if long', async () => {
  const health = fakeHealth();
  const detail = 'Writes, reads, lists and deletes; versioning is on, so what is deleted keeps its space';
  health.archives = { ok: true, detail, location: 's3://logs at https://s3.example.org' };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  const { terminal } = console;
  await terminal.waitFor('s3://logs at https://s3.example.org');
  await terminal.waitFor('✓ Writes, reads, lists and deletes; versioning is on, so what');
  await terminal.waitFor('keeps its space');
  assert.ok(terminal.text().includes('Protection'), 'the rest of the page is shown');
});

test('the overview shows why a storage fails and what to do', async () => {
  const health = fakeHealth();
  const detail = 'Files above 8 MiB cannot be stored: denied. Give the key the right s3:AbortMultipartUpload';
  health.backups = { ok: false, detail, location: 's3://logs' };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.waitFor(/Storage ✗/);
  await console.terminal.waitFor('Files above 8 MiB cannot be stored');
  await console.terminal.waitFor('s3:AbortMultipartUpload');
});

test('header and overview show the current key, not the one at the start of the console', async () => {
  const health = fakeHealth();
  health.key = { ok: true, detail: '256 bits, fingerprint 0badcafe', key_id: '0badcafe' };
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.waitFor(/key 0badcafe/);
  await console.terminal.waitFor(/Key +0badcafe/);
  assert.ok(!console.terminal.text().includes('9f31c2a4'));
});

test('the overview shows what could not be cleaned up, and what to do', async () => {
  const leftover = {
    job: 'drill-20260301-120000-3f9a1c',
    kind: 'drill',
    since: '2026-03-01T12:00:00Z',
    code: 'QUERY_FAILED',
    message: 'Cannot drop it\u001b[31m',
    hint: 'As a superuser, run DROP DATABASE x',
    warned_at: null,
  };
  const health = fakeHealth({ leftovers: [leftover] });
  await using console = startConsole({ engine: new FakeEngine({ health }) });
  await console.terminal.waitFor(/Not cleaned up +drill-20260301-120000-3f9a1c/);
  await console.terminal.waitFor('DROP DATABASE x');
});

test("the overview shows the server's own archive if there is one, and warns if its archiver has stopped", async () => {
  const archive = {
    updated_at: '2026-08-20T12:00:00.000Z',
    last_commit_at: '2026-08-20T11:00:00.000Z',
    fractal_count: 3,
    total_bytes: 5_000_000_000,
    total_records: 7_654_321,
  };
  for (const [minutes, sign] of [
    [1, '✓'],
    [20, '!'],
  ] as const) {
    const now = new Date(Date.parse(archive.updated_at) + minutes * 60_000);
    const health = fakeHealth({ server_archive: describeServerArchive(archive, now) });
    await using console = startConsole({ engine: new FakeEngine({ health }) });
    await console.terminal.waitFor(new RegExp(`Iceberg +${sign} 3 fractals, 7,654,321 records, 4.7 GiB`));
    if (minutes > 5) await console.terminal.waitFor('bifract-archiver');
  }
});
