import { BifractError } from '../errors.ts';
import { archiveLines, type Key, readContent } from '../format/index.ts';
import type { LineBlock } from '../ports/log-database.ts';
import type { Leftover, Storage } from '../ports/storage.ts';

/** Where an unfinished file ends, by whichever way it was cut; a key that has changed opens nothing of it. */
const ENDS = new Set(['CUT_OFF', 'DAMAGED', 'NOT_BIFRACT', 'WRONG_KEY', 'NOT_FOUND']);

/**
 * The rows of an unfinished archive file, as far as they stand there: nothing comes out of a chunk that does not
 * authenticate. They are written anew under another base, for no nonce may serve for two plaintexts, and how the last
 * chunks would have gone on nobody knows.
 */
export async function* storedLines(
  { storage, key }: { storage: Storage; key: Key },
  leftover: Leftover,
  signal: AbortSignal,
): AsyncGenerator<LineBlock> {
  const bytes = storage.unfinished?.(leftover, { signal });
  if (!bytes) return;
  try {
    yield* archiveLines(readContent(bytes, { keys: [key], signal }));
  } catch (error) {
    if (error instanceof BifractError && ENDS.has(error.code)) return;
    throw error;
  }
}

/** Removes what is left of an archive that went on. What cannot be removed now is an orphan that can be cleaned up. */
export async function discardStored(storage: Storage, leftovers: readonly Leftover[]): Promise<void> {
  for (const leftover of leftovers) await storage.discard(leftover).catch(() => undefined);
}

/** What dead jobs left, by their names and by what they took over themselves; only where the storage can read it. */
export async function leftoversOf(
  storage: Storage,
  dead: {
    names: ReadonlySet<string | undefined>;
    jobs: ReadonlySet<string | undefined>;
    ids: ReadonlySet<string>;
  },
): Promise<Leftover[]> {
  if (!storage.unfinished) return [];
  const found: Leftover[] = [];
  for await (const leftover of storage.leftovers()) {
    const { id, name, job } = leftover;
    const own = job !== undefined && dead.jobs.has(job) && dead.names.has(name);
    if (own || dead.ids.has(id)) found.push(leftover);
  }
  return found.sort((a, b) => b.size_bytes - a.size_bytes);
}
