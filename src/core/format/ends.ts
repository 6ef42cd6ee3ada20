import type { Timestamp } from '../ports/types.ts';

/** The version of the sealed ends that this program writes, and the newest that it reads. */
export const ENDS_VERSION = 1;

export type ContentKind = 'backup' | 'archive';

/** What the writer of an archive says of it before the first row. */
export interface ArchiveHead {
  /** Name and version of the writing program. */
  tool: string;
  fractal: { id: string; name: string };
  /** The period's label where the archive was split by time, else null. */
  period: string | null;
  /** `none`, `hour`, `day` or `week`. */
  split: string;
  /** Whether each line carries the parsed fields: without them, a direct restore cannot bring those back. */
  fields: boolean;
  /** Identity of the file; default: random. */
  uuid?: string;
  /** When it was begun; default: now. */
  created?: Timestamp;
}

/** What the writer of a backup says of it before the dump. */
export interface BackupHead {
  /** Name and version of the writing program. */
  tool: string;
  /** Why it was made, where nobody asked for it as such: `before restore of FILE`. */
  reason?: string;
  uuid?: string;
  created?: Timestamp;
}

/** The first frame of a sealed file: what it is. */
export interface Head {
  v: number;
  kind: ContentKind;
  uuid: string;
  created: Timestamp;
  tool: string;
  /** Of an archive. */
  fractal?: { id: string; name: string };
  period?: string | null;
  split?: string;
  fields?: boolean;
  /** Of a backup that was made on the way to something else. */
  reason?: string;
  /** An end frame will follow: where there is none, the file was cut off. */
  end: boolean;
}

/** The last frame of a sealed file: what it held. */
export interface End {
  /** Log rows; 0 in a backup. */
  rows: number;
  /** Lines of content, an archive's header line included; 0 in a backup. */
  lines: number;
  /** Content before compression. */
  bytes: number;
  /** SHA-256 of that content, hex. */
  sha256: string;
  first: Timestamp | null;
  last: Timestamp | null;
}

/** A row's place in the order of an archive. */
export interface RowPosition {
  ts: Timestamp;
  id: string;
}

/** One content frame, as the trailer lists it. */
export interface FrameEntry {
  /** Where it begins in the compressed stream, bytes. */
  offset: number;
  /** Compressed and plain size, bytes. */
  size: number;
  plain: number;
  rows: number;
  first: RowPosition | null;
  last: RowPosition | null;
}

/** The sealed trailer: head and end again, and where every frame is. */
export interface Trailer {
  head: Head;
  end: End;
  index: FrameEntry[];
}
