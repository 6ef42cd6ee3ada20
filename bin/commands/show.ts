import type { FileReport } from '../../src/core/index.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { completeName } from '../complete-name.ts';
import { addFooter, targetHelp } from '../help.ts';
import { rowLines } from '../output/rows.ts';
import { withEngine } from '../session.ts';

export const command = defineCommand<{ target: string }>({
  declare(command, choose) {
    addFooter(command, targetHelp('an archive'))
      .description('Show what a file or archive record is, without reading all of it')
      .argument('<target>')
      .action((target: string) => choose({ target }));
  },
  run: ({ target }, context) =>
    withEngine(context, async (session) => {
      const { engine, printer, signal } = session;
      const report = await engine.show(await completeName(session, target, 'backup', 'archive'), { signal });
      printer.result(report, reportLines(report));
      return 0;
    }),
  only_output: true,
});

function reportLines(report: FileReport): string[] {
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
  const rows = pairs.flatMap(([label, value]) => (value === null ? [] : [{ label, value }]));
  return rowLines([...rows, ...notes.map((value) => ({ label: 'Note', value }))]);
}

const LINES = {
  logs: null,
  logs_raw: 'the original line of recent rows only; the others have the text of their fields',
  none: 'not kept by the server; rows have the text of their fields',
};

function archivePairs(report: FileReport): [string, string | null][] {
  const { fractal, period, split, rows, first, last, fields, raw_from, columns, record } = report;
  return [
    ['Fractal', fractal && [fractal.name, `(${fractal.id})`].filter(Boolean).join(' ')],
    ['Period', period && `${period} (split by ${split})`],
    ['Rows', rows === null ? null : formatExact(rows)],
    ['Range', first === null ? null : last === null ? `from ${first}` : `${first} to ${last}`],
    ['Fields', fields === null ? null : fields ? 'with each row' : 'left out'],
    ['Lines', raw_from && LINES[raw_from]],
    ['Columns', columns?.map(({ name }) => name).join(', ') ?? null],
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
    ['Tables', tables && `${formatExact(tables.length)}, ${formatExact(rows)} rows; ${checksumsOf(tables)}`],
    ['Variables', `${plural(variables.length, 'variable')} of .env (values hidden)`],
  ];
}

function checksumsOf(tables: { checksum: boolean }[]): string {
  const count = tables.filter(({ checksum }) => checksum).length;
  return `checksums of ${count === tables.length ? 'all' : formatExact(count)}`;
}
