import { BifractError } from '../contract/errors.ts';
import { isResumable } from '../features/archive/resume.ts';
import { recoverCopy } from '../features/copy/recovery.ts';
import { recoverDelete } from '../features/delete/recovery.ts';
import { belongsTo } from '../features/files/in-use.ts';
import { allStorages, storagesOf } from '../features/files/record-file.ts';
import { isUnder, recoverRekey, storedSum, updateRecord } from '../features/keys/rekey.ts';
import { recoverRestore } from '../features/restore/recovery.ts';
import { archiveLines, type ContentSummary, readContent } from '../format/index.ts';
import { isBifractName } from '../policy/names.ts';
import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { AppContainer, DatabaseServer } from '../ports/database-server.ts';
import type { Key } from '../ports/key.ts';
import type { JobRecord, State } from '../ports/state.ts';
import type { Storages } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';

export interface RecoverDeps extends Storages {
  state: State;
  /** Used only if there is something to recover. */
  catalog(): Promise<Catalog>;
  key(): Promise<Key>;
  server(): Promise<DatabaseServer>;
  app(): Promise<AppContainer | undefined>;
  /** Maximum age of a resumable archive, milliseconds. */
  archive_limits?: { max_duration_ms: number };
  now?(): Date;
}

const INTERRUPTED = 'Interrupted: the process writing this archive ended';
const RESUMABLE = `${INTERRUPTED}; archive the fractal again with the same options to resume`;

/**
 * Recovers from interrupted jobs of this program: removes unfinished objects; marks the record of an archive
 * being written as failed, or as completed if its file is there and verified (its rows were counted against
 * ClickHouse before it was closed). Returns one sentence per action.
 */
export async function recover(deps: RecoverDeps, options: CallOptions = {}): Promise<string[]> {
  // Restores of archives are left to be resumed.
  const interrupted = (await deps.state.interrupted()).filter(({ restoring }) => !restoring);
  if (interrupted.length === 0) return [];
  const resumable = await resumableArchives(deps, interrupted, options);
  const abandoned = interrupted.filter((record) => !resumable.has(record));
  const kept = new Set([...resumable].flatMap(({ archive }) => archive?.leftovers ?? []));
  // Unfinished objects that storage cannot read back are of no use for resuming.
  const readable = resumable.size === 0 || (await deps.archives()).readUnfinished !== undefined;
  const done = await removeUnfinished(deps, readable ? abandoned : interrupted, kept, options);
  for (const record of resumable) done.push(...(await updateArchive(deps, record, RESUMABLE, options)));
  for (const record of abandoned) {
    if (!(await recoverJob(deps, record, done, options))) continue;
    done.push(...(await updateArchive(deps, record, INTERRUPTED, options)));
    await deps.state.remove(record.id);
  }
  return done;
}

/**
 * Archives that can be resumed: recent, with work that need not be repeated. Their job records and unfinished
 * objects are kept until they are resumed or too old.
 */
async function resumableArchives(
  deps: RecoverDeps,
  interrupted: readonly JobRecord[],
  options: CallOptions,
): Promise<Set<JobRecord>> {
  const { max_duration_ms } = deps.archive_limits ?? { max_duration_ms: 0 };
  const recent = interrupted.filter(
    ({ archive }) => archive && isResumable(archive, max_duration_ms, deps.now?.() ?? new Date()),
  );
  if (recent.length === 0) return new Set();
  const storage = await deps.archives();
  const left = new Set<string | undefined>();
  if (storage.readUnfinished)
    for await (const { id, job } of storage.listUnfinished(options)) left.add(id).add(job);
  const isLeft = ({ id, archive }: JobRecord) =>
    [id, ...(archive?.leftovers ?? [])].some((one) => left.has(one));
  return new Set(recent.filter((record) => record.archive?.request.split !== 'none' || isLeft(record)));
}

/** Corrects the record of an archive and of its group. */
async function updateArchive(
  deps: RecoverDeps,
  record: JobRecord,
  reason: string,
  options: CallOptions,
): Promise<string[]> {
  const { archive_id, archive } = record;
  if (archive_id === undefined) return [];
  const catalog = await deps.catalog();
  const [before] = await catalog.archives({ ids: [archive_id] }, options);
  const message = await updateRecordStatus(deps, record, archive_id, reason, options);
  const group_id = archive?.group_id ?? before?.group_id;
  if (archive && group_id) await catalog.closeGroup(group_id, { missing: null, message: reason }, options);
  // The job record is seen at every start: report it only once.
  return reason === RESUMABLE && before?.status !== 'in_progress' ? [] : [message];
}

/**
 * Cleans up after an interrupted job; false if a server is unavailable: the job record is kept, and the
 * others proceed.
 */
async function recoverJob(
  deps: RecoverDeps,
  record: JobRecord,
  done: string[],
  options: CallOptions,
): Promise<boolean> {
  try {
    for (const file of record.rekey ?? []) done.push(await recoverRotation(deps, file, options));
    done.push(...(await recoverRestore(deps, record, options)));
    done.push(...(await recoverDelete(deps, record, options)));
    done.push(...(await recoverCopy(deps, record, options)));
    return true;
  } catch (error) {
    if (
      error instanceof BifractError &&
      ['POSTGRES_UNREACHABLE', 'BUSY', 'STORAGE_UNREACHABLE'].includes(error.code)
    )
      return false;
    throw error;
  }
}

/** A file being re-encrypted is intact under the old or the new key; its record is updated accordingly. */
async function recoverRotation(
  deps: RecoverDeps,
  { place, name }: NonNullable<JobRecord['rekey']>[number],
  options: CallOptions,
): Promise<string> {
  const storage = await deps[place]();
  await recoverRekey(storage, name, options);
  const object = await storage.stat(name, options);
  // Still under the old key, the record is correct.
  if (place === 'archives' && object && (await isUnder(await deps.key(), storage, object, options)))
    await updateRecord(await deps.catalog(), name, await storedSum(storage, name, options), options);
  return `Re-encryption of ${name} was interrupted; the file is intact`;
}

async function removeUnfinished(
  deps: RecoverDeps,
  interrupted: readonly JobRecord[],
  kept: ReadonlySet<string>,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  const running = await deps.state.running();
  for (const storage of await allStorages(deps)) {
    for await (const unfinished of storage.listUnfinished(options)) {
      // A running job may have restarted what an interrupted one was writing.
      if (running.some((record) => belongsTo(record, unfinished))) continue;
      // A bucket may be shared: ignore names that are not from this program.
      if (!isBifractName(unfinished.name) || !interrupted.some((record) => belongsTo(record, unfinished)))
        continue;
      if (kept.has(unfinished.id)) continue;
      await storage.discardUnfinished(unfinished, options);
      done.push(`Removed unfinished file ${unfinished.name}`);
    }
  }
  return done;
}

async function updateRecordStatus(
  deps: RecoverDeps,
  { object }: JobRecord,
  archive_id: string,
  reason: string,
  options: CallOptions,
): Promise<string> {
  const catalog = await deps.catalog();
  const [record] = await catalog.archives({ ids: [archive_id] }, options);
  if (!record) return `The record of ${object ?? archive_id} no longer exists`;
  // The server marks running archives as failed when it starts: that is as unreliable as `in_progress`.
  if (record.status === 'completed') return `${record.storage_path} was already complete`;
  const file = object === undefined ? undefined : await resultOfFile(deps, record, object, options);
  if (!file && reason === RESUMABLE && record.status === 'failed')
    return `${record.storage_path} can be resumed`;
  if (!file) {
    await catalog.failArchive(archive_id, reason, options);
    return reason === RESUMABLE
      ? `${record.storage_path} was interrupted; archive the fractal again to resume`
      : `${record.storage_path} was interrupted; record marked as failed`;
  }
  await catalog.completeArchive(archive_id, file, options);
  return `${record.storage_path} is complete; record updated`;
}

/**
 * The archive result for the record, after reading the file to the end; undefined if it is missing or
 * damaged.
 */
async function resultOfFile(deps: RecoverDeps, record: ArchiveRecord, name: string, options: CallOptions) {
  // The configuration may have changed.
  const [storage] = await storagesOf(deps, record);
  if (!storage || !(await storage.stat(name, options))) return undefined;
  const content = readContent(storage.stream(name, options), {
    keys: [await deps.key()],
    signal: options.signal,
  });
  try {
    for await (const _ of archiveLines(content));
    return resultOf(content.summary());
  } catch (error) {
    if (error instanceof BifractError && ['DAMAGED', 'CUT_OFF', 'NOT_BIFRACT'].includes(error.code))
      return undefined;
    throw error;
  }
}

function resultOf({ size_bytes, checksum, end }: ContentSummary) {
  if (!end) return undefined;
  return {
    size_bytes,
    checksum,
    log_count: end.rows,
    time_range_start: end.first,
    time_range_end: end.last,
  };
}
