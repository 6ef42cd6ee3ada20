import { BifractError } from '../../contract/errors.ts';
import { archiveLines, readContent } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { LineBlock } from '../../ports/log-database.ts';
import type { Storage, UnfinishedObject } from '../../ports/storage.ts';

/** Errors that mark the end of an unfinished file; after a key change, nothing of it is readable. */
const END_CODES = new Set(['CUT_OFF', 'DAMAGED', 'NOT_BIFRACT', 'WRONG_KEY', 'NOT_FOUND']);

/**
 * The rows of an unfinished archive file, as far as its chunks authenticate. They are encrypted again under another
 * base: no nonce may serve for two plaintexts.
 */
export async function* unfinishedRows(
  { storage, key }: { storage: Storage; key: Key },
  object: UnfinishedObject,
  signal: AbortSignal,
): AsyncGenerator<LineBlock> {
  const bytes = storage.readUnfinished?.(object, { signal });
  if (!bytes) return;
  try {
    yield* archiveLines(readContent(bytes, { keys: [key], signal }));
  } catch (error) {
    if (error instanceof BifractError && END_CODES.has(error.code)) return;
    throw error;
  }
}

/** Deletes partial files. Those that cannot be deleted become orphans, which `bifract clean` removes. */
export async function discardAll(storage: Storage, objects: readonly UnfinishedObject[]): Promise<void> {
  for (const object of objects) await storage.discardUnfinished(object).catch(() => undefined);
}

/** Partial files of interrupted jobs, and those that they had taken over; none if the storage cannot read them. */
export async function listUnfinishedOf(
  storage: Storage,
  interrupted: {
    names: ReadonlySet<string | undefined>;
    jobs: ReadonlySet<string | undefined>;
    ids: ReadonlySet<string>;
  },
): Promise<UnfinishedObject[]> {
  if (!storage.readUnfinished) return [];
  const unfinished: UnfinishedObject[] = [];
  for await (const object of storage.listUnfinished()) {
    const { id, name, job } = object;
    const ofInterruptedJob = job !== undefined && interrupted.jobs.has(job) && interrupted.names.has(name);
    if (ofInterruptedJob || interrupted.ids.has(id)) unfinished.push(object);
  }
  return unfinished.sort((a, b) => b.size_bytes - a.size_bytes);
}
