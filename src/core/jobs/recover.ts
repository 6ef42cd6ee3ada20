import { BifractError } from '../errors.ts';
import { archiveLines, type ContentSummary, type Key, readContent } from '../format/index.ts';
import { isOwnName } from '../policy/names.ts';
import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { AppContainer, DatabaseServer } from '../ports/database-server.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { Storages } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { isYoung } from './archive-continue.ts';
import { finishCopy } from './finish-copy.ts';
import { finishDelete } from './finish-delete.ts';
import { isOf } from './in-use.ts';
import { allStorages, storagesOf } from './record-file.ts';
import { finishRekey, isUnder, storedSum, updateRecord } from './rekey.ts';
import { undoRestore } from './undo-restore.ts';

export interface RecoverDeps extends Storages {
  state: State;
  /** Asked only when there is something to put right. */
  catalog(): Promise<Catalog>;
  key(): Promise<Key>;
  server(): Promise<DatabaseServer>;
  app(): Promise<AppContainer | undefined>;
  /** How old an archive may be that goes on, milliseconds. */
  archive_limits?: { max_duration_ms: number };
  now?(): Date;
}

const INTERRUPTED = 'Interrupted: the process that wrote this archive ended';
const GOES_ON = `${INTERRUPTED}; archiving the fractal again in the same way goes on with it`;

/**
 * Puts right what dead processes of ours left: their unfinished objects are removed; the record of an archive
 * that was being written becomes failed, or completed where its file is there and proves whole (it was counted
 * against ClickHouse before it was sealed). Returns a sentence for each thing done.
 */
export async function recover(deps: RecoverDeps, options: CallOptions = {}): Promise<string[]> {
  // Restores of archives are left for another to go on with.
  const dead = (await deps.state.dead()).filter(({ restoring }) => !restoring);
  if (dead.length === 0) return [];
  const waiting = await waitingArchives(deps, dead, options);
  const swept = dead.filter((note) => !waiting.has(note));
  const kept = new Set([...waiting].flatMap(({ archive }) => archive?.leftovers ?? []));
  // What a storage cannot read back is of no use to an archive that goes on.
  const readable = waiting.size === 0 || (await deps.archives()).unfinished !== undefined;
  const done = await sweep(deps, readable ? swept : dead, kept, options);
  for (const note of waiting) done.push(...(await settleArchive(deps, note, GOES_ON, options)));
  for (const note of swept) {
    if (!(await undone(deps, note, done, options))) continue;
    done.push(...(await settleArchive(deps, note, INTERRUPTED, options)));
    await deps.state.forget(note.id);
  }
  return done;
}

/**
 * Archives that can go on: lately begun, and with something that need not be done again. Their notes stay, and so
 * does what they had stored, until they go on or become too old.
 */
async function waitingArchives(
  deps: RecoverDeps,
  dead: readonly JobNote[],
  options: CallOptions,
): Promise<Set<JobNote>> {
  const { max_duration_ms } = deps.archive_limits ?? { max_duration_ms: 0 };
  const young = dead.filter(
    ({ archive }) => archive && isYoung(archive, max_duration_ms, deps.now?.() ?? new Date()),
  );
  if (young.length === 0) return new Set();
  const storage = await deps.archives();
  const left = new Set<string | undefined>();
  if (storage.unfinished) for await (const { id, job } of storage.leftovers(options)) left.add(id).add(job);
  const isLeft = ({ id, archive }: JobNote) =>
    [id, ...(archive?.leftovers ?? [])].some((one) => left.has(one));
  return new Set(young.filter((note) => note.archive?.request.split !== 'none' || isLeft(note)));
}

/** The record of an archive, and of its group, are made to say what is true. */
async function settleArchive(
  deps: RecoverDeps,
  note: JobNote,
  reason: string,
  options: CallOptions,
): Promise<string[]> {
  const { archive_id, archive } = note;
  if (archive_id === undefined) return [];
  const catalog = await deps.catalog();
  const [before] = await catalog.archives({ ids: [archive_id] }, options);
  const told = await settle(deps, note, archive_id, reason, options);
  const group_id = archive?.group_id ?? before?.group_id;
  if (archive && group_id) await catalog.closeGroup(group_id, { missing: null, message: reason }, options);
  // A note that stays is seen at every start: what was said before is not said again.
  return reason === GOES_ON && before?.status !== 'in_progress' ? [] : [told];
}

/** Undoes a dead restore; false where the server does not answer now: the note stays, and nothing else waits for it. */
async function undone(
  deps: RecoverDeps,
  note: JobNote,
  done: string[],
  options: CallOptions,
): Promise<boolean> {
  try {
    for (const file of note.rekey ?? []) done.push(await finishRotation(deps, file, options));
    done.push(...(await undoRestore(deps, note, options)));
    done.push(...(await finishDelete(deps, note, options)));
    done.push(...(await finishCopy(deps, note, options)));
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

/** A file that was being put under another key is whole under the one or the other; its record says what it is now. */
async function finishRotation(
  deps: RecoverDeps,
  { place, name }: NonNullable<JobNote['rekey']>[number],
  options: CallOptions,
): Promise<string> {
  const storage = await deps[place]();
  await finishRekey(storage, name, options);
  const object = await storage.stat(name, options);
  // Still under the old key it is the old file, and its record is right.
  if (place === 'archives' && object && (await isUnder(await deps.key(), storage, object, options)))
    await updateRecord(await deps.catalog(), name, await storedSum(storage, name, options), options);
  return `${name} was being put under another key: it is whole`;
}

async function sweep(
  deps: RecoverDeps,
  dead: readonly JobNote[],
  kept: ReadonlySet<string>,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  const live = await deps.state.live();
  for (const storage of await allStorages(deps)) {
    for await (const leftover of storage.leftovers(options)) {
      // A live job may have begun again what a dead one was to write.
      if (live.some((note) => isOf(note, leftover))) continue;
      // A bucket may be shared: what has no name of ours is somebody else's, whatever stands beside it.
      if (!isOwnName(leftover.name) || !dead.some((note) => isOf(note, leftover))) continue;
      if (kept.has(leftover.id)) continue;
      await storage.discard(leftover, options);
      done.push(`Removed the unfinished ${leftover.name}`);
    }
  }
  return done;
}

async function settle(
  deps: RecoverDeps,
  { object }: JobNote,
  archive_id: string,
  reason: string,
  options: CallOptions,
): Promise<string> {
  const catalog = await deps.catalog();
  const [record] = await catalog.archives({ ids: [archive_id] }, options);
  if (!record) return `The record of ${object ?? archive_id} is gone`;
  // The server marks a running archive as failed when it starts: that is no more true than `in_progress`.
  if (record.status === 'completed') return `${record.storage_path} was complete`;
  const file = object === undefined ? undefined : await readWhole(deps, record, object, options);
  if (!file && reason === GOES_ON && record.status === 'failed') return `${record.storage_path} waits`;
  if (!file) {
    await catalog.failArchive(archive_id, reason, options);
    return reason === GOES_ON
      ? `${record.storage_path} was interrupted; archiving the fractal again goes on with it`
      : `${record.storage_path} was interrupted; its record is marked as failed`;
  }
  await catalog.completeArchive(archive_id, file, options);
  return `${record.storage_path} is whole; its record is completed`;
}

/** What the record of a file must say, once it was read to its end; undefined where it is missing or not whole. */
async function readWhole(deps: RecoverDeps, record: ArchiveRecord, name: string, options: CallOptions) {
  // The settings may name another storage by now.
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
