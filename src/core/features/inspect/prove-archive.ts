import { asBifractError, BifractError } from '../../contract/errors.ts';
import { describeFile } from '../../format/index.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions } from '../../ports/types.ts';
import { storedSum } from '../files/stored-sum.ts';
import type { Located } from '../files/target.ts';
import { isIntegrityError } from '../files/unreadable.ts';
import { compareWithRecord } from './compare-record.ts';
import { sourceOf } from './object-source.ts';
import { readHead } from './read-head.ts';
import { measuredEnds } from './verify-file.ts';

interface Claim {
  fractal_id: string;
  /** The record of the file, if it has one. */
  record?: ArchiveRecord;
}

/**
 * Throws unless a file is the archive that it is taken for: its own content says that it is an archive of the fractal,
 * and it is as its completed record says. A file without a readable head (unknown key, damaged) must be byte for byte the
 * one of its record.
 */
export async function proveArchive(
  file: Located,
  { fractal_id, record }: Claim,
  keys: readonly Key[],
  options: CallOptions = {},
): Promise<void> {
  const source = sourceOf(file.storage, file.object, options);
  const head = await orDamage(readHead(source, keys, undefined, options), options);
  if (head instanceof BifractError) {
    if (await isAsRecorded(file, record, options)) return;
    throw unproven(head);
  }
  if (head.kind !== 'archive') throw differs('it is a backup');
  const own = head.head?.fractal?.id ?? head.first?.fid ?? fractal_id;
  if (own !== fractal_id) throw differs(`it is of fractal ${own}`);
  if (record?.status === 'completed' || record?.status === 'restoring')
    await compare(file, record, keys, options);
}

/** A file whose end is missing or damaged has shown by its head what it is. */
async function compare(
  { storage, object }: Located,
  record: ArchiveRecord,
  keys: readonly Key[],
  options: CallOptions,
): Promise<void> {
  const reading = describeFile(sourceOf(storage, object, options), keys, options);
  const description = await orDamage(reading, options);
  if (!(description instanceof BifractError)) compareWithRecord(record, measuredEnds(description));
}

/** The result, or the error if it shows that the file is damaged or encrypted with an unknown key. */
async function orDamage<T>(reading: Promise<T>, { signal }: CallOptions): Promise<T | BifractError> {
  try {
    return await reading;
  } catch (thrown) {
    signal?.throwIfAborted();
    const error = asBifractError(thrown);
    if (isIntegrityError(error)) return error;
    throw thrown;
  }
}

async function isAsRecorded(
  { storage, object }: Located,
  record: ArchiveRecord | undefined,
  options: CallOptions,
): Promise<boolean> {
  if (!record?.checksum || object.size_bytes !== record.size_bytes) return false;
  return (await storedSum(storage, object.name, options)).checksum === record.checksum.toLowerCase();
}

function differs(what: string): BifractError {
  return new BifractError('RECORD_DIFFERS', `Not the archive its name and record claim: ${what}`, {
    hint: 'Look at it with `bifract show`, and move it to where it belongs.',
  });
}

function unproven(error: BifractError): BifractError {
  return new BifractError(error.code, `Cannot prove it is this archive: ${error.message}`, {
    hint: 'If it is not needed, remove the file by hand; then `bifract clean` corrects its record.',
    cause: error,
  });
}
