import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../src/core/contract/errors.ts';
import { JOBS, type JobRequest, jobTypeOf, resumeHint } from '../../../src/core/engine/jobs.ts';
import { leftovers } from '../../../src/core/engine/leftovers.ts';
import { recover, recoverBefore } from '../../../src/core/engine/recovery.ts';
import type { Limits } from '../../../src/core/engine/time-budget.ts';
import type { Services } from '../../../src/core/ports/services.ts';
import { type JobRecord, UNREADABLE } from '../../../src/core/ports/state.ts';
import { refuses } from '../../contracts/storage.ts';
import { FakeCatalog, FakeState } from '../../helpers/fake-ports.ts';
import { type FakeParts, fakeServices } from '../../helpers/fake-services.ts';
import { MemoryStorage } from '../../helpers/memory-storage.ts';

const STARTED = { started_at: '2026-03-01T12:00:00Z' };
const DROPPED: JobRecord = { ...STARTED, id: 'drill-1', kind: 'drill', databases: ['bifract_drill_x'] };
const DELETED: JobRecord = { ...STARTED, id: 'delete-1', kind: 'delete', deleting: [{ archive_id: 'a' }] };

function setUp(records: JobRecord[], drop: () => Promise<boolean>) {
  const state = new FakeState();
  state.interruptedRecords = records;
  const parts: Partial<FakeParts> = {
    now: new Date('2026-03-02T03:00:00Z'),
    state,
    catalog: new FakeCatalog(),
    backups: new MemoryStorage(),
    archives: new MemoryStorage(),
    storageOf: async () => undefined,
    server: { drop } as never,
    containers: [],
  };
  return { state, parts, services: fakeServices(parts) };
}

test('a record whose recovery fails is kept and tried again, and does not stop the others', async () => {
  let reachable = false;
  const { state, services } = setUp([DROPPED, DELETED], async () => {
    if (!reachable) throw new BifractError('POSTGRES_UNREACHABLE', 'no server');
    return true;
  });
  const ids = async () => (await state.interrupted()).map(({ id }) => id);
  assert.equal((await recover(services)).length, 1);
  assert.deepEqual(await ids(), ['drill-1']);
  reachable = true;
  assert.equal((await recover(services)).length, 1);
  assert.deepEqual([await ids(), await recover(services)], [[], []]);
});

test('after an abort recovery stops with its reason, and keeps the record', async () => {
  const reason = new BifractError('CANCELLED', 'enough');
  const controller = new AbortController();
  const { state, services } = setUp([DROPPED], async () => {
    controller.abort(reason);
    throw reason;
  });
  await assert.rejects(recover(services, { signal: controller.signal }), (thrown) => thrown === reason);
  assert.equal((await state.interrupted()).length, 1);
});

test('a record of an unknown kind, or one that cannot be read, is kept and noted', async () => {
  const records = ['toString', UNREADABLE].map((kind) => ({ ...STARTED, id: `of-${kind}`, kind }));
  const { state, services } = setUp(records, async () => true);
  const codes = async () => (await leftovers(services)).map(({ code }) => code);
  const expected = ['UNSUPPORTED', 'STORAGE_FAILED'];
  assert.deepEqual(await codes(), expected);
  assert.deepEqual(await recover(services), []);
  assert.deepEqual([await state.interrupted(), await codes()], [records, expected]);
});

test('a malformed record is noted like any other failure, and keeps no other from being cleaned up', async () => {
  const odd = { ...DROPPED, id: 'drill-0', databases: 7 } as unknown as JobRecord;
  const { services } = setUp([odd, DROPPED], async () => true);
  assert.equal((await recover(services)).length, 1);
  assert.deepEqual(
    (await leftovers(services)).map(({ job, code }) => [job, code]),
    [['drill-0', 'INTERNAL']],
  );
});

test('a record that cannot be removed is noted with the file to delete', async () => {
  const { state, services } = setUp([DROPPED], async () => true);
  state.remove = async () => {
    throw new BifractError('STORAGE_DENIED', 'immutable');
  };
  assert.equal((await recover(services)).length, 1);
  const [left] = await leftovers(services);
  assert.ok(
    left?.code === 'STORAGE_DENIED' && left.hint.includes('.bifract/jobs/drill-1.json'),
    String(left?.hint),
  );
});

/** Warnings before a job; rejects if it must not start. */
async function warningsBefore(services: Services, request: JobRequest, limits?: Limits) {
  const warnings: string[] = [];
  await recoverBefore(services, request, {
    warn: (message) => void warnings.push(message),
    ...(limits ? { limits } : {}),
  });
  return warnings;
}

test('a leftover is a warning once a day, with what to do, until it is gone', async () => {
  let refused = true;
  const { services, parts } = setUp([DROPPED], async () => {
    if (refused) throw new BifractError('QUERY_FAILED', 'in use', { hint: 'DROP it' });
    return true;
  });
  const BACKUP = { kind: 'backup' } as const;
  const count = async (now: string) => {
    parts.now = new Date(now);
    return (await warningsBefore(services, BACKUP)).length;
  };
  const [first = ''] = await warningsBefore(services, BACKUP);
  for (const part of ['drill-1', 'in use', 'DROP it']) assert.ok(first.includes(part), first);
  assert.equal(await count('2026-03-02T23:59:00Z'), 0);
  assert.equal(await count('2026-03-03T00:00:00Z'), 1);
  assert.equal(await count('2026-03-03T00:01:00Z'), 0);
  assert.deepEqual(
    (await leftovers(services)).map(({ job, code, hint }) => [job, code, hint]),
    [['drill-1', 'QUERY_FAILED', 'DROP it']],
  );
  refused = false;
  assert.deepEqual([await count('2026-03-04T00:00:00Z'), await leftovers(services)], [0, []]);
});

test('warnings are repeated rather than lost if the notes cannot be saved', async () => {
  const { state, services } = setUp([DROPPED], async () => {
    throw new BifractError('QUERY_FAILED', 'in use');
  });
  state.saveLeftovers = async () => {
    throw new BifractError('STORAGE_FULL', 'full');
  };
  for (let job = 0; job < 2; job++)
    assert.equal((await warningsBefore(services, { kind: 'backup' })).length, 1);
});

test('servers that hang cost a job a limited time together, and do not hide what was noted before', async () => {
  const records = Array.from({ length: 20 }, (_, n) => ({ ...DROPPED, id: `drill-${n}` }));
  let hangs = false;
  const { services } = setUp(records, async () => {
    if (hangs) return new Promise(() => undefined);
    throw new BifractError('QUERY_FAILED', 'in use');
  });
  await recover(services);
  hangs = true;
  const started = performance.now();
  const warnings = await warningsBefore(services, { kind: 'backup' }, { quiet_ms: 100, total_ms: 200 });
  assert.ok(performance.now() - started < 1500);
  assert.equal(warnings.length, 20);
  assert.deepEqual(new Set((await leftovers(services)).map(({ code }) => code)), new Set(['QUERY_FAILED']));
});

test('while another process cleans up, a job starts that does not need it', async () => {
  const { state, services } = setUp([DROPPED], async () => true);
  const { promise, resolve } = Promise.withResolvers<void>();
  const other = state.exclusive(() => promise);
  assert.deepEqual(await warningsBefore(services, { kind: 'backup' }, { quiet_ms: 50, total_ms: 50 }), []);
  resolve();
  await other;
  assert.equal((await state.interrupted()).length, 1);
});

test('a storage that fails keeps only the records of jobs that wrote something', async () => {
  const failing = new MemoryStorage();
  failing.listUnfinished = async function* () {
    yield* [];
    throw new BifractError('STORAGE_DENIED', 'not allowed');
  };
  const written: JobRecord = { ...STARTED, id: 'backup-1', kind: 'backup', object: 'bifract-backup-x' };
  const stopped: JobRecord = {
    ...written,
    id: 'restore-1',
    kind: 'restore',
    databases: ['bifract_restore_x'],
  };
  let dropped = 0;
  const { services, state, parts } = setUp([DROPPED, written, stopped], async () => {
    dropped++;
    return true;
  });
  parts.backups = failing;
  await recover(services);
  assert.equal(dropped, 2);
  const left = await leftovers(services);
  assert.deepEqual(
    left.map(({ job, code }) => [job, code]),
    [
      ['backup-1', 'STORAGE_DENIED'],
      ['restore-1', 'STORAGE_DENIED'],
    ],
  );
  parts.backups = new MemoryStorage();
  await recover(services);
  assert.deepEqual([await leftovers(services), await state.interrupted()], [[], []]);
});

const FRACTAL = 'f1';
const FILE = 'web-1.bifract-archive';
const RESTORING = {
  key: 'k',
  plan: { into: { id: FRACTAL, name: 'web' }, files: [{ name: FILE }] },
  phase: 'attaching',
  archive_ids: [],
};
/** One of each kind of leftover. */
const LEFT: Record<string, JobRecord> = {
  backup: { ...STARTED, id: 'backup-2', kind: 'backup', object: 'bifract-backup-x' },
  drill: DROPPED,
  app: { ...STARTED, id: 'restore-2', kind: 'restore', app_stopped: true },
  archive: {
    ...STARTED,
    id: 'archive-2',
    kind: 'archive',
    archive_id: 'a',
    archive: { request: { fractal_id: FRACTAL } } as never,
  },
  restoring: { ...STARTED, id: 'restore-archive-2', kind: 'restore-archive', restoring: RESTORING },
  // Too old to be resumed.
  staging: {
    id: 'restore-archive-3',
    kind: 'restore-archive',
    started_at: '2026-02-20T12:00:00Z',
    restoring: { ...RESTORING, phase: 'staging' },
  },
  deleting: { ...STARTED, id: 'delete-2', kind: 'delete', deleting: [{ archive_id: 'a' }] },
  copying: {
    ...STARTED,
    id: 'copy-2',
    kind: 'copy',
    copying: { place: 'archives', name: FILE, to: 's3', archive_id: 'a' },
  },
  rekey: { ...STARTED, id: 'rotate-key-2', kind: 'rotate-key', rekey: [{ place: 'archives', name: FILE }] },
  unknown: { ...STARTED, id: 'new-2', kind: 'new' },
};
const FILES = { items: [{ name: `archives/${FRACTAL}/${FILE}` }] };
const PLAN = { into: { id: FRACTAL, name: 'web' }, files: [], from: null, to: null };
/** One request of each kind that cleans up first, and which leftovers it must not run beside. */
const REQUESTS: Record<string, { request: object; needs: string[] }> = {
  backup: { request: {}, needs: [] },
  restore: { request: { plan: {} }, needs: [] },
  drill: { request: { plan: {} }, needs: [] },
  prune: { request: { plan: { items: [] } }, needs: [] },
  archive: { request: { fractal_id: FRACTAL }, needs: ['archive', 'restoring'] },
  'restore-archive': { request: { plan: PLAN }, needs: ['restoring'] },
  'run-due': { request: {}, needs: [] },
  adopt: { request: { plan: { items: [] } }, needs: [] },
  clean: { request: { orphans: [] }, needs: [] },
  delete: { request: { plan: FILES }, needs: ['restoring'] },
  copy: { request: { plan: { ...FILES, move: true } }, needs: ['restoring'] },
  'rotate-key': { request: { plan: {} }, needs: ['rekey'] },
};

test('each kind of job starts beside each leftover, unless its own result would be harmed', async () => {
  assert.deepEqual(
    Object.entries(JOBS)
      .flatMap(([kind, type]) => ('readsOnly' in type ? [] : [kind]))
      .sort(),
    Object.keys(REQUESTS).sort(),
  );
  for (const [kind, { request, needs }] of Object.entries(REQUESTS)) {
    for (const [name, record] of Object.entries(LEFT)) {
      const { services } = setUp([record], async () => true);
      const unreachable = async () => {
        throw new BifractError('STORAGE_UNREACHABLE', 'gone');
      };
      const broken = new Proxy(services, {
        get: (target, service, receiver) =>
          service === 'state' || service === 'now' ? Reflect.get(target, service, receiver) : unreachable,
      });
      const starting = warningsBefore(broken, { kind, ...request } as JobRequest);
      if (needs.includes(name)) await refuses('BUSY', starting);
      else assert.equal((await starting).length, 1, `${kind} beside ${name}`);
      assert.equal((await leftovers(broken)).length, 1, `${kind} beside ${name}`);
    }
  }
});

test('another fractal, a copy without a move, and the request that resumes it are not stopped', async () => {
  const needs = (request: object) => {
    const type = jobTypeOf(request as JobRequest);
    return type?.needsCleaned?.(request, LEFT.restoring as JobRecord) ?? false;
  };
  assert.equal(needs({ kind: 'archive', fractal_id: 'other' }), false);
  assert.equal(needs({ kind: 'copy', plan: { ...FILES, move: false } }), false);
  assert.equal(needs({ kind: 'delete', plan: { items: [{ name: 'other' }, { name: null }] } }), false);
});

test('every kind of job that can be resumed says how', () => {
  for (const [kind, type] of Object.entries(JOBS)) if ('resumable' in type) assert.ok(resumeHint(kind), kind);
  assert.deepEqual([resumeHint('backup'), resumeHint('toString')], [undefined, undefined]);
});
