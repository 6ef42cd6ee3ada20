import type { Timestamp } from '../ports/types.ts';

/** Format version of head and trailer: the one written, and the newest supported. */
export const HEAD_VERSION = 1;

export type ContentKind = 'backup' | 'archive';

/** Input for the head of an archive. */
export interface ArchiveHead {
  /** Name and version of the writing program. */
  tool: string;
  fractal: { id: string; name: string };
  /** The period's label if the archive is split by time, else null. */
  period: string | null;
  /** `none`, `hour`, `day` or `week`. */
  split: string;
  /** Whether lines carry the parsed fields. Without them, a direct restore cannot restore those. */
  fields: boolean;
  /** Default: random. */
  uuid?: string;
  /** Default: now. */
  created?: Timestamp;
}

/** Input for the head of a backup. */
export interface BackupHead {
  /** Name and version of the writing program. */
  tool: string;
  /** Set if another job made the backup, e.g. `before restore of FILE`. */
  reason?: string;
  uuid?: string;
  created?: Timestamp;
}

/** The first frame of a sealed file. */
export interface Head {
  v: number;
  kind: ContentKind;
  uuid: string;
  created: Timestamp;
  tool: string;
  /** Archives only, to `fields`. */
  fractal?: { id: string; name: string };
  period?: string | null;
  split?: string;
  fields?: boolean;
  /** Backups made by another job only. */
  reason?: string;
  /** An end frame follows; if it is missing, the file was cut off. */
  end: boolean;
}

/** The last frame of a sealed file: totals of its content. */
export interface End {
  /** Log rows; 0 in a backup. */
  rows: number;
  /** Lines of content including an archive's header line; 0 in a backup. */
  lines: number;
  /** Content before compression, bytes. */
  bytes: number;
  /** SHA-256 of that content, hex. */
  sha256: string;
  first: Timestamp | null;
  last: Timestamp | null;
}

/** Sort position of a row in an archive. */
export interface RowPosition {
  ts: Timestamp;
  id: string;
}

/** Index entry of one content frame. */
export interface FrameEntry {
  /** Start in the compressed stream, bytes. */
  offset: number;
  /** Compressed and plain size, bytes. */
  size: number;
  plain: number;
  rows: number;
  first: RowPosition | null;
  last: RowPosition | null;
}

/** Contents of the trailer: head and end again, and the index of all frames. */
export interface Trailer {
  head: Head;
  end: End;
  index: FrameEntry[];
}
