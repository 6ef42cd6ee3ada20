import type { Coverage, CoveragePeriod, DueItem } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatExact } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

const NOTE = 'DELETES counts archives beyond max_archives now; a new archive may push out one more.';

/** What is due and what would be deleted, for people. */
export function dueLines(items: readonly DueItem[]): string[] {
  if (items.length === 0) return ['No fractal has a schedule.'];
  const may_exceed = items.some(
    ({ action, max_archives }) => action === 'archive' && (max_archives ?? 0) > 0,
  );
  const lines = table(items, [
    { title: 'FRACTAL', cell: ({ fractal_name }) => fractal_name },
    { title: 'DUE', cell: ({ action }) => (action === 'archive' ? 'due' : 'skip') },
    { title: 'SPLIT', cell: ({ split }) => split },
    { title: 'ROWS', cell: ({ mode }) => (mode === 'full' ? 'all' : 'new') },
    { title: 'DELETES', cell: ({ surplus }) => deletions(surplus) },
    { title: 'REASON', cell: ({ reason }) => reason },
  ]);
  return may_exceed ? [...lines, NOTE] : lines;
}

function deletions(excess: DueItem['surplus']): string {
  const deleted = excess.filter(({ action }) => action === 'delete').length;
  const kept = excess.length - deleted;
  return kept === 0 ? String(deleted) : `${deleted}, ${kept} kept`;
}

const STATES: Record<CoveragePeriod['state'], string> = {
  both: 'archived',
  clickhouse: 'NOT ARCHIVED',
  archive: 'archives only',
  partial: 'PARTLY ARCHIVED',
  none: 'no rows',
};

/** Periods of one state in a row as one line, and a summary. */
export function coverageLines(coverage: Coverage): string[] {
  const { fractal_name, periods, unit, unprotected_rows } = coverage;
  if (periods.length === 0) return [`${sanitize(fractal_name)} has no rows in ClickHouse or in archives.`];
  const missing = unprotected_rows === null ? 'not counted' : formatExact(unprotected_rows);
  return [
    ...table(mergedPeriods(periods), [
      { title: 'FROM', cell: ({ from }) => stamp(from, unit) },
      { title: 'TO', cell: ({ to }) => stamp(to, unit) },
      { title: 'STATE', cell: ({ state }) => STATES[state] },
      { title: 'ROWS', cell: ({ rows }) => formatExact(rows), right: true },
      { title: 'NOT ARCHIVED', cell: (one) => formatExact(one.unprotected_rows), right: true },
      { title: 'ARCHIVES', cell: ({ archive_ids }) => String(archive_ids.length), right: true },
    ]),
    `Archived: ${archivedText(coverage)}. Rows not archived: ${missing}.`,
  ];
}

function archivedText({ protected_until, periods }: Coverage): string {
  if (protected_until !== null) return `everything until ${formatStamp(protected_until)}Z`;
  const some = periods.some(({ archive_ids }) => archive_ids.length > 0);
  return some ? 'some periods, but not the oldest rows' : 'nothing';
}

function stamp(time: string, unit: Coverage['unit']): string {
  return unit === 'day' ? time.slice(0, 'yyyy-mm-dd'.length) : `${formatStamp(time)}Z`;
}

function mergedPeriods(periods: readonly CoveragePeriod[]): CoveragePeriod[] {
  const merged: CoveragePeriod[] = [];
  for (const period of periods) {
    const last = merged.at(-1);
    if (last?.state !== period.state || last.to !== period.from) merged.push({ ...period });
    else Object.assign(last, merge(last, period));
  }
  return merged;
}

function merge(one: CoveragePeriod, other: CoveragePeriod): Partial<CoveragePeriod> {
  return {
    to: other.to,
    rows: one.rows + other.rows,
    unprotected_rows: one.unprotected_rows + other.unprotected_rows,
    archive_ids: [...new Set([...one.archive_ids, ...other.archive_ids])],
  };
}
