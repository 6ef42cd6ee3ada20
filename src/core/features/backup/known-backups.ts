import { BifractError } from '../../contract/errors.ts';
import { describeFile, keyId } from '../../format/index.ts';
import { backupTime } from '../../policy/names.ts';
import { isFuture } from '../../policy/retention.ts';
import type { Key } from '../../ports/key.ts';
import type { ListOptions, Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { listBackups } from '../files/backup-files.ts';
import { confirmed, type ListingOptions, untilIncomplete } from '../files/listing.ts';
import type { Located } from '../files/target.ts';
import { unreadable } from '../files/unreadable.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { readHead } from '../inspect/read-head.ts';

/** Files read in parallel. */
const CONCURRENCY = 6;
/** How much the time in the name may differ from that inside: two files of one second get different names. */
const SEALED_DIFFERENCE_MS = 2 * 60_000;
/** The same for files of the server, which takes the two times at different moments, and maybe in local time. */
const OTHER_DIFFERENCE_MS = 26 * 3_600_000;

/** A backup, as its own encrypted content describes it: anyone can change a name or a modification time. */
export interface KnownBackup extends Located {
  /** From the content; from the name if that cannot be read. */
  created_at: Timestamp;
  /** Why it was made, if another job made it. */
  reason: string | undefined;
  /** Whether an intact header and trailer prove that it is complete; false if its head cannot be read. */
  sealed: boolean;
  /** From its header; null if it has none, or it cannot be read. */
  uuid: string | null;
  /** Why its head cannot be read; it is not trusted then. */
  error: BifractError | undefined;
  /** Dated in the future, by a wrong clock: it is not the newest. */
  future: boolean;
  /** What is wrong with its times, one sentence each. */
  notes: string[];
}

interface BackupReader {
  keys: readonly Key[];
  now: Date;
  /**
   * For lists only: filled with what was read, and used instead of reading a file again that has the same size and time.
   * Without it, each file is looked up, whatever the listing says.
   */
  cache?: BackupCache;
}

/** What was read from each file, by its storage, name, size, time and the keys. */
export type BackupCache = Map<string, Origin>;

/** All backups of a storage, newest first; those dated in the future come last. */
export async function knownBackups(
  storage: Storage,
  reader: BackupReader,
  options: ListOptions & ListingOptions,
): Promise<KnownBackup[]> {
  const listed = await Array.fromAsync(untilIncomplete(listBackups(storage, options), options));
  const known: KnownBackup[] = [];
  for (let at = 0; at < listed.length; at += CONCURRENCY) {
    const some = listed.slice(at, at + CONCURRENCY).map(async (object) => {
      const found = reader.cache ? object : await confirmed(storage, object, options);
      return found ? [await knownBackup({ storage, object: found }, reader, options)] : [];
    });
    known.push(...(await Promise.all(some)).flat());
  }
  return known.sort(byAge);
}

/** Sorts the newest first, and those dated in the future last. */
export function byAge(one: KnownBackup, other: KnownBackup): number {
  return (
    Number(one.future) - Number(other.future) ||
    Date.parse(other.created_at) - Date.parse(one.created_at) ||
    (one.object.name < other.object.name ? 1 : -1)
  );
}

/** One backup. Throws only what concerns all files. */
export async function knownBackup(
  { storage, object }: Located,
  { keys, now, cache }: BackupReader,
  options: CallOptions,
): Promise<KnownBackup> {
  const id = cache && JSON.stringify([storage.location, object, keys.map(keyId)]);
  const cached = id === undefined ? undefined : cache?.get(id);
  const named = (backupTime(object.name) as Date).toISOString();
  const reading = cached ? Promise.resolve(cached) : readOrigin(storage, object, keys, options);
  const read = await reading.catch((thrown: unknown) => unreadable(thrown, options.signal));
  if (id !== undefined && !(read instanceof BifractError)) cache?.set(id, read);
  const origin = read instanceof BifractError ? undefined : read;
  const created_at = origin?.created ?? named;
  const future = isFuture(created_at, now);
  return {
    storage,
    object,
    created_at,
    reason: origin?.reason,
    sealed: origin?.sealed ?? false,
    uuid: origin?.uuid ?? null,
    error: read instanceof BifractError ? read : undefined,
    future,
    notes: [
      ...(origin && differs(named, origin)
        ? [`Its name says ${named}, but it was made at ${created_at}.`]
        : []),
      ...(future ? ['Dated in the future by a wrong clock: it does not count as the newest.'] : []),
    ],
  };
}

/** What the content of a backup says about how it was made. */
interface Origin {
  /** Undefined if the server's manifest has no valid time. */
  created: Timestamp | undefined;
  sealed: boolean;
  uuid: string | null;
  reason: string | undefined;
}

function differs(named: Timestamp, { created, sealed }: Origin): boolean {
  if (created === undefined) return false;
  const difference = Math.abs(Date.parse(named) - Date.parse(created));
  return difference > (sealed ? SEALED_DIFFERENCE_MS : OTHER_DIFFERENCE_MS);
}

/** From header and trailer, which must both be intact; from the manifest of a file of the server. */
async function readOrigin(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  options: CallOptions,
): Promise<Origin> {
  const source = sourceOf(storage, object, options);
  const { sealed, head } = await describeFile(source, keys, options);
  if (head) {
    mustBeBackup(head.kind);
    return { created: instant(head.created), sealed, uuid: head.uuid, reason: head.reason };
  }
  const { kind, manifest } = await readHead(source, keys, undefined, options);
  mustBeBackup(kind);
  return { created: instant(manifest?.timestamp), sealed, uuid: null, reason: undefined };
}

function mustBeBackup(kind: string): void {
  if (kind === 'backup') return;
  throw new BifractError('RECORD_DIFFERS', 'Its name says backup, but it is an archive of logs', {
    hint: 'Look at it with `bifract show`, and move it to where it belongs.',
  });
}

function instant(time: unknown): Timestamp | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
