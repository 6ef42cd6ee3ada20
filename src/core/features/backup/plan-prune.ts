import { BifractError } from '../../contract/errors.ts';
import { backupTime } from '../../policy/names.ts';
import { type KeepRule, keepsSomething, retain } from '../../policy/retention.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { unreadable } from '../files/unreadable.ts';
import { readFully } from '../inspect/read-fully.ts';
import type { PruneItem, PrunePlan } from './contract.ts';
import { type KnownBackup, knownBackups } from './known-backups.ts';

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
  const unlisted: PruneItem[] = [];
  const onUnreadable = (name: string, reason: string) => unlisted.push(unlistedItem(name, reason));
  const candidates = await knownBackups(storage, { keys, now }, { ...options, onUnreadable });
  const items = await applyRule(rule, candidates, now, async (candidate) => {
    try {
      await readFully(storage, candidate.object, { keys, signal: options.signal });
    } catch (thrown) {
      candidate.error = unreadable(thrown, options.signal);
    }
  });
  const to_delete = items.filter(({ action }) => action === 'delete');
  return freeze({
    planned_at: now.toISOString(),
    rule: { ...rule },
    items: [...items, ...unlisted],
    freed_bytes: to_delete.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
  });
}

/** Deletion relies on the newest backup, so that one is read in full first; `read` notes why it cannot be. */
async function applyRule(
  rule: KeepRule,
  candidates: readonly KnownBackup[],
  now: Date,
  read: (candidate: KnownBackup) => Promise<void>,
): Promise<PruneItem[]> {
  const ruled = candidates.filter((one) => fixedReason(one) === undefined);
  const reasons = new Map(retain(ruled, rule, now).map(({ item, reasons }) => [item, reasons]));
  // Those dated in the future come last.
  const [newest] = ruled;
  if (newest) reasons.set(newest, [...(reasons.get(newest) ?? []), 'newest']);
  const items = candidates.map((one) => toItem(one, fixedReason(one) ?? reasons.get(one) ?? []));
  const idle = items.every(({ action }) => action === 'keep');
  if (!newest || idle) return items;
  await read(newest);
  return newest.error ? applyRule(rule, candidates, now, read) : items;
}

/** Why a backup is exempt from every rule; undefined for a readable one made by a user or cron. */
function fixedReason({ error, reason }: KnownBackup): string[] | undefined {
  if (error) return ['unreadable'];
  return reason === undefined ? undefined : ['safety'];
}

function toItem({ object, created_at, error, notes }: KnownBackup, reasons: string[]): PruneItem {
  const action = reasons.length > 0 ? 'keep' : 'delete';
  return { ...object, created_at, action, reasons, error: error?.report() ?? null, notes };
}

/** An entry that has the name of a backup but cannot even be examined. */
function unlistedItem(name: string, reason: string): PruneItem {
  const file = {
    name,
    size_bytes: 0,
    modified_at: null,
    created_at: (backupTime(name) as Date).toISOString(),
  };
  const error = new BifractError('STORAGE_FAILED', `unreadable (${reason})`).report();
  return { ...file, action: 'keep', reasons: ['unreadable'], error, notes: [] };
}

function freeze(plan: PrunePlan): PrunePlan {
  for (const item of plan.items) Object.freeze(item);
  for (const part of [plan.rule, plan.items]) Object.freeze(part);
  return Object.freeze(plan);
}
