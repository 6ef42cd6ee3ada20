import type { ArchiveGroup, ArchiveRecord, Fractal } from '../../src/core/index.ts';
import { fakeArchive } from './fake-engine.ts';

/** A group split by hour, with archives of the first `hours` hours of a day; `given` overrides. */
export function fakeGroup(
  fractal: Fractal,
  hours: number,
  given: Partial<ArchiveGroup> = {},
): { group: ArchiveGroup; parts: ArchiveRecord[] } {
  const id = given.id ?? '00000000-0000-4000-8000-00000000aaaa';
  const created_at = given.created_at ?? '2026-03-02T00:00:00.000Z';
  const parts = Array.from({ length: hours }, (_, hour) => {
    const label = `2026-03-01 ${String(hour).padStart(2, '0')}:00`;
    const start = `${label.replace(' ', 'T')}:00.000Z`;
    return fakeArchive(500 + hour, fractal, {
      group_id: id,
      period_label: label,
      created_at,
      log_count: 1_000 + hour,
      size_bytes: 2 ** 20,
      time_range_start: start,
      time_range_end: start.replace(':00:00.000Z', ':59:59.000Z'),
    });
  });
  const group: ArchiveGroup = {
    id,
    fractal_id: fractal.id,
    split_granularity: 'hour',
    status: 'completed',
    error_message: null,
    total_log_count: parts.reduce((sum, { log_count }) => sum + log_count, 0),
    total_size_bytes: hours * 2 ** 20,
    archive_count: hours,
    completed_count: hours,
    archive_type: 'adhoc',
    created_by: 'admin',
    created_at,
    ...given,
  };
  return { group, parts };
}
