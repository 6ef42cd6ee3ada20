import { asBifractError, BifractError, EXIT } from '../../contract/errors.ts';
import { describeFile } from '../../format/index.ts';
import { backupTime } from '../../policy/names.ts';
import { type KeepRule, keepsSomething, retain } from '../../policy/retention.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { listBackups } from '../files/backup-files.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { readFully } from '../inspect/read-fully.ts';
import type { PruneItem, PrunePlan } from './contract.ts';

/** Files checked in parallel. */
const CONCURRENCY = 4;

interface Candidate {
  object: StoredObject;
  created_at: string;
  /** Why it is kept regardless of the rule. */
  fixed: 'safety' | 'unreadable' | undefined;
}

/**
 * Plans what a rule keeps and deletes; see `BackupQueries.planPrune`. Safety backups and unreadable files are
 * kept and do not count towards the rule; the newest readable backup is always kept.
 */
export async function planPrune(
  services: Pick<Services, 'backups' | 'keys' | 'now'>,
  rule: KeepRule,
  options: CallOptions = {},
): Promise<PrunePlan> {
  if (!keepsSomething(rule)) {
    throw new BifractError('USAGE', 'These --keep-* options would keep no backup', {
      hint: 'Set what to keep, for example --keep-daily 7 --keep-weekly 4.',
    });
  }
  const [storage, keys] = await Promise.all([services.backups(), services.keys()]);
  const now = services.now();
  const candidates = await findCandidates(storage, keys, options);
  const items = await applyRule(rule, candidates, now, ({ object }) =>
    isIntact(storage, object, keys, options),
  );
  const to_delete = items.filter(({ action }) => action === 'delete');
  for (const item of items) Object.freeze(item);
  return Object.freeze({
    planned_at: now.toISOString(),
    rule: Object.freeze({ ...rule }),
    items: Object.freeze(items) as PruneItem[],
    freed_bytes: to_delete.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
  });
}

/** All backups, newest first. */
async function findCandidates(
  storage: Storage,
  keys: readonly Key[],
  options: CallOptions,
): Promise<Candidate[]> {
  const objects = await Array.fromAsync(listBackups(storage, options));
  const candidates: Candidate[] = [];
  for (let at = 0; at < objects.length; at += CONCURRENCY) {
    const some = objects.slice(at, at + CONCURRENCY).map(async ({ name }): Promise<Candidate[]> => {
      // A listing may have the wrong size, or a file that no longer exists.
      const object = await storage.stat(name, options);
      if (!object) return [];
      const created_at = (backupTime(name) as Date).toISOString();
      return [{ object, created_at, fixed: await fixedReason(storage, object, keys, options) }];
    });
    candidates.push(...(await Promise.all(some)).flat());
  }
  return candidates.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
}

/** Deletion relies on the newest backup, so that one is read in full first. */
async function applyRule(
  rule: KeepRule,
  candidates: readonly Candidate[],
  now: Date,
  isReadable: (candidate: Candidate) => Promise<boolean>,
): Promise<PruneItem[]> {
  const ruled = candidates.filter(({ fixed }) => fixed === undefined);
  const reasons = new Map(retain(ruled, rule, now).map(({ item, reasons }) => [item, reasons]));
  const [newest] = ruled;
  if (newest) reasons.set(newest, [...(reasons.get(newest) ?? []), 'newest']);
  const items = candidates.map((candidate) =>
    toItem(candidate, candidate.fixed ? [candidate.fixed] : (reasons.get(candidate) ?? [])),
  );
  const idle = items.every(({ action }) => action === 'keep');
  if (!newest || idle || (await isReadable(newest))) return items;
  newest.fixed = 'unreadable';
  return applyRule(rule, candidates, now, isReadable);
}

function toItem({ object, created_at }: Candidate, reasons: string[]): PruneItem {
  const { name, size_bytes } = object;
  return { name, size_bytes, created_at, action: reasons.length > 0 ? 'keep' : 'delete', reasons };
}

/** Why a backup is exempt from every rule; undefined for a readable backup made by a user or cron. */
export async function fixedReason(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  options: CallOptions,
): Promise<Candidate['fixed']> {
  try {
    const { head } = await describeFile(sourceOf(storage, object, options), keys, options);
    return head?.reason === undefined ? undefined : 'safety';
  } catch (error) {
    rethrowUnlessUnreadable(error, options.signal);
    return 'unreadable';
  }
}

/** Whether a backup can be read to its last byte. */
export async function isIntact(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  { signal }: CallOptions,
): Promise<boolean> {
  try {
    await readFully(storage, object, { keys, signal });
    return true;
  } catch (error) {
    rethrowUnlessUnreadable(error, signal);
    return false;
  }
}

/** Rethrows errors that do not show that the file is damaged or encrypted with an unknown key. */
function rethrowUnlessUnreadable(thrown: unknown, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
  const { exitCode } = asBifractError(thrown);
  if (exitCode !== EXIT.integrity) throw thrown;
}
