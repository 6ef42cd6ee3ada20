import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createJobStore, type JobEvent, type JobEventMap } from '../../../src/core/index.ts';

function event<Name extends keyof JobEventMap>(
  name: Name,
  payload: JobEventMap[Name],
  at = 0,
  job = 'one',
): JobEvent {
  return { event: name, job, time: new Date(at).toISOString(), ...payload } as JobEvent;
}

const started = (job = 'one') => event('job:started', { kind: 'backup', title: 'Backup' }, 0, job);

test('50,000 events within a second cause a dozen publications, the last one complete', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  try {
    const store = createJobStore();
    let calls = 0;
    store.subscribe(() => {
      calls += 1;
    });
    store.apply(started());
    for (let rows = 1; rows <= 50_000; rows++) {
      store.apply(event('job:progress', { rows }, rows / 50));
      if (rows % 50 === 0) mock.timers.tick(1);
    }
    mock.timers.tick(200);
    assert.ok(calls <= 12, `${calls} calls`);
    assert.ok(calls >= 9, `${calls} calls`);
    assert.equal(store.snapshot()[0]?.progress.rows, 50_000);
  } finally {
    mock.timers.reset();
  }
});

test('the end of a job is published at once, and later events are ignored', () => {
  let now = 0;
  const store = createJobStore({ now: () => now });
  store.apply(started());
  now = 1;
  store.apply(event('job:progress', { rows: 5 }));
  assert.equal(store.snapshot()[0]?.progress.rows, undefined, 'progress is not published yet');
  store.apply(event('job:done', { result: { rows: 5 } }, 2_000));
  const [job] = store.snapshot();
  assert.equal(job?.state, 'done');
  assert.equal(job.ended_at, 2_000);
  assert.equal(job.progress.rows, 5);
  store.apply(event('job:progress', { rows: 9 }));
  store.apply(event('job:failed', { error: { code: 'INTERNAL', message: 'late' } }));
  assert.equal(store.snapshot()[0]?.state, 'done');
  store.close();
});

test('a published snapshot never changes', () => {
  const store = createJobStore({ interval_ms: 0 });
  store.apply(started());
  store.apply(event('job:warning', { message: 'first' }));
  const before = store.snapshot();
  const copy = structuredClone(before);
  store.apply(event('job:warning', { message: 'second' }));
  store.apply(event('job:phase', { phase: 'Writing' }));
  assert.deepEqual(before, copy);
  assert.notEqual(store.snapshot(), before);
  assert.deepEqual(store.snapshot()[0]?.warnings, ['first', 'second']);
});

test('rate and time left are computed from the counts, in the unit with a known total', () => {
  const store = createJobStore({ interval_ms: 0 });
  store.apply(started());
  for (let second = 0; second <= 10; second++) {
    store.apply(
      event('job:progress', { rows: second * 100, total_rows: 2_000, bytes_in: second * 7 }, second * 1_000),
    );
  }
  const [job] = store.snapshot();
  assert.equal(Math.round(job?.rows_per_second ?? 0), 100);
  assert.equal(Math.round(job?.bytes_per_second ?? 0), 7);
  assert.equal(Math.round(job?.eta_ms ?? 0), 10_000);
  assert.equal(job?.fraction, 0.5);
});

test('without a total there is no fraction and no estimate', () => {
  const store = createJobStore({ interval_ms: 0 });
  store.apply(started());
  store.apply(event('job:progress', { rows: 1 }, 0));
  store.apply(event('job:progress', { rows: 100 }, 1_000));
  const [job] = store.snapshot();
  assert.equal(job?.fraction, undefined);
  assert.equal(job?.eta_ms, undefined);
});

test('a wait is shown until progress resumes, without an estimate meanwhile', () => {
  const store = createJobStore({ interval_ms: 0, now: () => 50_000 });
  store.apply(started());
  store.apply(event('job:progress', { rows: 0, total_rows: 10 }, 0));
  store.apply(event('job:progress', { rows: 5, total_rows: 10 }, 1_000));
  store.apply(event('job:retry', { attempt: 2, wait_ms: 3_000, reason: 'refused' }));
  const [waiting] = store.snapshot();
  assert.deepEqual(waiting?.waiting, { attempt: 2, until: 53_000, reason: 'refused' });
  assert.equal(waiting?.eta_ms, undefined);
  store.apply(event('job:progress', { rows: 6 }, 2_000));
  const [again] = store.snapshot();
  assert.equal(again?.waiting, undefined);
  assert.equal(again?.retries, 1);
  assert.equal(again?.progress.total_rows, 10, 'known totals are kept');
});

test('a new phase resets the rate', () => {
  const store = createJobStore({ interval_ms: 0 });
  store.apply(started());
  store.apply(event('job:progress', { rows: 0 }, 0));
  store.apply(event('job:progress', { rows: 1_000 }, 1_000));
  store.apply(event('job:phase', { phase: 'Comparing' }, 1_000));
  assert.equal(store.snapshot()[0]?.rows_per_second, undefined);
});

test('cancelling is shown until the job ends', () => {
  const store = createJobStore();
  store.apply(started());
  store.markCancelling('one');
  assert.equal(store.snapshot()[0]?.state, 'cancelling');
  store.apply(event('job:cancelled', { error: { code: 'CANCELLED', message: 'Cancelled' } }));
  assert.equal(store.snapshot()[0]?.state, 'cancelled');
  store.markCancelling('one');
  assert.equal(store.snapshot()[0]?.state, 'cancelled');
});

test('old jobs are evicted, running ones are kept', () => {
  const store = createJobStore({ capacity: 3, interval_ms: 0 });
  store.apply(started('runs'));
  for (let index = 0; index < 20; index++) {
    store.apply(started(`job-${index}`));
    store.apply(event('job:done', { result: {} }, 0, `job-${index}`));
  }
  const ids = store.snapshot().map((job) => job.id);
  assert.equal(ids.length, 3);
  assert.ok(ids.includes('runs'));
  assert.equal(ids[0], 'job-19', 'the newest comes first');
});

test('all warnings are counted, though only the first are kept', () => {
  const store = createJobStore();
  store.apply(started());
  for (let index = 0; index < 5_000; index++) store.apply(event('job:warning', { message: `${index}` }));
  store.apply(event('job:done', { result: {} }));
  const [job] = store.snapshot();
  assert.equal(job?.warning_count, 5_000);
  assert.ok((job?.warnings.length ?? 0) <= 100);
});

test('the newest items are kept, failed ones in preference to successful ones', () => {
  const store = createJobStore({ interval_ms: 0 });
  store.apply(started());
  const error = { code: 'DAMAGED', message: 'damaged' } as const;
  for (let count = 1; count <= 300; count++) {
    const ok = count % 100 !== 0;
    store.apply(
      event('job:item', {
        item: `f${count}`,
        ok,
        message: 'm',
        ...(ok ? {} : { error }),
        details: { count },
      }),
    );
  }
  store.apply(event('job:done', { result: {} }));
  const [job] = store.snapshot();
  assert.equal(job?.item_count, 300);
  assert.equal(job?.failed_count, 3);
  assert.equal(job?.items.length, 200);
  assert.deepEqual(
    job?.items.filter(({ ok }) => !ok).map(({ item }) => item),
    ['f100', 'f200', 'f300'],
  );
  assert.equal(job?.items.at(-1)?.item, 'f300');
  assert.deepEqual(
    job?.items.filter(({ ok }) => ok).at(0),
    { item: 'f102', ok: true, message: 'm', error: undefined },
    'the oldest successes are gone',
  );
});

test('the log of a job has its start, phases, retries, warnings, failed items and end, with their times', () => {
  const store = createJobStore({ interval_ms: 0 });
  const error = { code: 'DAMAGED', message: 'damaged' } as const;
  store.apply(started());
  store.apply(event('job:phase', { phase: 'Reading' }, 1_000));
  store.apply(event('job:progress', { rows: 1 }, 1_500));
  store.apply(event('job:retry', { attempt: 1, wait_ms: 5, reason: 'lost' }, 2_000));
  store.apply(event('job:item', { item: 'a', ok: true, message: 'fine' }, 3_000));
  store.apply(event('job:item', { item: 'b', ok: false, message: 'damaged', error }, 4_000));
  store.apply(event('job:warning', { message: 'slow' }, 5_000));
  store.apply(event('job:failed', { error }, 6_000));
  const lines = store.snapshot()[0]?.log.map(({ at, level }) => [at, level]);
  assert.deepEqual(lines, [
    [0, 'info'],
    [1_000, 'info'],
    [2_000, 'warn'],
    [4_000, 'error'],
    [5_000, 'warn'],
    [6_000, 'error'],
  ]);
  for (let at = 0; at < 1_000; at++) store.apply(event('job:warning', { message: `${at}` }, at, 'two'));
  const [two] = store.snapshot();
  assert.ok(two && two.log.length <= 300);
  assert.equal(two.log.at(-1)?.text, '999');
});

test('the progress of a job of any length is kept in few points, from its start to its newest progress', () => {
  for (const [seconds, step] of [
    [10, 0.1],
    [600, 0.1],
    [20_000, 1],
    [200_000, 1_666],
  ] as const) {
    const store = createJobStore({ interval_ms: 0 });
    store.apply(started());
    let rows = 0;
    for (let at = 0; at <= seconds; at += step) {
      rows = Math.round(at * 10);
      store.apply(event('job:progress', { rows }, at * 1_000));
    }
    store.apply(event('job:done', { result: {} }, seconds * 1_000));
    const { points } = store.snapshot()[0] ?? assert.fail();
    assert.ok(points.length <= 128 && points.length >= Math.min(10, seconds / step), `${points.length}`);
    assert.deepEqual([points[0]?.at, points.at(-1)?.rows], [0, rows], `${seconds} s`);
    for (const [index, point] of points.entries()) {
      assert.equal(point.rows, Math.round(point.at / 100));
      assert.ok(index === 0 || point.at > (points[index - 1]?.at ?? 0));
    }
  }
});

test('a job is listed while its process starts, and its first event completes it', () => {
  const store = createJobStore({ interval_ms: 0 });
  const target = { kind: 'fractal', id: 'f' } as const;
  store.add({ id: 'one', kind: 'archive', title: 'Archive of web', target });
  const [starting] = store.snapshot();
  assert.deepEqual(
    [starting?.title, starting?.state, starting?.target],
    ['Archive of web', 'running', target],
  );
  store.apply(started('one'));
  store.add({ id: 'one', kind: 'archive', title: 'late' });
  const jobs = store.snapshot();
  assert.equal(jobs.length, 1);
  assert.notEqual(jobs[0]?.title, 'late');
});
