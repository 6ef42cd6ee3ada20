import type { Granularity } from '../../policy/periods.ts';
import type { ArchiveType } from '../../ports/catalog.ts';
import type { Timestamp } from '../../ports/types.ts';

export interface ArchiveJobRequest {
  kind: 'archive';
  /** Id of the fractal. */
  fractal_id: string;
  /** Its name, for titles. */
  fractal_name?: string;
  /** Write the parsed fields into each line (default true). */
  fields?: boolean;
  /** One file per period; by default the setting of the fractal (`archive_split`). */
  split?: Granularity;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
  /** Default `adhoc`. */
  archive_type?: ArchiveType;
  /** Skip periods that complete archives already cover. */
  only_uncovered?: boolean;
  /** Queries at a time; by default the setting, else by the server. */
  parallel?: number;
  /** Start over instead of resuming an interrupted archive of the same request. */
  fresh?: boolean;
}

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
