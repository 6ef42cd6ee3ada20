import { sanitize } from '../../src/components/view/sanitize.ts';
import { formatDuration, formatStamp } from '../../src/components/view/time.ts';
import { formatBytes, formatExact, plural } from '../../src/components/view/units.ts';
import type { ArchiveRestorePlan, ArchiveRestoreSummary } from '../../src/core/index.ts';
import { table } from './tables.ts';

const WAYS = {
  direct: 'straight into the table, all columns as they were',
  ingest: 'as raw lines through ingest, parsed anew',
};

/** What a restore of archives will do, for people. */
export function archiveRestorePlanLines(plan: ArchiveRestorePlan): string[] {
  const { files, into, via, removes, rows, content_bytes, rows_there, estimate_ms, notes, obstacles } = plan;
  const most = plan.from === null && plan.to === null ? '' : 'up to ';
  const there = removes ? `rows ${windowWords(removes)} now, ALL REMOVED FIRST` : 'rows in the window now';
  const pairs: [string, string][] = [
    ['Into', `${into.name} (${into.id})`],
    ['Window', windowWords(plan)],
    ['Way', WAYS[via]],
    ['Rows', `${most}${formatExact(rows)}, about ${formatBytes(content_bytes)} of lines`],
    ['There', `${formatExact(rows_there)} ${there}`],
    ['Takes', `about ${formatDuration(estimate_ms)}`],
    ...notes.map((text): [string, string] => ['Note', text]),
    ...obstacles.map(({ message, hint }): [string, string] => [
      'Obstacle',
      hint ? `${message}. ${hint}` : message,
    ]),
  ];
  return [
    ...table(files, [
      { title: 'FILE', cell: ({ name }) => name },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'ROWS', cell: ({ rows: held }) => formatExact(held), right: true },
      { title: 'FIRST', cell: ({ first }) => (first === null ? '-' : `${formatStamp(first)}Z`) },
      { title: 'LAST', cell: ({ last }) => (last === null ? '-' : `${formatStamp(last)}Z`) },
    ]),
    '',
    ...pairs.map(([name, text]) => `${name.padEnd(9)} ${sanitize(text)}`),
    '',
  ];
}

function windowWords({ from, to }: Pick<ArchiveRestorePlan, 'from' | 'to'>): string {
  if (from === null && to === null) return 'all rows';
  return [from && `from ${from}`, to && `before ${to}`].filter(Boolean).join(', ');
}

/** What a restore of archives has done, for people. */
export function archiveRestoreLines(summary: ArchiveRestoreSummary): string[] {
  const { into, via, files, rows_read, rows_added, rows_there, rows_removed, rows_left_out, duration_ms } =
    summary;
  const deed = via === 'direct' ? 'added' : 'sent, and accepted by the server';
  const rest = [
    rows_there > 0 && `${formatExact(rows_there)} were there already`,
    rows_removed > 0 && `${formatExact(rows_removed)} were removed before`,
    rows_left_out && `${formatExact(rows_left_out)} lines were left out`,
  ].filter((part) => typeof part === 'string');
  return [
    `Restore complete: ${formatExact(rows_added)} rows ${deed}, into ${sanitize(into.name)}`,
    `${plural(files, 'file')}, ${formatExact(rows_read)} rows read, ${formatDuration(duration_ms)}`,
    ...(rest.length > 0 ? [rest.join(', ')] : []),
  ];
}
