import type { ArchiveRecord, BackupFile, Orphan } from '../../../core/index.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { archiveName } from '../archive-name.ts';
import { archiveCheck, orphanCheck } from '../file-checks.ts';
import { groupOf } from '../lists/archive-rows.ts';
import { archiveStatus, longVerification, statusCell } from '../lists/file-cells.ts';
import { fractalRecords, lastArchive } from '../lists/fractals.ts';
import { SEVERITY_TONE } from '../lists/log.ts';
import type { Snapshot } from '../types.ts';
import { field, heading, longField, stamp } from './fields.ts';
import { fileLines, verificationLines, warningLines } from './report.ts';

const GONE: readonly Line[] = [
  [{ text: '  This item no longer exists. Press Esc to go back.', tone: 'dim' }],
];

function bytes(size: number): Line {
  return [{ text: formatBytes(size) }, { text: `  ${plural(size, 'byte')}`, tone: 'dim' }];
}

function archiveLines(record: ArchiveRecord, snapshot: Snapshot): Line[] {
  const { columns, symbols, now } = snapshot;
  const report = snapshot.reports.get(record.id);
  return [
    heading(`Archive of ${archiveName(record)}`, columns, symbols),
    ...warningLines(report, snapshot),
    field('Status', archiveStatus(record, snapshot)),
    ...(record.error_message ? longField('Reason', record.error_message, columns, 'bad') : []),
    ...(record.status === 'in_progress' ? [] : verificationLines(snapshot, archiveCheck(record, snapshot))),
    field('Size', ...bytes(record.size_bytes)),
    field('Rows', { text: formatExact(record.log_count) }),
    field('First row', ...stamp(record.time_range_start, now)),
    field('Last row', ...stamp(record.time_range_end, now)),
    field('Period', { text: record.period_label ?? 'entire fractal' }),
    field('Archived until', ...stamp(record.archive_end_ts, now)),
    heading('File', columns, symbols),
    ...longField('Name', record.filename, columns),
    ...longField('Path', record.storage_path, columns),
    field('Stored on', { text: record.storage_type }),
    field('Format', { text: `version ${record.format_version}` }),
    ...longField('SHA-256', record.checksum ?? 'none until the archive is complete', columns),
    heading('Record', columns, symbols),
    field('Created', ...stamp(record.created_at, now)),
    field('Created by', { text: record.created_by ?? '-' }),
    field('Type', { text: record.archive_type }),
    ...longField('ID', record.id, columns),
    ...longField('Group', record.group_id ?? '-', columns),
    ...longField('Fractal', record.fractal_id, columns),
    ...(record.status === 'in_progress' ? [] : fileLines(report, snapshot)),
  ];
}

/** All details of an archive. */
export function archivePage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = snapshot.data.archives.value?.find((archive) => archive.id === id);
  return record ? archiveLines(record, snapshot) : GONE;
}

/** All details of a group, and its archives. */
export function groupPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const group = groupOf(snapshot, id);
  if (!group) return GONE;
  const { columns, symbols, now } = snapshot;
  return [
    heading(`Archives of ${archiveName(group)}`, columns, symbols),
    field('Complete', statusCell(group, snapshot)),
    ...(group.error_message ? longField('Reason', group.error_message, columns, 'bad') : []),
    field('Size', ...bytes(group.size_bytes)),
    field('Rows', { text: formatExact(group.log_count) }),
    field('First row', ...stamp(group.time_range_start, now)),
    field('Last row', ...stamp(group.time_range_end, now)),
    field('Created', ...stamp(group.created_at, now)),
    field('Created by', { text: group.created_by ?? '-' }),
    ...longField('ID', group.id, columns),
    heading(plural(group.parts.length, 'archive'), columns, symbols),
    ...group.parts.map((part): Line => {
      const status = archiveStatus(part, snapshot);
      return [
        { text: `  ${part.period_label ?? '-'}  ` },
        { text: formatBytes(part.size_bytes).padStart(9), tone: 'dim' },
        { ...status, text: `  ${status.text}` },
      ];
    }),
  ];
}

function backupLines(record: BackupFile, snapshot: Snapshot): Line[] {
  const { columns, symbols, now } = snapshot;
  const report = snapshot.reports.get(record.id);
  return [
    heading('Backup', columns, symbols),
    ...warningLines(report, snapshot),
    ...longField('Name', record.name, columns),
    ...backupFault(record, snapshot),
    ...verificationLines(snapshot, record.verified),
    ...testRestoreLines(record, snapshot),
    field('Size', ...bytes(record.size_bytes)),
    field('Created', ...stamp(record.created_at, now)),
    field('Stored on', { text: record.storage_type }),
    ...(report?.value ? [] : longField('Path', record.path, columns)),
    ...fileLines(report, snapshot),
  ];
}

function backupFault({ error }: BackupFile, { columns, symbols }: Snapshot): Line[] {
  if (!error) return [];
  return [
    ...longField('Not usable', `${symbols.bad} ${error.message}`, columns, 'bad'),
    ...(error.hint ? longField('What to do', error.hint, columns) : []),
  ];
}

function testRestoreLines({ restored }: BackupFile, snapshot: Snapshot): Line[] {
  const keys = restored ? '' : '; press R and choose test restore';
  return [
    field('Test restore', longVerification(restored, snapshot), { text: keys, tone: 'dim' }),
    ...(restored?.ok === false ? longField('', restored.message, snapshot.columns, 'bad') : []),
  ];
}

/** All details of a backup. */
export function backupPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = snapshot.data.backups.value?.find((backup) => backup.id === id);
  return record ? backupLines(record, snapshot) : GONE;
}

function orphanHelp({ kind, place: storage, actions, goes_on }: Orphan): string {
  if (kind === 'file' && storage === 'backups')
    return 'Press v to verify or R to restore it. To list it as a backup, rename it to bifract-backup-YYYYMMDD-HHMMSS.bifract-backup.';
  if (actions.includes('adopt'))
    return 'Press a to adopt it: the file is read completely and gets a record if it is intact.';
  if (actions.includes('fail_record'))
    return 'Press c to mark the record as failed, so that nothing relies on its file.';
  if (goes_on) return 'Archive the fractal again to resume from this file, or press c to delete it.';
  if (actions.includes('discard'))
    return 'Press c to delete it. An interrupted job left it behind; it was never complete.';
  return kind === 'leftover'
    ? 'Nothing yet: another machine may still write to it. After a day it counts as abandoned.'
    : 'Nothing yet: fix the problem in the heading first.';
}

/** All details of an orphaned file or record. */
export function orphanPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const orphan = snapshot.data.orphans.value?.find((one) => one.id === id);
  if (!orphan) return GONE;
  const { columns, symbols, now } = snapshot;
  const report = snapshot.reports.get(orphan.id);
  const doing = snapshot.busy.get(orphan.id);
  return [
    heading(orphan.title, columns, symbols),
    ...warningLines(report, snapshot),
    ...longField('What to do', orphanHelp(orphan), columns, orphan.actions.length > 0 ? 'info' : 'plain'),
    ...(doing ? [field('Now', { text: doing, tone: 'warn' })] : []),
    ...(orphan.kind === 'file' ? verificationLines(snapshot, orphanCheck(orphan, snapshot)) : []),
    field('Size', ...bytes(orphan.size_bytes)),
    field('Created', ...stamp(orphan.since, now)),
    field('Type', { text: orphan.place === 'archives' ? 'archive' : 'backup' }),
    field('Fractal', { text: orphan.fractal_name ?? '-' }),
    ...longField('Path', orphan.path, columns),
    ...longField('ID', orphan.id, columns),
    ...(orphan.kind === 'file' ? fileLines(report, snapshot) : []),
  ];
}

/** All details of a fractal. */
export function fractalPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const record = fractalRecords(snapshot).find((fractal) => fractal.id === id);
  if (!record) return GONE;
  const { columns, symbols, now } = snapshot;
  return [
    heading(`Fractal ${record.name}`, columns, symbols),
    ...longField('Description', record.description || '-', columns),
    field('Rows', { text: formatExact(record.log_count) }),
    field('Size', ...bytes(record.size_bytes)),
    field('Oldest row', ...stamp(record.earliest_log, now)),
    field('Newest row', ...stamp(record.latest_log, now)),
    field('Retention', {
      text: record.retention_days === null ? 'forever' : plural(record.retention_days, 'day'),
    }),
    heading('Archives', columns, symbols),
    field('Last', lastArchive(record, snapshot)),
    field('Schedule', { text: record.archive_schedule }),
    field('Split', { text: record.archive_split }),
    field('Kept', {
      text: record.max_archives === null ? 'all' : `the newest ${formatExact(record.max_archives)}`,
    }),
    heading('Record', columns, symbols),
    field('Created', ...stamp(record.created_at, now)),
    ...longField('ID', record.id, columns),
  ];
}

/** A message of the log, with its hint. */
export function entryPage({ ui, columns, symbols }: Snapshot, id: string | undefined): readonly Line[] {
  const entry = ui.log.find((candidate) => candidate.id === id);
  if (!entry) return GONE;
  return [
    heading('Message', columns, symbols),
    field('Time', { text: `${new Date(entry.at).toISOString()}` }),
    ...longField('Message', entry.text, columns, SEVERITY_TONE[entry.severity]),
    ...(entry.hint ? longField('What to do', entry.hint, columns) : []),
  ];
}
