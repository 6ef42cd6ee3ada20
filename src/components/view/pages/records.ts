import type { ArchiveRecord, BackupFile } from '../../../core/index.ts';
import { archiveStatus } from '../lists/archives.ts';
import { fractalRecords, lastArchive } from '../lists/fractals.ts';
import { SEVERITY_TONE } from '../lists/log.ts';
import { ageOf, formatAgo, formatStamp } from '../time.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatBytes, formatExact, plural } from '../units.ts';
import { field, heading, longField } from './fields.ts';

const GONE: readonly Line[] = [[{ text: '  It is no longer there. Esc goes back.', tone: 'dim' }]];

function stamp(time: string | null, now: number): Line {
  const age = ageOf(time, now);
  const ago = age === undefined ? '' : `, ${formatAgo(age)}`;
  return [{ text: `${formatStamp(time)}${age === undefined ? '' : ' UTC'}` }, { text: ago, tone: 'dim' }];
}

function bytes(size: number): Line {
  return [{ text: formatBytes(size) }, { text: `  ${plural(size, 'byte')}`, tone: 'dim' }];
}

function archiveLines(record: ArchiveRecord, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  return [
    heading(`Archive of ${record.fractal_name}`, columns, glyphs),
    field('Status', archiveStatus(record, snapshot)),
    ...(record.error_message ? longField('Reason', record.error_message, columns, 'bad') : []),
    field('Size', ...bytes(record.size_bytes)),
    field('Rows', { text: formatExact(record.log_count) }),
    field('First log', ...stamp(record.time_range_start, now)),
    field('Last log', ...stamp(record.time_range_end, now)),
    field('Period', { text: record.period_label ?? 'whole fractal' }),
    field('Archived to', ...stamp(record.archive_end_ts, now)),
    heading('File', columns, glyphs),
    ...longField('Name', record.filename, columns),
    ...longField('Path', record.storage_path, columns),
    field('Stored on', { text: record.storage_type }),
    field('Format', { text: `version ${record.format_version}` }),
    ...longField('SHA-256', record.checksum ?? 'none until the archive is complete', columns),
    heading('Record', columns, glyphs),
    field('Created', ...stamp(record.created_at, now)),
    field('Created by', { text: record.created_by ?? '-' }),
    field('Type', { text: record.archive_type }),
    field('Id', { text: record.id }),
    field('Group', { text: record.group_id ?? '-' }),
    field('Fractal', { text: record.fractal_id }),
  ];
}

/** Everything that is known of an archive. */
export function archivePage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = snapshot.data.archives.value?.find((archive) => archive.id === id);
  return record ? archiveLines(record, snapshot) : GONE;
}

function backupLines(record: BackupFile, { columns, glyphs, now }: Snapshot): Line[] {
  return [
    heading('Backup', columns, glyphs),
    ...longField('Name', record.name, columns),
    ...longField('Path', record.path, columns),
    field('Size', ...bytes(record.size_bytes)),
    field('Created', ...stamp(record.created_at, now)),
    field('Stored on', { text: record.storage_type }),
  ];
}

/** Everything that is known of a backup. */
export function backupPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = snapshot.data.backups.value?.find((backup) => backup.name === id);
  return record ? backupLines(record, snapshot) : GONE;
}

/** Everything that is known of a fractal. */
export function fractalPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = fractalRecords(snapshot).find((fractal) => fractal.id === id);
  if (!record) return GONE;
  const { columns, glyphs, now } = snapshot;
  return [
    heading(`Fractal ${record.name}`, columns, glyphs),
    ...longField('Description', record.description || '-', columns),
    field('Logs', { text: formatExact(record.log_count) }),
    field('Size', ...bytes(record.size_bytes)),
    field('Oldest log', ...stamp(record.earliest_log, now)),
    field('Newest log', ...stamp(record.latest_log, now)),
    field('Retention', {
      text: record.retention_days === null ? 'forever' : plural(record.retention_days, 'day'),
    }),
    heading('Archives', columns, glyphs),
    field('Last', lastArchive(record, snapshot)),
    field('Schedule', { text: record.archive_schedule }),
    field('Split', { text: record.archive_split }),
    field('Kept', {
      text: record.max_archives === null ? 'all' : `the newest ${formatExact(record.max_archives)}`,
    }),
    heading('Record', columns, glyphs),
    field('Created', ...stamp(record.created_at, now)),
    field('Id', { text: record.id }),
  ];
}

/** A message of the log in full. */
export function entryPage({ ui, columns, glyphs }: Snapshot, id: string | undefined): readonly Line[] {
  const entry = ui.log.find((candidate) => candidate.id === id);
  if (!entry) return GONE;
  return [
    heading('Message', columns, glyphs),
    field('When', { text: `${new Date(entry.at).toISOString()}` }),
    ...longField('What', entry.text, columns, SEVERITY_TONE[entry.severity]),
    ...(entry.hint ? longField('What to do', entry.hint, columns) : []),
  ];
}
