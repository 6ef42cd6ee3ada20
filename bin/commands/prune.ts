import { asBifractError, BifractError } from '../../src/core/contract/errors.ts';
import type { DeletePlan, Engine, PrunePlan } from '../../src/core/index.ts';
import type { KeepRule } from '../../src/core/policy/retention.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm } from '../ask.ts';
import { deletePlanLines } from '../print/deletion.ts';
import { prunePlanLines } from '../print/upkeep.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import type { UpkeepInvocation } from '../upkeep-arguments.ts';
import { runToEnd } from './run-job.ts';

type Invocation = Extract<UpkeepInvocation, { command: 'prune' }> & { flags: GlobalFlags };

/**
 * Plans, asks, deletes: backups by the rule, if there is one, and scheduled archives beyond `max_archives`. If archives
 * cannot be checked, backups are pruned all the same.
 */
export function pruneCommand({ rule, dry_run, flags }: Invocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const backups = hasRule(rule) ? await engine.planPrune(rule, { signal }) : undefined;
    const archives = await planArchives(engine, printer, signal);
    if (dry_run || !flags.json) show(backups, archives.plan, printer);
    const [files, records] = [countDeletions(backups), countDeletions(archives.plan)];
    if (dry_run || files + records === 0) return archives.exit;
    const freed = (backups?.freed_bytes ?? 0) + (archives.plan?.freed_bytes ?? 0);
    if (!(await confirm(question(files, records, freed), flags, signal)))
      throw new BifractError('CANCELLED', 'Nothing was deleted');
    const deleted =
      archives.plan && records > 0 ? await deleteArchives(engine, archives.plan, printer, signal) : 0;
    const pruned = backups && files > 0 ? await execute(engine, backups, printer, signal) : 0;
    return pruned || deleted || archives.exit;
  });
}

function hasRule(rule: KeepRule): boolean {
  return Object.values(rule).some((count) => count !== undefined);
}

function countDeletions(plan: { items: readonly { action: string }[] } | undefined): number {
  return plan?.items.filter(({ action }) => action === 'delete').length ?? 0;
}

function show(backups: PrunePlan | undefined, archives: DeletePlan | undefined, printer: Printer): void {
  const none = 'No --keep-* option given: all backups are kept.';
  printer.list(backups?.items ?? [], backups ? prunePlanLines(backups) : [none]);
  const none_excess = 'No scheduled archive exceeds max_archives.';
  printer.list(archives?.items ?? [], archives ? deletePlanLines(archives) : [none_excess]);
}

function question(backups: number, archives: number, freed_bytes: number): string {
  const what = [
    ...(backups > 0 ? [plural(backups, 'backup')] : []),
    ...(archives > 0 ? [plural(archives, 'archive')] : []),
  ];
  return `Delete ${what.join(' and ')} (${formatBytes(freed_bytes)})?`;
}

async function planArchives(
  engine: Engine,
  printer: Printer,
  signal: AbortSignal,
): Promise<{ plan: DeletePlan | undefined; exit: number }> {
  try {
    const excess = (await engine.planDue({ signal })).flatMap((item) => item.surplus);
    const targets = excess.filter(({ action }) => action === 'delete');
    const plan = targets.length > 0 ? await engine.planDelete(targets, { signal }) : undefined;
    return { plan, exit: 0 };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown);
    printer.failed({ ...error.report(), message: `Cannot check archives: ${error.message}` });
    return { plan: undefined, exit: error.exitCode };
  }
}

async function deleteArchives(
  engine: Engine,
  plan: DeletePlan,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return runToEnd(engine, { kind: 'delete', plan }, printer, signal);
}

/** Applies retention after a backup, without asking: `--prune` is the consent. */
export async function pruneAfter(
  engine: Engine,
  rule: KeepRule,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return execute(engine, await engine.planPrune(rule, { signal }), printer, signal);
}

async function execute(
  engine: Engine,
  plan: PrunePlan,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return runToEnd(engine, { kind: 'prune', plan }, printer, signal);
}
