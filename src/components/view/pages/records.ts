import type { ArchiveRecord, BackupFile, Orphan } from '../../../core/index.ts';
import { archiveStatus } from '../lists/archive-cells.ts';
import { fractalRecords, lastArchive } from '../lists/fractals.ts';
import { SEVERITY_TONE } from '../lists/log.ts';
import { orphanName } from '../lists/orphans.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatBytes, formatExact, plural } from '../units.ts';
import { field, heading, longField, stamp } from './fields.ts';
import { fileLines, noteLines, verdictLines } from './report.ts';

const GONE: readonly Line[] = [[{ text: '  It is no longer there. Esc goes back.', tone: 'dim' }]];

function bytes(size: number): Line {
  return [{ text: formatBytes(size) }, { text: `  ${plural(size, 'byte')}`, tone: 'dim' }];
}

function archiveLines(record: ArchiveRecord, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  const report = snapshot.reports.get(record.id);
  return [
    heading(`Archive of ${record.fractal_name}`, columns, glyphs),
    ...noteLines(report, snapshot),
    field('Status', archiveStatus(record, snapshot)),
    ...(record.error_message ? longField('Reason', record.error_message, columns, 'bad') : []),
    ...(record.status === 'in_progress' ? [] : verdictLines(snapshot, record.filename, record.id)),
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
    ...(record.status === 'in_progress' ? [] : fileLines(report, snapshot)),
  ];
}

/** Everything that is known of an archive. */
export function archivePage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = snapshot.data.archives.value?.find((archive) => archive.id === id);
  return record ? archiveLines(record, snapshot) : GONE;
}

function backupLines(record: BackupFile, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  const report = snapshot.reports.get(record.name);
  return [
    heading('Backup', columns, glyphs),
    ...noteLines(report, snapshot),
    ...longField('Name', record.name, columns),
    ...verdictLines(snapshot, record.name),
    field('Size', ...bytes(record.size_bytes)),
    field('Created', ...stamp(record.created_at, now)),
    field('Stored on', { text: record.storage_type }),
    ...(report?.value ? [] : longField('Path', record.path, columns)),
    ...fileLines(report, snapshot),
  ];
}

/** Everything that is known of a backup. */
export function backupPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = snapshot.data.backups.value?.find((backup) => backup.name === id);
  return record ? backupLines(record, snapshot) : GONE;
}

function orphanHelp({ kind, place, actions, goes_on }: Orphan): string {
  if (kind === 'file' && place === 'backups')
    return 'v verifies it and R restores it, as any other. Once it is named bifract-backup-YYYYMMDD-HHMMSS.bifract-backup it is among the backups.';
  if (actions.includes('adopt'))
    return 'a gives the file a record, once it was read to its end and is whole.';
  if (actions.includes('fail_record'))
    return 'c marks the record as failed, so that nobody counts on its file.';
  if (goes_on) return 'The same archive goes on with it: begin it again. c removes it.';
  if (actions.includes('discard')) return 'c removes what the dead run left; it never was a whole file.';
  return kind === 'leftover'
    ? 'Nothing yet: it may be the work of another machine. After a day it counts as left behind.'
    : 'Nothing yet: something else is wrong first.';
}

/** Everything that is known of what has lost its other half. */
export function orphanPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const orphan = snapshot.data.orphans.value?.find((one) => one.id === id);
  if (!orphan) return GONE;
  const { columns, glyphs, now } = snapshot;
  const report = snapshot.reports.get(orphan.id);
  const doing = snapshot.busy.get(orphan.id);
  return [
    heading(orphan.title, columns, glyphs),
    ...noteLines(report, snapshot),
    ...longField('What to do', orphanHelp(orphan), columns, orphan.actions.length > 0 ? 'info' : 'plain'),
    ...(doing ? [field('Now', { text: doing, tone: 'warn' })] : []),
    ...(orphan.kind === 'file' ? verdictLines(snapshot, orphanName(orphan), orphan.id) : []),
    field('Size', ...bytes(orphan.size_bytes)),
    field('Since', ...stamp(orphan.since, now)),
    field('Storage', { text: `of ${orphan.place}` }),
    field('Fractal', { text: orphan.fractal_name ?? '-' }),
    ...longField('Path', orphan.path, columns),
    ...longField('Id', orphan.id, columns),
    ...(orphan.kind === 'file' ? fileLines(report, snapshot) : []),
  ];
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
