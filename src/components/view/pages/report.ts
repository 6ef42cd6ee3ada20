import type { FileReport } from '../../../core/index.ts';
import type { Line, Loaded, Snapshot, Span } from '../types.ts';
import { formatBytes, formatExact, formatRatio, plural } from '../units.ts';
import { longVerdict, verdictOf } from '../verdict.ts';
import { field, heading, longField, stamp } from './fields.ts';

const TABLE = 34;

type Backup = NonNullable<FileReport['backup']>;

/** The last verification, and what it said. */
export function verdictLines(snapshot: Snapshot, ...names: string[]): Line[] {
  const verdict = verdictOf(snapshot, ...names);
  const { columns } = snapshot;
  return [
    field('Verified', longVerdict(verdict, snapshot)),
    ...(verdict ? longField('', verdict.message, columns, verdict.ok ? 'dim' : 'bad') : []),
    ...(verdict?.hint ? longField('What to do', verdict.hint, columns) : []),
  ];
}

function known(text: string | number | null): Span {
  return text === null ? { text: 'not known', tone: 'dim' } : { text: String(text) };
}

function contentLines(report: FileReport, { columns, now }: Snapshot): Line[] {
  const { content_bytes, content_sha256, frames, rows, first, last, fields } = report;
  const ratio = formatRatio(content_bytes ?? undefined, report.size_bytes);
  const size =
    content_bytes === null
      ? null
      : `${formatBytes(content_bytes)}${ratio ? `, stored ${ratio} smaller` : ''}`;
  const ofRows = [
    field('Rows', known(rows === null ? null : formatExact(rows))),
    field('First log', ...stamp(first, now)),
    field('Last log', ...stamp(last, now)),
    field('Fields', known(fields === null ? null : fields ? 'parsed fields are in the file' : 'left out')),
  ];
  return [
    ...(report.kind === 'archive' ? ofRows : []),
    field('Content', known(size)),
    ...(content_sha256 === null ? [] : longField('Its SHA-256', content_sha256, columns)),
    ...(frames === null ? [] : [field('Frames', { text: formatExact(frames) })]),
  ];
}

function tableLines({ tables }: Backup, { columns, glyphs }: Snapshot): Line[] {
  if (tables === null) return [field('Tables', { text: 'the file does not list them', tone: 'dim' })];
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    heading(`${plural(tables.length, 'table')}, ${plural(rows, 'row')}`, columns, glyphs),
    ...tables.map(
      (table): Line => [
        { text: `  ${`${table.schema}.${table.name}`.padEnd(TABLE)} ` },
        { text: formatExact(table.rows).padStart(14) },
      ],
    ),
  ];
}

function backupLines(backup: Backup, snapshot: Snapshot): Line[] {
  const { columns, glyphs } = snapshot;
  return [
    heading('Database', columns, glyphs),
    field('Database', known(backup.database)),
    field('Server', known(backup.server_version)),
    field('pg_dump', known(backup.pg_dump_version)),
    field(
      'Variables',
      { text: plural(backup.variables.length, 'variable') },
      { text: ' of .env', tone: 'dim' },
    ),
    ...longField('', backup.variables.join(' '), columns, 'dim'),
    ...tableLines(backup, snapshot),
  ];
}

function reportLines(report: FileReport, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  const { fractal, backup } = report;
  return [
    heading('In the file', columns, glyphs),
    field(
      'Sealed ends',
      report.sealed
        ? { text: `${glyphs.ok} yes`, tone: 'good' }
        : { text: `${glyphs.warn} none`, tone: 'warn' },
    ),
    field('Key', { text: report.key_id }),
    field('Written', ...stamp(report.created_at, now), {
      text: `  by ${report.tool ?? 'an unknown program'}`,
      tone: 'dim',
    }),
    ...(fractal
      ? [field('Fractal', { text: fractal.name ?? '-' }, { text: `  ${fractal.id}`, tone: 'dim' })]
      : []),
    ...(report.kind === 'archive' ? [field('Period', { text: report.period ?? 'whole fractal' })] : []),
    ...contentLines(report, snapshot),
    ...longField('Path', report.path, columns),
    ...(report.uuid === null ? [] : [field('Id', { text: report.uuid })]),
    ...(backup ? backupLines(backup, snapshot) : []),
  ];
}

/** What a person must not miss, to stand before all else. */
export function noteLines(loaded: Loaded<FileReport> | undefined, { columns, glyphs }: Snapshot): Line[] {
  return (loaded?.value?.notes ?? []).flatMap((note) => longField(glyphs.warn, note, columns, 'warn'));
}

/** What a file says of itself: as far as it is known, and why not. */
export function fileLines(loaded: Loaded<FileReport> | undefined, snapshot: Snapshot): Line[] {
  const { columns, glyphs } = snapshot;
  if (loaded?.value) return reportLines(loaded.value, snapshot);
  const head = heading('In the file', columns, glyphs);
  if (!loaded?.error) return [head, field('', { text: `Reading its ends${glyphs.more}`, tone: 'dim' })];
  const { message, hint } = loaded.error;
  return [
    head,
    ...longField(glyphs.bad, message, columns, 'bad'),
    ...(hint ? longField('What to do', hint, columns) : []),
  ];
}
