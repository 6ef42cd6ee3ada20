import { asBifractError } from '../../contract/errors.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { LogSpan } from '../../ports/log-database.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { untilIncomplete } from '../files/listing.ts';
import { storagesOf } from '../files/record-file.ts';
import { namesOf } from '../files/target.ts';

/** Files checked in parallel. */
const CONCURRENCY = 16;

/** Rows with a timestamp this close to the start of an archive may have become visible after it. */
export const INGEST_DELAY_MS = 60_000;

/**
 * What a complete archive proves: it holds every row in a time range that existed when it was made. Unix times, ms.
 */
export interface ArchiveEvidence {
  archive_id: string;
  /** Time of its first row. */
  from: number;
  /** Just after its last row. */
  to: number;
  /** When it was started: rows ingested later are not in it. */
  until: number;
  rows: number;
}

export type EvidenceServices = Pick<Services, 'catalog' | 'backups' | 'archives' | 'storageOf'>;

/** The complete archives of a fractal: those whose file exists with the recorded size. */
export async function collectEvidence(
  services: EvidenceServices,
  fractal_id: string,
  options: CallOptions = {},
): Promise<ArchiveEvidence[]> {
  const catalog = await services.catalog();
  const records = await catalog.archives({ fractal_id }, options);
  const files = new FileSizes(fractal_id, options);
  const evidence: ArchiveEvidence[] = [];
  for (let at = 0; at < records.length; at += CONCURRENCY) {
    const some = records.slice(at, at + CONCURRENCY).map(async (record) => {
      const entry = evidenceOf(record);
      return entry && (await files.matches(record, await storagesOf(services, record))) ? [entry] : [];
    });
    evidence.push(...(await Promise.all(some)).flat());
  }
  return evidence;
}

/**
 * What the record of an archive proves; undefined if nothing. The range is that of its rows, not the requested one:
 * outside of it, the archive has no rows anyway.
 */
export function evidenceOf(record: ArchiveRecord): ArchiveEvidence | undefined {
  const { id, status, time_range_start, time_range_end, log_count, created_at } = record;
  if (status !== 'completed' && status !== 'restoring') return undefined;
  if (time_range_start === null || time_range_end === null || log_count <= 0) return undefined;
  const entry = {
    archive_id: id,
    from: Date.parse(time_range_start),
    to: Date.parse(time_range_end) + 1,
    until: Date.parse(created_at),
    rows: log_count,
  };
  return entry.from < entry.to && Number.isFinite(entry.until) ? entry : undefined;
}

/**
 * Sizes of a fractal's archive files, listed once per storage. A file that is not in the listing, or with another size,
 * is asked for: listings may leave out files.
 */
class FileSizes {
  readonly #prefix: string;
  readonly #options: CallOptions;
  readonly #listed = new Map<Storage, Promise<Map<string, number>>>();

  constructor(fractal_id: string, options: CallOptions) {
    this.#prefix = `archives/${fractal_id}/`;
    this.#options = options;
  }

  async matches(record: ArchiveRecord, storages: readonly Storage[]): Promise<boolean> {
    for (const storage of storages) {
      for (const name of namesOf(record)) {
        if ((await this.#listedSize(storage, name)) === record.size_bytes) return true;
        if ((await this.#statSize(storage, name)) === record.size_bytes) return true;
      }
    }
    return false;
  }

  async #listedSize(storage: Storage, name: string): Promise<number | undefined> {
    if (!name.startsWith(this.#prefix)) return undefined;
    const listed = this.#listed.get(storage) ?? this.#list(storage);
    this.#listed.set(storage, listed);
    return (await listed).get(name);
  }

  /** Undefined also for a file that cannot be looked for: it proves nothing. */
  async #statSize(storage: Storage, name: string): Promise<number | undefined> {
    try {
      return (await storage.stat(name, this.#options))?.size_bytes;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (['STORAGE_DENIED', 'STORAGE_FAILED', 'USAGE'].includes(asBifractError(error).code))
        return undefined;
      throw error;
    }
  }

  async #list(storage: Storage): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    const options = { ...this.#options, onIncomplete: () => undefined };
    for await (const { name, size_bytes } of untilIncomplete(storage.list(this.#prefix, options), options)) {
      sizes.set(name, size_bytes);
    }
    return sizes;
  }
}

/** A time range, and the newest archive that covers it. */
export interface EvidencePiece extends LogSpan {
  /** Index of the evidence; -1 if no archive covers it. */
  evidence_index: number;
}

/** Splits time at every start and end of an archive, from the first start on; the last piece has no end. */
export function cutPieces(evidence: readonly ArchiveEvidence[]): EvidencePiece[] {
  const starts = [...new Set(evidence.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const indexes = new Map(starts.map((start, index) => [start, index]));
  const owners = new Int32Array(starts.length).fill(-1);
  const oldestFirst = evidence.map((entry, index) => ({ entry, index }));
  oldestFirst.sort((a, b) => a.entry.until - b.entry.until);
  for (const { entry, index } of oldestFirst) {
    owners.fill(index, indexes.get(entry.from), indexes.get(entry.to));
  }
  return starts.map((from, index) => {
    const evidence_index = owners[index] ?? -1;
    return { from, until: evidence[evidence_index]?.until ?? null, evidence_index };
  });
}
