import { asBifractError, BifractError } from '../errors.ts';
import {
  archiveBytes,
  type ByteSource,
  type ContentKind,
  type ContentSummary,
  describe,
  type Key,
  LineChecker,
  type LineTotals,
  readContent,
  splitBackup,
} from '../format/index.ts';

import type { Storage, StoredObject } from '../ports/storage.ts';
import { kindOf } from './content-kind.ts';
import { LineThread } from './line-thread.ts';
import { sourceOf } from './source.ts';

/** Stored files of so many bytes take longer than a thread to start. */
const THREAD_FROM_BYTES = 8 * 1024 * 1024;

/** A file that was read to its end without an error. */
export interface WholeFile {
  kind: ContentKind;
  summary: ContentSummary;
  /** Of an archive. */
  lines: LineTotals | null;
}

export interface ReadWholeOptions {
  keys: readonly Key[];
  signal?: AbortSignal;
  /** Called now and then with the stored bytes read and the rows seen so far. */
  onProgress?: (stored: number, rows: number) => void;
}

/**
 * Reads a stored file to its end and checks all that can be checked of it. Errors as of `readContent`; of an
 * archive also `DAMAGED` for lines that are no rows; `BUSY` where the file changed meanwhile.
 */
export async function readWhole(
  storage: Storage,
  object: StoredObject,
  options: ReadWholeOptions,
): Promise<WholeFile> {
  try {
    const bytes = storage.stream(object.name, { signal: options.signal });
    const file = await readBytes(bytes, object, options);
    await mustBeUnchanged(storage, object, options.signal);
    return file;
  } catch (error) {
    options.signal?.throwIfAborted();
    await mustBeUnchanged(storage, object, options.signal);
    throw await refine(asBifractError(error), sourceOf(storage, object, options), options);
  }
}

/** The same of bytes that flow by; whether the file changed meanwhile is the caller's business. */
export async function readBytes(
  bytes: AsyncIterable<Uint8Array>,
  object: Pick<StoredObject, 'name' | 'size_bytes'>,
  { keys, signal, onProgress }: ReadWholeOptions,
): Promise<WholeFile> {
  const content = readContent(bytes, { keys, signal });
  const { kind, pieces } = await kindOf(content, object.name);
  const told = (rows: number) => onProgress?.(content.progress().bytes_in, rows);
  if (kind === 'archive') {
    const lines = await checkLines(archiveBytes(pieces), object.size_bytes, told);
    mustBeRows(lines);
    return { kind, summary: content.summary(), lines };
  }
  for await (const _ of (await splitBackup(pieces)).dump) told(0);
  return { kind, summary: content.summary(), lines: null };
}

/** In a thread of its own where that is worth starting one. */
async function checkLines(
  blocks: AsyncIterable<Buffer>,
  stored: number,
  told: (rows: number) => void,
): Promise<LineTotals> {
  if (stored < THREAD_FROM_BYTES) {
    const checker = new LineChecker();
    for await (const block of blocks) {
      checker.add(block);
      told(checker.totals.rows);
    }
    return checker.totals;
  }
  const thread = new LineThread();
  try {
    for await (const block of blocks) {
      await thread.add(block);
      told(thread.rows);
    }
    return await thread.finish();
  } finally {
    await thread.close();
  }
}

function mustBeRows({ malformed, rows, examples }: LineTotals): void {
  if (malformed === 0) return;
  const some = malformed > examples.length ? ', …' : '';
  throw new BifractError(
    'DAMAGED',
    `${malformed} of its ${rows} lines ${malformed === 1 ? 'is' : 'are'} no ${malformed === 1 ? 'row' : 'rows'} (${examples.join(', ')}${some})`,
    { hint: 'The file is as it was written, but a restore will leave these lines out.' },
  );
}

/** What was read of a file that something writes to proves nothing. */
async function mustBeUnchanged(storage: Storage, object: StoredObject, signal?: AbortSignal): Promise<void> {
  const now = await storage.stat(object.name, { signal });
  if (now === undefined)
    throw new BifractError('NOT_FOUND', 'The file was removed while it was read', {
      hint: 'List again: somebody, or retention, deleted it.',
    });
  if (now.size_bytes === object.size_bytes && now.modified_at === object.modified_at) return;
  throw new BifractError('BUSY', 'The file changed while it was read', {
    hint: 'Something writes to it. Try again when that has ended.',
  });
}

/** The tail of a file can tell a wrong key from a damaged beginning. */
async function refine(
  error: BifractError,
  source: ByteSource,
  { keys, signal }: ReadWholeOptions,
): Promise<BifractError> {
  if (error.code !== 'WRONG_KEY') return error;
  const better = await describe(source, keys, { signal }).then(
    () => error,
    (other: unknown) => asBifractError(other),
  );
  signal?.throwIfAborted();
  return better.code === 'WRONG_KEY' ? better : error;
}
