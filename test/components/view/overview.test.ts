import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sparkline, symbolsFor } from '../../../src/components/text/symbols.ts';
import { storageGrowth } from '../../../src/components/view/overview/growth.ts';
import { failedJobs } from '../../../src/components/view/overview/jobs.ts';
import type { JobView } from '../../../src/core/index.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T12:00:00Z');

function file(day: string, size_bytes: number) {
  return { created_at: `2026-${day}T23:59:59Z`, size_bytes };
}

test('growth is the total at the end of each day; older files count from the first day on', () => {
  const files = [file('03-08', 1), file('03-10', 20), file('02-01', 300), file('03-08', 4000)];
  assert.deepEqual(storageGrowth(files, 4, NOW), [300, 4301, 4301, 4321]);
  assert.deepEqual(storageGrowth([], 3, NOW), [0, 0, 0]);
  // A wrong clock: neither lost nor an error.
  assert.deepEqual(storageGrowth([file('04-01', 5), { created_at: 'soon', size_bytes: 9 }], 2, NOW), [0, 5]);
  const long = storageGrowth(files, 400, NOW);
  assert.equal(long.length, 400);
  assert.ok(long.every((size, index) => index === 0 || size >= (long[index - 1] ?? 0)));
});

test('a sparkline goes from its lowest to its highest value', () => {
  assert.equal(sparkline([0, 7, 3, 3.6], symbolsFor(true)), '▁█▄▅');
  assert.equal(sparkline([5, 5], symbolsFor(true)), '▁▁');
  assert.equal(sparkline([1_000_000, 1_000_001], symbolsFor(true)), '▁█');
  assert.equal(sparkline([0, 1], symbolsFor(false)), '_#');
  assert.equal(sparkline([], symbolsFor(true)), '');
});

test('a failed job counts until one of the same kind, on the same fractal, is done', () => {
  const job = (id: string, state: JobView['state'], hours: number, fractal?: string) =>
    ({
      id,
      kind: fractal ? 'archive' : 'backup',
      state,
      started_at: NOW - hours * (DAY / 24),
      ...(fractal ? { target: { kind: 'fractal', id: fractal } } : {}),
    }) as JobView;
  const jobs = [
    job('later', 'done', 1),
    job('cancelled', 'cancelled', 2),
    job('backup', 'failed', 3),
    job('web', 'failed', 4, 'web'),
    job('dns', 'failed', 4, 'dns'),
    job('web before', 'done', 5, 'web'),
    job('dns after', 'done', 3, 'dns'),
  ];
  assert.deepEqual(
    failedJobs(jobs).map(({ id }) => id),
    ['web'],
  );
});
