import type { ArchiveRestorePlan } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatDuration, formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, formatExact } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

const METHODS = {
  direct: 'direct: written to the table, all columns as they were',
  ingest: 'ingest: sent as raw lines, parsed again by the server',
};

/** The plan of an archive restore, for people. */
export function archiveRestorePlanLines(plan: ArchiveRestorePlan): string[] {
  const { files, into, via, removes, rows, content_bytes, rows_there, estimate_ms, notes, obstacles } = plan;
  const limit = plan.from === null && plan.to === null ? '' : 'up to ';
  const existing = removes ? `rows (${windowText(removes)}), DELETED FIRST` : 'rows in this range';
  const pairs: [string, string][] = [
    ['Target', `${into.name} (${into.id})`],
    ['Range', windowText(plan)],
    ['Method', METHODS[via]],
    ['Rows', `${limit}${formatExact(rows)}, about ${formatBytes(content_bytes)} uncompressed`],
    ['Existing', `${formatExact(rows_there)} ${existing}`],
    ['Duration', `about ${formatDuration(estimate_ms)}`],
    ...notes.map((text): [string, string] => ['Note', text]),
    ...obstacles.map(({ message, hint }): [string, string] => [
      'Problem',
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

function windowText({ from, to }: Pick<ArchiveRestorePlan, 'from' | 'to'>): string {
  if (from === null && to === null) return 'all rows';
  return [from && `from ${from}`, to && `before ${to}`].filter(Boolean).join(', ');
}
