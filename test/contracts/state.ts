import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { CHECKS_KEPT, type FileCheck, type JobRecord, type State } from '../../src/core/ports/state.ts';
import { refuses } from './storage.ts';

/** A state under test. */
export interface StateUnderTest {
  state: State;
  /** Ends the process of all saved records. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

const RECORD: JobRecord = {
  id: 'archive-20260301-120000-abc123',
  kind: 'archive',
  started_at: '2026-03-01T12:00:00Z',
};

const CHECK: FileCheck = {
  kind: 'verify',
  path: '/a',
  size_bytes: 10,
  modified_at: '2026-03-01T11:00:00Z',
  uuid: null,
  checksum: 'ab',
  key_id: '9f31c2a4',
  at: '2026-03-01T12:00:00Z',
  message: 'Complete.',
  error: null,
};

function restoring(plan: object, phase: string): JobRecord {
  return {
    ...RECORD,
    kind: 'restore-archive',
    restoring: { key: 'k', plan, phase, archive_ids: [] } as never,
  };
}

/** What every state must do. */
export function stateContract(title: string, make: () => Promise<StateUnderTest>): void {
  describe(title, () => {
    let under: StateUnderTest;
    let state: State;
    const all = async () => [await state.running(), await state.interrupted()];
    beforeEach(async () => {
      under = await make();
      state = under.state;
    });
    afterEach(() => under.close());

    test('without a record no job is running or interrupted', async () => {
      await state.cleanUp();
      assert.deepEqual(await all(), [[], []]);
    });

    test('a saved record is running, is replaced when saved again, and can be removed twice', async () => {
      await state.save(RECORD);
      const later = { ...RECORD, archive_id: 'a', object: 'archives/x' };
      await state.save(later);
      assert.deepEqual(await all(), [[later], []]);
      await state.remove(RECORD.id);
      await state.remove(RECORD.id);
      assert.deepEqual(await all(), [[], []]);
    });

    test('a record is saved as it was at that moment', async () => {
      const rekey = [{ place: 'backups' as const, name: 'a' }];
      await state.save({ ...RECORD, rekey });
      rekey.push({ place: 'backups', name: 'b' });
      assert.deepEqual((await state.running())[0]?.rekey?.length, 1);
    });

    test('a job whose process ended is interrupted; cleanup keeps its record, saving it again makes it running', async () => {
      await state.save(RECORD);
      await under.crash();
      await state.cleanUp();
      assert.deepEqual(await all(), [[], [RECORD]]);
      await state.save(RECORD);
      assert.deepEqual(await all(), [[RECORD], []]);
      await under.crash();
      await state.remove(RECORD.id);
      assert.deepEqual(await all(), [[], []]);
    });

    test('a record saved as interrupted is not running', async () => {
      await state.save(RECORD);
      const last = { ...RECORD, object: 'archives/x' };
      await state.saveInterrupted(last);
      await state.saveInterrupted(last);
      assert.deepEqual(await all(), [[], [last]]);
    });

    test('records are in the order of their start', async () => {
      const records = ['12:00', '11:00', '13:00'].map((time, at) => ({
        ...RECORD,
        id: `job-${at}`,
        started_at: `2026-03-01T${time}:00Z`,
      }));
      for (const record of records) await state.save(record);
      const ids = (list: JobRecord[]) => list.map(({ id }) => id);
      assert.deepEqual(ids(await state.running()), ['job-1', 'job-0', 'job-2']);
      await under.crash();
      assert.deepEqual(ids(await state.interrupted()), ['job-1', 'job-0', 'job-2']);
    });

    test('every save of a restore has its plan', async () => {
      const plan = { into: { id: 'f' }, files: [{ name: 'a' }] };
      for (const phase of ['staging', 'removing', 'attaching']) {
        await state.save(restoring(plan, phase));
        assert.deepEqual(await all(), [[restoring(plan, phase)], []]);
      }
      await state.saveInterrupted(restoring(plan, 'ended'));
      assert.deepEqual(await all(), [[], [restoring(plan, 'ended')]]);
      const other = { into: { id: 'g' }, files: [] };
      await state.save(restoring(other, 'staging'));
      assert.deepEqual(await all(), [[restoring(other, 'staging')], []]);
    });

    test('exclusive work runs one at a time; its result and its error are passed on', async () => {
      await state.save(RECORD);
      let running = 0;
      const work = async (result: number) => {
        assert.equal(++running, 1);
        await wait(5);
        running -= 1;
        return result;
      };
      const results = await Promise.all([1, 2, 3].map((result) => state.exclusive(() => work(result))));
      assert.deepEqual(results, [1, 2, 3]);
      const error = new Error('broken');
      await assert.rejects(
        state.exclusive(() => Promise.reject(error)),
        (thrown) => thrown === error,
      );
      assert.equal(await state.exclusive(() => work(4)), 4);
    });

    test('leftovers are none at first, and are replaced as a whole', async () => {
      assert.deepEqual(await state.leftovers(), []);
      const one = {
        job: 'a',
        kind: 'drill',
        since: '2026-03-01T12:00:00Z',
        code: 'X',
        message: 'm',
        hint: 'h',
      };
      await state.saveLeftovers([
        { ...one, warned_at: null },
        { ...one, job: 'b', warned_at: '2026-03-02T03:00:00Z' },
      ]);
      assert.equal((await state.leftovers()).length, 2);
      await state.saveLeftovers([{ ...one, warned_at: null }]);
      assert.deepEqual(await state.leftovers(), [{ ...one, warned_at: null }]);
      assert.deepEqual(await all(), [[], []]);
    });

    test('a check replaces an earlier one of its kind and path; the newest are kept', async () => {
      assert.deepEqual(await state.checks(), []);
      await state.addChecks([CHECK, { ...CHECK, kind: 'drill' }, { ...CHECK, path: '/b' }]);
      const later = { ...CHECK, at: '2026-03-02T12:00:00Z', error: { code: 'DAMAGED', message: 'm' } };
      await state.addChecks([later]);
      assert.deepEqual(await state.checks(), [{ ...CHECK, kind: 'drill' }, { ...CHECK, path: '/b' }, later]);
      const many = Array.from({ length: CHECKS_KEPT }, (_, at) => ({ ...CHECK, path: `/many/${at}` }));
      await state.addChecks(many);
      const kept = await state.checks();
      assert.equal(kept.length, CHECKS_KEPT);
      assert.equal(kept.at(-1)?.path, `/many/${CHECKS_KEPT - 1}`);
      assert.ok(kept.every(({ path }) => path.startsWith('/many/')));
      assert.deepEqual(await all(), [[], []]);
    });

    test('checks that are added at the same time are all kept', async () => {
      const paths = Array.from({ length: 8 }, (_, at) => `/${at}`);
      await Promise.all(paths.map((path) => state.addChecks([{ ...CHECK, path }])));
      assert.deepEqual((await state.checks()).map(({ path }) => path).sort(), paths);
    });

    test('folders that held files are changed as a list', async () => {
      assert.deepEqual(await state.folders(), []);
      const one = { path: '/a', id: '1:2', seen_at: '2026-03-01T12:00:00Z' };
      await state.changeFolders((known) => [...known, one]);
      await state.changeFolders((known) => [...known, { ...one, path: '/b' }]);
      assert.deepEqual(await state.folders(), [one, { ...one, path: '/b' }]);
      await state.changeFolders(() => []);
      assert.deepEqual(await state.folders(), []);
    });

    test('an abort ends the wait for exclusive work with its reason', async () => {
      await state.save(RECORD);
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      const first = state.exclusive(() => {
        entered.resolve();
        return gate.promise;
      });
      await entered.promise;
      const [controller, reason] = [new AbortController(), new Error('enough')];
      const second = state.exclusive(async () => assert.fail(), { signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(second, (thrown) => thrown === reason);
      gate.resolve();
      await first;
    });

    test('a job waits for the installation lock, names its holder, and can be cancelled or run out of time', async () => {
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      const first = state.locked('job-a', () => {
        entered.resolve();
        return gate.promise;
      });
      await entered.promise;
      const holders: (string | undefined)[] = [];
      const onWait = (holder: string | undefined) => void holders.push(holder);
      const never = async () => assert.fail();
      await refuses('BUSY', state.locked('job-b', never, { limit_ms: 150, onWait }));
      const [controller, reason] = [new AbortController(), new Error('enough')];
      const cancelled = state.locked('job-c', never, { signal: controller.signal, onWait });
      controller.abort(reason);
      await assert.rejects(cancelled, (thrown) => thrown === reason);
      // Recovery is not held up by a long job.
      assert.equal(await state.exclusive(async () => 5), 5);
      const last = state.locked('job-d', async () => 6, { onWait });
      gate.resolve();
      await first;
      assert.equal(await last, 6);
      assert.deepEqual(new Set(holders), new Set(['job-a']));
      assert.equal(await state.locked('job-e', async () => 7, { limit_ms: 0 }), 7);
    });
  });
}
