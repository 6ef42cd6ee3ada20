import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIngest } from '../../../../src/core/adapters/bifract-server/ingest.ts';
import { cancelled } from '../../../../src/core/contract/errors.ts';
import type {
  ArchiveRestorePlan,
  ArchiveRestoreSummary,
} from '../../../../src/core/features/archive-restore/contract.ts';
import { restoreArchive } from '../../../../src/core/features/archive-restore/restore.ts';
import type { RestoreLimits } from '../../../../src/core/features/archive-restore/run.ts';
import { FakeLogRestore } from '../../../helpers/fake-log-restore.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext } from '../../../helpers/fake-ports.ts';
import { type FakeParts, fakeServices } from '../../../helpers/fake-services.ts';
import { ingestServer } from '../../../helpers/ingest-server.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { archiveLine, KEY } from '../../../helpers/sealed.ts';
import { FILE_NAME, numberedLines, sealedArchive, storedTarget } from '../../../helpers/targets.ts';

const ROWS = 95;
const LIMITS: Partial<RestoreLimits> = { batch: { rows: 10, bytes: 1e6 }, first_wait_ms: 1 };
const RAWS = Array.from({ length: ROWS }, (_, index) => `row ${index}`);

async function createLab(bytes?: Buffer) {
  const server = await ingestServer();
  const target = await storedTarget(bytes ?? (await sealedArchive(numberedLines(ROWS))));
  const [catalog, state] = [new FakeCatalog(), new FakeState()];
  const ingest = openIngest(server.url);
  const parts: Partial<FakeParts> = {
    logRestore: new FakeLogRestore(),
    logs: new FakeLogRestore(),
    catalog,
    state,
    keys: [KEY],
    backups: new MemoryStorage(),
    archives: target.storage,
    storageOf: async () => undefined,
    localFile: async (name) => ({ storage: new MemoryStorage(), name }),
    archive_limits: { max_memory: 1e9, max_duration_ms: 0, max_error_time_ms: 60_000 },
    ingest,
  };
  const plan: ArchiveRestorePlan = {
    id: 'plan',
    planned_at: '2026-03-02T00:00:00Z',
    files: [
      {
        archive_id: null,
        name: FILE_NAME,
        path: target.path,
        size_bytes: target.object.size_bytes,
        rows: ROWS,
        first: null,
        last: null,
        fields: true,
        raw_from: 'logs',
      },
    ],
    into: { id: FRACTAL_ID, name: 'web-prod' },
    creates: null,
    from: null,
    to: null,
    via: 'ingest',
    replace: false,
    removes: null,
    rows: ROWS,
    content_bytes: 1e4,
    rows_there: 0,
    differences: null,
    expires: null,
    estimate_ms: 1,
    notes: [],
    obstacles: [],
  };
  return { server, catalog, state, ingest, parts, plan };
}

function restore(
  { parts }: { parts: Partial<FakeParts> },
  plan: ArchiveRestorePlan,
  context = jobContext(),
): Promise<ArchiveRestoreSummary> {
  return restoreArchive(fakeServices(parts), plan, context, LIMITS);
}

function warnings({ events }: ReturnType<typeof jobContext>): string[] {
  return events.flatMap((one) => (one.event === 'job:warning' ? [one.message] : []));
}

test('every line is sent once, in order, with the token of its fractal', async () => {
  const { server, parts, plan, state } = await createLab();
  const summary = await restore({ parts }, plan);
  assert.deepEqual(server.accepted, RAWS);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [ROWS, 0]);
  assert.deepEqual(new Set(server.authorizations), new Set(['Bearer token']));
  assert.deepEqual(await state.running(), []);
});

test('rows without an original line are sent as the text of their fields, with a warning', async () => {
  const line = (index: number, rest: object) => {
    const ts = new Date(Date.UTC(2026, 2, 1) + index).toISOString();
    return Buffer.from(`${JSON.stringify({ ts, raw: '', id: 'x', fid: 'f', its: ts, ...rest })}\n`);
  };
  const bytes = await sealedArchive([
    ...numberedLines(1),
    line(1, { fields: { user: 'bob' } }),
    line(2, { fields: { user: 'eve' }, cols: { norm_log: '{"user":"EVE"}' } }),
    line(3, { fields: {} }),
  ]);
  const { server, parts, plan } = await createLab(bytes);
  const context = jobContext();
  const summary = await restore({ parts }, plan, context);
  assert.deepEqual(server.accepted, ['row 0', '{"user":"bob"}', '{"user":"EVE"}']);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [3, 1]);
  assert.equal(warnings(context).length, 2);
});

test('only rows of the window are sent', async () => {
  const { server, parts, plan } = await createLab();
  const at = (ms: number) => new Date(Date.UTC(2026, 2, 1) + ms).toISOString();
  await restore({ parts }, { ...plan, from: at(10), to: at(20) }, jobContext());
  assert.deepEqual(server.accepted, RAWS.slice(10, 20));
});

test('repeated refusals delay the restore, but no line is lost or duplicated', async () => {
  const { server, parts, plan } = await createLab();
  server.responses = [429, 503, 200, { status: 429, retry_after: '0' }, 500, 502, 200, 200, 429, 200];
  const retry = { status: 429, retry_after: new Date(Date.now() - 1000).toUTCString() };
  server.responses = server.responses.map((fate) => (fate === 429 ? retry : fate));
  const context = jobContext();
  await restore({ parts }, plan, context);
  assert.deepEqual(server.accepted, RAWS);
  assert.equal(context.events.filter(({ event }) => event === 'job:retry').length, 6);
  assert.deepEqual(warnings(context), []);
});

test('the wait requested by the server is respected', async () => {
  const { server, parts, plan } = await createLab();
  server.responses = [{ status: 429, retry_after: '1' }];
  const context = jobContext();
  const began = performance.now();
  await restore({ parts }, plan, context);
  assert.ok(performance.now() - began >= 990);
  assert.deepEqual(server.accepted, RAWS);
});

test('lines whose response was lost are sent again, with a warning about duplicates', async () => {
  const { server, parts, plan } = await createLab();
  server.responses = [200, 'cut', 200, 'taken, cut'];
  const context = jobContext();
  await restore({ parts }, plan, context);
  assert.deepEqual(new Set(server.accepted), new Set(RAWS));
  assert.equal(server.accepted.length, ROWS + 10);
  assert.match(warnings(context).join(), /\b20\b/);
});

test('an interrupted run resumes after the accepted rows', async () => {
  const { server, ingest, parts, plan, state } = await createLab();
  const controller = new AbortController();
  const reason = cancelled('TERMINATED');
  const { send } = ingest;
  let calls = 0;
  parts.ingest = {
    ...ingest,
    send: (...call) => {
      if (++calls === 5) controller.abort(reason);
      return send(...call);
    },
  };
  await assert.rejects(restore({ parts }, plan, jobContext(controller.signal)), {
    code: 'TERMINATED',
    hint: /again/,
  });
  assert.deepEqual(server.accepted, RAWS.slice(0, 40));
  state.interruptedRecords = [...state.records.values()];
  state.records.clear();
  const context = jobContext();
  await restore({ parts }, plan, context);
  assert.deepEqual(server.accepted, RAWS);
  assert.match(warnings(context).join(), /\b10\b/);
  assert.deepEqual([...state.records.keys(), ...state.interruptedRecords], []);
});

test('lines that ingest would split are skipped, counted and reported', async () => {
  const { server, parts, plan } = await createLab(
    await sealedArchive([archiveLine(0), archiveLine(1, 'two\nlines'), archiveLine(2, ''), archiveLine(3)]),
  );
  const context = jobContext();
  const summary = await restore({ parts }, plan, context);
  assert.deepEqual(server.accepted, ['row 0', 'row 3']);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [2, 2]);
  const messages = warnings(context);
  assert.equal(messages.length, 2);
  for (const message of messages) assert.match(message, /\b1\b/);
});

test('no line of a damaged file is sent', async () => {
  const bytes = await sealedArchive(numberedLines(ROWS));
  bytes[bytes.length - 400] = (bytes[bytes.length - 400] as number) ^ 1;
  const { server, parts, plan, state } = await createLab(bytes);
  await assert.rejects(restore({ parts }, plan), { exitCode: 5 });
  assert.deepEqual(server.accepted, []);
  assert.deepEqual(await state.running(), []);
});

test('a rejected token, or rejected lines, end the restore', async () => {
  for (const [status, code] of [
    [401, 'SERVER_UNREACHABLE'],
    [400, 'RESTORE_FAILED'],
  ] as const) {
    const { server, parts, plan } = await createLab();
    server.responses = [status];
    await assert.rejects(restore({ parts }, plan), (error) => {
      assert.equal((error as { code: string }).code, code);
      assert.doesNotMatch(String(error), /Bearer/);
      return true;
    });
  }
  const { parts, plan, catalog } = await createLab();
  catalog.token = null;
  await assert.rejects(restore({ parts }, plan), { code: 'NOT_FOUND' });
});

test('a server that never answers is reported as unreachable', async () => {
  const { parts, plan } = await createLab();
  parts.ingest = openIngest('http://127.0.0.1:1');
  const context = jobContext();
  await assert.rejects(restore({ parts }, plan, context), { code: 'SERVER_UNREACHABLE' });
  // Retries end early, unlike for a server that answered before.
  assert.equal(context.events.filter(({ event }) => event === 'job:retry').length, 3);
});
