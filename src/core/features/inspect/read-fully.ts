import { asBifractError, BifractError } from '../../contract/errors.ts';
import {
  archiveBytes,
  type ByteSource,
  type ContentKind,
  type ContentSummary,
  checkDump,
  type DumpContents,
  describeFile,
  type LineTotals,
  readContent,
  splitBackup,
} from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import { kindOf } from './content-kind.ts';
import { sourceOf } from './object-source.ts';
import { checkLines } from './row-check-worker.ts';

/** A file that was read to the end without error. */
export interface VerifiedFile {
  kind: ContentKind;
  summary: ContentSummary;
  /** Of an archive. */
  lines: LineTotals | null;
  /** Of a backup. */
  dump: DumpContents | null;
}

export interface ReadOptions {
  keys: readonly Key[];
  signal?: AbortSignal;
  /** Receives the stored bytes read and the rows so far, repeatedly. */
  onProgress?: (stored: number, rows: number) => void;
}

/**
 * Reads a stored file to the end and verifies it. Throws errors of `readContent`; `DAMAGED` for invalid lines
 * of an archive; `BUSY` if the file changed during the read.
 */
export async function readFully(
  storage: Storage,
  object: StoredObject,
  options: ReadOptions,
): Promise<VerifiedFile> {
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

/** The same for a stream of bytes; the caller checks for changes of the file. */
export async function readBytes(
  bytes: AsyncIterable<Uint8Array>,
  object: Pick<StoredObject, 'name' | 'size_bytes'>,
  { keys, signal, onProgress }: ReadOptions,
): Promise<VerifiedFile> {
  const content = readContent(bytes, { keys, signal });
  const { kind, pieces } = await kindOf(content, object.name);
  const report = (rows: number) => onProgress?.(content.progress().bytes_in, rows);
  if (kind === 'archive') {
    const lines = await checkLines(archiveBytes(pieces), object.size_bytes, report);
    requireValidRows(lines);
    return { kind, summary: content.summary(), lines, dump: null };
  }
  const { manifest, dump } = await splitBackup(pieces);
  let contents: DumpContents | null = null;
  const checked = checkDump(dump, manifest.bifract_console, {
    onChecked: (found) => {
      contents = found;
    },
  });
  for await (const _ of checked) report(0);
  return { kind, summary: content.summary(), lines: null, dump: contents };
}

function requireValidRows({ malformed, rows, examples }: LineTotals): void {
  if (malformed === 0) return;
  const some = malformed > examples.length ? ', …' : '';
  throw new BifractError(
    'DAMAGED',
    `${malformed} of ${rows} lines ${malformed === 1 ? 'is not a valid row' : 'are not valid rows'} (${examples.join(', ')}${some})`,
    { hint: 'The file is stored as it was written; a restore skips these lines.' },
  );
}

/** A read is meaningless if the file changed during it. */
async function mustBeUnchanged(storage: Storage, object: StoredObject, signal?: AbortSignal): Promise<void> {
  const now = await storage.stat(object.name, { signal });
  if (now === undefined)
    throw new BifractError('NOT_FOUND', 'The file was removed while being read', {
      hint: 'It was deleted, possibly by retention. List the files again.',
    });
  if (now.size_bytes === object.size_bytes && now.modified_at === object.modified_at) return;
  throw new BifractError('BUSY', 'The file changed while being read', {
    hint: 'Something is writing to it. Try again later.',
  });
}

/** The trailer can distinguish a wrong key from a damaged beginning. */
async function refine(
  error: BifractError,
  source: ByteSource,
  { keys, signal }: ReadOptions,
): Promise<BifractError> {
  if (error.code !== 'WRONG_KEY') return error;
  const better = await describeFile(source, keys, { signal }).then(
    () => error,
    (other: unknown) => asBifractError(other),
  );
  signal?.throwIfAborted();
  return better.code === 'WRONG_KEY' ? better : error;
}
