import { createHash } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import { describeFile, readStream, reencryptFile } from '../../format/index.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { mustNameOwnFile, namesOf } from '../files/target.ts';
import { sourceOf } from '../inspect/object-source.ts';

/** Temporary name of the re-encrypted file until it is verified; no list shows it. */
export function rekeyName(name: string): string {
  return `${name}.rekey`;
}

/**
 * Re-encrypts a file with another key next to the old one, reads it back, and then replaces the old one.
 * Returns size and checksum.
 */
export async function rekey(
  storage: Storage,
  object: StoredObject,
  { keys, key, job }: { keys: readonly Key[]; key: Key; job: string },
  options: CallOptions,
): Promise<{ size_bytes: number; checksum: string }> {
  const name = rekeyName(object.name);
  await recoverRekey(storage, object.name, options);
  const file = reencryptFile(sourceOf(storage, object, options), keys, key, options);
  const written = await storage.put(name, file.bytes, { ...options, job, expected_bytes: object.size_bytes });
  const { stream_sha256, size_bytes, checksum } = file.summary();
  try {
    await mustBeSame(storage, written, key, stream_sha256, options);
    await mustBeUnchanged(storage, object, options);
  } catch (error) {
    await storage.delete(name);
    throw error;
  }
  await replaceFile(storage, name, object.name);
  return { size_bytes, checksum };
}

/**
 * Recovers an interrupted re-encryption: a verified file that lacks its name gets it, an unverified one is
 * deleted.
 */
export async function recoverRekey(storage: Storage, name: string, options: CallOptions = {}): Promise<void> {
  const temporary = rekeyName(name);
  if (!(await storage.stat(temporary, options))) return;
  if (await storage.stat(name, options)) await storage.delete(temporary, options);
  else await copyBack(storage, temporary, name);
}

/**
 * Must not be interrupted: the old file is deleted only after the new one is verified, then the new one gets
 * its name.
 */
async function replaceFile(storage: Storage, temporary: string, name: string): Promise<void> {
  if (storage.replace) return storage.replace(temporary, name);
  await storage.delete(name);
  await copyBack(storage, temporary, name);
}

async function copyBack(storage: Storage, temporary: string, name: string): Promise<void> {
  if (storage.replace) return storage.replace(temporary, name);
  await storage.put(name, storage.stream(temporary));
  await storage.delete(temporary);
}

async function mustBeSame(
  storage: Storage,
  written: StoredObject,
  key: Key,
  stream_sha256: string,
  options: CallOptions,
): Promise<void> {
  await describeFile(sourceOf(storage, written, options), [key], options);
  const hash = createHash('sha256');
  const stored = storage.stream(written.name, options);
  for await (const plain of readStream(stored, { keys: [key], signal: options.signal })) hash.update(plain);
  if (hash.digest('hex') === stream_sha256) return;
  throw new BifractError('DAMAGED', `Data read back from ${storage.location} differs`, {
    hint: 'The original was kept. Check the storage, then try again.',
  });
}

async function mustBeUnchanged(storage: Storage, object: StoredObject, options: CallOptions): Promise<void> {
  const now = await storage.stat(object.name, options);
  if (now?.size_bytes === object.size_bytes && now.modified_at === object.modified_at) return;
  throw new BifractError('BUSY', 'The file changed or was deleted while being read', {
    hint: 'Try again when nothing is writing to it.',
  });
}

/** Updates size and checksum in the record of an archive. */
export async function updateRecord(
  catalog: Catalog,
  name: string,
  file: { size_bytes: number; checksum: string },
  options: CallOptions,
): Promise<void> {
  const record = await recordOf(catalog, name, options);
  if (!record) return;
  const { log_count, time_range_start, time_range_end } = record;
  await catalog.completeArchive(record.id, { ...file, log_count, time_range_start, time_range_end }, options);
}

/** The completed record of an archive file. `BUSY` if it is being written or restored. */
export async function recordOf(
  catalog: Catalog,
  name: string,
  options: CallOptions,
): Promise<ArchiveRecord | undefined> {
  const record = (await catalog.archives({}, options)).find((one) => namesOf(one).includes(name));
  if (record?.status === 'restoring' || record?.status === 'in_progress') {
    throw new BifractError('BUSY', 'The archive is being written or restored, according to its record', {
      hint: 'Try again when it has ended.',
    });
  }
  if (record?.status !== 'completed') return undefined;
  mustNameOwnFile(record);
  return record;
}
