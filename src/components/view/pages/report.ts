import type { CheckResult, FileReport } from '../../../core/index.ts';
import { formatExact, formatRatio, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line, Span } from '../../text/line.ts';
import { longVerification } from '../lists/file-cells.ts';
import { currentScreen } from '../snapshot.ts';
import type { Loaded, Snapshot } from '../types.ts';
import { field, heading, longField, stamp } from './fields.ts';

const TABLE = 34;

type Backup = NonNullable<FileReport['backup']>;

/** The last verification and its message. */
export function verificationLines(snapshot: Snapshot, verification: CheckResult | null): Line[] {
  const { columns } = snapshot;
  const isPage = currentScreen(snapshot).name !== 'wizard';
  const { text, tone } = longVerification(verification, snapshot);
  const keys = !verification && isPage ? '; press v, or V for a quick check' : '';
  return [
    ...longField('Verified', text + keys, columns, tone),
    ...(verification ? longField('', verification.message, columns, verification.ok ? 'dim' : 'bad') : []),
    ...(verification?.error?.hint ? longField('What to do', verification.error.hint, columns) : []),
  ];
}

function valueOrUnknown(text: string | number | null): Span {
  return text === null ? { text: 'unknown', tone: 'dim' } : { text: String(text) };
}

function contentLines(report: FileReport, { columns, now }: Snapshot): Line[] {
  const { content_bytes, content_sha256, frames, rows, first, last, fields } = report;
  const ratio = formatRatio(content_bytes ?? undefined, report.size_bytes);
  const size =
    content_bytes === null ? null : `${formatBytes(content_bytes)}${ratio ? `, compressed ${ratio}` : ''}`;
  const ofRows = [
    field('Rows', valueOrUnknown(rows === null ? null : formatExact(rows))),
    field('First row', ...stamp(first, now)),
    field('Last row', ...stamp(last, now)),
    field(
      'Fields',
      valueOrUnknown(fields === null ? null : fields ? 'parsed fields included' : 'not included'),
    ),
  ];
  return [
    ...(report.kind === 'archive' ? ofRows : []),
    field('Content', valueOrUnknown(size)),
    ...(content_sha256 === null ? [] : longField('Content hash', content_sha256, columns)),
    ...(frames === null ? [] : [field('Frames', { text: formatExact(frames) })]),
  ];
}

function tableLines({ tables }: Backup, { columns, symbols }: Snapshot): Line[] {
  if (tables === null) return [field('Tables', { text: 'not listed in the file', tone: 'dim' })];
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    heading(`${plural(tables.length, 'table')}, ${plural(rows, 'row')}`, columns, symbols),
    ...tables.map(
      (table): Line => [
        { text: `  ${`${table.schema}.${table.name}`.padEnd(TABLE)} ` },
        { text: formatExact(table.rows).padStart(14) },
      ],
    ),
  ];
}

function backupLines(backup: Backup, snapshot: Snapshot): Line[] {
  const { columns, symbols } = snapshot;
  return [
    heading('Database', columns, symbols),
    field('Database', valueOrUnknown(backup.database)),
    field('Server', valueOrUnknown(backup.server_version)),
    field('pg_dump', valueOrUnknown(backup.pg_dump_version)),
    field(
      'Variables',
      { text: plural(backup.variables.length, 'variable') },
      { text: ' from .env', tone: 'dim' },
    ),
    ...longField('', backup.variables.join(' '), columns, 'dim'),
    ...tableLines(backup, snapshot),
  ];
}

function reportLines(report: FileReport, snapshot: Snapshot): Line[] {
  const { columns, symbols, now } = snapshot;
  const { fractal, backup } = report;
  return [
    heading('In the file', columns, symbols),
    field(
      'Complete',
      report.sealed
        ? { text: `${symbols.ok} trailer present`, tone: 'good' }
        : { text: `${symbols.warn} no trailer`, tone: 'warn' },
    ),
    field('Key fingerprint', { text: report.key_id }),
    field('Written', ...stamp(report.created_at, now), {
      text: `  by ${report.tool ?? 'an unknown program'}`,
      tone: 'dim',
    }),
    ...(fractal
      ? [field('Fractal', { text: fractal.name ?? '-' }, { text: `  ${fractal.id}`, tone: 'dim' })]
      : []),
    ...(report.kind === 'archive' ? [field('Period', { text: report.period ?? 'entire fractal' })] : []),
    ...contentLines(report, snapshot),
    ...longField('Path', report.path, columns),
    ...(report.uuid === null ? [] : longField('File ID', report.uuid, columns)),
    ...(backup ? backupLines(backup, snapshot) : []),
  ];
}

/** Warnings about a file, shown first. */
export function warningLines(loaded: Loaded<FileReport> | undefined, { columns, symbols }: Snapshot): Line[] {
  return (loaded?.value?.notes ?? []).flatMap((note) => longField(symbols.warn, note, columns, 'warn'));
}

/** The report of a file, or its error. */
export function fileLines(loaded: Loaded<FileReport> | undefined, snapshot: Snapshot): Line[] {
  const { columns, symbols } = snapshot;
  if (loaded?.value && !loaded.error) return reportLines(loaded.value, snapshot);
  const head = heading('In the file', columns, symbols);
  if (!loaded?.error)
    return [head, field('', { text: `Reading header and trailer${symbols.ellipsis}`, tone: 'dim' })];
  const { message, hint } = loaded.error;
  return [
    head,
    ...longField(symbols.bad, message, columns, 'bad'),
    ...(hint ? longField('What to do', hint, columns) : []),
  ];
}
