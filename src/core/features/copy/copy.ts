import { asBifractError, BifractError, type ErrorReport } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import { withProgress } from '../../job/progress.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { State } from '../../ports/state.ts';
import type { Storage, Storages, StoredObject } from '../../ports/storage.ts';
import { checkStoredSize } from '../files/check-size.ts';
import { mustNotBeInUse } from '../files/in-use.ts';
import { compareWithRecord } from '../inspect/compare-record.ts';
import { readBytes } from '../inspect/read-fully.ts';
import { measuredOf } from '../inspect/verify-file.ts';
import { mustBeSame, readBack } from './compare-objects.ts';
import type { CopyItem, CopyPlan, CopySummary } from './contract.ts';
import { mustBeCompleted, storagePair } from './plan.ts';
import { verifyTee } from './verify-tee.ts';

export interface CopyDeps {
  storages: Storages;
  catalog(): Promise<Catalog>;
  keys: readonly Key[];
  state: State;
}

/**
 * Copies files to the other storage one by one, with an event each. A copy becomes visible only after the
 * file was read in full, verified and compared with its record; for a move it is also read back. Then the
 * record is updated, and for a move the original is deleted last. An identical copy that already exists is
 * not copied again.
 */
export async function copy(deps: CopyDeps, plan: CopyPlan, context: JobContext): Promise<CopySummary> {
  const started = performance.now();
  const { id, signal, emit, now } = context;
  const failures: Failure[] = [];
  const base = { id, kind: 'copy', started_at: now().toISOString() } as const;
  let done = 0;
  emit('job:phase', { phase: plan.move ? 'Moving' : 'Copying' });
  try {
    for (const item of plan.items) {
      signal.throwIfAborted();
      const { place, name, archive_id } = item;
      await deps.state.save({ ...base, copying: { place, name, to: plan.to, archive_id } });
      const error = await attempt(deps, plan, item, done, context);
      if (error) failures.push({ item: item.from_path, error });
      else done += item.size_bytes;
    }
  } finally {
    await deps.state.remove(id);
  }
  const error = combine(failures, plan.items.length, `could not be ${plan.move ? 'moved' : 'copied'}`);
  if (error) throw error;
  const duration_ms = Math.round(performance.now() - started);
  return { copied: plan.items.length, size_bytes: done, moved: plan.move, duration_ms };
}

async function attempt(
  deps: CopyDeps,
  plan: CopyPlan,
  item: CopyItem,
  done: number,
  context: JobContext,
): Promise<ErrorReport | undefined> {
  const { emit, signal } = context;
  const report = (ok: boolean, message: string, error?: ErrorReport) =>
    emit('job:item', { item: item.from_path, ok, message, ...(error ? { error } : {}) });
  try {
    if (item.refusal) {
      report(false, item.refusal.message, item.refusal);
      return item.refusal;
    }
    await copyOne(deps, plan, item, done, context);
    report(true, `${plan.move ? 'moved' : 'copied'} to ${item.to_path}`);
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown).report();
    report(false, error.message, error);
    return error;
  }
}

async function copyOne(
  deps: CopyDeps,
  plan: CopyPlan,
  item: CopyItem,
  done: number,
  context: JobContext,
): Promise<void> {
  const { signal } = context;
  const pair = await storagePair(deps.storages, item.place, plan.to);
  const { from, to } = pair;
  await mustNotBeInUse(deps.state, item.name, context.id);
  const object = await planned(from, item, signal);
  const record = await recordOf(deps, item, signal);
  if (await to.stat(item.name, { signal })) {
    await mustBeSame(pair, item.name, signal);
  } else {
    const total = { done, total: plan.size_bytes };
    const checksum = await put(deps, { ...pair, object, record }, total, context);
    if (plan.move) await readBack(pair, object, checksum, signal);
  }
  await planned(from, item, signal);
  if (record) {
    const place = { storage_type: plan.to, storage_path: item.name };
    await (await deps.catalog()).moveArchive(record.id, place, { signal });
  }
  if (plan.move) await from.delete(item.name);
}

/** The file, if it is still as planned. */
async function planned(from: Storage, item: CopyItem, signal: AbortSignal): Promise<StoredObject> {
  const object = await from.stat(item.name, { signal });
  if (object?.size_bytes === item.size_bytes && object.modified_at === item.modified_at) return object;
  throw new BifractError('BUSY', 'The file changed or was deleted after the plan was made', {
    hint: 'Run it again.',
  });
}

async function recordOf(
  deps: CopyDeps,
  { archive_id }: CopyItem,
  signal: AbortSignal,
): Promise<ArchiveRecord | undefined> {
  if (archive_id === null) return undefined;
  const [record] = await (await deps.catalog()).archives({ ids: [archive_id] }, { signal });
  if (!record)
    throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} no longer exists`, {
      hint: 'Run it again.',
    });
  mustBeCompleted(record);
  return record;
}

/** Stores the copy, verified on the way; returns its SHA-256. */
async function put(
  { keys }: CopyDeps,
  file: { from: Storage; to: Storage; object: StoredObject; record: ArchiveRecord | undefined },
  { done, total }: { done: number; total: number },
  { id, signal, emit }: JobContext,
): Promise<string> {
  const { from, to, object, record } = file;
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
