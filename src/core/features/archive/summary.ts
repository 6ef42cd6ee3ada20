import type { FileSummary } from '../../format/index.ts';
import type { Granularity } from '../../policy/periods.ts';
import type { Fractal } from '../../ports/catalog.ts';
import type { Timestamp } from '../../ports/types.ts';

/** One file of an archive. */
export interface ArchiveChild {
  archive_id: string;
  /** Null if the archive is not split. */
  period_label: string | null;
  storage_path: string;
  size_bytes: number;
  log_count: number;
  content_bytes: number;
  checksum: string;
  time_range_start: Timestamp | null;
  time_range_end: Timestamp | null;
}

/** Result of archiving a fractal: sizes and counts over all of its files. */
export interface ArchiveSummary {
  fractal_id: string;
  fractal_name: string;
  split: Granularity;
  /** The requested range, `from ≤ timestamp < to`; null means unbounded. */
  window: { from: Timestamp | null; to: Timestamp | null };
  /** Null if there were no rows: then there is neither file nor record. */
  group_id: string | null;
  /** Set if the archive is a single, unsplit file. */
  archive_id: string | null;
  storage_path: string | null;
  checksum: string | null;
  size_bytes: number;
  log_count: number;
  content_bytes: number;
  time_range_start: Timestamp | null;
  time_range_end: Timestamp | null;
  /** The earliest first. Of a resumed archive, only the files written since. */
  children: ArchiveChild[];
  /** Whether it resumed an interrupted archive. */
  continued: boolean;
  duration_ms: number;
}

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

/** Totals of the files of an archive, of which there may be none. */
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
