import { asBifractError, BifractError, EXIT } from '../../contract/errors.ts';
import { describe } from '../../format/index.ts';
import { backupTime } from '../../policy/names.ts';
import { type KeepRule, keepsSomething, retain } from '../../policy/retention.ts';
import type { Key } from '../../ports/key.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { readFully } from '../inspect/read-fully.ts';
import type { PruneItem, PrunePlan } from './contract.ts';

/** Files checked in parallel. */
const AT_ONCE = 4;

export interface PlanPruneDeps {
  storage: Storage;
  keys: readonly Key[];
  now: Date;
}

interface Candidate {
  object: StoredObject;
  name: string;
  size_bytes: number;
  created_at: string;
  /** Why it is kept regardless of the rule. */
  fixed: 'safety' | 'unreadable' | undefined;
}

/**
 * Plans what a rule keeps and deletes; see `UpkeepQueries.planPrune`. Safety backups and unreadable files are
 * kept and do not count towards the rule; the newest readable backup is always kept.
 */
export async function planPrune(
  deps: PlanPruneDeps,
  rule: KeepRule,
  options: CallOptions = {},
): Promise<PrunePlan> {
  if (!keepsSomething(rule)) {
    throw new BifractError('USAGE', 'The rule keeps nothing', {
      hint: 'Set what to keep, for example --keep-daily 7 --keep-weekly 4.',
    });
  }
  const items = await itemsOf(deps, rule, await findCandidates(deps, options), options);
  const freed_bytes = items.reduce(
    (sum, { action, size_bytes }) => sum + (action === 'delete' ? size_bytes : 0),
    0,
  );
  for (const item of items) Object.freeze(item);
  return Object.freeze({
    planned_at: deps.now.toISOString(),
    rule: Object.freeze({ ...rule }),
    items: Object.freeze(items) as PruneItem[],
    freed_bytes,
  });
}

/** Deletion relies on the newest backup, so that one is read in full first. */
async function itemsOf(
  deps: PlanPruneDeps,
  rule: KeepRule,
  candidates: readonly Candidate[],
  options: CallOptions,
): Promise<PruneItem[]> {
  const ruled = candidates.filter(({ fixed }) => fixed === undefined);
  const reasons = new Map(retain(ruled, rule, deps.now).map(({ item, reasons }) => [item, reasons]));
  const [newest] = ruled;
  if (newest) reasons.set(newest, [...(reasons.get(newest) ?? []), 'newest']);
  const items = candidates.map((candidate) =>
    toItem(candidate, candidate.fixed ? [candidate.fixed] : (reasons.get(candidate) ?? [])),
  );
  const idle = items.every(({ action }) => action === 'keep');
  if (!newest || idle || (await isIntact(deps.storage, newest.object, deps.keys, options))) return items;
  newest.fixed = 'unreadable';
  return itemsOf(deps, rule, candidates, options);
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
    mustBeOfTheFile(error, signal);
    return false;
  }
}

/** Rethrows errors that are not about the file itself: damage and unknown keys are. */
function mustBeOfTheFile(thrown: unknown, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
  const { exitCode, code } = asBifractError(thrown);
  if (exitCode !== EXIT.integrity && code !== 'UNSUPPORTED') throw thrown;
}

function toItem({ name, size_bytes, created_at }: Candidate, reasons: string[]): PruneItem {
  return { name, size_bytes, created_at, action: reasons.length > 0 ? 'keep' : 'delete', reasons };
}

/** All backups, newest first. */
async function findCandidates(deps: PlanPruneDeps, options: CallOptions): Promise<Candidate[]> {
  const objects = (await Array.fromAsync(deps.storage.list('bifract-backup-', options))).filter(
    ({ name }) => backupTime(name) !== undefined,
  );
  const candidates: Candidate[] = [];
  for (let at = 0; at < objects.length; at += AT_ONCE) {
    const some = objects.slice(at, at + AT_ONCE);
    candidates.push(...(await Promise.all(some.map((object) => candidateOf(deps, object, options)))));
  }
  return candidates.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
}

async function candidateOf(
  { storage, keys }: PlanPruneDeps,
  object: StoredObject,
  options: CallOptions,
): Promise<Candidate> {
  const { name, size_bytes } = object;
  const created_at = (backupTime(name) as Date).toISOString();
  return { object, name, size_bytes, created_at, fixed: await fixedReason(storage, object, keys, options) };
}

/** Why a backup is exempt from every rule; undefined for a readable backup made by a user or cron. */
export async function fixedReason(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  options: CallOptions,
): Promise<Candidate['fixed']> {
  try {
    const { head } = await describe(sourceOf(storage, object, options), keys, options);
    return head?.reason === undefined ? undefined : 'safety';
  } catch (error) {
    mustBeOfTheFile(error, options.signal);
    return 'unreadable';
  }
}
