import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIngest } from '../../../src/core/adapters/ingest.ts';
import type { ArchiveRestorePlan } from '../../../src/core/archive-restore.ts';
import { cancelled } from '../../../src/core/errors.ts';
import { type IngestDeps, restoreByIngest } from '../../../src/core/jobs/restore-ingest.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext } from '../../helpers/fake-ports.ts';
import { ingestServer } from '../../helpers/ingest-server.ts';
import { archiveLine, KEY } from '../../helpers/sealed.ts';
import { FILE_NAME, lines, sealedArchive, stored } from '../../helpers/targets.ts';

const ROWS = 95;
const RAWS = Array.from({ length: ROWS }, (_, index) => `row ${index}`);

async function lab(bytes?: Buffer) {
  const server = await ingestServer();
  const target = await stored(bytes ?? (await sealedArchive(lines(ROWS))));
  const [catalog, state] = [new FakeCatalog(), new FakeState()];
  const deps: IngestDeps = {
    catalog,
    state,
    keys: [KEY],
    find: async () => target,
    ingest: openIngest(server.url),
    patience: { max_ms: 60_000, variable: 'X', first_ms: 1 },
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

function warnings({ events }: ReturnType<typeof jobContext>): string {
  return events.flatMap((one) => (one.event === 'job:warning' ? [one.message] : [])).join('; ');
}

test('every line is sent once, in order, with the token of its fractal', async () => {
  const { server, deps, plan, state } = await lab();
  const summary = await restoreByIngest(deps, plan, jobContext());
  assert.deepEqual(server.taken, RAWS);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [ROWS, 0]);
  assert.deepEqual(new Set(server.tokens), new Set(['Bearer token']));
  assert.deepEqual(await state.live(), []);
});

test('a window sends its rows only', async () => {
  const { server, deps, plan } = await lab();
  const at = (ms: number) => new Date(Date.UTC(2026, 2, 1) + ms).toISOString();
  await restoreByIngest(deps, { ...plan, from: at(10), to: at(20) }, jobContext());
  assert.deepEqual(server.taken, RAWS.slice(10, 20));
});

test('a storm of refusals delays it, and neither loses nor doubles a line', async () => {
  const { server, deps, plan } = await lab();
  server.fates = [429, 503, 200, { status: 429, retry_after: '0' }, 500, 502, 200, 200, 429, 200];
  const retry = { status: 429, retry_after: new Date(Date.now() - 1000).toUTCString() };
  server.fates = server.fates.map((fate) => (fate === 429 ? retry : fate));
  const context = jobContext();
  await restoreByIngest(deps, plan, context);
  assert.deepEqual(server.taken, RAWS);
  assert.equal(context.events.filter(({ event }) => event === 'job:retry').length, 6);
  assert.equal(warnings(context), '');
});

test('a server that says how long to wait is asked again after that', async () => {
  const { server, deps, plan } = await lab();
  server.fates = [{ status: 429, retry_after: '1' }];
  const context = jobContext();
  const began = performance.now();
  await restoreByIngest(deps, plan, context);
  assert.ok(performance.now() - began >= 990);
  assert.deepEqual(server.taken, RAWS);
});

test('lines whose answer was lost are sent again, and it is told that they may be there twice', async () => {
  const { server, deps, plan } = await lab();
  server.fates = [200, 'cut', 200, 'taken, cut'];
  const context = jobContext();
  await restoreByIngest(deps, plan, context);
  assert.deepEqual(new Set(server.taken), new Set(RAWS));
  assert.equal(server.taken.length, ROWS + 10);
  assert.match(warnings(context), /Up to 20 rows may be there twice/);
});

test('a run that was ended is gone on with behind what was accepted', async () => {
  const { server, deps, plan, state } = await lab();
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
  assert.deepEqual(server.taken, RAWS.slice(0, 40));
  state.deadNotes = [...state.notes.values()];
  state.notes.clear();
  const context = jobContext();
  await restoreByIngest(deps, plan, context);
  assert.deepEqual(server.taken, RAWS);
  assert.match(warnings(context), /Up to 10 rows/);
  assert.deepEqual([...state.notes.keys(), ...state.deadNotes], []);
});

test('lines that would come out as several are left out, counted and told', async () => {
  const { server, deps, plan } = await lab(
    await sealedArchive([archiveLine(0), archiveLine(1, 'two\nlines'), archiveLine(2, ''), archiveLine(3)]),
  );
  const context = jobContext();
  const summary = await restoreByIngest(deps, plan, context);
  assert.deepEqual(server.taken, ['row 0', 'row 3']);
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [2, 2]);
  assert.match(warnings(context), /1 rows were left out: their log lines have newlines/);
});

test('a damaged file sends nothing', async () => {
  const bytes = await sealedArchive(lines(ROWS));
  bytes[bytes.length - 400] = (bytes[bytes.length - 400] as number) ^ 1;
  const { server, deps, plan, state } = await lab(bytes);
  await assert.rejects(restoreByIngest(deps, plan, jobContext()), { exitCode: 5 });
  assert.deepEqual(server.taken, []);
  assert.deepEqual(await state.live(), []);
});

test('a token that is not accepted, or lines that never are, end it', async () => {
  for (const [status, code] of [
    [401, 'SERVER_UNREACHABLE'],
    [400, 'RESTORE_FAILED'],
  ] as const) {
    const { server, deps, plan } = await lab();
    server.fates = [status];
    await assert.rejects(restoreByIngest(deps, plan, jobContext()), (error) => {
      assert.equal((error as { code: string }).code, code);
      assert.doesNotMatch(String(error), /Bearer/);
      return true;
    });
  }
  const { deps, plan, catalog } = await lab();
  catalog.token = null;
  await assert.rejects(restoreByIngest(deps, plan, jobContext()), { code: 'NOT_FOUND' });
});

test('a server that is not there is told as that', async () => {
  const { deps, plan } = await lab();
  deps.ingest = openIngest('http://127.0.0.1:1');
  deps.patience = { ...deps.patience, max_ms: 60_000 };
  const context = jobContext();
  await assert.rejects(restoreByIngest(deps, plan, context), { code: 'SERVER_UNREACHABLE' });
  // One that never answered is not waited for as long as one that goes away.
  assert.equal(context.events.filter(({ event }) => event === 'job:retry').length, 3);
});
