import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { JobQueue, QueuedRecord } from '../../src/core/ports/job-queue.ts';

/** A queue under test; `other` is that of another process of the installation. */
export interface QueueUnderTest {
  queue: JobQueue;
  other: JobQueue;
  close(): Promise<void>;
}

export function queued(id: string, values: Partial<QueuedRecord> = {}): QueuedRecord {
  return {
    id,
    request: { kind: 'archive' },
    queued_at: '2026-03-01T12:00:00Z',
    by: { user: 'root', host: 'logs-1', pid: 1, from: 'pts/0' },
    started_at: null,
    problem: null,
    ...values,
  };
}

/** What every queue must do. */
export function queueContract(title: string, make: () => Promise<QueueUnderTest>): void {
  describe(title, () => {
    let under: QueueUnderTest;
    let queue: JobQueue;
    let other: JobQueue;
    const ids = async () => (await other.read()).map(({ id }) => id);
    beforeEach(async () => {
      under = await make();
      ({ queue, other } = under);
    });
    afterEach(() => under.close());

    test('it is empty at first, and after its last job has left', async () => {
      assert.deepEqual([await queue.read(), await queue.hasRunner()], [[], false]);
      await queue.change(() => []);
      await queue.change(() => [queued('a')]);
      await queue.change(() => []);
      assert.deepEqual([await queue.read(), await other.read()], [[], []]);
    });

    test('another process sees every job as it was queued, in order', async () => {
      const jobs = [
        queued('b', { started_at: '2026-03-01T12:00:01Z' }),
        queued('a', { problem: { code: 'STORAGE_FULL', message: 'm', hint: 'h' } }),
        queued('c', { request: { kind: 'archive', fractal_id: 'f' } as never }),
      ];
      await queue.change(() => jobs);
      assert.deepEqual(await other.read(), jobs);
    });

    test('no change of two processes at the same time is lost', async () => {
      const add = (to: JobQueue, id: string) => to.change((jobs) => [...jobs, queued(id)]);
      const names = Array.from({ length: 20 }, (_, index) => `job-${index}`);
      await Promise.all(names.map((id, index) => add(index % 2 === 0 ? queue : other, id)));
      assert.deepEqual((await ids()).sort(), names.toSorted());
    });

    test('an error of a change is passed on and changes nothing', async () => {
      await queue.change(() => [queued('a')]);
      const error = new Error('no');
      const failing = queue.change(() => {
        throw error;
      });
      await assert.rejects(failing, (thrown) => thrown === error);
      await other.change((jobs) => [...jobs, queued('b')]);
      assert.deepEqual(await ids(), ['a', 'b']);
    });

    test('one process at a time runs it; the next one can when it has ended, also with an error', async () => {
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      const first = queue.runAlone(() => {
        entered.resolve();
        return gate.promise;
      });
      await entered.promise;
      assert.equal(await other.hasRunner(), true);
      assert.equal(await other.runAlone(async () => assert.fail()), false);
      // The queue can be changed meanwhile.
      await other.change(() => [queued('a')]);
      gate.resolve();
      assert.deepEqual([await first, await other.hasRunner()], [true, false]);
      await assert.rejects(
        other.runAlone(() => Promise.reject(new Error('broken'))),
        /broken/,
      );
      assert.equal(await queue.runAlone(() => wait(1)), true);
    });
  });
}
