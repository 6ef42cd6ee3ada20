import type { ErrorReport } from '../../contract/errors.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** Description of a file, without reading all of it. */
export interface FileReport {
  /** Full path, or S3 key with its bucket. */
  path: string;
  name: string;
  storage_type: 'disk' | 's3';
  size_bytes: number;
  kind: 'backup' | 'archive';
  /** Fingerprint of the key it is encrypted with. */
  key_id: string;
  /** Whether it has a header and a trailer, which prove that it is complete. */
  sealed: boolean;
  uuid: string | null;
  /** Program that wrote it. */
  tool: string | null;
  created_at: Timestamp | null;
  fractal: { id: string; name: string | null } | null;
  period: string | null;
  split: string | null;
  /** Whether archive rows include the parsed fields; null if unknown. */
  fields: boolean | null;
  /** Where the original lines of archive rows come from: `none` if the server did not keep them. Null if unknown. */
  raw_from: 'logs' | 'logs_raw' | 'none' | null;
  /** Columns of the archived table; null if the file does not say. */
  columns: { name: string; type: string; default: string }[] | null;
  rows: number | null;
  content_bytes: number | null;
  content_sha256: string | null;
  first: Timestamp | null;
  last: Timestamp | null;
  frames: number | null;
  /** Content of the manifest of a backup. */
  backup: {
    version: string;
    timestamp: Timestamp;
    server_version: string | null;
    pg_dump_version: string | null;
    database: string | null;
    /** `checksum`: whether the manifest has one of its rows. */
    tables: { schema: string; name: string; rows: number; checksum: boolean }[] | null;
    /** Names of the `.env` variables in the manifest, never their values. */
    variables: string[];
  } | null;
  /** Record of the archive, if any. */
  record: ArchiveRecord | null;
  /** Remarks for the user, one sentence each. */
  notes: string[];
}

/** Verification result of one target. */
export interface VerifyItem {
  target: string;
  path: string;
  kind: 'backup' | 'archive' | null;
  ok: boolean;
  sealed: boolean | null;
  /** From its header; null if it has none, or was not read that far. */
  uuid: string | null;
  /** Fingerprint of the key that opened it; null if none did. */
  key_id: string | null;
  /**
   * Whether completeness is proven: by header and trailer, or by a record with matching checksum and count.
   * Never by a quick verification.
   */
  proven: boolean;
  size_bytes: number;
  rows: number | null;
  /** Tables of a backup whose contents match a checksum in its manifest; null for a quick verification or an archive. */
  compared_tables: number | null;
  content_bytes: number | null;
  /** SHA-256 of the stored bytes, hex; null for a quick verification. */
  checksum: string | null;
  notes: string[];
  error?: ErrorReport;
}

export interface VerifyRequest {
  kind: 'verify';
  /** Files and ids of archive records; `all` is every backup and every completed archive. */
  targets: string[] | 'all';
  /** Check size, header and trailer only. */
  quick?: boolean;
}

export interface VerifySummary {
  files: number;
  /** Files proven complete, by header and trailer or by their record. */
  proven: number;
  rows: number;
  /** Stored bytes of all files. */
  size_bytes: number;
  content_bytes: number;
  quick: boolean;
  items: VerifyItem[];
  duration_ms: number;
}

export type ExtractPart = 'content' | 'manifest' | 'raw';

/** Queries on files. */
export interface InspectQueries {
  /** Describes a file, or the file of an archive record, with a few small reads. */
  show(target: string, options?: CallOptions): Promise<FileReport>;
  /**
   * The content of a file as bytes: the dump or manifest of a backup, the NDJSON of an archive. Verified
   * while it streams: reading to the end without an error proves that the file is complete. `file` is a path,
   * a bare name in storage, or an S3 key.
   */
  extract(file: string, part: ExtractPart, options?: CallOptions): AsyncIterable<Buffer>;
}
