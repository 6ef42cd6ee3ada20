import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIngest } from '../../../../src/core/adapters/bifract-server/ingest.ts';
import { cancelled } from '../../../../src/core/contract/errors.ts';
import type { ArchiveRestorePlan } from '../../../../src/core/features/archive-restore/contract.ts';
import { type IngestDeps, restoreByIngest } from '../../../../src/core/features/archive-restore/ingest.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext } from '../../../helpers/fake-ports.ts';
import { ingestServer } from '../../../helpers/ingest-server.ts';
import { archiveLine, KEY } from '../../../helpers/sealed.ts';
import { FILE_NAME, numberedLines, sealedArchive, storedTarget } from '../../../helpers/targets.ts';

const ROWS = 95;
const RAWS = Array.from({ length: ROWS }, (_, index) => `row ${index}`);

async function createLab(bytes?: Buffer) {
  const server = await ingestServer();
  const target = await storedTarget(bytes ?? (await sealedArchive(numberedLines(ROWS))));
  const [catalog, state] = [new FakeCatalog(), new FakeState()];
  const deps: IngestDeps = {
    catalog,
    state,
    keys: [KEY],
    find: async () => target,
    ingest: openIngest(server.url),
    retry: { max_ms: 60_000, variable: 'X', first_ms: 1 },
    limits: { rows: 10, bytes: 1e6 },
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
      },
    ],
    into: { id: FRACTAL_ID, name: 'web-prod' },
    from: null,
    to: null,
    via: 'ingest',
    replace: false,
    removes: null,
    rows: ROWS,
    content_bytes: 1e4,
    rows_there: 0,
    estimate_ms: 1,
    notes: [],
    obstacles: [],
  };
  return { server, catalog, state, deps, plan };
}

function warnings({ events }: ReturnType<typeof jobContext>): string[] {
  return events.flatMap((one) => (one.event === 'job:warning' ? [one.message] : []));
}

test('every line is sent once, in order, with the token of its fractal', async () => {
  const { server, deps, plan, state } = await createLab();
  const summary = await restoreByIngest(deps, plan, jobContext());
  assert.deepEqual(server.accepted, RAWS);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [ROWS, 0]);
  assert.deepEqual(new Set(server.authorizations), new Set(['Bearer token']));
  assert.deepEqual(await state.running(), []);
});

test('only rows of the window are sent', async () => {
  const { server, deps, plan } = await createLab();
  const at = (ms: number) => new Date(Date.UTC(2026, 2, 1) + ms).toISOString();
  await restoreByIngest(deps, { ...plan, from: at(10), to: at(20) }, jobContext());
  assert.deepEqual(server.accepted, RAWS.slice(10, 20));
});

test('repeated refusals delay the restore, but no line is lost or duplicated', async () => {
  const { server, deps, plan } = await createLab();
  server.responses = [429, 503, 200, { status: 429, retry_after: '0' }, 500, 502, 200, 200, 429, 200];
  const retry = { status: 429, retry_after: new Date(Date.now() - 1000).toUTCString() };
  server.responses = server.responses.map((fate) => (fate === 429 ? retry : fate));
  const context = jobContext();
  await restoreByIngest(deps, plan, context);
  assert.deepEqual(server.accepted, RAWS);
  assert.equal(context.events.filter(({ event }) => event === 'job:retry').length, 6);
  assert.deepEqual(warnings(context), []);
});

test('the wait requested by the server is respected', async () => {
  const { server, deps, plan } = await createLab();
  server.responses = [{ status: 429, retry_after: '1' }];
  const context = jobContext();
  const began = performance.now();
  await restoreByIngest(deps, plan, context);
  assert.ok(performance.now() - began >= 990);
  assert.deepEqual(server.accepted, RAWS);
});

test('lines whose response was lost are sent again, with a warning about duplicates', async () => {
  const { server, deps, plan } = await createLab();
  server.responses = [200, 'cut', 200, 'taken, cut'];
  const context = jobContext();
  await restoreByIngest(deps, plan, context);
  assert.deepEqual(new Set(server.accepted), new Set(RAWS));
  assert.equal(server.accepted.length, ROWS + 10);
  assert.match(warnings(context).join(), /\b20\b/);
});

test('an interrupted run resumes after the accepted rows', async () => {
  const { server, deps, plan, state } = await createLab();
  const controller = new AbortController();
  const reason = cancelled('TERMINATED');
  const { send } = deps.ingest;
  let calls = 0;
  deps.ingest = {
    ...deps.ingest,
    send: (...call) => {
      if (++calls === 5) controller.abort(reason);
      return send(...call);
    },
  };
  await assert.rejects(
    restoreByIngest(deps, plan, jobContext(controller.signal)),
    (error) => error === reason,
  );
  assert.deepEqual(server.accepted, RAWS.slice(0, 40));
  state.interruptedRecords = [...state.records.values()];
  state.records.clear();
  const context = jobContext();
  await restoreByIngest(deps, plan, context);
  assert.deepEqual(server.accepted, RAWS);
  assert.match(warnings(context).join(), /\b10\b/);
  assert.deepEqual([...state.records.keys(), ...state.interruptedRecords], []);
});

test('lines that ingest would split are skipped, counted and reported', async () => {
  const { server, deps, plan } = await createLab(
    await sealedArchive([archiveLine(0), archiveLine(1, 'two\nlines'), archiveLine(2, ''), archiveLine(3)]),
  );
  const context = jobContext();
  const summary = await restoreByIngest(deps, plan, context);
  assert.deepEqual(server.accepted, ['row 0', 'row 3']);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [2, 2]);
  const messages = warnings(context);
  assert.equal(messages.length, 2);
  for (const message of messages) assert.match(message, /\b1\b/);
});

test('no line of a damaged file is sent', async () => {
  const bytes = await sealedArchive(numberedLines(ROWS));
  bytes[bytes.length - 400] = (bytes[bytes.length - 400] as number) ^ 1;
  const { server, deps, plan, state } = await createLab(bytes);
  await assert.rejects(restoreByIngest(deps, plan, jobContext()), { exitCode: 5 });
  assert.deepEqual(server.accepted, []);
  assert.deepEqual(await state.running(), []);
});

test('a rejected token, or rejected lines, end the restore', async () => {
  for (const [status, code] of [
    [401, 'SERVER_UNREACHABLE'],
    [400, 'RESTORE_FAILED'],
  ] as const) {
    const { server, deps, plan } = await createLab();
    server.responses = [status];
    await assert.rejects(restoreByIngest(deps, plan, jobContext()), (error) => {
      assert.equal((error as { code: string }).code, code);
      assert.doesNotMatch(String(error), /Bearer/);
      return true;
    });
  }
  const { deps, plan, catalog } = await createLab();
  catalog.token = null;
  await assert.rejects(restoreByIngest(deps, plan, jobContext()), { code: 'NOT_FOUND' });
});

test('a server that never answers is reported as unreachable', async () => {
  const { deps, plan } = await createLab();
  deps.ingest = openIngest('http://127.0.0.1:1');
  deps.retry = { ...deps.retry, max_ms: 60_000 };
  const context = jobContext();
  await assert.rejects(restoreByIngest(deps, plan, context), { code: 'SERVER_UNREACHABLE' });
  // Retries end early, unlike for a server that answered before.
  assert.equal(context.events.filter(({ event }) => event === 'job:retry').length, 3);
});
