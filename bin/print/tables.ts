import type { ArchiveRecord, BackupFile, Fractal } from '../../src/core/index.ts';
import { sanitize, width } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, formatExact } from '../../src/core/text/units.ts';

interface Column<Row> {
  title: string;
  cell: (row: Row) => string;
  right?: boolean;
}

/** Formats rows under column heads, each column as wide as its widest cell. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) => columns.map(({ cell }) => sanitize(cell(row))));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at] ?? ''))));
  return lines.map((line) =>
    line
      .map((text, at) => {
        const space = ' '.repeat(Math.max(0, (widths[at] ?? 0) - width(text)));
        return columns[at]?.right ? space + text : text + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

const utc = (stamp: string | null) => (stamp === null ? '-' : `${formatStamp(stamp)}Z`);

export function backupTable(backups: BackupFile[]): string[] {
  if (backups.length === 0) return ['No backups yet. Create one with `bifract backup`.'];
  return table(backups, [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    { title: 'CREATED', cell: ({ created_at }) => utc(created_at) },
    { title: 'STORAGE', cell: ({ storage_type }) => storage_type },
  ]);
}

export function fractalTable(fractals: Fractal[]): string[] {
  if (fractals.length === 0) return ['No fractals.'];
  return table(fractals, [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'ID', cell: ({ id }) => id },
    { title: 'LOGS (CACHED)', cell: ({ log_count }) => formatExact(log_count), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    { title: 'OLDEST', cell: ({ earliest_log }) => utc(earliest_log) },
    { title: 'NEWEST', cell: ({ latest_log }) => utc(latest_log) },
    { title: 'SCHEDULE', cell: ({ archive_schedule }) => archive_schedule },
  ]);
}

const STATUS_LABELS: Record<string, string> = {
  in_progress: 'Archiving',
  completed: 'Completed',
  failed: 'Failed',
  restoring: 'Restoring',
};

export function archiveTable(archives: ArchiveRecord[]): string[] {
  if (archives.length === 0) return ['No archives yet. Create one with `bifract archive <fractal>`.'];
  return table(archives, [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'FRACTAL', cell: ({ fractal_name }) => fractal_name },
    { title: 'STATUS', cell: ({ status }) => STATUS_LABELS[status] ?? status },
    { title: 'LOGS', cell: ({ log_count }) => formatExact(log_count), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    { title: 'FROM', cell: ({ time_range_start }) => utc(time_range_start) },
    { title: 'TO', cell: ({ time_range_end }) => utc(time_range_end) },
    { title: 'CREATED', cell: ({ created_at }) => utc(created_at) },
    { title: 'ERROR', cell: ({ error_message }) => error_message ?? '' },
  ]);
}
