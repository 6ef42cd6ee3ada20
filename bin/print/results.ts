import type { ArchiveSummary } from '../../src/core/features/archive/archive.ts';
import type { BackupSummary } from '../../src/core/features/backup/backup.ts';
import type { JobKind } from '../../src/core/index.ts';
import { formatDuration } from '../../src/core/text/time.ts';
import { formatBytes, formatExact, formatRatio, plural } from '../../src/core/text/units.ts';

/** The result of a backup or archive, for people. */
export function resultLines(kind: JobKind, result: Record<string, unknown>): string[] {
  return kind === 'backup'
    ? backupLines(result as unknown as BackupSummary)
    : archiveLines(result as unknown as ArchiveSummary);
}

function backupLines(result: BackupSummary): string[] {
  const { name, size_bytes, content_bytes, tables, rows, duration_ms } = result;
  return [
    `Backup complete: ${name}`,
    `${plural(tables, 'table')}, ${formatExact(rows)} rows, ${sizes(content_bytes, size_bytes)}, ${formatDuration(duration_ms)}`,
    `SHA-256 ${result.checksum} (of the stored file)`,
  ];
}

function archiveLines(result: ArchiveSummary): string[] {
  const { fractal_name, group_id, storage_path, split, children, checksum, continued } = result;
  if (group_id === null)
    return [`No logs to archive in ${fractal_name}${windowText(result)}: no file written`];
  const files = plural(children.length, 'file');
  return [
    storage_path === null
      ? `Archive complete: ${files}, split by ${split}${continued ? ' (written after resuming; earlier files are kept)' : ''}`
      : `Archive complete: ${storage_path}`,
    ...amounts(result),
    ...(checksum === null ? [] : [`SHA-256 ${checksum} (of the stored file)`]),
  ];
}

/** Results of earlier versions have no window. */
function windowText({ window }: Partial<ArchiveSummary>): string {
  const from = window?.from ? ` from ${window.from}` : '';
  return window?.to ? `${from} before ${window.to}` : from;
}

function amounts({
  fractal_name,
  log_count,
  content_bytes,
  size_bytes,
  duration_ms,
  ...times
}: ArchiveSummary) {
  return [
    `${formatExact(log_count)} rows of ${fractal_name}, ${times.time_range_start} to ${times.time_range_end}`,
    `${sizes(content_bytes, size_bytes)}, ${formatDuration(duration_ms)}`,
  ];
}

function sizes(content: number, stored: number): string {
  return `${formatBytes(content)} stored as ${formatBytes(stored)} (${formatRatio(content, stored) ?? '1:1'})`;
}
