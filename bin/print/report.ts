import type { FileReport } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';

/** The report of a file, for people. */
export function reportLines(report: FileReport): string[] {
  const { path, size_bytes, kind, key_id, sealed, notes } = report;
  const pairs: [string, string | null][] = [
    ['File', path],
    [
      'Kind',
      `${kind === 'backup' ? 'Backup' : 'Archive'}, ${sealed ? 'with' : 'without'} header and trailer`,
    ],
    ['Stored', `${formatBytes(size_bytes)} (${formatExact(size_bytes)} bytes)`],
    ['Written', [report.created_at, report.tool && `by ${report.tool}`].filter(Boolean).join(' ') || null],
    ['Key', key_id],
    ['ID', report.uuid],
    ...(kind === 'backup' ? backupPairs(report) : archivePairs(report)),
    [
      'Content',
      report.content_bytes === null ? null : `${formatBytes(report.content_bytes)} before compression`,
    ],
    ['SHA-256', report.content_sha256 && `${report.content_sha256} (of the content, before compression)`],
    ['Frames', report.frames === null ? null : formatExact(report.frames)],
  ];
  const lines = pairs.flatMap(([name, value]) =>
    value === null ? [] : [`${name.padEnd(10)}${sanitize(value)}`],
  );
  return [...lines, ...notes.map((note) => `${'Note'.padEnd(10)}${sanitize(note)}`)];
}

function archivePairs(report: FileReport): [string, string | null][] {
  const { fractal, period, split, rows, first, last, fields, record } = report;
  return [
    ['Fractal', fractal && [fractal.name, `(${fractal.id})`].filter(Boolean).join(' ')],
    ['Period', period && `${period} (split by ${split})`],
    ['Rows', rows === null ? null : formatExact(rows)],
    ['Range', first === null ? null : last === null ? `from ${first}` : `${first} to ${last}`],
    ['Fields', fields === null ? null : fields ? 'with each row' : 'left out'],
    ['Record', record && `${record.id}, ${record.status}`],
  ];
}

function backupPairs({ backup }: FileReport): [string, string | null][] {
  if (!backup) return [];
  const { timestamp, database, server_version, pg_dump_version, tables, variables } = backup;
  const rows = tables?.reduce((sum, table) => sum + table.rows, 0) ?? 0;
  const versions = [
    server_version && `PostgreSQL ${server_version}`,
    pg_dump_version && `pg_dump ${pg_dump_version}`,
  ];
  return [
    ['Taken', timestamp],
    ['Database', [database, ...versions].filter(Boolean).join(', ') || null],
    ['Tables', tables && `${formatExact(tables.length)}, ${formatExact(rows)} rows`],
    ['Variables', `${plural(variables.length, 'variable')} of .env (values hidden)`],
  ];
}
