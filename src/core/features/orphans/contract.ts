import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { ListingOptions } from '../files/listing.ts';

/** An archive file without a record, described by its own content. */
export interface AdoptItem {
  /** Name in the storage of archives: the record's `storage_path`. */
  path: string;
  size_bytes: number;
  fractal: { id: string; name: string | null } | null;
  /** Whether that fractal exists now. */
  fractal_known: boolean;
  /** Whether to create the fractal with the id and name from the file; only with consent. */
  create_fractal: boolean;
  /** A failed record of the same file, which is corrected instead of adding one. */
  archive_id: string | null;
  /** Null if only reading the full file would tell. */
  rows: number | null;
  first: Timestamp | null;
  last: Timestamp | null;
  period: string | null;
  split: string;
  created_at: Timestamp;
  /** `adopt`: add a record once the file is verified; `skip`: do not, for the given reason. */
  action: 'adopt' | 'skip';
  reason: string;
}

export interface AdoptPlan {
  items: AdoptItem[];
}

export interface AdoptRequest {
  kind: 'adopt';
  plan: AdoptPlan;
}

export interface AdoptSummary {
  adopted: { path: string; archive_id: string; log_count: number; size_bytes: number; checksum: string }[];
  skipped: number;
  fractals_created: string[];
  duration_ms: number;
}

/** A file without a record, a record without a file, or an unfinished object of an interrupted run. */
export interface Orphan {
  kind: 'file' | 'record' | 'leftover';
  /** Storage that holds it or should hold it. */
  place: 'backups' | 'archives';
  /** Path of the file, id of the record, or storage handle of the unfinished object. */
  id: string;
  /** Human-readable description. */
  title: string;
  path: string;
  size_bytes: number;
  since: Timestamp | null;
  fractal_name: string | null;
  /**
   * Available actions: add a record, mark the record as failed, remove the object. Empty if it may belong to
   * another machine or to the server, or if something else must be fixed first.
   */
  actions: ('adopt' | 'fail_record' | 'discard')[];
  /** Set if the same archive request would resume from it. */
  goes_on?: boolean;
}

export interface CleanRequest {
  kind: 'clean';
  orphans: Orphan[];
}

export interface CleanSummary {
  records_failed: number;
  leftovers_removed: number;
  duration_ms: number;
}

/** Queries on files without records and records without files. */
export interface OrphanQueries {
  /**
   * Plans the adoption of archive files without a record, or of those given. `create_fractals`: the user
   * agrees to recreate missing fractals.
   */
  planAdopt(files?: string[], options?: CallOptions & { create_fractals?: boolean }): Promise<AdoptPlan>;
  /**
   * Orphaned files and records, and unfinished objects. Reads no file. That a file is missing is found out by a request
   * for that file, not by a listing.
   */
  orphans(options?: ListingOptions): Promise<Orphan[]>;
}
