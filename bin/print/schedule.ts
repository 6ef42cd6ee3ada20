import { sanitize } from '../../src/components/view/sanitize.ts';
import { formatDuration, formatStamp } from '../../src/components/view/time.ts';
import { formatBytes, formatExact, plural } from '../../src/components/view/units.ts';
import type { Coverage, CoveragePeriod, DueItem, RunDueSummary } from '../../src/core/index.ts';
import { table } from './tables.ts';

const AFTERWARDS =
  'GOES is what exceeds max_archives now; where an archive is due, one more may go once that is whole.';

/** Who is due, and what would go. */
export function dueLines(items: readonly DueItem[]): string[] {
  if (items.length === 0) return ['No fractal has a schedule.'];
  const then = items.some(({ action, max_archives }) => action === 'archive' && (max_archives ?? 0) > 0);
  const lines = table(items, [
    { title: 'FRACTAL', cell: ({ fractal_name }) => fractal_name },
    { title: 'DUE', cell: ({ action }) => (action === 'archive' ? 'due' : 'skip') },
    { title: 'SPLIT', cell: ({ split }) => split },
    { title: 'HOLDS', cell: ({ mode }) => (mode === 'full' ? 'everything' : 'what is new') },
    { title: 'GOES', cell: ({ surplus }) => goes(surplus) },
    { title: 'WHY', cell: ({ reason }) => reason },
  ]);
  return then ? [...lines, AFTERWARDS] : lines;
}

function goes(surplus: DueItem['surplus']): string {
  const going = surplus.filter(({ action }) => action === 'delete').length;
  const kept = surplus.length - going;
  return kept === 0 ? String(going) : `${going}, ${kept} must stay`;
}

export function runDueLines({
  archived,
  skipped,
  rows,
  size_bytes,
  deleted,
  ...rest
}: RunDueSummary): string[] {
  const removed = deleted > 0 ? `, ${deleted} older removed (${formatBytes(rest.freed_bytes)})` : '';
  return [
    `${plural(archived, 'fractal')} archived, ${skipped} not due: ${formatExact(rows)} rows, ${formatBytes(size_bytes)}${removed}, ${formatDuration(rest.duration_ms)}`,
  ];
}

const STATES: Record<CoveragePeriod['state'], string> = {
  both: 'archived',
  clickhouse: 'NOT ARCHIVED',
  archive: 'archives only',
  partial: 'PARTLY ARCHIVED',
  none: 'no rows',
};

/** Stretches of periods of one state, a line each, and what they come to. */
export function coverageLines(coverage: Coverage): string[] {
  const { fractal_name, periods, unit, unprotected_rows } = coverage;
  if (periods.length === 0) return [`${sanitize(fractal_name)} has no rows, in ClickHouse or in an archive.`];
  const open = unprotected_rows === null ? 'not counted' : formatExact(unprotected_rows);
  return [
    ...table(stretches(periods), [
      { title: 'FROM', cell: ({ from }) => stamp(from, unit) },
      { title: 'TO', cell: ({ to }) => stamp(to, unit) },
      { title: 'STATE', cell: ({ state }) => STATES[state] },
      { title: 'ROWS', cell: ({ rows }) => formatExact(rows), right: true },
      { title: 'NOT ARCHIVED', cell: (one) => formatExact(one.unprotected_rows), right: true },
      { title: 'ARCHIVES', cell: ({ archive_ids }) => String(archive_ids.length), right: true },
    ]),
    `Archives hold ${heldWords(coverage)}. Rows that no archive holds: ${open}.`,
  ];
}

function heldWords({ protected_until, periods }: Coverage): string {
  if (protected_until !== null) return `everything until ${formatStamp(protected_until)}Z`;
  const some = periods.some(({ archive_ids }) => archive_ids.length > 0);
  return some ? 'some periods, but not the first rows' : 'nothing';
}

function stamp(time: string, unit: Coverage['unit']): string {
  return unit === 'day' ? time.slice(0, 'yyyy-mm-dd'.length) : `${formatStamp(time)}Z`;
}

function stretches(periods: readonly CoveragePeriod[]): CoveragePeriod[] {
  const joined: CoveragePeriod[] = [];
  for (const period of periods) {
    const last = joined.at(-1);
    if (last?.state !== period.state || last.to !== period.from) joined.push({ ...period });
    else Object.assign(last, join(last, period));
  }
  return joined;
}

function join(one: CoveragePeriod, other: CoveragePeriod): Partial<CoveragePeriod> {
  return {
    to: other.to,
    rows: one.rows + other.rows,
    unprotected_rows: one.unprotected_rows + other.unprotected_rows,
    archive_ids: [...new Set([...one.archive_ids, ...other.archive_ids])],
  };
}
