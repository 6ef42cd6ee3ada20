import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultLines } from '../../bin/print/results.ts';
import { type ArchiveChild, summarize } from '../../src/core/features/archive/summary.ts';

const child: ArchiveChild = {
  archive_id: 'a1',
  period_label: '2026-03-02',
  storage_path: 'archives/f/x',
  size_bytes: 100,
  log_count: 7,
  content_bytes: 1000,
  checksum: 'c0ffee',
  time_range_start: '2026-03-02T00:00:00.000Z',
  time_range_end: '2026-03-02T23:00:00.000Z',
};

function linesOf(continued: boolean): string {
  const window = { from: null, to: null };
  const of = { split: 'day', group_id: 'g', children: [child], continued, window } as const;
  const summary = summarize({ id: 'f', name: 'web' }, { ...of, children: [child] });
  return resultLines('archive', { ...summary, duration_ms: 5 }).join('\n');
}

test('the result of a resumed archive differs from that of a new one', () => {
  const [resumed = '', complete = ''] = [linesOf(true), linesOf(false)];
  for (const lines of [resumed, complete]) assert.match(lines, /1 file, .*day.*\n7 rows of web/);
  assert.notEqual(resumed.split('\n')[0], complete.split('\n')[0]);
});
