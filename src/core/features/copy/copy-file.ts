import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { StoredObject } from '../../ports/storage.ts';
import { checkStoredSize } from '../files/check-size.ts';
import { storedSum } from '../files/stored-sum.ts';
import { compareWithRecord } from '../inspect/compare-record.ts';
import { readBytes } from '../inspect/read-fully.ts';
import { measuredOf } from '../inspect/verify-file.ts';
import type { StoragePair } from './plan.ts';

/** The file to copy, and what it is compared with. */
export interface Original {
  object: StoredObject;
  /** Of an archive. */
  record: ArchiveRecord | undefined;
  keys: readonly Key[];
}

/** Stores the copy, verified on the way; returns its SHA-256. `done` and `total` are bytes of all files. */
export async function copyFile(
  { from, to }: StoragePair,
  { object, record, keys }: Original,
  { done, total }: { done: number; total: number },
  { id, signal, emit }: JobContext,
): Promise<string> {
  const { name, size_bytes } = object;
  let read = 0;
  let checksum = '';
  const verify = async (bytes: AsyncIterable<Buffer>) => {
    const file = await readBytes(bytes, object, { keys, signal });
    if (record) compareWithRecord(record, measuredOf(file));
    checksum = file.summary.checksum;
  };
  const counted = async function* () {
    for await (const piece of from.stream(name, { signal })) {
      read += piece.length;
      yield piece;
    }
  };
  const progress = () => ({ item: name, bytes_in: done + read, total_bytes: total });
  const content = withProgress(verifyTee(counted(), verify), emit, progress);
  const stored = await to.put(name, content, { signal, job: id, expected_bytes: size_bytes });
  await checkStoredSize(to, stored, { size_bytes });
  return checksum;
}

/**
 * Passes bytes through while `verify` reads the same bytes, and ends only after it has succeeded: the stored
 * bytes are complete and verified. Throws the error of `verify` at once.
 */
async function* verifyTee(
  bytes: AsyncIterable<Buffer>,
  verify: (bytes: AsyncIterable<Buffer>) => Promise<unknown>,
): AsyncGenerator<Buffer> {
  const { readable, writable } = new TransformStream<Buffer, Buffer>();
  const writer = writable.getWriter();
  const ignore = () => undefined;
  writer.closed.catch(ignore);
  const verification = verify(readable).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // A verifier that has ended must not block the writer.
  void verification.then(() => writer.abort()).catch(ignore);
  const ended = async () => {
    const failure = await verification;
    if (failure) throw failure.error;
  };
  try {
    for await (const piece of bytes) {
      const taken = await writer.write(piece).then(
        () => true,
        () => false,
      );
      if (!taken) await ended();
      yield piece;
    }
    await writer.close().catch(ignore);
    await ended();
  } finally {
    await writer.abort().catch(ignore);
    await verification;
  }
}

/**
 * Reads a new copy back and compares it: `CHECKSUM_DIFFERS`. A bad copy, or the copy of a cancelled job, is
 * deleted as long as the original is unchanged.
 */
export async function readBack(
  { from, to }: StoragePair,
  original: StoredObject,
  checksum: string,
  signal: AbortSignal,
): Promise<void> {
  const { name } = original;
  try {
    if ((await storedSum(to, name, { signal })).checksum === checksum) return;
  } catch (error) {
    if (signal.aborted) await removeCopy({ from, to }, original);
    throw error;
  }
  await removeCopy({ from, to }, original);
  throw new BifractError(
    'CHECKSUM_DIFFERS',
    `${name} read back from ${to.location} is not what was written`,
    {
      hint: 'The original was kept, the copy removed. Check the storage.',
    },
  );
}

async function removeCopy(
  { from, to }: StoragePair,
  { name, size_bytes, modified_at }: StoredObject,
): Promise<void> {
  const now = await from.stat(name);
  if (now?.size_bytes === size_bytes && now.modified_at === modified_at) await to.delete(name);
}

/** Throws `EXISTS` unless both files are identical. */
export async function mustBeSame(
  { from, to }: StoragePair,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const one = await storedSum(from, name, { signal });
  const other = await storedSum(to, name, { signal });
  if (one.checksum === other.checksum) return;
  throw new BifractError('EXISTS', `${to.location} has a different file of that name`, {
    hint: 'Compare both with `bifract show`, and delete the one you do not need.',
  });
}
