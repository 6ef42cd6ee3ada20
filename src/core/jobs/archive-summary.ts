import type { FileSummary } from '../format/index.ts';
import type { Granularity } from '../policy/periods.ts';
import type { Fractal } from '../ports/catalog.ts';
import type { Timestamp } from '../ports/types.ts';

/** One file of an archive. */
export interface ArchiveChild {
  archive_id: string;
  /** Null where the archive is not split. */
  period_label: string | null;
  storage_path: string;
  size_bytes: number;
  log_count: number;
  content_bytes: number;
  checksum: string;
  time_range_start: Timestamp | null;
  time_range_end: Timestamp | null;
}

/** What an archive of a fractal came to: sizes and counts over all of its files. */
export interface ArchiveSummary {
  fractal_id: string;
  fractal_name: string;
  split: Granularity;
  /** What was asked for: rows from the one time on, before the other; null where it is open. */
  window: { from: Timestamp | null; to: Timestamp | null };
  /** Null where there were no rows: then there is neither file nor record. */
  group_id: string | null;
  /** Of the one file of an archive that is not split, else null. */
  archive_id: string | null;
  storage_path: string | null;
  checksum: string | null;
  size_bytes: number;
  log_count: number;
  content_bytes: number;
  time_range_start: Timestamp | null;
  time_range_end: Timestamp | null;
  /** The earliest first. Of an archive that was continued, those that were made since. */
  children: ArchiveChild[];
  /** Whether it continued an archive that was interrupted. */
  continued: boolean;
  duration_ms: number;
}

/** A file that was written, as a child. */
export function childOf(
  of: Pick<ArchiveChild, 'archive_id' | 'period_label' | 'storage_path'>,
  file: FileSummary,
): ArchiveChild {
  return {
    archive_id: of.archive_id,
    period_label: of.period_label,
    storage_path: of.storage_path,
    size_bytes: file.size_bytes,
    log_count: file.rows,
    content_bytes: file.content_bytes,
    checksum: file.checksum,
    time_range_start: file.first,
    time_range_end: file.last,
  };
}

/** Sums up the files of an archive, none of them too. */
export function summarize(
  fractal: Pick<Fractal, 'id' | 'name'>,
  of: Pick<ArchiveSummary, 'split' | 'window' | 'group_id' | 'continued' | 'children'>,
): Omit<ArchiveSummary, 'duration_ms'> {
  const { split, children } = of;
  const only = split === 'none' ? children[0] : undefined;
  const sum = (key: 'size_bytes' | 'log_count' | 'content_bytes') =>
    children.reduce((total, child) => total + child[key], 0);
  return {
    fractal_id: fractal.id,
    fractal_name: fractal.name,
    ...of,
    archive_id: only?.archive_id ?? null,
    storage_path: only?.storage_path ?? null,
    checksum: only?.checksum ?? null,
    size_bytes: sum('size_bytes'),
    log_count: sum('log_count'),
    content_bytes: sum('content_bytes'),
    time_range_start: children[0]?.time_range_start ?? null,
    time_range_end: children.at(-1)?.time_range_end ?? null,
  };
}
